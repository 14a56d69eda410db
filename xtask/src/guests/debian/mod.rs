//! The Debian guest: Debian's own kernel, unmodified, and an initramfs around Debian's busybox.
//!
//! ```text
//! private apt ─▶ .ostler/downloads/*.deb ─▶ .ostler/guests/linux/{vmlinuz, initramfs.cpio.gz}
//!                                            ▲ guests/linux/{init, modules}
//! ```
//! That is arm64's; amd64's is in `linux-x86_64`, from the same recipe, with the kernel as `vmlinux` besides.
//!
//! Each step is stamped ([`crate::host::stamp`]): a second run starts at once and needs no network.

mod apt;
mod archive;
mod initramfs;
mod newc;
mod vmlinux;

use std::path::PathBuf;

use crate::failure::Result;
use crate::host::progress::Progress;
use crate::host::{files, paths, stamp};

/// Stamp of the made files.
const STAMP: &str = "stamp";

/// Debian for one CPU.
#[derive(Debug)]
pub(crate) struct Port {
    /// The folder below `.ostler/guests/`.
    pub folder: &'static str,
    /// Debian's names of the CPU: of its own, and of an older one whose programs it runs.
    architectures: &'static [&'static str],
    /// The package that depends on the kernel's.
    kernel: &'static str,
    /// Packages with a busybox, and where each goes.
    busyboxes: &'static [(&'static str, &'static str)],
    /// The file of modules in `guests/linux`; none if all is in the kernel.
    modules: Option<&'static str>,
    /// The kernel is compressed: it goes to `vmlinux`, too, as it is in memory.
    is_compressed: bool,
    /// Changes whenever this code makes other bytes from the same input.
    recipe: &'static str,
    /// Stamp of the downloads.
    stamp: &'static str,
}

/// Debian for arm64, with a busybox for 32-bit Arm.
pub(crate) const ARM64: Port = Port {
    folder: "linux",
    architectures: &["arm64", "armhf"],
    kernel: "linux-image-arm64",
    busyboxes: &[("busybox-static:arm64", "bin/busybox"), ("busybox-static:armhf", "bin/busybox-armhf")],
    modules: Some("modules"),
    is_compressed: false,
    recipe: "1",
    stamp: "debian.stamp",
};

/// Debian for x86-64.
pub(crate) const AMD64: Port = Port {
    folder: "linux-x86_64",
    architectures: &["amd64"],
    kernel: "linux-image-amd64",
    busyboxes: &[("busybox-static:amd64", "bin/busybox")],
    modules: Some("modules-x86_64"),
    is_compressed: true,
    recipe: "2",
    stamp: "debian-amd64.stamp",
};

/// Makes sure that the port's kernel and initramfs are there. Returns their folder.
pub(crate) fn ensure(port: &Port) -> Result<PathBuf> {
    let folder = paths::guest(port.folder);
    let recipe = initramfs::Recipe::read(&paths::root().join("guests/linux"), port.modules)?;
    let key = files::sha256(format!("{}\n{}\n{}", port.recipe, recipe.init, recipe.modules.join("\n")).as_bytes());
    if stamp::check(&folder, STAMP, Some(&key)).is_some() {
        return Ok(folder);
    }
    let packages = apt::ensure(port)?;
    let progress = Progress::new("unpacking Debian's kernel and making the initramfs");
    let kernel = archive::kernel(&packages.kernel, &recipe.modules)?;
    let programs = packages.busyboxes.iter().zip(port.busyboxes);
    let programs = programs.map(|(package, (_, path))| Ok((*path, archive::file(package, "bin/busybox")?)));
    let initramfs = initramfs::make(&recipe, &kernel.modules, &programs.collect::<Result<Vec<_>>>()?)?;
    files::write(&folder.join("vmlinuz"), &kernel.image)?;
    files::write(&folder.join("initramfs.cpio.gz"), &initramfs)?;
    let mut made = vec!["vmlinuz", "initramfs.cpio.gz"];
    if port.is_compressed {
        vmlinux::write(&kernel.image, &folder.join("vmlinux"))?;
        made.push("vmlinux");
    }
    stamp::put(&folder, STAMP, &key, &made)?;
    progress.done(&format!("kernel {} KiB, initramfs {} KiB", kernel.image.len() >> 10, initramfs.len() >> 10));
    Ok(folder)
}

/// One file of another package of Debian's for the port's CPU, by its path without a leading slash.
pub(crate) fn file_of(port: &Port, package: &str, path: &str) -> Result<Vec<u8>> {
    archive::file(&apt::ensure_one(port, package)?, path)
}
