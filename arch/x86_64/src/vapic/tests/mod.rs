//! Tests of the virtual APICs.

mod io_apic;
mod ipis;
mod local;
mod msrs;
mod passed;
mod pic;
mod reference;
mod threads;
mod timer;

use super::{KickMask, LocalApic, Pending, Posted, Vapic};

/// Offsets of registers in the page of memory.
const ID: u64 = 0x20;
const VERSION: u64 = 0x30;
const TPR: u64 = 0x80;
const PPR: u64 = 0xa0;
const EOI: u64 = 0xb0;
const LDR: u64 = 0xd0;
const DFR: u64 = 0xe0;
const SVR: u64 = 0xf0;
const ISR: u64 = 0x100;
const TMR: u64 = 0x180;
const IRR: u64 = 0x200;
const ESR: u64 = 0x280;
const ICR: u64 = 0x300;
const ICR_HIGH: u64 = 0x310;
const LVT_TIMER: u64 = 0x320;
const LINT0: u64 = 0x350;
const LVT_ERROR: u64 = 0x370;
const INITIAL: u64 = 0x380;
const CURRENT: u64 = 0x390;
const DIVIDE: u64 = 0x3e0;

/// A VM with its vCPUs' local APICs, at power-on but for SVR: all are enabled.
struct World {
    vapic: Vapic<'static>,
    apics: Vec<LocalApic>,
    now: u64,
}

impl World {
    fn new(vcpus: u32) -> World {
        // For the rest of the test's process.
        let posted: &'static [Posted] = Vec::leak((0..vcpus).map(|_| Posted::new()).collect());
        let mut world =
            World { vapic: Vapic::new(posted, true, 40), apics: (0..vcpus).map(LocalApic::new).collect(), now: 0 };
        for vcpu in 0..vcpus {
            world.apics[vcpu as usize].reset(&world.vapic);
            world.set(vcpu, SVR, 0x1ff);
        }
        world
    }

    fn read(&mut self, vcpu: u32, offset: u64) -> u32 {
        let now = self.now;
        self.apics[vcpu as usize].read(&self.vapic, offset, 4, || now)
    }

    fn write(&mut self, vcpu: u32, offset: u64, value: u32) -> KickMask {
        let now = self.now;
        self.apics[vcpu as usize].write(&self.vapic, offset, 4, value, || now)
    }

    /// A write that leads to nothing elsewhere.
    fn set(&mut self, vcpu: u32, offset: u64, value: u32) {
        let kick = self.write(vcpu, offset, value);
        assert!(kick.without(vcpu).is_empty(), "{kick:?}");
    }

    /// A write that does not fault.
    fn wrmsr(&mut self, vcpu: u32, msr: u32, value: u64) {
        let kick = self.write_msr(vcpu, msr, value).unwrap();
        assert!(kick.without(vcpu).is_empty(), "{kick:?}");
    }

    fn read_msr(&mut self, vcpu: u32, msr: u32) -> Option<u64> {
        let now = self.now;
        self.apics[vcpu as usize].read_msr(&self.vapic, msr, || now).ok()
    }

    fn write_msr(&mut self, vcpu: u32, msr: u32, value: u64) -> Option<KickMask> {
        let now = self.now;
        self.apics[vcpu as usize].write_msr(&self.vapic, msr, value, || now).ok()
    }

    fn pending(&mut self, vcpu: u32) -> Option<Pending> {
        let idle = self.apics[vcpu as usize].is_idle(&self.vapic);
        let pending = self.apics[vcpu as usize].pending(&self.vapic);
        assert!(!idle || pending.is_none(), "idle, and {pending:?}");
        pending
    }

    /// The guest of `vcpu` takes its next interrupt, with its vector.
    fn take(&mut self, vcpu: u32) -> Option<u8> {
        match self.pending(vcpu)? {
            Pending::Vector(vector) => {
                self.apics[vcpu as usize].accept(vector);
                Some(vector)
            }
            Pending::External => self.vapic.acknowledge_external(&mut self.apics[vcpu as usize]),
        }
    }

    /// The vectors that vCPUs would take next, by vCPU.
    fn vectors(&mut self) -> Vec<Option<u8>> {
        (0..self.apics.len() as u32)
            .map(|vcpu| match self.pending(vcpu) {
                Some(Pending::Vector(vector)) => Some(vector),
                _ => None,
            })
            .collect()
    }

    /// An edge at the entry of the I/O APIC.
    fn write_entry(&mut self, pin: u32, entry: u64) -> KickMask {
        let mut kick = KickMask::NONE;
        for (half, value) in [(1, entry >> 32), (0, entry)] {
            kick |= self.vapic.io_apic_write(0, 4, 0x10 + 2 * pin + half);
            kick |= self.vapic.io_apic_write(0x10, 4, value as u32);
        }
        kick
    }

    fn read_entry(&mut self, pin: u32) -> u64 {
        let mut entry = 0;
        for half in [1, 0] {
            let _ = self.vapic.io_apic_write(0, 4, 0x10 + 2 * pin + half);
            entry = entry << 32 | u64::from(self.vapic.io_apic_read(0x10, 4));
        }
        entry
    }
}
