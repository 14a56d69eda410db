//! The time-stamp counter, and the local APIC's timer, whose deadlines are in its ticks.
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

/// The counter's frequency and the APIC timer's, by the leaf that hypervisors have for them.
fn told_by_hypervisor() -> Option<[u64; 2]> {
    cpu::hypervisor()?;
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

/// Finds out both frequencies.
pub(super) fn calibrate(machine: &Machine) {
    BY_DEADLINE.store(machine.has_word("deadline") && cpuid(1, 0).ecx & HAS_DEADLINE != 0, Relaxed);
    let told = told_by_hypervisor();
    if told.is_none() {
        IS_MEASURED.store(true, Relaxed);
    }
    let [tsc, apic] = told.unwrap_or_else(|| measure(machine));
    FREQUENCY.store(told_by_cpu().unwrap_or(tsc), Relaxed);
    APIC_FREQUENCY.store(apic, Relaxed);
}

/// The counter and the APIC's timer, the time between two looks in `hz` that `clocks` says.
fn measure(machine: &Machine) -> [u64; 2] {
    const CLOCKS: u16 = 59_659;
    // The timer counts whether or not the local APIC is enabled by software, and its interrupt is masked.
    let counts = || [now(), u64::MAX - u64::from(apic::read(CURRENT_COUNT))];
    apic::write(LVT_TIMER, apic::MASKED | VECTOR);
    apic::write(DIVIDE, BY_ONE);
    apic::write(INITIAL_COUNT, u32::MAX);
    let (mut before, mut after) = ([0; 2], [0; 2]);
    let (clocks, hz) = if pit::is_there() && pit::measure(CLOCKS, || before = counts(), || after = counts()) {
        (CLOCKS.into(), pit::FREQUENCY)
    } else if let Some(port) = machine.power_timer {
        let start = in32(port);
        before = counts();
        // 50 ms; the lower 24 bits are all that every timer has.
        let passed = || u64::from(in32(port).wrapping_sub(start) & 0xff_ffff);
        while passed() < POWER_TIMER_HZ / 20 {}
        after = counts();
        (passed(), POWER_TIMER_HZ)
    } else {
        return [1_000_000_000; 2];
    };
    apic::write(INITIAL_COUNT, 0);
    [0, 1].map(|which| after[which].wrapping_sub(before[which]) * hz / clocks)
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
pub(crate) fn deadline() -> u64 {
    DEADLINE.load(Relaxed)
}

/// The interrupt is due then.
pub(crate) fn set_deadline(deadline: u64) {
    DEADLINE.store(deadline, Relaxed);
    if BY_DEADLINE.load(Relaxed) {
        // Before the deadline is set, the LVT's mode is (SDM volume 3, 11.5.4.1).
        core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
        return cpu::write_msr(DEADLINE_MSR, deadline.max(1));
    }
    let ticks = u128::from(deadline.saturating_sub(now())) * u128::from(apic_frequency());
    let count = ticks.div_ceil(u128::from(frequency()));
    apic::write(INITIAL_COUNT, count.clamp(1, u32::MAX.into()) as u32);
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
