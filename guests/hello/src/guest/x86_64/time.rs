//! The clocks: that they agree about how long something takes.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::apic::{self, register::*};
use guest_runtime::clock::{self, POWER_TIMER_HZ, apic_frequency};
use guest_runtime::cpu::in32;
use guest_runtime::wait::spin_for;
use guest_runtime::{Machine, Verdict, mask_interrupts, pit, say, timer, unmask_interrupts};

/// How long clocks are compared.
const SPAN_MS: u64 = 30;
/// How far they may differ, in parts: the frequencies were measured by one of them, or are told in thousands.
const PARTS: u64 = 1000;

/// Whether another clock, of `hz` and `mask`, agrees with the counter; gives the deviation in millionths.
fn compare(hz: u64, mask: u64, other: impl Fn() -> u64) -> Result<i64, &'static str> {
    // Less than the way round of the shortest, the 8254; a CPU that was somebody else's for longer has to look again.
    for _ in 0..100 {
        if let Some(ppm) = deviation(hz, mask, &other)? {
            return Ok(ppm);
        }
    }
    Err("this CPU is too busy to compare clocks")
}

fn deviation(hz: u64, mask: u64, other: impl Fn() -> u64) -> Result<Option<i64>, &'static str> {
    let began = clock::look(&other);
    let end = began.counter + timer::frequency() * SPAN_MS / 1000;
    while timer::now() < end {
        core::hint::spin_loop();
    }
    let ended = clock::look(&other);
    let ns = |ticks: u64| ticks * 1_000_000 / (timer::frequency() / 1000);
    let [by_counter, unsure] = [ns(ended.counter - began.counter), ns(began.took + ended.took)];
    let by_clock = (ended.clock.wrapping_sub(began.clock) & mask) * 1_000_000_000 / hz;
    if by_counter > (mask + 1) * 900_000_000 / hz {
        return Ok(None);
    }
    let apart = by_clock as i64 - by_counter as i64;
    if apart.unsigned_abs() > by_counter / PARTS + unsure {
        say!("{by_counter} ns by the counter, {by_clock} ns by the other clock, {unsure} ns of it unsure");
        return Err("two clocks do not agree");
    }
    Ok(Some(apart * 1_000_000 / by_counter as i64))
}

/// The counter against ACPI's timer, the 8254 and the local APIC's timer.
pub(super) fn agree(machine: &Machine) -> Verdict {
    mask_interrupts();
    let verdict = compare_all(machine);
    // A pending interrupt of the timer's is one of the old deadline.
    unmask_interrupts();
    timer::start(10);
    verdict
}

fn compare_all(machine: &Machine) -> Verdict {
    let how = if clock::is_measured() { "measured" } else { "told" };
    say!("the counter is {} kHz, {how}, and was {} at the start", timer::frequency() / 1000, guest_runtime::started());
    if clock::told_by_cpu().is_some_and(|told| told.abs_diff(timer::frequency()) > told / PARTS) {
        return Err("CPUID leaf 0x15 says another frequency");
    }
    if let Some(port) = machine.power_timer {
        let apart = compare(POWER_TIMER_HZ, 0xff_ffff, || u64::from(in32(port)))?;
        say!("ACPI's timer agrees to {apart} ppm");
    }
    if pit::is_there() {
        pit::run_free();
        let apart = compare(pit::FREQUENCY, 0xffff, || u64::from(u16::MAX - pit::count()))?;
        pit::stop();
        say!("the 8254 agrees to {apart} ppm");
    }
    apic::write(LVT_TIMER, apic::MASKED | clock::VECTOR);
    for (divide, shift) in [(0b1011, 0), (0b0000, 1), (0b0011, 4), (0b1010, 7)] {
        apic::write(DIVIDE, divide);
        apic::write(INITIAL_COUNT, u32::MAX);
        let ticks = || u64::from(u32::MAX - apic::read(CURRENT_COUNT));
        compare(apic_frequency() >> shift, u32::MAX.into(), ticks)?;
    }
    clock::open(machine)?;
    say!("the local APIC's timer agrees, divided by 1, 2, 16 and 128");
    Ok(())
}

/// Periods of the local APIC's timer.
const PERIODS: u64 = 10;
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Periodic mode: as many interrupts as periods, none early; then none.
pub(super) fn apic_timer(machine: &Machine) -> Verdict {
    timer::stop();
    COUNT.store(0, Relaxed);
    let began = timer::now();
    apic::write(LVT_TIMER, PERIODIC_VECTOR | clock::PERIODIC);
    apic::write(INITIAL_COUNT, (apic_frequency() / 500) as u32);
    spin_for("the periodic timer stopped", || COUNT.load(Relaxed) >= PERIODS)?;
    let took = timer::now() - began;
    apic::write(LVT_TIMER, apic::MASKED | PERIODIC_VECTOR);
    let count = COUNT.load(Relaxed);
    // Only that they are not early: how late a shared CPU takes them is not the machine's to promise.
    if took < PERIODS * timer::frequency() / 500 * (PARTS - 1) / PARTS {
        return Err("the periodic timer is too fast");
    }
    let end = timer::now() + timer::frequency() / 100;
    while timer::now() < end {
        core::hint::spin_loop();
    }
    // One may have been on its way.
    if COUNT.load(Relaxed) > count + 1 {
        return Err("the periodic timer interrupts although it is masked");
    }
    apic::write(INITIAL_COUNT, 0);
    clock::open(machine)?;
    timer::start(10);
    say!("{PERIODS} interrupts of the local APIC's timer in periodic mode");
    Ok(())
}

/// The vector of the periodic mode's.
pub(super) const PERIODIC_VECTOR: u32 = 0x48;

/// An interrupt in periodic mode.
pub(super) fn on_interrupt() {
    COUNT.store(COUNT.load(Relaxed) + 1, Relaxed);
}
