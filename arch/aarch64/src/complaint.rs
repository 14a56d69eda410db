//! What the board complains of by a signal that cannot be masked: nothing. An SError is an exception of the hypervisor's own
//! (`entry`), and ends the board.
#![forbid(unsafe_code)]

/// What the board has complained of since it was asked last.
#[inline]
pub fn take() -> Option<core::convert::Infallible> {
    None
}
