//! The counters, and the physical timer.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use guest_runtime::gic::Interrupt;
use guest_runtime::system_register::barrier;
use guest_runtime::wait::wait_for;
use guest_runtime::{Machine, Verdict, read_register, say, timer, write_register};

/// CNTP_CTL_EL0.ENABLE, with IMASK clear.
const ENABLE: u64 = 1;
/// Interrupts of the physical timer to wait for, and the time to each.
const ROUNDS: u64 = 5;
const PERIOD_MS: u64 = 2;

/// Interrupts of the physical timer.
static COUNT: AtomicU64 = AtomicU64::new(0);
/// One came before its time.
static EARLY: AtomicBool = AtomicBool::new(false);

/// The virtual counter started with this machine, later than the board's own.
pub(super) fn starts_at_zero() -> Verdict {
    barrier();
    let physical = read_register!("cntpct_el0");
    barrier();
    let virtual_ = timer::now();
    if virtual_ >= physical {
        return Err("the counter did not start with the machine");
    }
    say!("the counter started {} ms ago", virtual_ * 1000 / timer::frequency());
    Ok(())
}

/// The virtual counter, which is this machine's own, and the physical one, in milliseconds.
pub(super) fn clocks_ms() -> [u64; 2] {
    barrier();
    [timer::now(), read_register!("cntpct_el0")].map(|ticks| ticks * 1000 / timer::frequency())
}

/// Interrupts of the physical timer come, as many as asked for and not early.
pub(super) fn physical_timer(machine: &Machine) -> Verdict {
    let frequency = timer::frequency();
    if frequency == 0 || machine.clock_frequency.is_some_and(|told| told as u64 != frequency) {
        return Err("CNTFRQ_EL0 is not what the tree says, or zero");
    }
    Interrupt(machine.physical_timer).enable()?;
    for round in 1..=ROUNDS {
        write_register!("cntp_cval_el0", read_register!("cntpct_el0") + frequency * PERIOD_MS / 1000);
        write_register!("cntp_ctl_el0", ENABLE);
        wait_for("no interrupt came from the physical timer", || COUNT.load(Relaxed) >= round)?;
    }
    timer::tick_for(2)?;
    Interrupt(machine.physical_timer).disable()?;
    if COUNT.load(Relaxed) != ROUNDS || EARLY.load(Relaxed) {
        return Err("an interrupt of the physical timer came twice or early");
    }
    say!("{ROUNDS} interrupts of the physical timer at {frequency} Hz");
    Ok(())
}

/// Counts, and stops the timer.
pub(super) fn on_interrupt() {
    if read_register!("cntpct_el0") < read_register!("cntp_cval_el0") {
        EARLY.store(true, Relaxed);
    }
    write_register!("cntp_ctl_el0", 0);
    COUNT.store(COUNT.load(Relaxed) + 1, Relaxed);
}
