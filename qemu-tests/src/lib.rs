//! Boots images on QEMU, talks to their consoles, and says how the board ended.
//!
//! ```text
//! Machine ── what QEMU is to be ──▶ Board::start ──▶ Console: expect, send
//!                                        │
//!                                        └─ QMP ──▶ Verdict: from the SHUTDOWN event's reason, never from a text
//! ```
//! `cargo xtask run` starts QEMU by the same code as the tests in `tests/`. Those need images and QEMU, which
//! `cargo xtask test` prepares; without it they say that they were skipped.
#![forbid(unsafe_code)]

pub mod attack;
mod board;
mod console;
pub mod courses;
mod error;
mod machine;
mod qmp;
mod symbols;
mod systems;
mod verdict;

pub use board::{Board, Copy};
pub use console::Console;
pub use error::{Error, Result};
pub use machine::{COUNTED, Machine};
pub use qmp::Qmp;
pub use symbols::{Frame, Symbols};
pub use systems::*;
pub use verdict::Verdict;
