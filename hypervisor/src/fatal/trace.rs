//! Who called whom, as the stack of this pCPU suggests (`arch::backtrace`).

use core::fmt::{self, Display, Formatter};

use arch::backtrace::{Piece, may_be_return};

use crate::memory::Span;
use crate::stacks::{self, Part};

/// Most calls that are told.
const CALLS: usize = 32;
/// Bytes of a word.
const WORD: u64 = 8;

/// Return addresses that a stack seems to hold, the innermost first. Of a recursion each is there once, with how often it
/// came in a row.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    /// What the link register held.
    link: Option<u64>,
    left: Span,
    calls: usize,
}

impl Trace {
    /// From the link register and stack pointer `sp` up to the stack's end. Nothing of a stack if `sp` is not in, or just
    /// below, one of this pCPU's.
    pub(super) fn of(link: u64, sp: u64) -> Trace {
        let stack = own_stack(sp).unwrap_or_default();
        // Whole words that are mapped, wherever the pointer was.
        let start = sp.max(stack.start).checked_next_multiple_of(WORD).unwrap_or(stack.end);
        Trace { link: Some(link).filter(|&link| is_return(link)), left: Span { start, ..stack }, calls: CALLS }
    }

    /// The next return address; looking for it again finds the same.
    fn peek(&mut self) -> Option<u64> {
        if self.link.is_some() {
            return self.link;
        }
        while self.left.size() >= WORD {
            let at = core::ptr::with_exposed_provenance::<u64>(self.left.start as usize);
            // SAFETY: an aligned word of this pCPU's own stack, which is mapped as a whole (`own_stack`) for good.
            let word = unsafe { at.read_volatile() };
            if is_return(word) {
                return Some(word);
            }
            self.skip_word();
        }
        None
    }

    fn skip_word(&mut self) {
        self.left.start = self.left.start.wrapping_add(WORD);
    }
}

/// Whether `word` may be an address that one of our calls returns to.
fn is_return(word: u64) -> bool {
    let text = &raw const boot::head::IMAGE_BASE as u64..&raw const boot::head::__text_end as u64;
    may_be_return(word, &text, |address| {
        // SAFETY: an aligned word of our text, which is mapped readable for good (`may_be_return` asks for no other).
        unsafe { core::ptr::with_exposed_provenance::<Piece>(address as usize).read_volatile() }
    })
}

/// The mapped part of the stack that `sp` points into.
fn own_stack(sp: u64) -> Option<Span> {
    let top = &raw const boot::head::__boot_stack_top as u64;
    let boot = Span { start: top.wrapping_sub(boot::head::BOOT_STACK_BYTES), end: top };
    match stacks::place(sp) {
        // An overflow leaves the pointer below the stack.
        Some((index, Part::Stack | Part::StackGuard)) if index == arch::cpu::index() => {
            stacks::of(index).map(|stacks| stacks.stack)
        }
        // The top itself is where an empty stack points.
        None if (boot.start..=boot.end).contains(&sp) => Some(boot),
        _ => None,
    }
}

/// A return address, and how often it came in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) to: u64,
    times: u32,
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.to)?;
        if self.times > 1 { write!(f, " ({} times)", self.times) } else { Ok(()) }
    }
}

impl Iterator for Trace {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        self.calls = self.calls.checked_sub(1)?;
        let mut call = Call { to: self.peek()?, times: 0 };
        while self.peek() == Some(call.to) {
            if self.link.take().is_none() {
                self.skip_word();
            }
            call.times = call.times.saturating_add(1);
        }
        Some(call)
    }
}
