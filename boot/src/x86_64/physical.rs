//! What boot loader and firmware left in memory, by its physical address.

/// Memory that can be read.
pub trait Physical {
    /// `size` bytes at `at`; `None` if they are not all there to be read.
    fn bytes(&self, at: u64, size: u64) -> Option<&[u8]>;
}

/// A little-endian number of up to eight bytes at `offset`; `None` if it is not all there.
pub(super) fn number(bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
    let field = bytes.get(offset..offset.checked_add(size)?)?;
    let mut word = [0; 8];
    word.get_mut(..size)?.copy_from_slice(field);
    Some(u64::from_le_bytes(word))
}

/// A byte.
pub(super) fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// Two bytes.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    number(bytes, offset, 2).map(|value| value as u16)
}

/// Four bytes.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    number(bytes, offset, 4).map(|value| value as u32)
}

/// Eight bytes.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    number(bytes, offset, 8)
}

/// The first 4 GiB, which the early tables map to be read.
#[cfg(target_os = "none")]
pub(super) struct EarlyMap;

#[cfg(target_os = "none")]
impl Physical for EarlyMap {
    fn bytes(&self, at: u64, size: u64) -> Option<&[u8]> {
        let end = at.checked_add(size)?;
        // SAFETY: `head` maps all of it readable, and nobody writes to what boot loader and firmware left for us. Nothing is at
        // address zero that anybody may read as a slice.
        (at != 0 && end <= 1 << 32).then(|| unsafe {
            core::slice::from_raw_parts(core::ptr::with_exposed_provenance(at as usize), size as usize)
        })
    }
}

/// Pieces of memory for tests.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Pieces(pub(super) Vec<(u64, Vec<u8>)>);

#[cfg(test)]
impl Physical for Pieces {
    fn bytes(&self, at: u64, size: u64) -> Option<&[u8]> {
        self.0.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(at.checked_sub(*start)?).ok()?;
            bytes.get(offset..offset.checked_add(usize::try_from(size).ok()?)?)
        })
    }
}
