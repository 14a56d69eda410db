//! Software-generated interrupts: ICC_SGI1R_EL1, ICC_SGI0R_EL1 and ICC_ASGI1R_EL1 (IHI 0069 section 12.2).

use super::Vgic;
use super::atomic::SeqCst;
use super::bits::{KickMask, bit, ones};

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
        let targets = match register & ALL_BUT_SELF {
            0 => self.sgi_targets(register),
            _ => KickMask(u32::MAX.checked_shr(32_u32.saturating_sub(self.vcpus())).unwrap_or(0)).without(from),
        };
        targets.iter().fold(KickMask::NONE, |kick, vcpu| {
            let Some(bank) = self.bank(vcpu, 0) else { return kick };
            if bank.group.load(SeqCst) & refused_groups & sgi != 0 {
                return kick;
            }
            bank.pending.latch(sgi);
            kick | self.notify(vcpu, 0, sgi)
        })
    }

    /// Aff3.Aff2.Aff1 and the 16 vCPUs from RS × 16 whose bits are in TargetList.
    fn sgi_targets(&self, register: u64) -> KickMask {
        let aff1 = (register >> 16) & 0xff;
        let aff2 = (register >> 32) & 0xff;
        let aff3 = (register >> 48) & 0xff;
        let range = (register >> 44) & 0xf;
        let group = aff3 << 32 | aff2 << 16 | aff1 << 8 | range << 4;
        ones(register as u32 & 0xffff)
            .filter_map(|aff0| self.vcpu_of(group | u64::from(aff0)))
            .fold(KickMask::NONE, |targets, vcpu| targets | KickMask::of(vcpu))
    }
}
