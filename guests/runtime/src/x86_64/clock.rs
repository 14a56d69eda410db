//! The time-stamp counter, and the local APIC's timer, whose deadlines are in its ticks: in TSC-deadline mode where there is one and
//! the command line has no `one-shot`.
//!
//! How fast the counter is, CPUID says, or a comparison with a clock of known frequency: the 8254, or ACPI's timer.

use super::apic::{self, register::*};
use super::cpu::{self, cpuid, in32};
use super::pit;
use crate::{Machine, Verdict};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

pub use super::cpu::time_stamp as now;

/// The timer's vector: of the highest priority.
pub const VECTOR: u32 = 0xe0;
/// ACPI's timer, ticks per second.
pub const POWER_TIMER_HZ: u64 = 3_579_545;
/// IA32_TSC_DEADLINE.
const DEADLINE_MSR: u32 = 0x6e0;
/// CPUID 1, ECX: TSC-deadline mode.
const HAS_DEADLINE: u32 = 1 << 24;
/// LVT timer: TSC-deadline mode.
const DEADLINE_MODE: u32 = 2 << 17;
/// LVT timer: periodic.
pub const PERIODIC: u32 = 1 << 17;
/// Divide configuration: by 1.
const BY_ONE: u32 = 0b1011;

/// Ticks of the time-stamp counter per second.
static FREQUENCY: AtomicU64 = AtomicU64::new(1_000_000_000);
/// Ticks of the local APIC's timer per second.
static APIC_FREQUENCY: AtomicU64 = AtomicU64::new(1_000_000_000);
/// The frequencies were measured, not told.
static IS_MEASURED: AtomicBool = AtomicBool::new(false);
/// The timer is used in TSC-deadline mode.
static BY_DEADLINE: AtomicBool = AtomicBool::new(false);
/// The deadline. Only the CPU with the timer stores.
static DEADLINE: AtomicU64 = AtomicU64::new(0);

/// Ticks of the time-stamp counter per second.
pub fn frequency() -> u64 {
    FREQUENCY.load(Relaxed)
}

/// Ticks of the local APIC's timer per second, divided by 1.
pub fn apic_frequency() -> u64 {
    APIC_FREQUENCY.load(Relaxed)
}

/// Whether the frequencies were measured.
pub fn is_measured() -> bool {
    IS_MEASURED.load(Relaxed)
}

/// The counter's frequency and the APIC timer's, by the leaf that hypervisors have for them. Xen has one of its own (its
/// public/arch-x86/cpuid.h), and an APIC's cycle of 10 ns.
fn told_by_hypervisor() -> Option<[u64; 2]> {
    if cpu::hypervisor()? == *b"XenVMMXenVMM" {
        return Some([u64::from(cpuid(0x4000_0003, 0).ecx) * 1000, 100_000_000]);
    }
    let timing = cpuid(0x4000_0010, 0);
    (cpuid(0x4000_0000, 0).eax >= 0x4000_0010 && timing.eax != 0 && timing.ebx != 0)
        .then(|| [timing.eax, timing.ebx].map(|khz| u64::from(khz) * 1000))
}

/// The counter's frequency by CPUID leaf 0x15: the crystal's and a ratio.
pub fn told_by_cpu() -> Option<u64> {
    if cpuid(0, 0).eax < 0x15 {
        return None;
    }
    let leaf = cpuid(0x15, 0);
    (leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0)
        .then(|| u64::from(leaf.ecx) * u64::from(leaf.ebx) / u64::from(leaf.eax))
}

/// Whether the timer is used in TSC-deadline mode: its deadlines are exact then.
pub fn is_by_deadline() -> bool {
    BY_DEADLINE.load(Relaxed)
}

/// Finds out both frequencies.
pub(super) fn calibrate(machine: &Machine) {
    BY_DEADLINE.store(!machine.has_word("one-shot") && cpuid(1, 0).ecx & HAS_DEADLINE != 0, Relaxed);
    let told = told_by_hypervisor();
    if told.is_none() {
        IS_MEASURED.store(true, Relaxed);
    }
    let [tsc, apic] = told.unwrap_or_else(|| measure(machine));
    FREQUENCY.store(told_by_cpu().unwrap_or(tsc), Relaxed);
    APIC_FREQUENCY.store(apic, Relaxed);
}

/// What the counter and another clock said at once.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// Ticks of the counter that passed meanwhile: how sure it is.
    pub took: u64,
    /// The counter, before it.
    pub counter: u64,
    /// The other clock.
    pub clock: u64,
}

