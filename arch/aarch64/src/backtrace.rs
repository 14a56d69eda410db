//! Return addresses on a stack without frame pointers.
//!
//! Frame pointers would cost an instruction in every function, on the hot path too. So the words of the stack are looked
//! at: one that points behind a call instruction in our own text was, in all likelihood, stored by the function that was
//! called there. It may be left from an earlier call that has returned: what is found is a guess, and is called so.

use core::ops::Range;

/// What the text is read by.
pub type Piece = u32;

/// Bytes of an instruction.
const INSTRUCTION_BYTES: u64 = 4;

/// Whether `instruction` calls a function: `bl`, `blr` or one of its kin with pointer authentication (DDI 0487 C4.1).
pub const fn is_call(instruction: u32) -> bool {
    instruction & 0xfc00_0000 == 0x9400_0000 // BL
        || instruction & 0xffff_fc1f == 0xd63f_0000 // BLR
        || instruction & 0xfeff_f800 == 0xd63f_0800 // BLRAA, BLRAAZ, BLRAB, BLRABZ
}

/// Whether `word` may be a return address into `text`, whose instructions `read` reads.
pub fn may_be_return(word: u64, text: &Range<u64>, read: impl Fn(u64) -> Piece) -> bool {
    let call = word.wrapping_sub(INSTRUCTION_BYTES);
    word.is_multiple_of(INSTRUCTION_BYTES) && text.contains(&word) && text.contains(&call) && is_call(read(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known() {
        let calls = [0x9400_0000, 0x97ff_ffff, 0xd63f_0000, 0xd63f_03c0, 0xd63f_0bff, 0xd73f_0842, 0xd73f_0c00];
        for call in calls {
            assert!(is_call(call), "{call:#x}");
        }
        // b, br x16, ret, nop, svc, a word of data.
        for other in [0x1400_0001, 0xd61f_0200, 0xd65f_03c0, 0xd503_201f, 0xd400_0001, 0] {
            assert!(!is_call(other), "{other:#x}");
        }
    }

    #[test]
    fn only_what_lies_behind_a_call_in_the_text_is_taken() {
        let text = 0x1000..0x1010;
        let read = |at| {
            assert!(text.contains(&at), "{at:#x} was read");
            if at == 0x1000 || at == 0x100c { 0x9400_0000 } else { 0xd503_201f }
        };
        let taken: Vec<u64> = (0xff0..0x1020).filter(|&word| may_be_return(word, &text, read)).collect();
        assert_eq!(taken, [0x1004]);
        assert!(!may_be_return(0, &text, read));
        assert!(!may_be_return(u64::MAX, &text, read));
    }
}
