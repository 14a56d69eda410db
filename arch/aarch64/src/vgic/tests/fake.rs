//! The virtual CPU interface as IHI 0069 chapter 6 and section 12.4 describe it, or IHI 0048 chapter 5, seen by the guest
//! (acknowledge, end, deactivate) and by the hypervisor (list registers, maintenance), and the physical private interrupts of
//! its pCPU.

use super::super::Ends;
use super::super::hcr;
use super::super::lr::{ListRegister, ListRegisters};
use model::GicVersion;
use std::sync::Mutex;

pub(super) const SPURIOUS: u32 = 1023;

/// The board's shared interrupts that are a guest's, as the distributor has them: levels of the lines, and what is active.
#[derive(Debug, Default)]
pub(super) struct BoardLines(Mutex<BoardState>);

#[derive(Debug, Default)]
struct BoardState {
    high: std::collections::BTreeSet<u32>,
    active: std::collections::BTreeSet<u32>,
}

impl BoardLines {
    pub(super) fn set(&self, intid: u32, level: bool) {
        let high = &mut self.0.lock().unwrap().high;
        if level {
            high.insert(intid)
        } else {
            high.remove(&intid)
        };
    }

    pub(super) fn is_active(&self, intid: u32) -> bool {
        self.0.lock().unwrap().active.contains(&intid)
    }

    /// EL2 acknowledges one.
    pub(super) fn take(&self) -> Option<u32> {
        let mut state = self.0.lock().unwrap();
        let intid = state.high.difference(&state.active).next().copied()?;
        state.active.insert(intid);
        Some(intid)
    }
}

impl Ends for BoardLines {
    fn over(&self, intid: u32) {
        assert!(self.0.lock().unwrap().active.remove(&intid), "{intid} is over, but it is not active");
    }
}

/// One pCPU's hardware.
#[derive(Clone, Debug)]
pub(super) struct FakeCpu {
    version: GicVersion,
    lr: Vec<u64>,
    hcr: u64,
    /// ICV_PMR.
    pub(super) mask: u8,
    /// ICV_CTLR.EOImode.
    pub(super) split: bool,
    /// Active priorities, one bit for each of 32 levels (ICH_AP0R0 | ICH_AP1R0).
    active_priorities: u32,
    /// Lines of the physical private interrupts.
    pub(super) line: u32,
    /// Physical private interrupts that are active.
    pub(super) active: u32,
    pub(super) lr_writes: usize,
}

impl FakeCpu {
    pub(super) fn new(version: GicVersion, list_registers: usize) -> FakeCpu {
        FakeCpu {
            version,
            // As the set-up of a pCPU leaves them.
            lr: vec![0; list_registers],
            hcr: 0,
            mask: 0xff,
            split: false,
            active_priorities: 0,
            line: 0,
            active: 0,
            lr_writes: 0,
        }
    }

    /// The vCPU is off: its CPU interface is at power-on when it comes back.
    pub(super) fn reset(&mut self) {
        self.active_priorities = 0;
    }

    /// The physical GIC hands EL2 an interrupt: acknowledged, priority dropped, active.
    pub(super) fn take_physical(&mut self) -> Option<u32> {
        let ready = self.line & !self.active;
        (ready != 0).then(|| {
            let intid = ready.trailing_zeros();
            self.active |= 1 << intid;
            intid
        })
    }

    fn best(&self) -> Option<usize> {
        let pending = (0..self.lr.len()).filter(|&index| ListRegister(self.lr[index]).is_only_pending());
        pending.min_by_key(|&index| ListRegister(self.lr[index]).priority())
    }

    /// Whether something in a list register would interrupt the guest.
    pub(super) fn has_deliverable(&self) -> bool {
        self.clone().acknowledge() != SPURIOUS
    }

    /// ICV_IAR or GICV_IAR: the interrupt that the guest gets, now active; from bit 10 on who sent it, if it is a GICv2's SGI.
    pub(super) fn acknowledge(&mut self) -> u32 {
        assert!(self.hcr & hcr::EN != 0);
        let Some(index) = self.best() else { return SPURIOUS };
        let lr = ListRegister(self.lr[index]);
        let level = lr.priority() >> 3;
        if lr.priority() >= self.mask || u32::from(level) >= self.active_priorities.trailing_zeros() {
            return SPURIOUS;
        }
        self.active_priorities |= 1 << level;
        self.lr[index] = (lr.0 & !(3 << 62)) | 2 << 62;
        if self.version == GicVersion::V2 && lr.intid() < 16 { lr.intid() | lr.sender() << 10 } else { lr.intid() }
    }

