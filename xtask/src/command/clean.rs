//! `cargo xtask clean`: removes what xtask made.

use std::fs;

use clap::Args;

use crate::failure::{OnFile, Result};
use crate::host::{files, paths};

/// Remove what xtask made (`.ostler/`), but keep the downloads.
///
/// What cargo compiled is cargo's: `cargo clean`.
#[derive(Args, Debug)]
pub(crate) struct Clean {
    /// Remove the downloads and apt's package lists too.
    #[arg(long)]
    downloads: bool,
}

/// Runs the command.
pub(crate) fn run(options: &Clean) -> Result<()> {
    let made = paths::made();
    if options.downloads {
        return files::remove(&made);
    }
    let Ok(entries) = fs::read_dir(&made) else { return Ok(()) };
    for entry in entries {
        let path = entry.on("list", &made)?.path();
        if path != paths::downloads() && path != paths::apt() {
            files::remove(&path)?;
        }
    }
    Ok(())
}
