//! The event timers (IA-PC HPET 1.0a): the first one's level.

use super::{Count, HPET, open};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use guest_runtime::machine::Trigger;
use guest_runtime::mmio::{read32, write32};
use guest_runtime::wait::wait_for;
use guest_runtime::{Verdict, say, system_reset, timer};

const BASE: usize = 0xfed0_0000;
/// The counter's period in femtoseconds.
const PERIOD: usize = BASE + 0x04;
const CONFIGURATION: usize = BASE + 0x10;
const STATUS: usize = BASE + 0x20;
const COUNTER: usize = BASE + 0xf0;
const TIMER: usize = BASE + 0x100;
/// The lines that it can be routed to.
const ROUTES: usize = BASE + 0x104;
const COMPARATOR: usize = BASE + 0x108;

const LINE: u32 = 20;
/// Timer's configuration: level-triggered, enabled, 32 bits, to the line.
const SET_UP: u32 = 1 << 1 | 1 << 2 | 1 << 8 | LINE << 9;

/// The handler ends what it finds.
static SERVES: AtomicBool = AtomicBool::new(true);
/// The handler resets the machine.
static RESETS: AtomicBool = AtomicBool::new(false);
static COUNT: Count = Count::new();

fn begin() -> Verdict {
    timer::start(10);
    write32(CONFIGURATION, 0);
    write32(STATUS, 1);
    if read32(ROUTES) & 1 << LINE == 0 {
        return Err("the event timer has not the line");
    }
    write32(TIMER, SET_UP);
    open(LINE, Trigger::Level, HPET);
    write32(CONFIGURATION, 1);
    Ok(())
}

/// The next alarm is in so many microseconds.
fn arm(after_us: u64) {
    let ticks = after_us * 1_000_000_000 / u64::from(read32(PERIOD));
    write32(COMPARATOR, read32(COUNTER).wrapping_add(ticks as u32));
}

/// Counts alarms.
pub(super) fn count() -> Verdict {
    begin()?;
    for alarm in 1..=20 {
        arm(500);
        wait_for("the event timer did not interrupt", || COUNT.get() >= alarm)?;
    }
    timer::tick_for(2)?;
    if COUNT.get() != 20 {
        return Err("the event timer interrupted too often");
    }
    say!("20 alarms of the event timer");
    write32(TIMER, 0);
    Ok(())
}

/// Does not end one: its level stays, and it comes again and again.
pub(super) fn storm() -> Verdict {
    begin()?;
    SERVES.store(false, Relaxed);
    arm(500);
    wait_for("the event timer did not interrupt", || COUNT.get() > 0)?;
    for _ in 0..4 {
        let before = COUNT.get();
        timer::tick_for(10)?;
        say!("{} interrupts in 100 ms", COUNT.get() - before);
    }
    SERVES.store(true, Relaxed);
    timer::tick_for(3)?;
    let count = COUNT.get();
    timer::tick_for(3)?;
    if COUNT.get() != count {
        return Err("the line has fallen, and it interrupts still");
    }
    say!("the line has fallen, and it is quiet");
    write32(TIMER, 0);
    Ok(())
}

/// Resets the machine in the handler of its interrupt, with the line high.
pub(super) fn reset() -> Verdict {
    RESETS.store(true, Relaxed);
    begin()?;
    arm(500);
    wait_for("the event timer did not interrupt", || false)
}

/// Its interrupt.
pub(super) fn took() {
    COUNT.one();
    // What the life before this one has left may come first: it says nothing of an alarm.
    if RESETS.load(Relaxed) && read32(STATUS) & 1 != 0 {
        system_reset();
    }
    if SERVES.load(Relaxed) {
        write32(STATUS, 1);
    }
}
