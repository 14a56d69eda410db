//! The Debian guest: Debian's own kernel, unmodified, and an initramfs around Debian's busybox.
//!
//! ```text
//! private apt ─▶ .ostler/downloads/*.deb ─▶ .ostler/guests/linux/{vmlinuz, initramfs.cpio.gz}
//!                                            ▲ guests/linux/{init, modules}
//! ```
//! Each step is stamped ([`crate::host::stamp`]): a second run starts at once and needs no network.

mod apt;
mod archive;
mod initramfs;
mod newc;

use std::path::PathBuf;

use crate::failure::Result;
use crate::host::progress::Progress;
use crate::host::{files, paths, stamp};

/// Stamp of the made files.
const STAMP: &str = "stamp";
/// Changes whenever this code makes other bytes from the same input.
const RECIPE: &str = "1";

/// Makes sure that kernel and initramfs of `guests/linux` are there. Returns their folder.
pub(crate) fn ensure() -> Result<PathBuf> {
    let folder = paths::guest("linux");
    let recipe = initramfs::Recipe::read(&paths::root().join("guests/linux"))?;
    let key = files::sha256(format!("{RECIPE}\n{}\n{}", recipe.init, recipe.modules.join("\n")).as_bytes());
    if stamp::check(&folder, STAMP, Some(&key)).is_some() {
        return Ok(folder);
    }
    let packages = apt::ensure()?;
    let progress = Progress::new("unpacking Debian's kernel and making the initramfs");
    let kernel = archive::kernel(&packages.kernel, &recipe.modules)?;
    let busybox = archive::file(&packages.busybox, "bin/busybox")?;
    let busybox_armhf = archive::file(&packages.busybox_armhf, "bin/busybox")?;
    let initramfs = initramfs::make(&recipe, &kernel.modules, busybox, busybox_armhf)?;
    files::write(&folder.join("vmlinuz"), &kernel.image)?;
    files::write(&folder.join("initramfs.cpio.gz"), &initramfs)?;
    stamp::put(&folder, STAMP, &key, &["vmlinuz", "initramfs.cpio.gz"])?;
    progress.done(&format!("kernel {} KiB, initramfs {} KiB", kernel.image.len() >> 10, initramfs.len() >> 10));
    Ok(folder)
}

/// One file of another arm64 package of Debian's, by its path without a leading slash.
pub(crate) fn file_of(package: &str, path: &str) -> Result<Vec<u8>> {
    archive::file(&apt::ensure_one(package)?, path)
}
