//! As much of PE/COFF as it takes to tell EFI programs apart and to see that one was cut short.
//!
//! A Linux kernel with an EFI stub is a PE file, and its section table is the only place that says how long the
//! file should be. (Microsoft PE and COFF specification, sections "MS-DOS stub" to "Section table".)

use crate::read::{has, u16_at, u32_at};

/// The `Machine` field of a PE file; `None` if this is none.
pub(crate) fn machine(bytes: &[u8]) -> Option<u16> {
    u16_at(bytes, coff_header(bytes)?)
}

/// The length that the section table asks for; `None` if this is no PE file.
pub(crate) fn file_bytes(bytes: &[u8]) -> Option<u64> {
    let coff = coff_header(bytes)?;
    let sections = u16_at(bytes, coff.checked_add(2)?)?;
    let optional_bytes = u16_at(bytes, coff.checked_add(16)?)?;
    let table = coff.checked_add(20)?.checked_add(usize::from(optional_bytes))?;
    let mut longest = 0;
    for index in 0..usize::from(sections) {
        let header = table.checked_add(index.checked_mul(40)?)?;
        let (Some(length), Some(start)) =
            (u32_at(bytes, header.checked_add(16)?), u32_at(bytes, header.checked_add(20)?))
        else {
            // The table itself is cut off.
            return Some((header as u64).saturating_add(40));
        };
        longest = u64::from(start).saturating_add(u64::from(length)).max(longest);
    }
    Some(longest)
}

/// Offset of the COFF header, after the signature that the DOS header points at.
fn coff_header(bytes: &[u8]) -> Option<usize> {
    let signature = usize::try_from(u32_at(bytes, 0x3c)?).ok()?;
    (has(bytes, 0, b"MZ") && has(bytes, signature, b"PE\0\0")).then_some(())?;
    signature.checked_add(4)
}
