//! Whose the terminal is: who can have the focus, who has it, and how it moves.

use super::{Lost, Mux, Turn};
use crate::console::keys::Command;
use crate::console::{BoardUart, Source, Speaker};

/// A source, as the console's list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// By which it gets the focus.
    pub number: usize,
    /// What stands before its lines.
    pub name: &'static str,
    /// It can have the focus.
    pub takes_input: bool,
    /// It has the focus.
    pub in_focus: bool,
    /// What it lost so far.
    pub lost: Lost,
}

impl<U: BoardUart> Mux<U> {
    /// Source `index` has ended: shows its last line even without an end, and takes the focus from it. Gives the name of
    /// the source that has the focus now if that changed. To be followed by a pump.
    pub fn close(&mut self, index: usize) -> Option<&'static str> {
        self.notes.get_mut(index)?.closed = true;
        self.stir(u64::MAX);
        if self.focus != Some(index) {
            return None;
        }
        self.focus_on(self.after(index))
    }

    /// The command that was typed since this was last asked, if any.
    pub fn take_command(&mut self) -> Option<Command> {
        self.command.take()
    }

    /// The source that has the focus.
    pub fn in_focus(&self) -> Option<usize> {
        self.focus
    }

    /// Gives the focus to the next source that can have it. Its name; `None` if nobody can. To be followed by a pump.
    pub fn focus_next(&mut self) -> Option<&'static str> {
        self.focus_on(self.after(self.focus?))
    }

    /// Gives the focus to the source with this number in [`Mux::list`]. Its name; `None` if it can't have it. To be
    /// followed by a pump.
    pub fn focus_number(&mut self, number: u8) -> Option<&'static str> {
        let index = usize::from(number);
        if self.can_have_focus(index) { self.focus_on(Some(index)) } else { None }
    }

    /// The guests' sources that have not ended, with the numbers by which they get the focus, and whoever lost anything.
    pub fn list(&self) -> impl Iterator<Item = Listed> {
        let all = self.sources.iter().zip(self.notes.iter()).enumerate();
        all.filter_map(|(number, (source, note))| {
            let lost = Lost::by(source);
            let lives = source.speaker != Speaker::Hypervisor && !note.closed;
            (lives || lost != Lost::default()).then_some(Listed {
                number,
                name: source.name,
                takes_input: self.can_have_focus(number),
                in_focus: self.focus == Some(number),
                lost,
            })
        })
    }

    fn can_have_focus(&self, index: usize) -> bool {
        let open = self.notes.get(index).is_some_and(|note| !note.closed);
        open && self.sources.get(index).is_some_and(Source::takes_input)
    }

    /// Who gets the focus after `index`; itself if there is nobody else and it still can.
    fn after(&self, index: usize) -> Option<usize> {
        let count = self.sources.len();
        let others = (1..=count).filter_map(|step| index.checked_add(step)?.checked_rem(count));
        others.into_iter().find(|&next| self.can_have_focus(next))
    }

    fn focus_on(&mut self, next: Option<usize>) -> Option<&'static str> {
        if let Turn::Raw { .. } = self.turn {
            self.turn = Turn::Nobody;
        }
        self.focus = next;
        self.hypervisor_is_next();
        let next = next?;
        // Raw turns take bytes without looking for line ends.
        self.notes.get_mut(next)?.scanned = 0;
        self.sources.get(next).map(|source| source.name)
    }

    /// The first source, the hypervisor's, has the next turn: what it says about a key comes before what the key does. That
    /// may give anybody something to say.
    pub(super) fn hypervisor_is_next(&mut self) {
        self.stir(u64::MAX);
        self.last = self.sources.len().saturating_sub(1);
    }
}
