//! From `head`'s hand-over to [`Facts`]: what the boot loader left, read before anything is printed.

use core::fmt::{self, Write};

use arch_x86_64::uart::Uart;
use arch_x86_64::{board, cpu, entry, firmware, fitness, random, tsc};

use super::head;
use super::physical::EarlyMap;
use super::{COM1, Facts, Protocol, read};

/// Words of random seed.
const SEED_WORDS: usize = 4;

/// Why this CPU cannot run Ostler.
#[derive(Clone, Copy, Debug)]
pub struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Prepares the boot CPU and reads what the board says of itself, from the boot information at `info` by the protocol `how`. What
/// makes that impossible is said at COM1, and resets the board.
pub fn begin(info: u64, how: u64) -> Option<Facts> {
    cpu::clear_local();
    entry::install_vectors();
    // Even the tables that the console needs are beyond such a CPU.
    if let Some(what) = fitness::lacks_pages() {
        give_up(fitness::lacks_svm().unwrap_or(what));
    }
    let protocol = if how == head::PVH { Protocol::Pvh } else { Protocol::Multiboot2 };
    let mut facts = read(&EarlyMap, protocol, info).unwrap_or_else(|fault| give_up(fault));
    let board = &facts.hardware.board;
    board::set(board.clone());
    if !tsc::calibrate(board.pm_timer) {
        give_up("no clock to measure the time-stamp counter by");
    }
    // What is not there would answer everything with ones: input without an end.
    facts.hardware.console = facts.hardware.console.filter(|console| Uart::is_at(console.address()));
    // A PC's firmware gives none.
    facts.rng_seed = (0..SEED_WORDS).filter_map(|_| random::number()).flat_map(u64::to_le_bytes).collect();
    Some(facts)
}

/// Why Ostler cannot run here, if it cannot; the arguments are those of [`begin`].
pub fn refusal(_info: u64, _how: u64) -> Option<Refusal> {
    fitness::lacks_svm().map(Refusal)
}

/// Looks at a UART that has no room before it is given up.
const PATIENCE: u32 = 1_000_000;

/// A UART that is waited for.
struct Patient(Uart);

impl Write for Patient {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().try_for_each(|byte| (0..PATIENCE).any(|_| self.0.try_put(byte)).then_some(()).ok_or(fmt::Error))
    }
}

fn give_up(why: impl fmt::Display) -> ! {
    // SAFETY: COM1 of a PC, or nothing; nobody has a console yet.
    let mut uart = Patient(unsafe { Uart::new(COM1.address()) });
    let _ = write!(uart, "Ostler cannot run: {why}\r\n");
    firmware::reset()
}