/// A look at the counter and at another clock: the closest of several, because the CPU may be somebody else's between both.
pub fn look(clock: impl Fn() -> u64) -> Look {
    let looks = (0..16).map(|_| {
        let counter = now();
        let clock = clock();
        Look { took: now() - counter, counter, clock }
    });
    looks.min().unwrap_or_default()
}

/// How many ticks of the counter one second of `clock` has, whose ticks are those in `mask`, `hz` a second. Measured for a while
/// that is shorter than the clock's round; again if it took longer.
fn measure_by(hz: u64, mask: u64, ticks: u64, clock: impl Fn() -> u64) -> Option<u64> {
    (0..100).find_map(|_| {
        let began = look(&clock);
        let passed = |value: u64| value.wrapping_sub(began.clock) & mask;
        let mut patience = 10_000_000_u32;
        while passed(clock()) < ticks && patience > 0 {
            patience -= 1;
        }
        let ended = look(&clock);
        let span = passed(ended.clock);
        // A clock that went round shows less than the way it was waited for.
        (patience > 0 && span >= ticks)
            .then(|| (u128::from(ended.counter - began.counter) * u128::from(hz) / u128::from(span)) as u64)
    })
}

/// The counter by a clock of known frequency, and the APIC's timer by the counter.
fn measure(machine: &Machine) -> [u64; 2] {
    let by_power_timer = |port| measure_by(POWER_TIMER_HZ, 0xff_ffff, POWER_TIMER_HZ / 20, || u64::from(in32(port)));
    let by_pit = || {
        pit::run_free();
        let frequency = measure_by(pit::FREQUENCY, 0xffff, 0xa000, || u64::from(!pit::count()));
        pit::stop();
        frequency
    };
    let Some(frequency) = machine.power_timer.and_then(by_power_timer).or_else(by_pit) else {
        return [1_000_000_000; 2];
    };
    // The timer counts whether or not the local APIC is enabled by software, and its interrupt is masked.
    apic::write(LVT_TIMER, apic::MASKED | VECTOR);
    apic::write(DIVIDE, BY_ONE);
    apic::write(INITIAL_COUNT, u32::MAX);
    let ticks = || u64::from(!apic::read(CURRENT_COUNT));
    let began = look(ticks);
    while now() - began.counter < frequency / 20 {}
    let ended = look(ticks);
    apic::write(INITIAL_COUNT, 0);
    let [ticks, passed] = [ended.clock - began.clock, ended.counter - began.counter];
    let apic_frequency = u128::from(ticks) * u128::from(frequency) / u128::from(passed);
    [frequency, apic_frequency as u64]
}

/// Opens the timer on this CPU. The local APIC is open.
pub fn open(_machine: &Machine) -> Verdict {
    let mode = if BY_DEADLINE.load(Relaxed) { DEADLINE_MODE } else { 0 };
    apic::write(DIVIDE, BY_ONE);
    apic::write(LVT_TIMER, VECTOR | mode);
    Ok(())
}

/// Whether an interrupt is the timer's.
pub(crate) fn owns(vector: u32) -> bool {
    vector == VECTOR
}

/// When the timer's interrupt is due.
pub fn deadline() -> u64 {
    DEADLINE.load(Relaxed)
}

/// The interrupt is due then.
pub(crate) fn set_deadline(deadline: u64) {
    go_off(deadline);
}

/// The timer's interrupt is due at `deadline`; gives when it is indeed, to the counter's tick as far as it can be told.
pub fn go_off(deadline: u64) -> u64 {
    DEADLINE.store(deadline, Relaxed);
    if BY_DEADLINE.load(Relaxed) {
        // Before the deadline is set, the LVT's mode is (SDM volume 3, 11.5.4.1).
        core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
        cpu::write_msr(DEADLINE_MSR, deadline.max(1));
        return deadline;
    }
    let ticks = u128::from(deadline.saturating_sub(now())) * u128::from(apic_frequency());
    let count = ticks.div_ceil(u128::from(frequency())).clamp(1, u32::MAX.into()) as u64;
    let before = now();
    apic::write(INITIAL_COUNT, count as u32);
    // It began at some time between.
    u64::midpoint(before, now()) + (u128::from(count) * u128::from(frequency()) / u128::from(apic_frequency())) as u64
}

/// Whether `deadline`, whose interrupt has come, is yet to come: by more than the measured frequencies' error.
pub(crate) fn is_early(deadline: u64) -> bool {
    now() + if is_measured() { frequency() / 10_000 } else { 0 } < deadline
}

/// No more interrupts.
pub(crate) fn stop() {
    if BY_DEADLINE.load(Relaxed) {
        return cpu::write_msr(DEADLINE_MSR, 0);
    }
    apic::write(INITIAL_COUNT, 0);
}
