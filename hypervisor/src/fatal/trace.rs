//! Who called whom, as the stack of this pCPU suggests (`arch::backtrace`).

use arch::backtrace::may_be_return;

use crate::memory::Span;
use crate::stacks::{self, Part};

/// Most calls that are told.
const CALLS: usize = 32;
/// Bytes of a word.
const WORD: u64 = 8;

/// Return addresses that a stack seems to hold, the innermost first.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    left: Span,
    calls: usize,
}

impl Trace {
    /// From stack pointer `sp` up to the stack's end. Empty if `sp` is not in, or just below, a stack of this pCPU's.
    pub(super) fn of(sp: u64) -> Trace {
        let stack = own_stack(sp).unwrap_or_default();
        // Whole words that are mapped, wherever the pointer was.
        let start = sp.max(stack.start).checked_next_multiple_of(WORD).unwrap_or(stack.end);
        Trace { left: Span { start, ..stack }, calls: CALLS }
    }
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

impl Iterator for Trace {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let text = &raw const boot::head::IMAGE_BASE as u64..&raw const boot::head::__text_end as u64;
        while self.left.size() >= WORD && self.calls > 0 {
            let at = core::ptr::with_exposed_provenance::<u64>(self.left.start as usize);
            self.left.start = self.left.start.wrapping_add(WORD);
            // SAFETY: an aligned word of this pCPU's own stack, which is mapped as a whole (`own_stack`) for good.
            let word = unsafe { at.read_volatile() };
            let read = |address: u64| {
                // SAFETY: an aligned word of our text, which is mapped readable for good (`may_be_return` asks for no other).
                unsafe { core::ptr::with_exposed_provenance::<u32>(address as usize).read_volatile() }
            };
            if may_be_return(word, &text, read) {
                self.calls = self.calls.saturating_sub(1);
                return Some(word);
            }
        }
        None
    }
}
