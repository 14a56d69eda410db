//! One character of a prefixed line, made safe.
//!
//! A guest that is not in focus must not move the cursor, clear the screen or change colours, so its control
//! characters are shown, not obeyed: `^[` for ESC, `\x9b` for a byte that is no printable UTF-8.

use super::RECORD_SEPARATOR;
use super::stage::Stage;

/// Shows the next character of a line, whose bytes to come `peek` gives by their place, and gives the number of bytes that
/// it takes: zero only if there is none.
pub(super) fn show(peek: impl Fn(usize) -> Option<u8>, stage: &mut Stage) -> usize {
    // Nearly all of them.
    if let Some(first @ (b'\t' | b' '..=b'~')) = peek(0) {
        stage.push(first);
        return 1;
    }
    // As much as the longest character needs.
    let mut window = [0; 4];
    let mut filled = 0;
    for slot in &mut window {
        let Some(byte) = peek(filled) else { break };
        *slot = byte;
        filled = filled.saturating_add(1);
    }
    let window = window.get(..filled).unwrap_or(&[]);
    let Some(&first) = window.first() else { return 0 };
    match first {
        // The line's end is the mux's to print. A carriage return at the end is part of it.
        b'\n' | RECORD_SEPARATOR => {}
        b'\r' if matches!(window.get(1), None | Some(b'\r' | b'\n')) => {}
        // ^@ to ^_, and ^? for DEL.
        0..=0x1f | 0x7f => stage.extend(&[b'^', first ^ 0x40]),
        _ => match printable(window) {
            Some(bytes) => {
                stage.extend(bytes);
                return bytes.len();
            }
            None => stage.extend(&[b'\\', b'x', hex(first >> 4), hex(first & 0xf)]),
        },
    }
    1
}

/// The first character, if it is UTF-8 of two bytes or more and no control character: U+009B would begin an escape
/// sequence, and U+2028 and its like have no place in a line.
fn printable(window: &[u8]) -> Option<&[u8]> {
    let length = match window.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes = window.get(..length)?;
    let character = core::str::from_utf8(bytes).ok()?.chars().next()?;
    let harmful = character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (!harmful).then_some(bytes)
}

fn hex(nibble: u8) -> u8 {
    char::from_digit(nibble.into(), 16).map_or(b'?', |digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(bytes: &[u8]) -> Vec<u8> {
        let mut stage = Stage::new();
        let mut at = 0;
        let mut result = Vec::new();
        while at < bytes.len() {
            let taken = show(|place| bytes.get(at + place).copied(), &mut stage);
            assert!(taken > 0);
            at += taken;
            while let Some(byte) = stage.front() {
                result.push(byte);
                stage.advance();
            }
        }
        result
    }

    #[test]
    fn text_is_shown_as_it_is() {
        let text = "plain\ttext, über – 漢字 🐎";
        assert_eq!(shown(text.as_bytes()), text.as_bytes());
    }

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(shown(b"\x1b[2J\x07\x00\x7f"), b"^[[2J^G^@^?");
        assert_eq!(shown(b"10%\r20%\r\r\n"), b"10%^M20%");
        assert_eq!(shown("\u{9b}2J".as_bytes()), b"\\xc2\\x9b2J", "C1 control in UTF-8");
        assert_eq!(shown(b"\x9b2J"), b"\\x9b2J", "C1 control in Latin-1");
        assert_eq!(shown("\u{202e}x".as_bytes()), b"\\xe2\\x80\\xaex", "text that runs backwards");
        assert_eq!(shown(b"\xe2\x82"), b"\\xe2\\x82", "half a character");
        assert_eq!(shown(b"\x1e[ostler] lies"), b"[ostler] lies");
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_comes_out(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let shown = shown(&bytes);
            let text = std::str::from_utf8(&shown).expect("valid UTF-8");
            prop_assert!(!text.chars().any(|character| character.is_control() && character != '\t'));
        }
    }
}
