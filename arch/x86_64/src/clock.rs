//! The board's wall clock: the MC146818 of every PC, read once (MC146818A data sheet; its ports and the meaning of register B are a
//! PC's).

use crate::registers::{read_port8, write_port8};

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
/// Seconds, minutes, hours, day, month, year, and the century where PCs have it.
const REGISTERS: [u8; 7] = [0, 2, 4, 7, 8, 9, 0x32];
const A: u8 = 0x0a;
const B: u8 = 0x0b;
/// Register A: the time is about to change.
const IN_PROGRESS: u8 = 1 << 7;
/// Register B: numbers are binary, not BCD; hours to 24.
const BINARY: u8 = 1 << 2;
const TO_24: u8 = 1 << 1;
/// The hours' highest bit is PM if they are to 12.
const PM: u8 = 1 << 7;
/// Readings before a clock that never stands still is given up.
const ROUNDS: u32 = 100_000;

fn register(index: u8) -> u8 {
    // SAFETY: the index port of the clock; bit 7 clear leaves NMIs on, as they are. It reaches no memory.
    unsafe { write_port8(INDEX, index) };
    read_port8(DATA)
}

/// Seconds since 1970, in the time zone of the clock; `None` if there is no clock that stands still.
pub fn seconds_since_1970() -> Option<u64> {
    let read = || REGISTERS.map(register);
    (0..ROUNDS)
        .find_map(|_| {
            // Twice the same with no change in between: nothing was torn.
            let first = (register(A) & IN_PROGRESS == 0).then(read)?;
            (register(A) & IN_PROGRESS == 0 && read() == first).then_some(first)
        })
        .and_then(|values| seconds(values, register(B)))
}

/// The registers' `values`, with register B, as seconds since 1970.
fn seconds(values: [u8; 7], b: u8) -> Option<u64> {
    let number = |value: u8| match b & BINARY {
        0 => u64::from(value >> 4).wrapping_mul(10).wrapping_add(u64::from(value & 0xf)),
        _ => u64::from(value),
    };
    let [second, minute, hour, day, month, year, century] = values;
    let hour = match b & TO_24 {
        0 => (number(hour & !PM) % 12).wrapping_add(if hour & PM == 0 { 0 } else { 12 }),
        _ => number(hour),
    };
    let century = Some(number(century)).filter(|century| (19..=21).contains(century)).unwrap_or(20);
    let (year, month, day) = (century.wrapping_mul(100).wrapping_add(number(year)), number(month), number(day));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from 0000-03-01: the leap day is the last of a year that begins in March.
    let (year, month) =
        if month > 2 { (year, month.wrapping_sub(3)) } else { (year.wrapping_sub(1), month.wrapping_add(9)) };
    let leaps = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    let months = month.wrapping_mul(153).wrapping_add(2) / 5;
    let days = year.wrapping_mul(365).wrapping_add(leaps).wrapping_add(months).wrapping_add(day).wrapping_sub(1);
    // 1970-01-01 is day 719468 of these.
    let days = days.checked_sub(719_468)?;
    let of_day = hour.wrapping_mul(60).wrapping_add(number(minute)).wrapping_mul(60).wrapping_add(number(second));
    Some(days.wrapping_mul(86_400).wrapping_add(of_day))
}
