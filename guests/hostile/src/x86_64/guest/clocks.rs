//! The clocks of a PC, all at once and each at a rate that nobody can serve.

use guest_runtime::cpu::{in8, out8};
use guest_runtime::machine::{Line, Polarity, Trigger, own_id};
use guest_runtime::mmio::write64;

/// The vector of line 0, and those of the lines behind it.
pub(super) const FIRST: u32 = 0x50;
/// The interval timer's line, the real-time clock's, and those that the HPET is given, the third of which is line 20 again.
const LINES: [u32; 4] = [0, 8, 20, 21];
const CLOCK: u32 = 8;

/// The real-time clock's index and data; its registers A, B and C.
const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
const RATE: u8 = 0x0a;
const CONTROL: u8 = 0x0b;
const FLAGS: u8 = 0x0c;

fn line(number: u32) -> Line {
    Line { number, trigger: Trigger::Edge, polarity: Polarity::High }
}

fn set(register: u8, value: u8) {
    out8(INDEX, register);
    out8(DATA, value);
}

/// All run from here on; the HPET is at `hpet`.
pub(super) fn start(hpet: u64) {
    LINES.into_iter().for_each(|number| line(number).route(FIRST + number, own_id()));
    // The interval timer: counter 0, both bytes, mode 2, and the least that it can divide by (Intel 8254).
    out8(0x43, 0x34);
    out8(0x40, 2);
    out8(0x40, 0);
    // 8,192 periodic interrupts a second, and one of each other kind (Motorola MC146818, "register A", "register B").
    set(RATE, 0x23);
    set(CONTROL, 0x72);
    acknowledge(FIRST + CLOCK);
    // The counter stands still, at 0; three periodic timers of a tick each; and on (IA-PC HPET 1.0a, 2.3).
    write64(hpet as usize + 0x10, 0);
    write64(hpet as usize + 0xf0, 0);
    for (timer, route) in [20, 21, 20].into_iter().enumerate() {
        let timer = hpet as usize + 0x100 + 0x20 * timer;
        write64(timer, route << 9 | 1 << 6 | 1 << 3 | 1 << 2);
        write64(timer + 8, 1);
    }
    write64(hpet as usize + 0x10, 1);
}

/// What one of them wants before it goes on.
pub(super) fn acknowledge(vector: u32) {
    if vector == FIRST + CLOCK {
        out8(INDEX, FLAGS);
        in8(DATA);
    }
}

/// None is heard any more.
pub(super) fn stop() {
    LINES.into_iter().for_each(|number| line(number).mask(true));
}
