//! One vCPU's local APIC: what only its pCPU touches (SDM volume 3, chapter 11; APM volume 2, chapter 16).

use super::{
    Vapic,
    arrive::EXTERNAL_BITS,
    posted::{Identity, Posted},
    registers::{Lvt, SVR_ENABLED},
    timer::Timer,
    vectors::Vectors,
};

/// IA32_APIC_BASE: the CPU that starts the others.
pub(super) const BASE_BSP: u64 = 1 << 8;
/// IA32_APIC_BASE: x2APIC mode.
pub(super) const BASE_X2APIC: u64 = 1 << 10;
/// IA32_APIC_BASE: enabled.
pub(super) const BASE_ENABLED: u64 = 1 << 11;

/// An LVT entry's mask bit.
pub(super) const MASKED: u32 = 1 << 16;
/// An LVT entry's delivery mode, NMI and ExtINT, and level-triggered.
const ENTRY_NMI: u32 = 4 << 8;
pub(super) const ENTRY_EXTERNAL: u32 = 7 << 8;
const ENTRY_LEVEL: u32 = 1 << 15;

/// The next interrupt of a vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// This vector: [`LocalApic::accept`] it when the guest takes it.
    Vector(u8),
    /// The 8259s know: [`Vapic::acknowledge_external`] gives the vector when the guest takes it.
    External,
}

/// A local APIC.
#[derive(Clone, Debug)]
pub struct LocalApic {
    pub(super) vcpu: u32,
    /// IRR, ISR, TMR.
    pub(super) requests: Vectors,
    pub(super) in_service: Vectors,
    pub(super) levels: Vectors,
    pub(super) task_priority: u8,
    /// What others sent besides vectors, and [`EXTERNAL_BITS`].
    pub(super) signals: u32,
    /// IA32_APIC_BASE.
    pub(super) base: u64,
    pub(super) svr: u32,
    pub(super) logical: u32,
    pub(super) format: u32,
    pub(super) lvt: [u32; Lvt::COUNT],
    pub(super) command: u64,
    /// ESR as it reads, and what came since it was written.
    pub(super) errors: u32,
    pub(super) new_errors: u32,
    pub(super) timer: Timer,
}

impl LocalApic {
    /// A local APIC at power-on; vCPU 0's as firmware leaves it. Before others can find it, [`LocalApic::reset`] it.
    pub fn new(vcpu: u32) -> LocalApic {
        let bsp = if vcpu == 0 { BASE_BSP } else { 0 };
        let mut apic = LocalApic {
            vcpu,
            requests: Vectors::new(),
            in_service: Vectors::new(),
            levels: Vectors::new(),
            task_priority: 0,
            signals: 0,
            base: model::Pc::LOCAL_APIC.0 | BASE_ENABLED | bsp,
            svr: 0xff,
            logical: 0,
            format: u32::MAX,
            lvt: [MASKED; Lvt::COUNT],
            command: 0,
            errors: 0,
            new_errors: 0,
            timer: Timer::new(),
        };
        if vcpu == 0 {
            // Virtual wire mode, which firmware sets up: the 8259s at LINT0, NMIs at LINT1 (MultiProcessor Specification 1.4, 3.6.2.2).
            apic.svr |= SVR_ENABLED;
            apic.set_entry(Lvt::Lint0, ENTRY_EXTERNAL | ENTRY_LEVEL);
            apic.set_entry(Lvt::Lint1, ENTRY_NMI | ENTRY_LEVEL);
        }
        apic
    }

    /// Back to power-on, with all that was sent forgotten. From now on others find it.
    pub fn reset(&mut self, vapic: &Vapic<'_>) {
        *self = LocalApic::new(self.vcpu);
        // A line that stayed high is at the 8259s still.
        if let Some(posted) = vapic.posted(self.vcpu) {
            posted.clear();
            self.publish(posted);
        }
    }

    /// What INIT does: all but the ID and IA32_APIC_BASE is as at power-on, without what firmware does (SDM volume 3, 11.4.7.3).
    pub(super) fn initialise(&mut self, vapic: &Vapic<'_>, posted: &Posted) {
        // No firmware runs: not as vCPU 0's at power-on.
        let fresh = LocalApic::new(u32::MAX);
        *self = LocalApic { vcpu: self.vcpu, base: self.base, signals: self.signals, ..fresh };
        if self.is_x2apic() {
            self.logical = self.x2apic_logical();
        }
        self.publish(posted);
        vapic.forgotten();
    }

    /// Which vCPU it belongs to.
    pub fn vcpu(&self) -> u32 {
        self.vcpu
    }

