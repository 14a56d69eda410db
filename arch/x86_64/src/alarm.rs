//! The local APIC's timer: the moment at which this pCPU has to decide anew who runs.
//!
//! It compares with the time-stamp counter where the CPU can do that; elsewhere it counts down by a clock of its own, whose speed
//! is measured once. A deadline that is farther away than it counts goes off early: who is woken looks at the time anyway, and
//! sets the alarm anew.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::controller::{LocalApic, TimerMode, local};
use crate::cpu::counter;
use crate::registers::{cpuid, write_msr};

const IA32_TSC_DEADLINE: u32 = 0x6e0;
/// The timer's clock is measured for this part of a second.
const PART: u64 = 100;

/// The timer compares with the counter.
static HAS_DEADLINE: AtomicBool = AtomicBool::new(false);
/// Ticks of the timer's own clock for each tick of the counter, times 2^32.
static RATIO: AtomicU64 = AtomicU64::new(0);

/// Measures the timer's clock, on the boot CPU; all CPUs have the same.
pub(crate) fn init() {
    if cpuid(1, 0)[2] & 1 << 24 != 0 {
        HAS_DEADLINE.store(true, Ordering::Relaxed);
        local().set_timer_mode(TimerMode::Deadline);
        return;
    }
    let local = local();
    local.set_timer(u32::MAX);
    let start = counter();
    let first = local.timer();
    let least = (crate::cpu::counter_hz() / PART).max(1);
    while counter().wrapping_sub(start) < least {
        core::hint::spin_loop();
    }
    let last = local.timer();
    let took = counter().wrapping_sub(start).max(1);
    local.set_timer(0);
    let ticks = u64::from(first.wrapping_sub(last));
    RATIO.store((ticks << 32).checked_div(took).unwrap_or(0), Ordering::Relaxed);
}

/// Sets this CPU's timer up, stopped.
pub(crate) fn init_cpu(local: LocalApic) {
    let mode = if HAS_DEADLINE.load(Ordering::Relaxed) { TimerMode::Deadline } else { TimerMode::OneShot };
    local.set_timer_mode(mode);
}

/// Interrupts once with [`crate::interrupts::ALARM`] when the counter reaches `deadline`, or perhaps earlier if that is far away;
/// never if there is none.
#[inline]
pub fn set(deadline: Option<u64>) {
    share(LOOP, deadline);
}

/// The same for the vCPU that is loaded, whose local APIC has a timer of its own in here.
#[inline]
pub(crate) fn set_guest(deadline: Option<u64>) {
    share(GUEST, deadline);
}

/// Who has a deadline here, as an index of [`crate::cpu::PerCpu::alarms`].
const LOOP: usize = 0;
const GUEST: usize = 1;

/// Sets one deadline, and the timer to the earlier one of both.
#[inline]
fn share(whose: usize, deadline: Option<u64>) {
    let Some(local) = crate::cpu::local() else { return };
    let [first, second] = &local.alarms;
    let (own, other) = if whose == LOOP { (first, second) } else { (second, first) };
    let deadline = deadline.unwrap_or(u64::MAX);
    let before = own.load(Ordering::Relaxed);
    own.store(deadline, Ordering::Relaxed);
    let other = other.load(Ordering::Relaxed);
    // What is later than the other one's neither was nor is what the timer waits for.
    if before > other && deadline > other && whose == GUEST {
        return;
    }
    let first = deadline.min(other);
    program((first != u64::MAX).then_some(first));
}

/// The timer went off for the vCPU that is loaded, whose next deadline is this: sets it anew for whoever still waits.
#[inline]
pub(crate) fn guest_again(deadline: Option<u64>) {
    let Some(local) = crate::cpu::local() else { return };
    let [first, second] = &local.alarms;
    let deadline = deadline.unwrap_or(u64::MAX);
    second.store(deadline, Ordering::Relaxed);
    let first = deadline.min(first.load(Ordering::Relaxed));
    // By itself it waits for nothing any more.
    if first != u64::MAX {
        program(Some(first));
    }
}

/// Sets the timer.
#[inline]
fn program(deadline: Option<u64>) {
    if HAS_DEADLINE.load(Ordering::Relaxed) {
        // Zero turns it off; one has passed long ago.
        let deadline = deadline.map_or(0, |deadline| deadline.max(1));
        // SAFETY: the timer is this pCPU's own, in the mode that this register is for (SDM volume 3, 11.5.4.1).
        unsafe { write_msr(IA32_TSC_DEADLINE, deadline) };
        return;
    }
    let ticks = deadline.map_or(0, |deadline| {
        let left = deadline.saturating_sub(counter());
        let ticks = u128::from(left).saturating_mul(u128::from(RATIO.load(Ordering::Relaxed))) >> 32;
        // One more, since it must not be early when it is near.
        u32::try_from(ticks).unwrap_or(u32::MAX).saturating_add(1)
    });
    local().set_timer(ticks);
}
