//! The exits that matter to a guest's speed, each known by one comparison of its syndrome. Whatever is not quite so simple is
//! left to the general way, which would do the same.

use super::quick::{Done, IS_V2};
use super::{Vcpu, code};
use crate::coverage::{self, Way};
use crate::gic::Hardware;
use crate::registers::{read, write};
use crate::syndrome::{Frequent, Syndrome};
use crate::{inject, vgic};

impl Vcpu {
    /// Answers a frequent exit; `None` if it is none, and nothing has changed.
    #[inline(always)]
    pub(super) fn frequent(&mut self, syndrome: Syndrome) -> Option<u64> {
        match syndrome.frequent()? {
            Frequent::HypervisorCall => {
                coverage::took(Way::FrequentCall);
                // What is not answered here has changed nothing.
                matches!(self.call(), Done::Yes).then_some(code::RESUME)
            }
            Frequent::Sgi { rt } => {
                coverage::took(Way::FrequentSgi);
                let (vgic, value) = (&self.guest.vgic, self.context.get(rt));
                self.step();
                if self.interface.sgi_again(vgic, &mut Hardware, value) {
                    return Some(code::RESUME);
                }
                let kick = vgic.send_sgi(self.index, value);
                self.kick(kick);
                Some(self.resume())
            }
            Frequent::LoadWord { rt } => {
                // HPFAR_EL2.FIPA and the offset in the page: a translation fault has both (DDI 0487 D24.2).
                let page = (read!("HPFAR_EL2") & 0xfff_ffff_fff0) << 8;
                let offset = self.guest.distributor_offset(page | read!("FAR_EL2") & 0xfff)?;
                if self.is_32_bit() || IS_V2 || vgic::shows_list_registers(offset) {
                    return None;
                }
                coverage::took(Way::FrequentLoad);
                let read = self.guest.vgic.distributor_read(self.index, offset, 4);
                self.set(rt, read.value);
                self.step();
                self.kick(read.kick);
                Some(self.resume_at_once())
            }
        }
    }

    /// The guest runs 32-bit code.
    fn is_32_bit(&self) -> bool {
        self.pstate() & inject::AARCH32 != 0
    }

    /// Goes on behind a 64-bit instruction that was emulated.
    fn step(&self) {
        let (pc, pstate) = inject::skip_64(self.pc(), self.pstate());
        // SAFETY: the guest's own PC and PSTATE.
        unsafe {
            write!("ELR_EL2", pc);
            write!("SPSR_EL2", pstate);
        }
    }
}
