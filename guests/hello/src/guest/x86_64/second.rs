//! x
pub(in crate::guest) fn main(_: u64) -> ! {
    guest_runtime::cpus::rest()
}
