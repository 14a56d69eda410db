//! Where shared interrupts go: to one of a set of vCPUs, by GICD_IROUTER on a GICv3 and by GICD_ITARGETSR on a GICv2.
//!
//! The register and the set that it means are one word, so that nobody sees them disagree.

use super::Vgic;
use super::atomic::SeqCst;
use super::bank::SharedBank;
use super::bits::{IntId, KickMask, bit, ones};
use model::GicVersion;

/// GICD_IROUTER.Interrupt_Routing_Mode: any vCPU that takes part.
const ANY: u64 = 1 << 31;

/// A shared interrupt's targets in the upper half, in the lower half the affinity as a GICv3's guest wrote it: Aff3 to Aff0,
/// a byte each. (Aff0 and Aff1 alone tell vCPUs apart; the rest is kept to be read back.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route(pub(super) u64);

impl Route {
    /// At power-on. A GICv3's guest finds affinity 0, which is the first vCPU. A GICv2's finds no targets, unless there is one
    /// vCPU only, to which all interrupts go (IHI 0048 section 4.3.12).
    pub(super) const fn at_power_on(version: GicVersion, vcpus: u32) -> Route {
        match (version, vcpus) {
            (GicVersion::V3, _) | (GicVersion::V2, ..=1) => Route::to_any_of(1),
            (GicVersion::V2, _) => Route::to_any_of(0),
        }
    }

    /// GICD_ITARGETSR.
    pub(super) const fn to_any_of(targets: u32) -> Route {
        Route((targets as u64) << 32)
    }

    /// GICD_IROUTER of a VM with `vcpus` vCPUs. No set of one is that of all 32.
    fn from_router(router: u64, vcpus: u32) -> Route {
        let targets = match router & ANY {
            0 => vcpu_of(router, vcpus).map_or(0, bit),
            _ => u32::MAX,
        };
        Route(u64::from(targets) << 32 | (router >> 8) & 0xff00_0000 | router & 0xff_ffff)
    }

    /// GICD_IROUTER.
    pub(super) const fn router(self) -> u64 {
        let any = if self.targets() == u32::MAX { ANY } else { 0 };
        (self.0 & 0xff00_0000) << 8 | any | self.0 & 0xff_ffff
    }

    /// The vCPUs of which one takes it; some of them may not exist.
    #[inline]
    pub(super) const fn targets(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// The vCPU of an affinity (Aff3 in bits 39 to 32, Aff2 to Aff0 in bits 23 to 0): [`model::affinity`] backwards.
fn vcpu_of(affinity: u64, vcpus: u32) -> Option<u32> {
    // 32 vCPUs have Aff0 up to 15 and Aff1 up to 1.
    let vcpu = ((affinity >> 4) & 0x10 | affinity & 0xf) as u32;
    let exists = affinity & 0xff_00ff_ffff & !0x10f == 0 && vcpu < vcpus;
    exists.then_some(vcpu)
}

impl Vgic<'_> {
    /// The targets of a shared interrupt.
    #[inline]
    fn targets(shared: &SharedBank, index: u32) -> u32 {
        shared.route(index).map_or(0, |route| Route(route.load(SeqCst)).targets())
    }

    /// Whether `vcpu` may deliver a shared interrupt.
    #[inline]
    pub(super) fn may_deliver(&self, shared: &SharedBank, index: u32, vcpu: u32) -> bool {
        Self::targets(shared, index) & bit(vcpu) != 0
    }

    /// The vCPU that a shared interrupt goes to; `None` if its route names nobody, and it waits for a better one.
    pub(super) fn target(&self, shared: &SharedBank, index: u32) -> Option<u32> {
        let targets = Self::targets(shared, index);
        if targets.is_power_of_two() { Some(targets.trailing_zeros()) } else { self.one_of(targets) }
    }

    /// One of these vCPUs that runs, if possible one that has a pCPU and nothing to look at yet (1 of N, IHI 0069 section
    /// 3.3.1, IHI 0048 section 1.4.3).
    fn one_of(&self, vcpus: u32) -> Option<u32> {
        let online = self.online() & vcpus;
        let loaded = online & self.loaded();
        let idle = |&vcpu: &u32| self.redistributor(vcpu).is_some_and(|cpu| cpu.hints.load(SeqCst) == 0);
        let first = ones(loaded).find(idle).or_else(|| ones(online).find(idle));
        first.or_else(|| ones(online).next()).filter(|&vcpu| vcpu < self.vcpus())
    }

    /// What others may take too of word `word` is pending again, and `from` has no pCPU to take it on: tells those that have.
    pub(super) fn offer(&self, from: u32, word: u32) -> KickMask {
        let Some(shared) = self.shared(word) else { return KickMask::NONE };
        let others = self.online() & self.loaded() & !bit(from);
        let wanting = shared.bank.wanting(self.control(), SeqCst) & shared.bank.claims.free();
        let first = |index| ones(Self::targets(shared, index) & others).next();
        let told = ones(wanting).filter_map(first).fold(0, |told, other| told | bit(other));
        ones(told).fold(KickMask::NONE, |kick, other| kick | self.hint(other, bit(word)))
    }

    /// The shared interrupt `intid` goes to whom `change` makes of its GICD_IROUTER.
    pub(super) fn reroute(&self, intid: IntId, change: impl Fn(u64) -> u64) -> KickMask {
        let vcpus = self.vcpus();
        self.set_route(intid, |old| Route::from_router(change(old.router()), vcpus))
    }

    /// The shared interrupt `intid` goes to whom `change` makes of its route.
    pub(super) fn set_route(&self, intid: IntId, change: impl Fn(Route) -> Route) -> KickMask {
        let route = self.shared(intid.word()).and_then(|shared| shared.route(intid.index()));
        let Some(route) = route else { return KickMask::NONE };
        // Never refused: the closure always gives a value.
        let _ = route.fetch_update(SeqCst, SeqCst, |old| Some(change(Route(old)).0));
        self.retract(0, intid.word(), intid.bit()) | self.notify(0, intid.word(), intid.bit())
    }
}
