//! The general registers of a vCPU, in the layout that the entry's assembly reads and writes.
#![forbid(unsafe_code)]

use crate::recorder::Tag;

/// What is saved and restored around VMRUN besides the VMCB. While the guest runs, the host's RSP points to this very structure:
/// an exit needs no scratch register and no look-up to find it.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// By number: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. RAX and RSP are the VMCB's.
    pub general: [u64; 16],
    /// The hypervisor's stack pointer while the guest runs.
    host_sp: u64,
    /// Whose it is, for the flight recorder.
    tag: u64,
    /// Physical address of the VMCB.
    vmcb: u64,
    /// Physical address of what VMSAVE made of the host.
    host: u64,
}

#[cfg(target_os = "none")]
pub(crate) mod offset {
    use super::Context;
    use core::mem::offset_of;

    pub(crate) const HOST_SP: usize = offset_of!(Context, host_sp);
    pub(crate) const TAG: usize = offset_of!(Context, tag);
    pub(crate) const VMCB: usize = offset_of!(Context, vmcb);
    pub(crate) const HOST: usize = offset_of!(Context, host);
}

impl Context {
    /// All zero; `tag` says whose it is.
    pub const fn new(tag: Tag) -> Context {
        Context { general: [0; 16], host_sp: 0, tag: tag.word(), vmcb: 0, host: 0 }
    }

    /// Whose it is.
    pub const fn tag(&self) -> Tag {
        Tag::of(self.tag)
    }

    /// Where its VMCB and the host's state are.
    pub const fn place(&mut self, vmcb: u64, host: u64) {
        self.vmcb = vmcb;
        self.host = host;
    }
}
