//! The hypervisor's own lines, from whatever room they come: records of the crate of this name, for its trait.
//!
//! With that crate's macros each of some fifty places would build a record of six fields, half of which nobody reads. With these a
//! place that has something to say makes a text, and one function builds the record. It hands it to the console itself: the crate's
//! own pointer to whoever takes records would be all the initialised data that there is, a page of the image.

use core::fmt;

pub use ::log::Level;
use ::log::{Log, Record};

use crate::terminal::Lines;

/// A line for the console.
#[inline(never)]
pub fn write(level: Level, text: fmt::Arguments<'_>) {
    Lines.log(&Record::builder().level(level).args(text).build());
}

/// Writes a line of [`Level::Info`]: what an owner of the board wants to know.
macro_rules! info {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Info, format_args!($($text)+)) };
}

/// Writes a line of [`Level::Warn`]: what he may want to change.
macro_rules! warn_ {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Warn, format_args!($($text)+)) };
}

/// Writes a line of [`Level::Error`]: what should not be, and was survived.
macro_rules! error {
    ($($text:tt)+) => { $crate::log::write($crate::log::Level::Error, format_args!($($text)+)) };
}

pub(crate) use {error, info, warn_ as warn};
