//! Where things are. All that xtask makes is under `.ostler/`, which git ignores.

use std::path::{Path, PathBuf};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    // Cargo sets it at run time; the value at compile time serves a binary that is started by hand.
    let crate_folder =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    crate_folder.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// All that xtask makes.
pub(crate) fn made() -> PathBuf {
    root().join(".ostler")
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").and_then(|target| std::path::absolute(target).ok());
    chosen.unwrap_or_else(|| root().join("target"))
}

/// What came from the network; `clean` leaves it alone unless asked.
pub(crate) fn downloads() -> PathBuf {
    made().join("downloads")
}

/// State of the private apt: package lists and caches of other architectures.
pub(crate) fn apt() -> PathBuf {
    made().join("apt")
}

/// Guest images that were made or unpacked: `.ostler/guests/NAME/`.
pub(crate) fn guest(name: &str) -> PathBuf {
    made().join("guests").join(name)
}

/// `path` as the user would say it: relative to the working folder where that is shorter.
pub(crate) fn shown(path: &Path) -> String {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    relative.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}

/// `text` with the paths in it as the user would say them.
pub(crate) fn shortened(text: String) -> String {
    match std::env::current_dir() {
        Ok(here) => text.replace(&format!("{}/", here.display()), ""),
        Err(_) => text,
    }
}
