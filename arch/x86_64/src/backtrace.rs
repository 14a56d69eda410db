//! Return addresses on a stack without frame pointers.
//!
//! Frame pointers would cost an instruction in every function, on the hot path too. So the words of the stack are looked
//! at: one that points behind a call instruction in our own text was, in all likelihood, stored by the function that was
//! called there. It may be left from an earlier call that has returned: what is found is a guess, and is called so.

use core::ops::Range;

/// What the text is read by.
pub type Piece = u8;

/// Bytes of the longest call that a compiler makes.
const LONGEST_CALL: usize = 7;

/// Whether a call instruction ends where `bytes` end: a near relative one (E8), or a near indirect one (FF /2) with any operand
/// in any length, a REX prefix aside, which only makes it longer (APM volume 3, CALL (Near); ModRM and SIB as in 1.4).
fn ends_in_call(bytes: [u8; LONGEST_CALL]) -> bool {
    let [_, _, relative, ..] = bytes;
    // Four bytes of displacement follow.
    if relative == 0xe8 {
        return true;
    }
    // FF, ModRM, perhaps SIB, perhaps a displacement of one or four bytes.
    (2..=LONGEST_CALL).any(|length| {
        let Some(&[opcode, modrm]) = bytes.get(LONGEST_CALL.wrapping_sub(length)..).and_then(|tail| tail.first_chunk())
        else {
            return false;
        };
        let (mode, middle, rm) = (modrm >> 6, modrm >> 3 & 0b111, modrm & 0b111);
        let with_displacement = match (mode, rm) {
            (0b00, 0b101) | (0b10, _) => 6,
            (0b01, _) => 3,
            _ => 2,
        };
        let sib = usize::from(mode != 0b11 && rm == 0b100);
        opcode == 0xff && middle == 2 && length.checked_sub(sib) == Some(with_displacement)
    })
}

/// Whether `word` may be a return address into `text`, whose bytes `read` reads.
pub fn may_be_return(word: u64, text: &Range<u64>, read: impl Fn(u64) -> Piece) -> bool {
    let first = word.wrapping_sub(LONGEST_CALL as u64);
    // No function of ours begins with the first bytes of the text: those are the boot page.
    text.contains(&word)
        && text.contains(&first)
        && ends_in_call(core::array::from_fn(|index| read(first.wrapping_add(index as u64))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_call(bytes: &[u8]) -> bool {
        let mut tail = [0x90; LONGEST_CALL];
        tail[LONGEST_CALL - bytes.len()..].copy_from_slice(bytes);
        ends_in_call(tail)
    }

    #[test]
    fn calls_are_known() {
        let calls: [&[u8]; 8] = [
            &[0xe8, 1, 2, 3, 4],
            &[0xff, 0xd0],
            &[0x41, 0xff, 0xd7],
            &[0xff, 0x50, 0x18],
            &[0xff, 0x54, 0x24, 0x08],
            &[0xff, 0x15, 1, 2, 3, 4],
            &[0xff, 0x93, 1, 2, 3, 4],
            &[0xff, 0x94, 0xc8, 1, 2, 3, 4],
        ];
        for call in calls {
            assert!(is_call(call), "{call:x?}");
        }
        // jmp rax, jmp rel32, push [rax], ret, a call that is cut off.
        for other in [&[0xff, 0xe0][..], &[0xe9, 1, 2, 3, 4], &[0xff, 0x30], &[0xc3], &[0xff, 0x50], &[0xff, 0x15, 1]] {
            assert!(!is_call(other), "{other:x?}");
        }
    }

    #[test]
    fn only_what_lies_behind_a_call_in_the_text_is_taken() {
        let text = 0x1000..0x1020;
        let read = |at| {
            assert!(text.contains(&at), "{at:#x} was read");
            [0xff, 0xd0].get((at as usize).wrapping_sub(0x1008)).copied().unwrap_or(0x90)
        };
        let taken: Vec<u64> = (0xff0..0x1030).filter(|&word| may_be_return(word, &text, read)).collect();
        assert_eq!(taken, [0x100a]);
        assert!(!may_be_return(0, &text, read) && !may_be_return(u64::MAX, &text, read));
    }
}
