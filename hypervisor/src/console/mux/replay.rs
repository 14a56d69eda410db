//! What a guest printed before: shown again when it is asked for, or for the first time when its silence ends.
//!
//! It is shown as lines out of focus are, whole, behind the name and made safe, between two lines of the hypervisor's own.
//! Raw it would be a danger: terminals answer some control sequences, and a stale question's answer would be typed to
//! the guest. A replay is one turn, at most a scroll-back long; what is printed meanwhile waits in the rings.

use core::fmt::Write;

use super::line::{CONTINUES, LINE_BYTES};
use super::{Mux, Turn};
use crate::console::{BoardUart, Source, Speaker, text};

impl<U: BoardUart> Mux<U> {
    /// Shows again what is kept of what the guest in focus printed; `false` if none is in focus. To be followed by a
    /// pump.
    pub fn scroll_back(&mut self) -> bool {
        self.again = self.focus;
        self.hypervisor_is_next();
        self.focus.is_some()
    }

    /// Mutes the guests out of focus, or lets them speak again; whether they are muted now. To be followed by a pump.
    ///
    /// What a muted guest prints goes to its scroll-back. It is shown from there as soon as its guest may speak again: when
    /// it gets the focus, when it ends, or when the mute ends.
    pub fn toggle_mute(&mut self) -> bool {
        self.muted = !self.muted;
        self.hypervisor_is_next();
        self.muted
    }

    /// Whether what source `index` prints goes to its scroll-back only.
    pub(super) fn is_muted(&self, index: usize, source: &Source) -> bool {
        let ended = self.notes.get(index).is_none_or(|note| note.closed);
        self.muted && self.focus != Some(index) && !ended && source.speaker != Speaker::Hypervisor
    }

    /// Begins a replay if source `index` has one to show.
    pub(super) fn begin_replay(&mut self, index: usize, source: &Source) -> bool {
        let Some(note) = self.notes.get_mut(index) else { return false };
        let scrollback = &mut note.scrollback;
        let unseen = scrollback.unseen();
        let (start, lines) = (scrollback.start(), scrollback.lines());
        if unseen.is_none() && self.again != Some(index) {
            return false;
        }
        scrollback.mark_shown();
        self.stage_own();
        self.stage.name(source.name);
        // Writing to the stage cannot fail.
        let (at, _) = match unseen {
            Some((from, 0)) => (from, write!(self.stage, " while it was muted\r\n")),
            Some((from, lost)) => (from, write!(self.stage, " while it was muted, without the first {lost} bytes\r\n")),
            None => {
                self.again = None;
                (start, write!(self.stage, "'s last {lines} lines\r\n"))
            }
        };
        self.turn = Turn::Replay { index, at, column: 0 };
        true
    }

    /// Stages one character of a replay, a line's beginning or end, or the last line.
    pub(super) fn step_replay(&mut self, index: usize, at: u64, column: usize) {
        self.turn = Turn::Nobody;
        let Some((source, note)) = self.sources.get(index).zip(self.notes.get(index)) else { return };
        let scrollback = &note.scrollback;
        let next = scrollback.get(at);
        match next {
            None if column == 0 => {
                self.stage_own();
                self.stage.extend(b"end of ");
                self.stage.name(source.name);
                self.stage.extend(b"'s lines\r\n");
            }
            Some(_) if column == 0 => {
                self.stage_prefix(source.name);
                self.turn = Turn::Replay { index, at, column: 1 };
            }
            None | Some(b'\n') => {
                self.stage.extend(b"\r\n");
                // The line's end itself, if that is what there is.
                let at = at.saturating_add(u64::from(next.is_some()));
                self.turn = Turn::Replay { index, at, column: 0 };
            }
            Some(_) if column > LINE_BYTES => {
                self.stage.extend(CONTINUES);
                self.stage.extend(b"\r\n");
                self.turn = Turn::Replay { index, at, column: 0 };
            }
            Some(_) => {
                let taken = text::show(|place| scrollback.get(at.saturating_add(place as u64)), &mut self.stage);
                let column = column.saturating_add(taken);
                self.turn = Turn::Replay { index, at: at.saturating_add(taken as u64), column };
            }
        }
    }
}
