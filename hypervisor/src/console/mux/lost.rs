//! What could not be kept, because no CPU waits: counted where it is lost, told once a burst is over, and listed.

use core::fmt::Write;

use super::Mux;
use crate::console::{BoardUart, Source};

/// Bytes that one source lost, by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Printed into a full ring.
    pub output: u64,
    /// Typed into a full ring.
    pub input: u64,
}

impl Lost {
    /// What `source` has lost since it was made. Output that is never shown cannot be lost.
    pub(super) fn by(source: &Source) -> Lost {
        let output = if source.shows_output() { source.endpoint.output.dropped() } else { 0 };
        Lost { output, input: source.endpoint.input.dropped() }
    }
}

impl<U: BoardUart> Mux<U> {
    /// Times that the board's UART received more than it could keep. How much it lost then it does not say.
    pub fn overruns(&self) -> u64 {
        self.uart.overruns()
    }

    /// Says how much source `index` lost, if it lost anything. Only asked when the source has nothing else to say: one line
    /// for all of a burst.
    pub(super) fn tell_lost(&mut self, index: usize, source: &Source) -> bool {
        let Some(note) = self.notes.get_mut(index) else { return false };
        let lost = Lost::by(source);
        let told = core::mem::replace(&mut note.told, lost);
        if lost == told {
            return false;
        }
        self.stage_own();
        self.stage.name(source.name);
        self.stage.extend(b" lost ");
        let (output, input) = (lost.output.wrapping_sub(told.output), lost.input.wrapping_sub(told.input));
        // Writing to the stage cannot fail.
        let _ = match (output, input) {
            (output, 0) => write!(self.stage, "{output} bytes of output\r\n"),
            (0, input) => write!(self.stage, "{input} bytes of input\r\n"),
            (output, input) => write!(self.stage, "{output} bytes of output and {input} of input\r\n"),
        };
        true
    }

    /// Says that the board's UART lost input, if it did since this was last asked.
    pub(super) fn tell_overruns(&mut self) -> bool {
        let overruns = self.uart.overruns();
        let told = core::mem::replace(&mut self.overruns_told, overruns);
        if overruns == told {
            return false;
        }
        self.stage_own();
        self.stage.extend(b"the board's UART lost input\r\n");
        true
    }
}
