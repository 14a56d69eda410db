//! Software-generated interrupts: ICC_SGI1R_EL1, ICC_SGI0R_EL1 and ICC_ASGI1R_EL1 (IHI 0069 section 12.2).

use super::Vgic;
use super::atomic::SeqCst;
use super::bits::{KickMask, bit, ones};

/// What does not name targets: INTID, TargetList, and what is reserved.
const OTHER_FIELDS: u64 = !(0xff << 48 | 0xf << 44 | 0xff << 32 | 0xff << 16);
/// IRM: all vCPUs but the sender.
const ALL_BUT_SELF: u64 = 1 << 40;

impl Vgic<'_> {
    /// A write of ICC_SGI1R_EL1 by vCPU `from`. With one security state it reaches SGIs of either group, as the receiver
    /// has configured them. Targets that do not exist are ignored.
    pub fn send_sgi(&self, from: u32, icc_sgi1r: u64) -> KickMask {
        self.send(from, icc_sgi1r, 0)
    }

    /// A write of ICC_SGI0R_EL1, or of ICC_ASGI1R_EL1, which is the same here because there is no other security state:
    /// it reaches SGIs that the receiver has in group 0.
    pub fn send_group0_sgi(&self, from: u32, icc_sgi0r: u64) -> KickMask {
        self.send(from, icc_sgi0r, u32::MAX)
    }

    /// Sends to all targets, except where the receiver has the SGI in a group of `refused_groups`.
    fn send(&self, from: u32, register: u64, refused_groups: u32) -> KickMask {
        let sgi = bit((register >> 24) as u32 & 0xf);
        let mut kick = KickMask::NONE;
        for vcpu in ones(self.sgi_targets(from, register)) {
            let Some(redistributor) = self.redistributor(vcpu) else { continue };
            let bank = &redistributor.bank;
            if refused_groups != 0 && bank.group.load(SeqCst) & refused_groups & sgi != 0 {
                continue;
            }
            bank.pending.latch(sgi);
            // Whether it is enabled there, the receiver sees.
            kick |= redistributor.hint(vcpu, bit(0));
        }
        kick
    }

    /// The vCPUs that a register names: all but the sender, or in the group of 16 that Aff3.Aff2.Aff1 and RS name those in
    /// TargetList.
    #[inline]
    pub(super) fn sgi_targets(&self, from: u32, register: u64) -> u32 {
        if register & ALL_BUT_SELF != 0 {
            return !bit(from);
        }
        // Of Aff3, Aff2, RS and Aff1 only the lowest bit of Aff1 tells groups that exist apart ([`model::affinity`]).
        match (register & !(0x1_0000 | OTHER_FIELDS), (register >> 16) & 1) {
            (0, group) => (register as u32 & 0xffff).wrapping_shl((group as u32) << 4),
            _ => 0,
        }
    }
}