    /// IA32_APIC_BASE.
    #[inline]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Whether it is on (IA32_APIC_BASE).
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.base & BASE_ENABLED != 0
    }

    pub(super) fn is_x2apic(&self) -> bool {
        self.base & BASE_X2APIC != 0
    }

    /// Whether software has enabled it: SVR.
    pub(super) fn is_software_enabled(&self) -> bool {
        self.svr & SVR_ENABLED != 0
    }

    /// LDR in x2APIC mode: cluster and bit (SDM volume 3, 11.12.10.2).
    pub(super) fn x2apic_logical(&self) -> u32 {
        (self.vcpu >> 4) << 16 | 1_u32.wrapping_shl(self.vcpu & 15)
    }

    /// Lets others find it as it is now.
    pub(super) fn publish(&mut self, posted: &Posted) {
        // LINT0 may have changed, or whether it counts.
        self.watch_pic();
        let is_wired = if self.is_enabled() { self.entry(Lvt::Lint0) & MASKED == 0 } else { self.vcpu == 0 };
        posted.publish(
            Identity::new(self.logical)
                .enabled(self.is_enabled())
                .x2apic(self.is_x2apic())
                .flat(self.format >> 28 == 0xf)
                .accepting(self.is_enabled() && self.is_software_enabled())
                .wired(is_wired),
        );
    }

    pub(super) fn entry(&self, lvt: Lvt) -> u32 {
        self.lvt.get(lvt as usize).copied().unwrap_or(MASKED)
    }

    pub(super) fn set_entry(&mut self, lvt: Lvt, value: u32) {
        if let Some(entry) = self.lvt.get_mut(lvt as usize) {
            *entry = value;
        }
    }

    /// Whether nothing needs looking at before the guest runs: no vector, no signal, no 8259.
    #[inline]
    pub fn is_idle(&self, vapic: &Vapic<'_>) -> bool {
        self.requests.summary() | self.signals == 0 && vapic.posted(self.vcpu).is_none_or(|posted| !posted.has_hints())
    }

    /// What the guest takes next, if it takes interrupts at all (RFLAGS.IF). What others sent is seen here.
    #[inline]
    pub fn pending(&mut self, vapic: &Vapic<'_>) -> Option<Pending> {
        let highest = self.highest(vapic);
        if self.signals & EXTERNAL_BITS != 0 && self.has_external(vapic) {
            return Some(Pending::External);
        }
        highest.filter(|vector| vector >> 4 > self.task_priority >> 4).map(Pending::Vector)
    }

    /// The vector that would be next if the task priority were zero: for a CPU that compares with it by itself (APM volume 2, 15.21.2,
    /// V_INTR_PRIO). What others sent is seen here.
    #[inline]
    pub fn highest(&mut self, vapic: &Vapic<'_>) -> Option<u8> {
        self.collect(vapic);
        let vector = self.requests.highest()?;
        let class = self.in_service.highest().map_or(0, |vector| vector >> 4);
        (vector >> 4 > class).then_some(vector)
    }

    /// The guest takes `vector`, which was [`Pending`].
    #[inline]
    pub fn accept(&mut self, vector: u8) {
        self.requests.remove(vector);
        self.in_service.insert(vector);
    }

    /// The guest was kept from `vector`, which had been accepted: it is requested again.
    #[cold]
    pub fn give_back(&mut self, vector: u8) {
        self.in_service.remove(vector);
        self.requests.insert(vector);
    }

    /// A vector for this CPU by itself, of its timer or an IPI, comes while the guest takes interrupts. It takes this one at once, if
    /// nothing else is to be looked at before or after. False if not: then it is to be [`LocalApic::request`]ed.
    #[inline(always)]
    pub fn accept_at_once(&mut self, vapic: &Vapic<'_>, vector: u8) -> bool {
        let priority = self.in_service.highest().unwrap_or(0).max(self.task_priority);
        let is_alone = self.is_idle(vapic);
        if !is_alone || vector >> 4 <= priority >> 4 {
            return false;
        }
        // Above what is in service, so none of its own is.
        if self.levels.summary() != 0 {
            self.levels.remove(vector);
        }
        self.in_service.insert(vector);
        true
    }

    /// The time, as a value of the guest's TSC, at which [`LocalApic::tick`] is to be called.
    #[inline]
    pub fn deadline(&self) -> Option<u64> {
        self.timer.deadline()
    }

    /// Lets the timer fire if it is `now` past [`LocalApic::deadline`].
    #[inline]
    pub fn tick(&mut self, now: u64) {
        if let Some(Some(vector)) = self.ticked(now) {
            self.request(vector);
        }
    }

    /// The same, if it is; the vector that it gives is still to be [`LocalApic::request`]ed.
    #[inline]
    pub fn ticked(&mut self, now: u64) -> Option<Option<u8>> {
        if !self.timer.fires(now) {
            return None;
        }
        let entry = self.entry(Lvt::Timer);
        let vector = entry as u8;
        if entry & MASKED == 0 && vector >= 16 {
            return Some(Some(vector));
        }
        // Masked, or with an illegal vector.
        self.deliver_entry(Lvt::Timer);
        Some(None)
    }

    /// PPR (SDM volume 3, 11.8.3.1).
    #[inline]
    pub(super) fn processor_priority(&self) -> u8 {
        let in_service = self.in_service.highest().unwrap_or(0) & 0xf0;
        if self.task_priority & 0xf0 >= in_service { self.task_priority } else { in_service }
    }

    /// CR8.
    #[inline]
    pub fn cr8(&self) -> u8 {
        self.task_priority >> 4
    }

    /// What the guest has made of CR8, of which bits 3:0 count. As it was, TPR keeps its sub-class: a CPU that lets the guest
    /// write CR8 by itself (APM volume 2, 15.21.1, V_TPR) does not tell of writes.
    #[inline]
    pub fn set_cr8(&mut self, value: u8) {
        if value & 0xf != self.cr8() {
            self.task_priority = value << 4;
        }
    }

    /// EOI; the vector if it was level-triggered and the I/O APIC is to know.
    #[inline]
    pub(super) fn end(&mut self) -> Option<u8> {
        let vector = self.in_service.highest()?;
        self.in_service.remove(vector);
        self.levels.contains(vector).then_some(vector)
    }
}
