//! What lies in memory, as bytes and numbers.

/// Where the mapped addresses end.
const END: u64 = 1 << 32;

/// The bytes from `address` on; none if they do not lie below 4 GiB, or begin at 0.
pub(crate) fn bytes(address: u64, length: u64) -> Result<&'static [u8], &'static str> {
    let is_there = address != 0 && address.checked_add(length).is_some_and(|end| end <= END);
    match is_there {
        // SAFETY: all that is below 4 GiB is mapped, and nothing of it changes but this program's own data, of which no loader
        // tells.
        true => Ok(unsafe { core::slice::from_raw_parts(address as *const u8, length as usize) }),
        false => Err("an address that leads nowhere"),
    }
}

/// The little-endian number of so many bytes at `offset`; zero behind the end.
pub(crate) fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let bytes = bytes.iter().skip(offset).take(width);
    bytes.rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The same of four bytes.
pub(crate) fn word(bytes: &[u8], offset: usize) -> u32 {
    number(bytes, offset, 4) as u32
}

/// Text up to a zero, which is to be there within a page.
pub(crate) fn text(address: u64) -> Result<&'static str, &'static str> {
    until_zero(bytes(address, 4096)?)
}

/// The same of these bytes.
pub(crate) fn until_zero(bytes: &'static [u8]) -> Result<&'static str, &'static str> {
    let end = bytes.iter().position(|&byte| byte == 0).ok_or("a text without an end")?;
    core::str::from_utf8(&bytes[..end]).map_err(|_| "a text that is none")
}
