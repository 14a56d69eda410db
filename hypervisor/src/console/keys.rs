//! The console's own keys, picked out of what is typed.
//!
//! Ctrl-] is the escape, as in telnet: it is on every keyboard, and neither shells nor QEMU (Ctrl-A) want it for themselves.
//! What follows it is for the console; everything else is the guest's.

/// Ctrl-].
pub const ESCAPE: u8 = 0x1d;

/// What the console is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `n`: the next one that takes input gets the focus.
    Next,
    /// A digit: the one that the list shows under this number gets it.
    Focus(u8),
    /// `b`: what the guest in focus printed before is shown again.
    Back,
    /// `m`: the guests out of focus are muted, or speak again.
    Mute,
    /// `o`: the power key of the guest in focus is pressed.
    PowerKey,
    /// `x`: its power is cut.
    PowerCut,
    /// `p`: the VM in focus is paused, or goes on.
    Pause,
    /// A capital letter: the hypervisor fails in the way that it stands for.
    #[cfg(feature = "provoke")]
    Provoke(u8),
    /// Anything else: says who there is, and which keys.
    List,
}

/// What a byte that was typed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// It is for the guest in focus.
    Guest(u8),
    /// It is for the console.
    Console(Command),
    /// It is the first of two.
    Nothing,
}

/// Where in an escape sequence what is typed stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keys {
    escaped: bool,
}

impl Keys {
    /// The next byte that was typed.
    pub(super) fn typed(&mut self, byte: u8) -> Key {
        match (core::mem::take(&mut self.escaped), byte) {
            (false, ESCAPE) => {
                self.escaped = true;
                Key::Nothing
            }
            // Twice: the guest gets one.
            (false, byte) | (true, byte @ ESCAPE) => Key::Guest(byte),
            (true, b'n') => Key::Console(Command::Next),
            (true, b'b') => Key::Console(Command::Back),
            (true, b'm') => Key::Console(Command::Mute),
            (true, b'o') => Key::Console(Command::PowerKey),
            (true, b'x') => Key::Console(Command::PowerCut),
            (true, b'p') => Key::Console(Command::Pause),
            (true, digit @ b'1'..=b'9') => Key::Console(Command::Focus(digit.wrapping_sub(b'0'))),
            #[cfg(feature = "provoke")]
            (true, key @ b'A'..=b'Z') => Key::Console(Command::Provoke(key)),
            (true, _) => Key::Console(Command::List),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command::*, Key, Keys};

    #[test]
    fn only_what_follows_the_escape_is_the_consoles() {
        let mut keys = Keys::default();
        let meant: Vec<Key> =
            b"n\x1dn3\x1d3\x1d\x1d\x1d?b\x1dbm\x1dmx\x1dx\x1doo\x1dpp".iter().map(|&byte| keys.typed(byte)).collect();
        let expected = [
            Key::Guest(b'n'),
            Key::Nothing,
            Key::Console(Next),
            Key::Guest(b'3'),
            Key::Nothing,
            Key::Console(Focus(3)),
            Key::Nothing,
            Key::Guest(0x1d),
            Key::Nothing,
            Key::Console(List),
            Key::Guest(b'b'),
            Key::Nothing,
            Key::Console(Back),
            Key::Guest(b'm'),
            Key::Nothing,
            Key::Console(Mute),
            Key::Guest(b'x'),
            Key::Nothing,
            Key::Console(PowerCut),
            Key::Nothing,
            Key::Console(PowerKey),
            Key::Guest(b'o'),
            Key::Nothing,
            Key::Console(Pause),
            Key::Guest(b'p'),
        ];
        assert_eq!(meant, expected);
    }
}
