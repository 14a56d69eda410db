//! The general registers of a vCPU, in the layout that the exit vector writes.

use crate::recorder::Tag;

/// What the vector saves and restores. While the guest runs, SP_EL2 points at this very structure: the vector
/// needs no scratch register and no table look-up to find it.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// x0 to x30.
    pub x: [u64; 31],
    /// The hypervisor's stack pointer while the guest runs.
    host_sp: u64,
    /// Whose it is, for the flight recorder.
    tag: u64,
}

/// Offset of `host_sp`; the tag lies behind it.
#[cfg(target_os = "none")]
pub(crate) const HOST_SP: usize = core::mem::offset_of!(Context, host_sp);

/// PSTATE of a vCPU out of reset: EL1 with its own stack pointer, all interrupts masked (DDI 0487 D1.10, reset).
pub const PSTATE_RESET: u64 = 0x3c5;

impl Context {
    /// A vCPU out of reset with `x0` as given and all else zero; `tag` says whose it is.
    pub const fn reset(x0: u64, tag: Tag) -> Context {
        let mut x = [0; 31];
        x[0] = x0;
        Context { x, host_sp: 0, tag: tag.word() }
    }

    /// Whose it is.
    pub const fn tag(&self) -> Tag {
        Tag::of(self.tag)
    }

    /// Register `index`; 31 reads as zero, like the instruction set's zero register.
    pub fn get(&self, index: u8) -> u64 {
        self.x.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// Sets register `index`; 31 discards.
    pub fn set(&mut self, index: u8, value: u64) {
        if let Some(register) = self.x.get_mut(usize::from(index)) {
            *register = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn register_31_is_the_zero_register() {
        let mut context = Context::reset(7, Tag::new(2, 1));
        assert_eq!(context.tag(), Tag::new(2, 1));
        assert_eq!((context.get(0), context.get(30), context.get(31)), (7, 0, 0));
        context.set(31, 5);
        assert_eq!(context.get(31), 0);
    }
}
