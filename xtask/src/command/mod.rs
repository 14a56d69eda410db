//! The commands of `cargo xtask`, one a file.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod compare;
pub(crate) mod fmt;
pub(crate) mod fuzz;
mod images;
pub(crate) mod miri;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod soak;
pub(crate) mod symbolize;
pub(crate) mod test;
