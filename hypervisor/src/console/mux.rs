//! Who may speak now, and how it looks.
//!
//! The sources speak in turns. A turn of the guest in focus is a run of its raw bytes, a turn of anyone else is one line.
//! A line is started only when all of it is in the ring, so that it can be finished whatever its guest does next. What
//! guests print goes to their scroll-backs too, from where a turn can show it again.
//!
//! | file | idea |
//! |---|---|
//! | `line` | whole lines behind a name, shown or silent |
//! | `focus` | whose the terminal is |
//! | `replay` | what was printed before |
//! | `lost` | what could not be kept |

mod focus;
mod line;
mod lost;
mod replay;

use super::keys::{Command, Key, Keys};
use super::scrollback::Scrollback;
use super::stage::Stage;
use super::{BoardUart, RECORD_SEPARATOR, Source, Wake};

pub use focus::Listed;
pub use lost::Lost;

/// Most sources that a mux joins.
pub const MAX_SOURCES: usize = 64;

/// A raw turn ends at the first line end after this many bytes …
const TURN_BYTES: usize = 256;
/// … or after this many bytes in any case.
const LONG_TURN_BYTES: usize = 1024;
/// Most steps of one pump: about as many bytes, so that a fast UART cannot hold a CPU while guests keep printing.
const PUMP_STEPS: usize = 4096;
/// Most bytes that one pump takes from the UART: what an endpoint's input ring holds.
const INPUT_BYTES: usize = 1024;

/// The mux of one board UART.
#[derive(Debug)]
pub struct Mux<U> {
    uart: U,
    sources: &'static [Source],
    /// One for each source.
    notes: &'static mut [Note],
    stage: Stage,
    turn: Turn,
    /// Who may have something to say, a bit for each source: a pump looks at nobody else.
    stirred: u64,
    /// Whose turn was last.
    last: usize,
    focus: Option<usize>,
    /// Who is out of focus is silent.
    muted: bool,
    /// Whose scroll-back is to be shown again.
    again: Option<usize>,
    keys: Keys,
    command: Option<Command>,
    /// Whose byte went out last, if that was no line end. Lines of others begin right after a line end.
    unfinished: Option<usize>,
    /// The transmit interrupt is on.
    interrupt_wanted: bool,
    /// Overruns of the UART that were told of.
    overruns_told: u64,
}

/// What the mux remembers of a source.
#[derive(Debug)]
pub struct Note {
    /// What it printed before.
    scrollback: Scrollback,
    /// Bytes at the front of the ring that are known to hold no line end.
    scanned: usize,
    /// Losses that were told of.
    told: Lost,
    /// It has ended: its last line may lack an end, and it takes no input.
    closed: bool,
}

impl Note {
    /// About a source that has done nothing so far, with memory for its scroll-back.
    pub fn new(scrollback: &'static mut [u8]) -> Note {
        Note { scrollback: Scrollback::new(scrollback), scanned: 0, told: Lost::default(), closed: false }
    }
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Nobody,
    /// The guest in focus, and how much it has said.
    Raw {
        index: usize,
        said: usize,
    },
    /// Somebody's line, and how much of it is left in the ring.
    Line {
        index: usize,
        left: usize,
        continues: bool,
    },
    /// A muted guest's line, and how much of it is left in the ring.
    Silent {
        index: usize,
        left: usize,
    },
    /// What somebody printed before, from position `at` of the scroll-back on. `column` is 0 before the line's name, and
    /// then one more than the bytes of it that were shown.
    Replay {
        index: usize,
        at: u64,
        column: usize,
    },
}

impl<U: BoardUart> Mux<U> {
    /// Joins `sources` on `uart`, with a note for each; `None` if they are more than [`MAX_SOURCES`], or not as many as
    /// the notes. The first one that takes input has the focus.
    pub fn new(uart: U, sources: &'static [Source], notes: &'static mut [Note]) -> Option<Mux<U>> {
        (sources.len() <= MAX_SOURCES && sources.len() == notes.len()).then(|| Mux {
            uart,
            sources,
            notes,
            stage: Stage::new(),
            turn: Turn::Nobody,
            stirred: 0,
            // The first source speaks first.
            last: sources.len().saturating_sub(1),
            focus: sources.iter().position(Source::takes_input),
            muted: false,
            again: None,
            keys: Keys::default(),
            command: None,
            unfinished: None,
            interrupt_wanted: false,
            overruns_told: 0,
        })
    }

    /// The UART interrupted: takes that back, then pumps.
    pub fn on_interrupt(&mut self) -> Wake {
        self.uart.acknowledge_interrupts();
        self.pump()
    }

    /// The sources with these bits may have something to say. To be called whenever an endpoint has new output.
    pub fn stir(&mut self, sources: u64) {
        self.stirred |= sources;
    }

    /// Moves what can be moved in both directions, and sees to it that the UART interrupts when there is room for what
    /// is left.
    pub fn pump(&mut self) -> Wake {
        let mut wake = Wake::default();
        self.take_input(&mut wake);
        let more = self.show(&mut wake);
        if more != self.interrupt_wanted {
            self.interrupt_wanted = more;
            self.uart.want_transmit_interrupt(more);
        }
        wake
    }

