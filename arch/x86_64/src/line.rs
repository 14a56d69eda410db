//! The state of a line of the board's I/O APICs: whether it is masked, and whether something got lost by that.
//!
//! A level that is taken is masked until its taker is done with it. An edge is not: at a masked input it would be lost (82093AA, 3.2.4).
//! Where one has to be masked all the same, because it comes too often or because its VM pauses, one may have come
//! meanwhile: its vector is sent once by hand as it is unmasked. One too many is harmless, one too few may be a device's last.
#![forbid(unsafe_code)]

/// Somebody wants it.
pub(crate) const ENABLED: u8 = 1 << 0;
/// It was taken, and is not to come before its taker is done.
pub(crate) const HELD: u8 = 1 << 1;
/// It is level-triggered.
pub(crate) const IS_LEVEL: u8 = 1 << 2;
/// It is an edge, and one may have come while it was masked.
pub(crate) const MISSED: u8 = 1 << 3;

/// Whether a line in this state is masked.
pub(crate) const fn is_masked(state: u8) -> bool {
    state & (ENABLED | HELD) != ENABLED
}

/// What becomes of a line's state `before` that is changed to `state`, and whether its vector is to be sent by hand.
pub(crate) const fn settle(before: u8, state: u8) -> (u8, bool) {
    match (is_masked(before), is_masked(state)) {
        _ if state & IS_LEVEL != 0 => (state & !MISSED, false),
        (false, true) => (state | MISSED, false),
        (_, false) => (state & !MISSED, state & MISSED != 0),
        (true, true) => (state, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line as its guest's life moves it: what each step adds and removes, whether it is masked then, and whether its vector is sent.
    fn course(first: u8, steps: &[(u8, u8, bool, bool)]) {
        let mut state = first;
        for &(adds, removes, masked, sends) in steps {
            let (now, is_missed) = settle(state, state & !removes | adds);
            assert_eq!((is_masked(now), is_missed), (masked, sends), "{state:#b} + {adds:#b} - {removes:#b}");
            state = now;
        }
    }

    #[test]
    fn an_edge_that_may_have_been_missed_is_sent_once() {
        let starts = [(ENABLED, 0, false, false)];
        let held_and_let_go = [(HELD, 0, true, false), (0, HELD, false, true)];
        let pauses = [(0, ENABLED, true, false), (ENABLED, 0, false, true)];
        let let_go_while_it_pauses =
            [(HELD, 0, true, false), (0, ENABLED, true, false), (0, HELD, true, false), (ENABLED, 0, false, true)];
        let stops =
            [(HELD, 0, true, false), (0, ENABLED, true, false), (0, HELD, true, false), (0, MISSED, true, false)];
        let life = [&starts[..], &held_and_let_go, &pauses, &let_go_while_it_pauses, &stops].concat();
        course(0, &[life.as_slice(), &life].concat());
    }

    #[test]
    fn a_level_is_not_missed() {
        let steps = [(ENABLED, 0, false), (HELD, 0, true), (0, HELD, false), (0, ENABLED, true), (ENABLED, 0, false)];
        course(IS_LEVEL, &steps.map(|(adds, removes, masked)| (adds, removes, masked, false)));
        // What it was as an edge does not count.
        assert_eq!(settle(MISSED, MISSED | IS_LEVEL), (IS_LEVEL, false));
    }
}
