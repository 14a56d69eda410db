//! Numbers as qvm writes them: which radix, which suffix.
//!
//! | | default radix | suffix |
//! |---|---|---|
//! | address | hexadecimal; decimal when a suffix follows (`4096M` is 4 GiB) | `K M G` |
//! | length | decimal | `K M G` |
//! | everything else | decimal | none |
//!
//! `0x` forces hexadecimal and `0d` decimal everywhere. Suffixes, in either case, are powers of 1024.

/// Why a text is not the number that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    /// It is a number, but no 64 bits hold it.
    pub(super) too_large: bool,
    /// What to write instead.
    pub(super) hint: Option<String>,
}

/// An address, and whether a reader could have taken its radix for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The address.
    pub(super) value: u64,
    /// Read as hexadecimal by default, although every digit is a decimal one and the radix matters.
    pub(super) looks_decimal: bool,
}

/// Reads an address.
pub(super) fn address(text: &str) -> Result<Address, Bad> {
    let radix = if split(text).suffix.is_some() { 10 } else { 16 };
    let value = number(text, radix, true)?;
    let looks_decimal = value > 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    Ok(Address { value, looks_decimal })
}

/// Reads a length in bytes.
pub(super) fn size(text: &str) -> Result<u64, Bad> {
    number(text, 10, true)
}

/// Reads any other number.
pub(super) fn plain(text: &str) -> Result<u64, Bad> {
    number(text, 10, false)
}

/// A number taken apart: `0x` `80` `M`.
struct Parts<'a> {
    radix: Option<u32>,
    digits: &'a str,
    /// How many bits the suffix shifts by.
    suffix: Option<u32>,
}

fn split(text: &str) -> Parts<'_> {
    let (digits, suffix) = match text.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&text[..text.len() - 1], Some(10)),
        Some(b'M') => (&text[..text.len() - 1], Some(20)),
        Some(b'G') => (&text[..text.len() - 1], Some(30)),
        _ => (text, None),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (Some(16), &digits[2..]),
        [b'0', b'd' | b'D', ..] => (Some(10), &digits[2..]),
        _ => (None, digits),
    };
    Parts { radix, digits, suffix }
}

fn number(text: &str, default_radix: u32, suffix_allowed: bool) -> Result<u64, Bad> {
    let parts = split(text);
    let radix = parts.radix.unwrap_or(default_radix);
    if parts.digits.is_empty() || !parts.digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Bad { too_large: false, hint: hint(text, &parts, radix, suffix_allowed) });
    }
    if parts.suffix.is_some() && !suffix_allowed {
        return Err(Bad { too_large: false, hint: Some("no suffix can stand here".into()) });
    }
    let digits = u64::from_str_radix(parts.digits, radix).map_err(|_| Bad { too_large: true, hint: None })?;
    digits.checked_mul(1 << parts.suffix.unwrap_or(0)).ok_or(Bad { too_large: true, hint: None })
}

fn hint(text: &str, parts: &Parts<'_>, radix: u32, suffix_allowed: bool) -> Option<String> {
    let digits = parts.digits;
    if !digits.is_empty() && radix == 10 && digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(match parts.radix {
            Some(_) => "the digits are hexadecimal, but `0d` says decimal".into(),
            None => format!("this is read as decimal: for hexadecimal write `0x{text}`"),
        });
    }
    if digits.contains('_') {
        return Some("write the digits without `_`".into());
    }
    let upper = text.to_ascii_uppercase();
    for unit in ["KIB", "MIB", "GIB", "KB", "MB", "GB"].into_iter().filter(|_| suffix_allowed) {
        if let Some(count) = upper.strip_suffix(unit) {
            return Some(format!("write `{}{}`: suffixes are `K`, `M` and `G`", count.trim(), &unit[..1]));
        }
    }
    let hexadecimal = if radix == 16 { "hexadecimal digits" } else { "digits, or `0x` and hexadecimal digits" };
    let suffix = if suffix_allowed { ", and at most one of the suffixes `K`, `M`, `G`" } else { "" };
    Some(format!("a number is made of {hexadecimal}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<u64> {
        address(text).ok().map(|address| address.value)
    }

    #[test]
    fn addresses_are_hexadecimal_unless_told_or_suffixed() {
        assert_eq!(at("80000000"), Some(0x8000_0000));
        assert_eq!(at("0x80000000"), Some(0x8000_0000));
        assert_eq!(at("0X1c09FFFF"), Some(0x1c09_ffff));
        assert_eq!(at("0d4096"), Some(4096));
        assert_eq!(at("0D10"), Some(10));
        assert_eq!(at("4096M"), Some(4 << 30));
        assert_eq!(at("1m"), Some(1 << 20));
        assert_eq!(at("0x10M"), Some(16 << 20));
        assert_eq!(at("0d10k"), Some(10 << 10));
        assert_eq!(at("0"), Some(0));
        assert_eq!(at("d0"), Some(0xd0));
    }

    #[test]
    fn lengths_are_decimal_unless_told() {
        assert_eq!(size("2048M"), Ok(2 << 30));
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("0x40000"), Ok(0x4_0000));
        assert_eq!(size("0x4G"), Ok(4 << 30));
        assert_eq!(size("16g"), Ok(16 << 30));
        assert_eq!(
            size("40f"),
            Err(Bad { too_large: false, hint: Some("this is read as decimal: for hexadecimal write `0x40f`".into()) })
        );
    }

    #[test]
    fn other_numbers_take_no_suffix() {
        assert_eq!(plain("37"), Ok(37));
        assert_eq!(plain("0x25"), Ok(37));
        assert_eq!(plain("010"), Ok(10));
        assert!(plain("1K").is_err());
        assert!(plain("ff").is_err());
    }

    #[test]
    fn what_is_not_a_number() {
        for text in ["", "0x", "0d", "K", "0xK", "-1", "+1", "1 0", "1_000", "1MB", "1T", "ä", "0xg", "1.5G", "ⅷ", "1٣"]
        {
            assert!(at(text).is_none() && size(text).is_err() && plain(text).is_err(), "{text}");
        }
        assert_eq!(size("128MiB").unwrap_err().hint.unwrap(), "write `128M`: suffixes are `K`, `M` and `G`");
    }

    #[test]
    fn overflow_is_an_error() {
        assert_eq!(at("ffffffffffffffff"), Some(u64::MAX));
        assert_eq!(at("10000000000000000"), None);
        assert_eq!(size("17179869183G"), Ok(17_179_869_183 << 30));
        assert!(size("17179869184G").unwrap_err().too_large);
        assert!(size("18446744073709551616").unwrap_err().too_large);
    }

    #[test]
    fn only_an_unmarked_radix_that_matters_looks_decimal() {
        for (text, doubtful) in [
            ("80000000", true),
            ("10", true),
            ("010", true),
            ("8", false),
            ("08", false),
            ("0x10", false),
            ("0d10", false),
            ("1c", false),
            ("10M", false),
        ] {
            assert_eq!(address(text).unwrap().looks_decimal, doubtful, "{text}");
        }
    }
}