    /// Has the UART interrupt as soon as it has room, although nothing may be left: for a caller that may not pump again
    /// itself.
    pub fn come_back(&mut self) {
        self.interrupt_wanted = true;
        self.uart.want_transmit_interrupt(true);
    }

    /// Whether the last pump left nothing behind that the UART has yet to take.
    pub fn is_idle(&self) -> bool {
        !self.interrupt_wanted
    }

    /// Gives what was typed to the guest in focus. What its ring does not take is lost, and the device sees an overrun.
    fn take_input(&mut self, wake: &mut Wake) {
        for _ in 0..INPUT_BYTES {
            // What was typed behind a command is for whoever has the focus when it was obeyed.
            if self.command.is_some() {
                return;
            }
            let Some(byte) = self.uart.try_get() else { return };
            let byte = match self.keys.typed(byte) {
                Key::Guest(byte) => byte,
                Key::Console(command) => {
                    self.command = Some(command);
                    continue;
                }
                Key::Nothing => continue,
            };
            let Some(index) = self.focus else { continue };
            if let Some(source) = self.sources.get(index) {
                if !source.endpoint.input.push(byte) {
                    // The loss is to be told of.
                    self.stirred |= bit(index);
                }
                wake.insert(index);
            }
        }
    }

    /// Shows what the UART takes; whether something is left.
    fn show(&mut self, wake: &mut Wake) -> bool {
        for _ in 0..PUMP_STEPS {
            while let Some(byte) = self.stage.front() {
                if !self.uart.try_put(byte) {
                    return true;
                }
                self.stage.advance();
            }
            match self.turn {
                Turn::Raw { index, said } => self.step_raw(index, said, wake),
                Turn::Line { index, left, continues } => self.step_line(index, left, continues, wake),
                Turn::Silent { index, left } => self.step_silent(index, left, wake),
                Turn::Replay { index, at, column } => self.step_replay(index, at, column),
                Turn::Nobody => {
                    if !self.next_turn(wake) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Stages one byte of the guest in focus.
    fn step_raw(&mut self, index: usize, said: usize, wake: &mut Wake) {
        let Some(byte) = self.take_shown(index, wake) else {
            self.turn = Turn::Nobody;
            return;
        };
        if byte != RECORD_SEPARATOR {
            self.stage.push(byte);
            self.unfinished = (byte != b'\n').then_some(index);
        }
        let said = said.saturating_add(1);
        let over = if byte == b'\n' { said >= TURN_BYTES } else { said >= LONG_TURN_BYTES };
        self.turn = if over { Turn::Nobody } else { Turn::Raw { index, said } };
    }

    /// Takes a byte that source `index` printed into its scroll-back, and wakes its device if that waits for room.
    fn take(&mut self, index: usize, wake: &mut Wake) -> Option<u8> {
        let endpoint = self.sources.get(index)?.endpoint;
        let byte = endpoint.output.pop();
        if endpoint.take_waiting() {
            wake.insert(index);
        }
        self.notes.get_mut(index)?.scrollback.push(byte?);
        byte
    }

    /// Takes a byte that is shown right now.
    fn take_shown(&mut self, index: usize, wake: &mut Wake) -> Option<u8> {
        let byte = self.take(index, wake)?;
        self.notes.get_mut(index)?.scrollback.mark_shown();
        Some(byte)
    }

    /// Gives the turn to the next source in order that has something to say; `false` if nobody has.
    fn next_turn(&mut self, wake: &mut Wake) -> bool {
        if self.tell_overruns() {
            return true;
        }
        while self.stirred != 0 {
            let behind = self.stirred & !bit(self.last).wrapping_sub(1) & !bit(self.last);
            let next = if behind == 0 { self.stirred } else { behind };
            let index = next.trailing_zeros() as usize;
            if self.begin(index, wake) {
                self.last = index;
                return true;
            }
            // Until its endpoint has more, or what the console does with it changes.
            self.stirred &= !bit(index);
        }
        false
    }

    /// Begins a turn of source `index` if it has something to say.
    fn begin(&mut self, index: usize, wake: &mut Wake) -> bool {
        let Some(source) = self.sources.get(index) else { return false };
        if !source.shows_output() {
            for _ in 0..source.endpoint.output.len() {
                self.take_shown(index, wake);
            }
            return self.tell_lost(index, source);
        }
        if self.is_muted(index, source) {
            return self.begin_silent(index, source);
        }
        let begun = self.begin_replay(index, source)
            || if self.focus == Some(index) { self.begin_raw(index, source) } else { self.begin_line(index, source) };
        begun || self.tell_lost(index, source)
    }

    fn begin_raw(&mut self, index: usize, source: &Source) -> bool {
        if source.endpoint.output.is_empty() {
            return false;
        }
        // Another's unfinished line is not this one's to go on with.
        if self.unfinished.is_some_and(|who| who != index) {
            self.finish_line();
        }
        self.turn = Turn::Raw { index, said: 0 };
        true
    }
}

/// The bit of source `index` in a set of sources.
fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1u64.checked_shl(index)).unwrap_or(0)
}
