//! What went wrong, in a sentence, with a hint and the status to exit with.
//!
//! Every failing path of xtask ends in a [`Failure`]; `main` prints it and nothing else prints errors.

use std::fmt::{self, Display};
use std::io;
use std::path::Path;
use std::process::ExitStatus;

/// A result of xtask.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Exit statuses beyond 0. The help of `cargo xtask run` lists them for scripts.
pub(crate) mod status {
    /// Anything that has no status of its own; for `run`: the board came to a bad end.
    pub(crate) const FAILED: u8 = 1;
    /// The configuration has errors (`EX_DATAERR` of sysexits.h).
    pub(crate) const CONFIGURATION: u8 = 65;
    /// `run --timeout` ran out (as `timeout(1)` says it).
    pub(crate) const TIMEOUT: u8 = 124;
    /// The user ended it (as a shell says it for SIGINT).
    pub(crate) const INTERRUPTED: u8 = 130;
}

const DISK_FULL: &str =
    "the disk is full: `cargo xtask clean --downloads` frees what Ostler stored, `cargo clean` what was compiled";

/// An error for the user's eyes.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit status of the process.
    pub status: u8,
    /// What failed and why.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with status 1.
    pub(crate) fn new(message: impl Display) -> Failure {
        Failure { status: status::FAILED, message: message.to_string(), hint: None }
    }

    /// Ends with another status than 1.
    pub(crate) fn status(mut self, status: u8) -> Failure {
        self.status = status;
        self
    }

    /// Adds what the user can do, unless whoever was closer to the failure knew better.
    pub(crate) fn hint(mut self, hint: impl Display) -> Failure {
        self.hint.get_or_insert_with(|| hint.to_string());
        self
    }

    /// A program that failed, with what it said.
    pub(crate) fn program(command: &str, status: ExitStatus, said: &str) -> Failure {
        let failure = Failure::new(format!("`{command}` failed ({status})\n{}", said.trim_end()));
        if said.contains("No space left on device") { failure.hint(DISK_FULL) } else { failure }
    }

    /// A failed operation of the system on a file.
    pub(crate) fn io(action: &str, path: &Path, error: &io::Error) -> Failure {
        let failure = Failure::new(format!("can't {action} {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::StorageFull => failure.hint(DISK_FULL),
            io::ErrorKind::PermissionDenied => failure.hint("does another user (root?) own the file or its folder?"),
            _ => failure,
        }
    }
}

/// As the user reads it.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Turns errors of `std::io` into [`Failure`]s that name the file.
pub(crate) trait OnFile<T> {
    /// `action` completes “can't … PATH”.
    fn on(self, action: &str, path: &Path) -> Result<T>;
}

impl<T> OnFile<T> for io::Result<T> {
    fn on(self, action: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Failure::io(action, path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_gets_a_hint() {
        let error = io::Error::from(io::ErrorKind::StorageFull);
        let failure = Err::<(), _>(error).on("write", Path::new("/x/y")).unwrap_err();
        assert!(failure.message.starts_with("can't write /x/y: "), "{}", failure.message);
        assert!(failure.hint.unwrap().contains("clean --downloads"));
    }
}
