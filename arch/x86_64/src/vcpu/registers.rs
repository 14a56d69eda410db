//! The general registers and flags of a vCPU, as the decoder's instructions read and write them: RAX, RSP and RFLAGS are the VMCB's.

use super::Vcpu;
use crate::decode;

impl decode::Registers for Vcpu {
    #[inline]
    fn get(&self, number: u8) -> u64 {
        match number {
            0 => self.vmcb.state.rax,
            4 => self.vmcb.state.rsp,
            _ => self.context.general.get(usize::from(number)).copied().unwrap_or(0),
        }
    }

    #[inline]
    fn set(&mut self, number: u8, value: u64) {
        match number {
            0 => self.vmcb.state.rax = value,
            4 => self.vmcb.state.rsp = value,
            _ => {
                // RBX, RBP, R12 to R15.
                self.changed_all |= 0xf028 >> number & 1 != 0;
                if let Some(register) = self.context.general.get_mut(usize::from(number)) {
                    *register = value;
                }
            }
        }
    }

    #[inline]
    fn flags(&self) -> u64 {
        self.vmcb.state.rflags
    }

    #[inline]
    fn set_flags(&mut self, flags: u64) {
        self.vmcb.state.rflags = flags;
    }
}
