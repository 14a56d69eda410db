//! The qvm language, from text to a checked and assembled system. Host only.
//!
//! ```text
//! text ── lexer, parser ──▶ spec ── assemble: check, place, make trees ──▶ Assembly ──▶ Rust statics, image section
//! ```
#![forbid(unsafe_code)]

pub mod assemble;
pub mod codes;
pub mod diagnostic;
pub mod language;
pub mod source;
pub mod spec;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What to assemble: the same value in `xtask` and in `hypervisor/build.rs`, carried between them by environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The project's root, where `boards/` is.
    pub root: PathBuf,
    /// Name of a folder under `boards/`.
    pub board: String,
    /// The board's variant: number of CPUs, if not the board's default.
    pub cpus: Option<u32>,
    /// The board's variant: RAM in bytes, if not the board's default.
    pub memory_bytes: Option<u64>,
    /// The board's variant: interrupt controller, if not the board's default.
    pub gic: Option<model::GicVersion>,
    /// What it does after a failure of the hypervisor itself, unless what `board.toml` says.
    pub on_failure: Option<model::OnFailure>,
    /// Names that mean the board's console where a file says `hostdev`, as `-` does.
    pub consoles: Vec<String>,
    /// The virtual machines.
    pub vms: Vec<VmSource>,
}

/// Where one VM's words come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VmSource {
    /// A qvm file; a relative path counts from the root.
    File(PathBuf),
    /// Words in the language of qvm files, as qvm takes them on its command line.
    Words {
        /// The words.
        text: String,
        /// What relative paths in them count from.
        folder: PathBuf,
    },
}
