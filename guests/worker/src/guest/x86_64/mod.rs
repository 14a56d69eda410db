//! x86_64's part: the local APIC, calls of the hypervisor, stolen time.

mod stolen;

pub(super) use guest_runtime::apic::open;
pub(super) use stolen::stolen_ns;

use core::arch::asm;

/// The least that leaves the guest.
pub(super) fn exit() {
    // SAFETY: what is asked for in RAX, the interface's version, is answered there.
    unsafe { asm!("vmmcall", inout("rax") 0_u64 => _, options(nostack)) };
}
