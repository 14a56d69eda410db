//! How a board ended.

use std::fmt;

/// How a board ended, by the reason of QMP's SHUTDOWN event (QEMU, `qapi/run-state.json`, `ShutdownCause`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The board powered itself off: all went well.
    PoweredOff,
    /// The board reset itself, which Ostler does at a bad end, or QEMU gave up on it. Holds QEMU's reason.
    BadEnd(String),
    /// Someone ended QEMU from outside: the user, a signal, a monitor's `quit`. Holds QEMU's reason.
    Stopped(String),
    /// QEMU ended without a word: it crashed or was killed.
    Vanished,
}

impl Verdict {
    /// The verdict for a reason; `None` if there was no SHUTDOWN event.
    pub fn of(reason: Option<&str>) -> Verdict {
        match reason {
            None => Verdict::Vanished,
            Some("guest-shutdown") => Verdict::PoweredOff,
            Some("host-error") => Verdict::BadEnd("host-error".into()),
            Some(reason) if reason.starts_with("host-") => Verdict::Stopped(reason.into()),
            Some(reason) => Verdict::BadEnd(reason.into()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::PoweredOff => f.write_str("the board powered itself off"),
            Verdict::BadEnd(reason) => write!(f, "the board came to a bad end ({reason})"),
            Verdict::Stopped(reason) => write!(f, "the board was stopped from outside ({reason})"),
            Verdict::Vanished => f.write_str("QEMU ended without saying why"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_guests_own_power_off_is_good() {
        assert_eq!(Verdict::of(Some("guest-shutdown")), Verdict::PoweredOff);
        for reason in ["guest-reset", "guest-panic", "host-error", "subsystem-reset"] {
            assert_eq!(Verdict::of(Some(reason)), Verdict::BadEnd(reason.into()));
        }
        for reason in ["host-qmp-quit", "host-signal", "host-ui"] {
            assert_eq!(Verdict::of(Some(reason)), Verdict::Stopped(reason.into()));
        }
        assert_eq!(Verdict::of(None), Verdict::Vanished);
    }
}
