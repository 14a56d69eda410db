//! A stranger: `memtest86+`, as Debian has it. It takes the form of a `bzImage`.

use crate::failure::Result;
use crate::host::{files, paths};

use super::debian;

/// The folder below `.ostler/guests/`.
pub(super) const FOLDER: &str = "memtest-x86_64";
/// The programs: one has an entry point in 64-bit mode, the other has not.
const FILES: [&str; 2] = ["memtest86+x64.bin", "memtest86+ia32.bin"];

/// Makes sure that the programs are there.
pub(super) fn ensure() -> Result<()> {
    FILES.iter().try_for_each(|file| {
        let bytes = debian::file_of(&debian::AMD64, "memtest86+", &format!("boot/{file}"))?;
        files::write(&paths::guest(FOLDER).join(file), &bytes).map(drop)
    })
}
