//! The traps of the radix: addresses are hexadecimal by default and lengths decimal, which everybody mistakes once. Who
//! could have is shown both readings.

use model::PAGE_BYTES;

use super::super::number::{self, Address};
use super::Parser;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::Spanned;

/// From here on a length by itself looks like an address: where boards have their memory.
const LIKE_AN_ADDRESS: u64 = 0x1000_0000;

impl Parser<'_> {
    /// Says of an address of decimal digits alone that it is hexadecimal. One that is a page as a decimal number was
    /// probably meant as such: a hexadecimal one would have to end in twelve zeros to be by chance.
    pub(super) fn tell_address_radix(&mut self, piece: Spanned<&str>, address: Address) {
        let text = piece.value;
        if !address.looks_decimal {
            return;
        }
        let (digits, message) = (text.trim_start_matches('0'), format!("the address `{text}` is read as hexadecimal"));
        let decimal = number::size(digits);
        let means = decimal.as_ref().map_or(String::new(), |value| format!(", which is {value:#x}"));
        let diagnostic = match decimal {
            Ok(value) if value.is_multiple_of(PAGE_BYTES) => Diagnostic::warning(codes::RADIX, message),
            _ => Diagnostic::note(codes::RADIX, message),
        };
        let hint = format!("write `0x{digits}` to make that plain, or `0d{digits}` for decimal{means}");
        self.diagnostics.push(diagnostic.at(piece.span).hint(hint));
    }

    /// Warns of the length of a `ram` or `rom`, called `option`, that could have been meant as something else.
    pub(super) fn tell_length_radix(&mut self, option: &str, text: &str, length: Spanned<u64>, starts: bool) {
        let bytes = length.value;
        if !bytes.is_multiple_of(PAGE_BYTES) {
            return;
        }
        let hexadecimal = hexadecimal(text).filter(|other| other.is_multiple_of(PAGE_BYTES) && *other != bytes);
        let warning = if let Some(other) = hexadecimal {
            Diagnostic::warning(
                codes::LENGTH_RADIX,
                format!("the length `{text}` is read as decimal: {}", amount(bytes)),
            )
            .hint(format!(
                "write `0d{text}` to make that plain, or `0x{text}` for hexadecimal, which is {}",
                amount(other)
            ))
        } else if !starts && bytes >= LIKE_AN_ADDRESS && text.to_ascii_lowercase().starts_with("0x") {
            // What was put in for a variable or a region is what it is.
            if self.sources.text(length.span) != text {
                return;
            }
            let message = format!("this is a length, {}, and not an address", amount(bytes));
            Diagnostic::warning(codes::LENGTH_OR_ADDRESS, message).hint(format!(
                "if memory begins there, write `{option} {text},LENGTH`; if not, `{option} {}`",
                suffixed(bytes)
            ))
        } else {
            return;
        };
        self.diagnostics.push(warning.at(length.span));
    }

    /// What the writer of a length that is no number of pages most likely meant.
    pub(super) fn length_hint(&self, length: Spanned<u64>) -> String {
        let text = self.sources.text(length.span);
        let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
        match hexadecimal(text) {
            Some(bytes) if bytes.is_multiple_of(PAGE_BYTES) => {
                format!("lengths are decimal by default: for hexadecimal write `0x{text}`, which is {}", amount(bytes))
            }
            _ if digits_only && length.value < PAGE_BYTES => {
                format!("without a suffix this is a number of bytes: for mebibytes write `{text}M`")
            }
            _ => nearest(length.value),
        }
    }
}

/// What digits alone would be in hexadecimal; `None` if anything else is with them.
fn hexadecimal(text: &str) -> Option<u64> {
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits_only.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// The multiples of a page on both sides of `value`, in words.
pub(super) fn nearest(value: u64) -> String {
    let below = value - value % PAGE_BYTES;
    format!("the nearest multiples are {below:#x} and {:#x}", u128::from(below) + u128::from(PAGE_BYTES))
}

/// A number of bytes in the largest unit that it is a multiple of.
fn amount(bytes: u64) -> String {
    match suffixed(bytes).split_at_checked(suffixed(bytes).len().saturating_sub(1)) {
        Some((number, unit @ ("K" | "M" | "G"))) => format!("{number} {unit}iB"),
        _ => format!("{bytes} bytes"),
    }
}

/// The same as qvm files have it.
fn suffixed(bytes: u64) -> String {
    let unit =
        [(30, "G"), (20, "M"), (10, "K")].into_iter().find(|(shift, _)| bytes != 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or(bytes.to_string(), |(shift, suffix)| format!("{}{suffix}", bytes >> shift))
}
