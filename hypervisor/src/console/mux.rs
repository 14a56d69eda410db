//! Who may speak now, and how it looks.
//!
//! The sources speak in turns. A turn of the guest in focus is a run of its raw bytes, a turn of anyone else is one line.
//! A line is started only when all of it is in the ring, so that it can be finished whatever its guest does next.

mod focus;

use core::fmt::Write;

use super::keys::{Command, Key, Keys};
use super::stage::Stage;
use super::{BoardUart, RECORD_SEPARATOR, Source, Speaker, Wake, text};

pub use focus::Listed;

/// Most sources that a mux joins.
pub const MAX_SOURCES: usize = 64;

/// Longest piece of a line that is shown behind a prefix; the rest follows on a line of its own.
const LINE_BYTES: usize = 256;
/// What ends a piece that is not the end of its line.
const CONTINUES: &[u8] = b" \\";
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
    notes: [Note; MAX_SOURCES],
    stage: Stage,
    turn: Turn,
    /// Whose turn was last.
    last: usize,
    focus: Option<usize>,
    keys: Keys,
    command: Option<Command>,
    /// Whose byte went out last, if that was no line end. Lines of others begin right after a line end.
    unfinished: Option<usize>,
    /// The transmit interrupt is on.
    interrupt_wanted: bool,
}

/// What the mux remembers of a source.
#[derive(Clone, Copy, Debug)]
struct Note {
    /// Bytes at the front of the ring that are known to hold no line end.
    scanned: usize,
    /// Lost bytes that were told of.
    lost: u64,
    /// It has ended: its last line may lack an end, and it takes no input.
    closed: bool,
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
}

impl<U: BoardUart> Mux<U> {
    /// Joins `sources` on `uart`; `None` if they are more than [`MAX_SOURCES`]. The first one that takes input has the
    /// focus.
    pub fn new(uart: U, sources: &'static [Source]) -> Option<Mux<U>> {
        (sources.len() <= MAX_SOURCES).then(|| Mux {
            uart,
            sources,
            notes: [Note { scanned: 0, lost: 0, closed: false }; MAX_SOURCES],
            stage: Stage::new(),
            turn: Turn::Nobody,
            // The first source speaks first.
            last: sources.len().saturating_sub(1),
            focus: sources.iter().position(Source::takes_input),
            keys: Keys::default(),
            command: None,
            unfinished: None,
            interrupt_wanted: false,
        })
    }

    /// The UART interrupted: takes that back, then pumps.
    pub fn on_interrupt(&mut self) -> Wake {
        self.uart.acknowledge_interrupts();
        self.pump()
    }

    /// Moves what can be moved in both directions, and sees to it that the UART interrupts when there is room for what
    /// is left. To be called whenever an endpoint has new output.
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
                source.endpoint.input.push(byte);
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
        let Some(byte) = self.take(index, wake) else {
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

    /// Stages one character of somebody's line, or its end.
    fn step_line(&mut self, index: usize, left: usize, continues: bool, wake: &mut Wake) {
        if left == 0 {
            if continues {
                self.stage.extend(CONTINUES);
            }
            self.stage.extend(b"\r\n");
            self.turn = Turn::Nobody;
            return;
        }
        let mut window = [0; 4];
        let mut filled = 0;
        for slot in &mut window {
            let Some(byte) = self.sources.get(index).and_then(|source| source.endpoint.output.peek(filled)) else {
                break;
            };
            *slot = byte;
            filled = filled.saturating_add(1);
        }
        let taken = text::show(window.get(..filled).unwrap_or(&[]), &mut self.stage);
        for _ in 0..taken {
            self.take(index, wake);
        }
        // A ring that has less than was counted is a bug of its device's; the line then ends.
        let left = if taken == 0 { 0 } else { left.saturating_sub(taken) };
        self.turn = Turn::Line { index, left, continues };
    }

    /// Takes a byte that source `index` printed, and wakes its device if that waits for room.
    fn take(&mut self, index: usize, wake: &mut Wake) -> Option<u8> {
        let endpoint = self.sources.get(index)?.endpoint;
        let byte = endpoint.output.pop();
        if endpoint.take_waiting() {
            wake.insert(index);
        }
        byte
    }

    /// Gives the turn to the next source in order that has something to say; `false` if nobody has.
    fn next_turn(&mut self, wake: &mut Wake) -> bool {
        let count = self.sources.len();
        for step in 1..=count {
            let Some(index) = self.last.checked_add(step).and_then(|next| next.checked_rem(count)) else { continue };
            if self.begin(index, wake) {
                self.last = index;
                return true;
            }
        }
        false
    }

    /// Begins a turn of source `index` if it has something to say.
    fn begin(&mut self, index: usize, wake: &mut Wake) -> bool {
        let Some(source) = self.sources.get(index) else { return false };
        if !source.shows_output() {
            for _ in 0..source.endpoint.output.len() {
                self.take(index, wake);
            }
            return false;
        }
        if self.focus == Some(index) {
            self.begin_raw(index, source) || self.tell_lost(index, source)
        } else {
            self.begin_line(index, source) || self.tell_lost(index, source)
        }
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

    fn begin_line(&mut self, index: usize, source: &Source) -> bool {
        let Some(note) = self.notes.get_mut(index) else { return false };
        let Some((left, continues)) = next_line(source, note) else { return false };
        note.scanned = 0;
        self.finish_line();
        if source.speaker == Speaker::Hypervisor {
            self.stage.push(RECORD_SEPARATOR);
        }
        self.stage.push(b'[');
        self.stage.name(source.name);
        self.stage.extend(b"] ");
        self.turn = Turn::Line { index, left, continues };
        true
    }

    /// Says how much of the source's output was lost, if any was. Only asked when the source has nothing else to say: one
    /// line for all of a burst.
    fn tell_lost(&mut self, index: usize, source: &Source) -> bool {
        let Some(note) = self.notes.get_mut(index) else { return false };
        let dropped = source.endpoint.output.dropped();
        let lost = dropped.wrapping_sub(note.lost);
        if lost == 0 {
            return false;
        }
        note.lost = dropped;
        self.finish_line();
        self.stage.push(RECORD_SEPARATOR);
        self.stage.extend(b"[ostler] console: ");
        self.stage.name(source.name);
        // Writing to the stage cannot fail.
        let _ = write!(self.stage, " lost {lost} bytes of output\r\n");
        true
    }

    /// Moves the cursor to the start of a line if somebody left it elsewhere.
    fn finish_line(&mut self) {
        if self.unfinished.take().is_some() {
            self.stage.extend(b"\r\n");
        }
    }
}

/// Length of the next line in the source's ring, its end included, and whether it continues after that. `None` while
/// the line is neither complete nor too long. Looks at each byte once, however often it is asked.
fn next_line(source: &Source, note: &mut Note) -> Option<(usize, bool)> {
    let output = &source.endpoint.output;
    let waiting = output.len();
    while note.scanned < waiting.min(LINE_BYTES.saturating_add(1)) {
        let byte = output.peek(note.scanned)?;
        note.scanned = note.scanned.saturating_add(1);
        if byte == b'\n' {
            return Some((note.scanned, false));
        }
    }
    if waiting > LINE_BYTES {
        return Some((LINE_BYTES, true));
    }
    (note.closed && waiting > 0).then_some((waiting, false))
}
