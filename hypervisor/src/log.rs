//! The hypervisor's own lines, from whatever room they come.
//!
//! One function takes them all, and a place that has something to say makes no more of it than a text: with the crate of this name
//! each of some fifty places built a record of six fields, half of which nobody reads.

use core::fmt;

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What an owner of the board wants to know.
    Info,
    /// What he may want to change.
    Warning,
    /// What should not be, and was survived.
    Error,
}

/// A line for the console.
#[inline(never)]
pub fn write(level: Level, text: fmt::Arguments<'_>) {
    crate::terminal::tell(level, text);
}

/// Writes a line of [`Level::Info`].
macro_rules! info {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Info, format_args!($($text)+)) };
}

/// Writes a line of [`Level::Warning`].
macro_rules! warn_ {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Warning, format_args!($($text)+)) };
}

/// Writes a line of [`Level::Error`].
macro_rules! error {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Error, format_args!($($text)+)) };
}

pub(crate) use {error, info, warn_ as warn};
