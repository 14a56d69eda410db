//! The note by which a kernel says that it can be started directly, in 32-bit mode: XEN_ELFNOTE_PHYS32_ENTRY of the PVH boot
//! protocol (Xen, docs/misc/pvh.pandoc and xen/include/public/elfnote.h). Linux has it in its `vmlinux`.

use crate::read::{u32_at, u64_at};

const NAME: &[u8] = b"Xen\0";
const PHYS32_ENTRY: u32 = 18;

/// The entry point in the notes of a PT_NOTE segment with this content.
pub(crate) fn entry(notes: &[u8]) -> Option<u64> {
    let mut rest = notes;
    loop {
        let (name_bytes, size, kind) = (length(rest, 0)?, length(rest, 4)?, u32_at(rest, 8)?);
        let name = rest.get(12..)?;
        let content = name.get(name_bytes.checked_next_multiple_of(4)?..)?;
        if kind == PHYS32_ENTRY && name.get(..name_bytes)? == NAME {
            // As wide as the kernel's pointers.
            return match size {
                4 => u32_at(content, 0).map(u64::from),
                8 => u64_at(content, 0),
                _ => None,
            };
        }
        rest = content.get(size.checked_next_multiple_of(4)?..)?;
    }
}

fn length(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, offset)?).ok()
}
