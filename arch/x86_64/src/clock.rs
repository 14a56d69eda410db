//! The board's wall clock: the MC146818 of every PC, read once (MC146818A data sheet; its ports and the meaning of register B are a
//! PC's).

use crate::calendar::seconds;
use crate::registers::{read_port, write_port};

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
/// Seconds, minutes, hours, day, month, year, and the century where PCs have it.
const REGISTERS: [u8; 7] = [0, 2, 4, 7, 8, 9, 0x32];
const A: u8 = 0x0a;
const B: u8 = 0x0b;
/// Register A: the time is about to change.
const IN_PROGRESS: u8 = 1 << 7;
/// Readings before a clock that never stands still is given up.
const ROUNDS: u32 = 100_000;

fn register(index: u8) -> u8 {
    // SAFETY: the index port of the clock; bit 7 clear leaves NMIs on, as they are. It reaches no memory.
    unsafe { write_port(INDEX, index) };
    read_port(DATA)
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
