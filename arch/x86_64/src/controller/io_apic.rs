//! The I/O APICs (Intel 82093AA): every line masked but those that somebody asked for.
//!
//! A controller shows its registers through a window, so who uses it excludes all others. Ostler's guests cause that only with
//! devices that are theirs.

use core::sync::atomic::{AtomicU8, Ordering};

use spin::{Mutex, Once};

use crate::board::{Controller, MAX_IO_APICS};
use crate::interrupts::{self, SHARED};
use crate::line::{ENABLED, HELD, IS_LEVEL, MISSED, is_masked, settle};

/// Registers behind the window (82093AA 3.2).
const VERSION: u32 = 0x01;
const REDIRECTION: u32 = 0x10;

/// Bits of a redirection entry's low half (82093AA 3.2.4).
const LOW_ACTIVE: u32 = 1 << 13;
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

/// The lines' states ([`crate::line`]), changed under [`LINES`]' lock only.
static STATES: [AtomicU8; SHARED as usize] = [const { AtomicU8::new(0) }; SHARED as usize];

static LINES: Once<Mutex<Lines>> = Once::new();

/// What is kept of the controllers. Who has it locked may use their windows.
#[derive(Debug)]
struct Lines {
    board: &'static Controller,
    /// How many inputs each has.
    inputs: [u32; MAX_IO_APICS],
    /// APIC ID of the CPU that takes each line.
    targets: [u8; SHARED as usize],
}

fn read(window: u64, register: u32) -> u32 {
    // SAFETY: `Board::pages` has the page, mapped as device memory for good; the lock of the windows is held.
    unsafe {
        (window as *mut u32).write_volatile(register);
        (window.wrapping_add(0x10) as *const u32).read_volatile()
    }
}

fn write(window: u64, register: u32, value: u32) {
    // SAFETY: as `read`; what is written only ever concerns interrupts.
    unsafe {
        (window as *mut u32).write_volatile(register);
        (window.wrapping_add(0x10) as *mut u32).write_volatile(value);
    }
}

/// Masks all lines, and routes them to CPU `target`. `None` without a controller.
pub(super) fn init(board: &'static Controller, target: u64) -> Option<()> {
    // The eight bits of a destination; with more CPUs the boot CPU's ID is still small.
    let mut lines = Lines { board, inputs: [0; MAX_IO_APICS], targets: [target as u8; SHARED as usize] };
    for (io_apic, inputs) in board.io_apics.iter().zip(&mut lines.inputs) {
        let window = io_apic.registers.0;
        *inputs = ((read(window, VERSION) >> 16) & 0xff).wrapping_add(1);
        for input in 0..*inputs {
            write(window, REDIRECTION.wrapping_add(input << 1), MASKED);
        }
    }
    for (line, state) in (0..).zip(&STATES) {
        state.store(if board.mode(line).is_level { IS_LEVEL } else { 0 }, Ordering::Relaxed);
    }
    LINES.call_once(|| Mutex::new(lines));
    (!board.io_apics.is_empty()).then_some(())
}

impl Lines {
    /// The window and the input that `line` is. `None` if there is no such line.
    fn find(&self, line: u32) -> Option<(u64, u32)> {
        self.board.io_apics.iter().zip(self.inputs).find_map(|(io_apic, inputs)| {
            let input = line.checked_sub(io_apic.first_line).filter(|&input| input < inputs)?;
            Some((io_apic.registers.0, input))
        })
    }

    /// Changes the state of `line` by `change` and tells its controller. `None` if there is no such line.
    fn change(&mut self, line: u32, change: impl FnOnce(u8) -> u8) -> Option<()> {
        let (window, input) = self.find(line)?;
        let target = *self.targets.get(line as usize)?;
        let state = STATES.get(line as usize)?;
        let before = state.load(Ordering::Relaxed);
        let (now, is_missed) = settle(before, change(before));
        state.store(now, Ordering::Relaxed);

        let vector = interrupts::vector(line)?;
        let mut low = u32::from(vector);
        if self.board.mode(line).is_low {
            low |= LOW_ACTIVE;
        }
        if now & IS_LEVEL != 0 {
            low |= LEVEL;
        }
        if is_masked(now) {
            low |= MASKED;
        }
        let register = REDIRECTION.wrapping_add(input << 1);
        write(window, register.wrapping_add(1), u32::from(target) << 24);
        write(window, register, low);
        if is_missed {
            super::local().send(target.into(), vector.into());
        }
        Some(())
    }
}

/// Changes the state of `line`; false if there is no such line.
fn change(line: u32, change: impl FnOnce(u8) -> u8) -> bool {
    LINES.get().and_then(|lines| lines.lock().change(line, change)).is_some()
}

/// Enables `line`, triggered as the board says unless [`configure_shared`] has said otherwise. On any CPU.
pub fn enable_shared(line: u32) {
    change(line, |state| state | ENABLED);
}

/// `line`, which was taken, does not come again before [`done_shared`]. (A level does not in any case.)
pub fn hold_shared(line: u32) {
    change(line, |state| state | HELD);
}

/// Disables `line`: it may still be taken once by a CPU that has begun to. On any CPU.
pub fn disable_shared(line: u32) {
    change(line, |state| state & !ENABLED);
}

/// Makes `line`, which is disabled, edge-triggered or level-sensitive. False if there is no such line.
pub fn configure_shared(line: u32, is_edge: bool) -> bool {
    change(line, |state| if is_edge { state & !IS_LEVEL } else { state | IS_LEVEL })
}

/// Routes `line` to this CPU.
pub fn route_here(line: u32) {
    let Some(lines) = LINES.get() else { return };
    let mut lines = lines.lock();
    if let Some(target) = lines.targets.get_mut(line as usize) {
        *target = crate::cpu::own_id() as u8;
        lines.change(line, |state| state);
    }
}

/// Lets `line` fire again, whichever CPU took it. On any CPU.
pub fn done_shared(line: u32) {
    release(line);
}

/// What came at `line` while it was masked does not come any more, unless it is a level that is high.
pub fn clear_shared(line: u32) {
    change(line, |state| state & !MISSED);
}

fn has(line: u32, bits: u8) -> bool {
    STATES.get(line as usize).is_some_and(|state| state.load(Ordering::Relaxed) & bits != 0)
}

/// `line` was taken: if its level is still high, it does not come again before [`release`].
pub(super) fn hold(line: u32) {
    if has(line, IS_LEVEL) {
        hold_shared(line);
    }
}

/// Whoever took `line` is done with it.
pub(super) fn release(line: u32) {
    if has(line, HELD) {
        change(line, |state| state & !HELD);
    }
}