    /// ICV_EOIR or GICV_EOIR.
    pub(super) fn end(&mut self, acknowledged: u32) {
        let intid = acknowledged & 0x3ff;
        if self.active_priorities == 0 {
            return;
        }
        let dropped = self.active_priorities.trailing_zeros();
        self.active_priorities &= self.active_priorities - 1;
        if self.split {
            // As QEMU has it of a GICv3; by the architecture only what would have deactivated is counted.
            if self.version == GicVersion::V3 && self.find_active(intid).is_none() {
                self.count_end();
            }
            return;
        }
        match self.find_active(intid) {
            Some(index) if u32::from(ListRegister(self.lr[index]).priority() >> 3) == dropped => {
                self.deactivate_listed(index);
            }
            Some(_) => {}
            None => self.count_end(),
        }
    }

    /// ICV_DIR: false if it traps.
    pub(super) fn deactivate_or_trap(&mut self, intid: u32) -> bool {
        if self.hcr & hcr::TDIR != 0 {
            return false;
        }
        match self.find_active(intid) {
            Some(index) => self.deactivate_listed(index),
            None => self.count_end(),
        }
        true
    }

    fn find_active(&self, intid: u32) -> Option<usize> {
        self.lr.iter().position(|&lr| ListRegister(lr).intid() == intid && ListRegister(lr).is_active())
    }

    fn deactivate_listed(&mut self, index: usize) {
        let lr = ListRegister(self.lr[index]).without_active();
        self.lr[index] = lr.0;
        if lr.is_hardware() {
            self.active &= !(1 << (lr.0 >> 32 & 0x1fff));
        }
    }

    fn count_end(&mut self) {
        self.hcr = self.hcr.wrapping_add(1 << hcr::EOI_COUNT_SHIFT) & 0xffff_ffff;
    }

    /// Whether the maintenance interrupt is asserted (ICH_MISR).
    pub(super) fn maintenance(&self) -> bool {
        let ended = self.lr.iter().any(|&lr| tells_end(lr));
        let unlisted = self.hcr & hcr::LRENPIE != 0 && self.hcr >> hcr::EOI_COUNT_SHIFT != 0;
        let nothing_pending = self.hcr & hcr::NPIE != 0 && self.best().is_none();
        self.hcr & hcr::EN != 0 && (ended || unlisted || nothing_pending)
    }

    /// The list registers that hold an interrupt: INTID and whether it is pending, active.
    pub(super) fn listed(&self) -> Vec<(u32, bool, bool)> {
        let valid = self.lr.iter().map(|&lr| ListRegister(lr)).filter(|lr| !lr.is_empty());
        valid.map(|lr| (lr.intid(), lr.is_pending(), lr.is_active())).collect()
    }

    /// What the architecture forbids, or leaves unpredictable.
    pub(super) fn check(&self) {
        let mut seen = std::collections::HashSet::new();
        for lr in self.lr.iter().map(|&lr| ListRegister(lr)).filter(|lr| !lr.is_empty()) {
            assert!(seen.insert(lr.intid()), "INTID {} is in two list registers", lr.intid());
            assert!(lr.sender() == 0 || lr.is_hardware() || self.names_senders() && lr.intid() < 16);
            assert!(!(lr.is_hardware() && lr.is_pending() && lr.is_active()), "HW=1, pending and active");
            assert_eq!(lr.priority() & 7, 0);
            if lr.is_hardware() {
                assert!(self.active & 1 << lr.intid() != 0, "HW=1, but physical {} is not active", lr.intid());
            }
        }
    }
}

fn tells_end(lr: u64) -> bool {
    ListRegister(lr).is_empty() && !ListRegister(lr).is_hardware() && lr & 1 << 41 != 0
}

impl ListRegisters for FakeCpu {
    fn count(&self) -> usize {
        self.lr.len()
    }

    fn read(&self, index: usize) -> u64 {
        self.lr[index]
    }

    fn write(&mut self, index: usize, value: u64) {
        self.lr_writes += 1;
        self.lr[index] = value;
    }

    fn elrsr(&self) -> u32 {
        let empty = |lr: u64| ListRegister(lr).is_empty() && !tells_end(lr);
        (0..self.lr.len()).filter(|&index| empty(self.lr[index])).fold(0, |mask, index| mask | 1 << index)
    }

    fn hcr(&self) -> u64 {
        self.hcr
    }

    fn splits_ends(&self) -> bool {
        self.split
    }

    fn set_hcr(&mut self, value: u64) {
        self.hcr = value;
    }

    fn is_asserted(&self, intid: u32) -> bool {
        self.line & 1 << intid != 0
    }

    fn names_senders(&self) -> bool {
        self.version == GicVersion::V2
    }

    fn deactivate(&mut self, intid: u32) {
        assert!(self.active & 1 << intid != 0, "physical {intid} deactivated, but it is not active");
        self.active &= !(1 << intid);
    }
}
