//! Who called whom in a guest, by its frame pointers (AAPCS64 section 6.4.6): x29 is the address of a pair, the caller's x29
//! and the address to return to. A guest may have anything there: few steps, each further up the stack.

/// Most calls that are told.
pub const CALLS: usize = 16;

/// Longest stretch of stack between two frames, in bytes.
const FRAME_BYTES: u64 = 64 << 10;

/// The addresses that the calls in flight return to, the innermost first. `read` reads a word at an address of the guest's.
pub fn calls(mut frame: u64, mut read: impl FnMut(u64) -> Option<u64>) -> impl Iterator<Item = u64> {
    let mut is_over = false;
    core::iter::from_fn(move || {
        if is_over || frame == 0 || !frame.is_multiple_of(8) {
            return None;
        }
        let caller = read(frame)?;
        let to = read(frame.checked_add(8)?).filter(|&to| to != 0)?;
        // Stacks grow downwards: a frame that is not further up is the last one, or no frame.
        is_over = caller <= frame || caller.wrapping_sub(frame) > FRAME_BYTES;
        frame = caller;
        Some(to)
    })
    .take(CALLS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(frame: u64, words: &[(u64, u64)]) -> Vec<u64> {
        calls(frame, |at| words.iter().find(|(address, _)| *address == at).map(|(_, word)| *word)).collect()
    }

    #[test]
    fn frames_are_followed_up_the_stack() {
        let words = [(0x100, 0x140), (0x108, 0xa), (0x140, 0x200), (0x148, 0xb), (0x200, 0), (0x208, 0xc)];
        assert_eq!(told(0x100, &words), [0xa, 0xb, 0xc]);
        assert_eq!(told(0x140, &words), [0xb, 0xc]);
        assert_eq!(told(0x104, &words), [0; 0], "no pointer to a pair");
        assert_eq!(told(0x300, &words), [0; 0], "nothing is there");
    }

    #[test]
    fn a_ring_of_frames_ends() {
        let words = [(0x100, 0x140), (0x108, 0xa), (0x140, 0x100), (0x148, 0xb)];
        assert_eq!(told(0x100, &words), [0xa, 0xb]);
    }

    proptest! {
        #[test]
        fn whatever_is_there_it_ends(frame: u64, words in prop::collection::vec(any::<u64>(), 1..64)) {
            let read = |at: u64| words.get(at as usize % words.len()).copied();
            prop_assert!(calls(frame, read).count() <= CALLS);
            let step = |at: u64| Some(at.wrapping_add(16));
            prop_assert!(calls(frame & !7, step).count() <= CALLS);
        }
    }
}
