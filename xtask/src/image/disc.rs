//! A disc that firmware starts the image from: GRUB, by BIOS or UEFI, and the image as what it is to GRUB, a multiboot2 program.
//!
//! The same file may be written to a USB stick: `grub-mkrescue` makes it a disk with partitions besides.

use std::path::Path;
use std::process::Command;

use crate::failure::Result;
use crate::host::packages::{self, Tool};
use crate::host::progress::Progress;
use crate::host::{files, paths, process, stamp};

/// What makes the disc. What belongs to no program is looked for by its whole path.
const TOOLS: [Tool; 5] = [
    Tool { program: "grub-mkrescue", package: "grub-common" },
    Tool { program: "/usr/lib/grub/i386-pc/multiboot2.mod", package: "grub-pc-bin" },
    Tool { program: "/usr/lib/grub/x86_64-efi/multiboot2.mod", package: "grub-efi-amd64-bin" },
    Tool { program: "xorriso", package: "xorriso" },
    Tool { program: "mformat", package: "mtools" },
];

/// GRUB's script. It shows no menu; what fails it says, and stays.
const SCRIPT: &str = "\
# Written by cargo xtask build --iso.
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
multiboot2 /boot/ostler.img
boot
";

/// Writes `ostler.iso` to `folder`, where `ostler.img` is. It is left alone if both are as the last time: a disc has the time when
/// it was made in it.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let (image, disc) = (folder.join("ostler.img"), folder.join("ostler.iso"));
    let key = files::sha256(format!("{SCRIPT}{}", files::sha256_of(&image)?).as_bytes());
    if stamp::check(folder, "ostler.iso.stamp", Some(&key)).is_some() {
        return Ok(());
    }
    packages::ensure(&TOOLS)?;
    let progress = Progress::new("making the disc");
    let script = folder.join("grub.cfg");
    files::write(&script, SCRIPT.as_bytes())?;
    let mut command = Command::new("grub-mkrescue");
    command.arg("-o").arg(&disc);
    for (place, file) in [("/boot/grub/grub.cfg", &script), ("/boot/ostler.img", &image)] {
        // An equals sign in a path is none between both (xorriso's graft points).
        command.arg(format!("{place}={}", file.display().to_string().replace('\\', r"\\").replace('=', r"\=")));
    }
    process::output(&mut command)?;
    files::remove(&script)?;
    stamp::put(folder, "ostler.iso.stamp", &key, &["ostler.iso"])?;
    progress.done(&paths::shown(&disc));
    Ok(())
}
