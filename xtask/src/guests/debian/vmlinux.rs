//! The kernel as it is in memory: `vmlinux`, an ELF file with a PVH note, out of a `bzImage`, as Linux's script extract-vmlinux does it.
//!
//! It is the `bzImage`'s payload, compressed, with the size of what comes out in four bytes behind it (Documentation/arch/x86/boot.rst,
//! payload_offset and payload_length).

use std::fs::File;
use std::path::Path;
use std::process::Command;

use loader::{BzImage, Cpu, Image};

use crate::failure::{Failure, OnFile, Result};
use crate::host::packages::{self, Tool};
use crate::host::{files, process};

/// How a payload begins, and what unpacks it.
const FORMATS: [(&[u8], Tool); 2] = [
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Tool { program: "xz", package: "xz-utils" }),
    (&[0x28, 0xb5, 0x2f, 0xfd], Tool { program: "zstd", package: "zstd" }),
];
/// Fields of the setup header.
const PAYLOAD_OFFSET: u64 = 0x248;
const PAYLOAD_LENGTH: u64 = 0x24c;

/// Writes the `vmlinux` in `image` to `file`.
pub(super) fn write(image: &[u8], file: &Path) -> Result<()> {
    let refused = |why: &str| Failure::new(format!("the kernel's `bzImage` can't be unpacked: {why}"));
    let Ok(Image::BzImage(kernel)) = loader::inspect(image, Cpu::X86_64) else { return Err(refused("it is none")) };
    let payload = payload(image, &kernel).ok_or_else(|| refused("it has no payload"))?;
    let format = FORMATS.iter().find(|(magic, _)| payload.starts_with(magic));
    let (_, tool) = format.ok_or_else(|| refused("its payload is of no format that is known here"))?;
    packages::ensure(&[*tool])?;
    let packed = file.with_extension("packed");
    files::write(&packed, payload)?;
    let input = File::open(&packed).on("read", &packed)?;
    let output = File::create(file).on("write", file)?;
    let status = process::status(Command::new(tool.program).args(["-d", "-c"]).stdin(input).stdout(output))?;
    files::remove(&packed)?;
    match status.success() {
        true => Ok(()),
        false => Err(refused(&format!("`{}` failed", tool.program))),
    }
}

/// The compressed kernel, without the size behind it.
fn payload<'a>(image: &'a [u8], kernel: &BzImage) -> Option<&'a [u8]> {
    let field = |offset: u64| {
        let at = usize::try_from(offset - BzImage::HEADER_OFFSET).ok()?;
        Some(u32::from_le_bytes(kernel.header.get(at..at + 4)?.try_into().ok()?))
    };
    let start =
        usize::try_from(kernel.kernel_offset).ok()?.checked_add(usize::try_from(field(PAYLOAD_OFFSET)?).ok()?)?;
    let length = usize::try_from(field(PAYLOAD_LENGTH)?).ok()?.checked_sub(4)?;
    image.get(start..start.checked_add(length)?)
}
