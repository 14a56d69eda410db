//! The state of 32 interrupts, one word for each kind of bit.
//!
//! The private interrupts of a vCPU are one bank in its redistributor, the shared ones are banks in the distributor; the
//! registers and the list-register logic do not care which. Everything hot is in one cache line.

use super::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, SeqCst};
use super::bits::IntId;
use super::route::Route;
use super::senders::Senders;
use super::words::{Claims, Pending};

/// GICD_CTLR.EnableGrp0.
pub(super) const ENABLE_GROUP0: u32 = 1 << 0;
/// GICD_CTLR.EnableGrp1.
pub(super) const ENABLE_GROUP1: u32 = 1 << 1;
/// Implemented bits of a priority: 5, the least that a CPU interface has (IHI 0069 section 4.8).
const PRIORITY_BITS: u8 = 0xf8;

#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Bank {
    /// IxENABLER.
    pub(super) enabled: AtomicU32,
    /// IGROUPR: 1 is group 1.
    pub(super) group: AtomicU32,
    /// ICFGR: 1 is edge-triggered.
    pub(super) edge: AtomicU32,
    /// Levels of the lines.
    pub(super) line: AtomicU32,
    /// Private ones only: the physical interrupt of the same number is active and nobody handles it yet, so this one is
    /// pending. A list register with HW=1 takes the bit over.
    pub(super) hardware: AtomicU32,
    /// Listed ones that the claimer shall deactivate (ICACTIVER, or a deactivation by another vCPU).
    pub(super) deactivate: AtomicU32,
    /// Listed ones that the guest has set active (ISACTIVER); the claimer sees whether they are already; see [`super::active`].
    pub(super) activate: AtomicU32,
    /// Shared ones only: those behind which an interrupt of the board is active; see [`super::passed`].
    pub(super) passed: AtomicU32,
    pub(super) pending: Pending,
    pub(super) claims: Claims,
    priority: [AtomicU8; 32],
    /// Private ones only: who sent a GICv2's SGIs.
    pub(super) senders: Senders,
}

impl Bank {
    /// At power-on: all off, group 0, priority 0, of which `edge` are edge-triggered.
    pub(super) const fn new(edge: u32) -> Bank {
        Bank {
            enabled: AtomicU32::new(0),
            group: AtomicU32::new(0),
            edge: AtomicU32::new(edge),
            line: AtomicU32::new(0),
            hardware: AtomicU32::new(0),
            deactivate: AtomicU32::new(0),
            activate: AtomicU32::new(0),
            passed: AtomicU32::new(0),
            pending: Pending::new(),
            claims: Claims::new(),
            priority: [const { AtomicU8::new(0) }; 32],
            senders: Senders::new(),
        }
    }

    /// Back to power-on. Lines keep their level: they belong to the devices.
    pub(super) fn reset(&self, edge: u32) {
        for word in [&self.enabled, &self.group, &self.hardware, &self.deactivate, &self.activate, &self.passed] {
            word.store(0, SeqCst);
        }
        self.edge.store(edge, SeqCst);
        self.pending.reset();
        self.claims.reset();
        for priority in &self.priority {
            priority.store(0, SeqCst);
        }
        self.senders.reset();
    }

    /// Lines that are high and count: level-triggered ones.
    #[inline]
    pub(super) fn level_high(&self) -> u32 {
        self.line.load(SeqCst) & !self.edge.load(SeqCst)
    }

    /// What the distributor lets through: enabled, in an enabled group.
    #[inline]
    pub(super) fn open(&self, control: u32, order: Ordering) -> u32 {
        let group = self.group.load(order);
        let group1 = if control & ENABLE_GROUP1 != 0 { group } else { 0 };
        let group0 = if control & ENABLE_GROUP0 != 0 { !group } else { 0 };
        self.enabled.load(order) & (group0 | group1)
    }

    /// Let through and pending for a reason that no list register has taken yet.
    #[inline]
    pub(super) fn wanting(&self, control: u32, order: Ordering) -> u32 {
        let level_high = self.line.load(order) & !self.edge.load(order);
        let pending = self.pending.latched(order) | level_high | self.hardware.load(order);
        if pending == 0 { 0 } else { pending & self.open(control, order) }
    }

    #[inline]
    pub(super) fn priority(&self, intid: IntId) -> u8 {
        self.priority_cell(intid.index()).map_or(0, |cell| cell.load(SeqCst))
    }

    #[inline]
    pub(super) fn priority_byte(&self, index: u32) -> u8 {
        self.priority_cell(index).map_or(0, |cell| cell.load(SeqCst))
    }

    #[inline]
    pub(super) fn set_priority_byte(&self, index: u32, priority: u8) {
        if let Some(cell) = self.priority_cell(index) {
            cell.store(priority & PRIORITY_BITS, SeqCst);
        }
    }

    fn priority_cell(&self, index: u32) -> Option<&AtomicU8> {
        self.priority.get(usize::try_from(index).ok()?)
    }
}

/// 32 shared interrupts: a bank, and to whom each goes.
#[derive(Debug)]
pub(super) struct SharedBank {
    pub(super) bank: Bank,
    /// See [`Route`].
    route: [AtomicU64; 32],
    /// The vCPU that claimed it last; it counts while the claim's `listed` bit is set.
    owner: [AtomicU8; 32],
}

impl SharedBank {
    pub(super) const fn new() -> SharedBank {
        SharedBank {
            bank: Bank::new(0),
            route: [const { AtomicU64::new(0) }; 32],
            owner: [const { AtomicU8::new(0) }; 32],
        }
    }

    /// Back to power-on, all of them on the way `route`.
    pub(super) fn reset(&self, route: Route) {
        self.bank.reset(0);
        for cell in &self.route {
            cell.store(route.0, SeqCst);
        }
    }

    #[inline]
    pub(super) fn route(&self, index: u32) -> Option<&AtomicU64> {
        self.route.get(usize::try_from(index).ok()?)
    }

    #[inline]
    pub(super) fn owner(&self, index: u32) -> Option<&AtomicU8> {
        self.owner.get(usize::try_from(index).ok()?)
    }
}
