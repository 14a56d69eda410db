//! The commands of `cargo xtask`, one a file.

pub(crate) mod setup;
