//! The console: everybody who prints, joined on the board's one UART.
//!
//! The guest in focus has the terminal as if it were alone: its bytes go out as they are, and what is typed goes to
//! it. Everybody else is shown in whole lines, each behind its name. A line of the hypervisor's own begins with the
//! control byte [`RECORD_SEPARATOR`], which is taken out of everything that guests print: a program that reads the
//! stream can tell what the hypervisor said from what a guest would like it to have said.
//!
//! What a guest printed before can be shown again, and guests out of focus can be muted for a while.
//!
//! No CPU ever waits here. What the UART does not take stays in the rings until its transmit interrupt asks for it.
//!
//! | file | idea |
//! |---|---|
//! | `mux` | who may speak now, and how it looks |
//! | `keys` | which of what is typed is the console's own |
//! | `scrollback` | the last that a source printed |
//! | `stage` | the few bytes that are on their way to the UART |
//! | `text` | one character of a prefixed line, made safe |
//! | `wake` | whose device has to look at its endpoint |

mod keys;
mod mux;
mod scrollback;
mod stage;
mod text;
mod wake;

#[cfg(test)]
mod tests;

pub use keys::{Command, ESCAPE};
pub use mux::{Listed, Lost, MAX_SOURCES, Mux, Note};
pub use wake::Wake;

use model::Direction;
use vdev::Endpoint;

/// Begins every line of the hypervisor's own and occurs nowhere else (ASCII RS).
pub const RECORD_SEPARATOR: u8 = 0x1e;

/// The board's UART, as the console needs it.
pub trait BoardUart {
    /// Sends a byte if there is room now.
    fn try_put(&mut self, byte: u8) -> bool;

    /// Takes a byte that was received, if there is one.
    fn try_get(&mut self) -> Option<u8>;

    /// Whether to interrupt when there is room again.
    fn want_transmit_interrupt(&mut self, on: bool);

    /// Takes back the interrupts that were raised so far. What lasts raises its own again.
    fn acknowledge_interrupts(&mut self);

    /// Times that more was received than it could keep.
    fn overruns(&self) -> u64;
}

/// One who prints.
#[derive(Debug)]
pub struct Source {
    /// What stands before its lines.
    pub name: &'static str,
    /// The mux's side of it is the mux's alone.
    pub endpoint: &'static Endpoint,
    /// Who it is.
    pub speaker: Speaker,
}

/// Who prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The hypervisor's own lines.
    Hypervisor,
    /// A guest's serial device, and which way its characters flow.
    Guest(Direction),
}

impl Source {
    /// Whether what is typed can go to it.
    fn takes_input(&self) -> bool {
        matches!(self.speaker, Speaker::Guest(Direction::Both | Direction::Input))
    }

    /// Whether what it prints is shown.
    fn shows_output(&self) -> bool {
        !matches!(self.speaker, Speaker::Guest(Direction::Input))
    }
}
