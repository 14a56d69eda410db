//! What can go wrong around QEMU.

use std::fmt;
use std::io;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a board could not be started or did not do what was expected.
pub enum Error {
    /// QEMU could not be started.
    NotStarted(String),
    /// QEMU ended before the board started: it did not like its arguments. Holds what it said.
    Refused(String),
    /// Talking to QEMU failed.
    Broken(String),
    /// Something did not happen in time, or never can any more. Holds what, and all that the console showed.
    Missing {
        /// What was waited for.
        what: String,
        /// The whole console, and what QEMU itself said.
        transcript: String,
    },
}

impl Error {
    pub(crate) fn io(what: &str, error: &io::Error) -> Error {
        Error::Broken(format!("{what}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotStarted(why) => write!(f, "can't start QEMU: {why}"),
            Error::Refused(said) => write!(f, "QEMU ended before the board started\n{said}"),
            Error::Broken(what) => write!(f, "lost QEMU: {what}"),
            Error::Missing { what, transcript } => {
                write!(f, "{what}\n──── the console so far ────\n{transcript}\n────────────────────────────")
            }
        }
    }
}

/// As shown: a failing test prints its error by `Debug`, and a transcript must keep its lines.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
