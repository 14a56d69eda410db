//! `\_S5` (7.4.2), a package whose first two numbers a PC wants to be told when it is powered off.
//!
//! It is a name in the DSDT's bytecode. An interpreter for it would be as large as all of boot; but the object is a package of
//! constants on every board, and what it looks like is fixed: it is found by its bytes (20.2).

const NAME_OP: u8 = 0x08;
const PACKAGE_OP: u8 = 0x12;
const ZERO_OP: u8 = 0x00;
const ONE_OP: u8 = 0x01;
const ONES_OP: u8 = 0xff;
const BYTE_PREFIX: u8 = 0x0a;
const WORD_PREFIX: u8 = 0x0b;
const DWORD_PREFIX: u8 = 0x0c;

/// SLP_TYPa and SLP_TYPb of S5, if `table` has a `\_S5`.
pub(super) fn find(table: &[u8]) -> Option<(u8, u8)> {
    (0..table.len()).find_map(|offset| named(table.get(offset..)?))
}

/// What the definition of the name at the start of `code` says: DefName, NameString, DefPackage (20.2.5.1, 20.2.5.4).
fn named(code: &[u8]) -> Option<(u8, u8)> {
    let name = code.strip_prefix(&[NAME_OP])?;
    let name = name.strip_prefix(b"\\").unwrap_or(name);
    let package = name.strip_prefix(b"_S5_")?.strip_prefix(&[PACKAGE_OP])?;
    // PkgLength: the two upper bits of the first byte say how many more there are (20.2.4). Then NumElements.
    let more = usize::from(*package.first()? >> 6);
    let elements = package.get(more.checked_add(2)?..)?;
    let (first, rest) = constant(elements)?;
    // ACPI 1.0 wanted one number for each; some put both into one and leave the second one out.
    let second = constant(rest).map_or(first, |(second, _)| second);
    Some((first, second))
}

/// The constant at the start of `code` (20.2.3), its low byte, and what follows.
fn constant(code: &[u8]) -> Option<(u8, &[u8])> {
    let (&op, rest) = code.split_first()?;
    let size = match op {
        ZERO_OP | ONE_OP | ONES_OP => return Some((op, rest)),
        BYTE_PREFIX => 1,
        WORD_PREFIX => 2,
        DWORD_PREFIX => 4,
        _ => return None,
    };
    Some((*rest.first()?, rest.get(size..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_found_in_all_its_spellings() {
        let q35: &[u8] = b"\x5b\x80junk\x08_S5_\x12\x06\x04\x00\x00\x00\x00rest";
        assert_eq!(find(q35), Some((0, 0)));
        let rooted: &[u8] = b"\x08\\_S5_\x12\x0a\x04\x0a\x05\x0a\x07\x00\x00";
        assert_eq!(find(rooted), Some((5, 7)));
        let long: &[u8] = b"\x08_S5_\x12\x4a\x00\x02\x0b\x07\x00\x01";
        assert_eq!(find(long), Some((7, 1)));
        let single: &[u8] = b"\x08_S5_\x12\x04\x01\x0a\x06";
        assert_eq!(find(single), Some((6, 6)));
    }

    #[test]
    fn what_only_mentions_the_name_is_not_it() {
        for other in [
            &b"_S5_\x12\x06\x04\x00\x00"[..],
            b"\x14_S5_\x12\x06\x04\x00",
            b"\x08_S5_\x11\x06\x04\x00",
            b"\x08_S5_",
            b"",
        ] {
            assert_eq!(find(other), None, "{other:x?}");
        }
        // A method of that name before the object itself.
        assert_eq!(find(b"\x14\x08_S5_\x00\x08_S5_\x12\x06\x02\x01\x01"), Some((1, 1)));
    }
}
