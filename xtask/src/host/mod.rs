//! The developer's machine: its programs, its packages, its files and its terminal.

pub mod files;
pub mod interrupt;
pub mod packages;
pub mod paths;
pub mod process;
pub mod progress;
pub mod stamp;
pub mod toolchain;
