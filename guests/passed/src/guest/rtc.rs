//! The clock (MC146818): its periodic interrupt.

use super::{Count, RTC, open};
use guest_runtime::cpu::{in8, out8};
use guest_runtime::machine::Trigger;
use guest_runtime::wait::wait_for;
use guest_runtime::{Verdict, say, timer};

const A: u8 = 0x0a;
const B: u8 = 0x0b;
const C: u8 = 0x0c;
/// Register A: the clock runs, and 256 periods in a second.
const RATE: u8 = 0x28;
/// Register B: periodic interrupts, and the usual 24 hours.
const PERIODIC: u8 = 0x42;

static COUNT: Count = Count::new();

fn read(register: u8) -> u8 {
    out8(0x70, register);
    in8(0x71)
}

fn write(register: u8, value: u8) {
    out8(0x70, register);
    out8(0x71, value);
}

/// Counts periods.
pub(super) fn count() -> Verdict {
    timer::start(10);
    open(8, Trigger::Edge, RTC);
    write(A, RATE);
    read(C);
    write(B, PERIODIC);
    wait_for("the clock stopped interrupting", || COUNT.get() >= 20)?;
    write(B, 0x02);
    read(C);
    timer::tick_for(2)?;
    let count = COUNT.get();
    timer::tick_for(2)?;
    if COUNT.get() != count {
        return Err("the clock interrupts although it is not to");
    }
    say!("20 periods of the clock, in the year 20{:02x}", read(9));
    Ok(())
}

/// Its interrupt, of which a look at register C is the end.
pub(super) fn took() {
    COUNT.one();
    read(C);
}
