//! The lines of who is out of focus, and of the hypervisor: whole, behind a name, made safe.

use super::{Mux, Note, Turn};
use crate::console::{BoardUart, RECORD_SEPARATOR, Source, Speaker, Wake, text};

/// Longest piece of a line that is shown behind a prefix; the rest follows on a line of its own.
pub(super) const LINE_BYTES: usize = 256;
/// What ends a piece that is not the end of its line.
pub(super) const CONTINUES: &[u8] = b" \\";

impl<U: BoardUart> Mux<U> {
    pub(super) fn begin_line(&mut self, index: usize, source: &Source) -> bool {
        let Some(note) = self.notes.get_mut(index) else { return false };
        let Some((left, continues)) = next_line(source, note) else { return false };
        note.scanned = 0;
        self.finish_line();
        if source.speaker == Speaker::Hypervisor {
            self.stage.push(RECORD_SEPARATOR);
        }
        self.stage_prefix(source.name);
        self.turn = Turn::Line { index, left, continues };
        true
    }

    /// Stages one character of somebody's line, or its end.
    pub(super) fn step_line(&mut self, index: usize, left: usize, continues: bool, wake: &mut Wake) {
        if left == 0 {
            if continues {
                self.stage.extend(CONTINUES);
            }
            self.stage.extend(b"\r\n");
            self.turn = Turn::Nobody;
            return;
        }
        let output = self.sources.get(index).map(|source| &source.endpoint.output);
        let taken = text::show(|place| output.and_then(|output| output.peek(place)), &mut self.stage);
        for _ in 0..taken {
            self.take_shown(index, wake);
        }
        // A ring that has less than was counted is a bug of its device's; the line then ends.
        let left = if taken == 0 { 0 } else { left.saturating_sub(taken) };
        self.turn = Turn::Line { index, left, continues };
    }

    /// Begins a line that only the scroll-back gets, of a muted guest. What is no line yet stays in the ring, as it does
    /// when lines are shown: a prompt that waits there is shown as it is when its guest gets the focus.
    pub(super) fn begin_silent(&mut self, index: usize, source: &Source) -> bool {
        let Some(note) = self.notes.get_mut(index) else { return false };
        let Some((left, _)) = next_line(source, note) else { return false };
        note.scanned = 0;
        self.turn = Turn::Silent { index, left };
        true
    }

    /// Puts one byte of a muted guest's line into its scroll-back.
    pub(super) fn step_silent(&mut self, index: usize, left: usize, wake: &mut Wake) {
        let byte = if left == 0 { None } else { self.take(index, wake) };
        self.turn = match byte {
            Some(_) => Turn::Silent { index, left: left.saturating_sub(1) },
            None => Turn::Nobody,
        };
    }

    /// Begins a line of the hypervisor's own.
    pub(super) fn stage_own(&mut self) {
        self.finish_line();
        self.stage.push(RECORD_SEPARATOR);
        self.stage_prefix("ostler");
        self.stage.extend(b"console: ");
    }

    /// Says whose line this is.
    pub(super) fn stage_prefix(&mut self, name: &str) {
        self.stage.push(b'[');
        self.stage.name(name);
        self.stage.extend(b"] ");
    }

    /// Moves the cursor to the start of a line if somebody left it elsewhere.
    pub(super) fn finish_line(&mut self) {
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
