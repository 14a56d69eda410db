//! The developer's machine: its programs, its packages, its files and its terminal.

pub(crate) mod cargo;
pub(crate) mod files;
pub(crate) mod interrupt;
pub(crate) mod packages;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod stamp;
pub(crate) mod toolchain;
pub(crate) mod workers;
