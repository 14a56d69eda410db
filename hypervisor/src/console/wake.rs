//! A set of sources by index.

/// The sources whose device has something to see in its endpoint: input came, or output drained that it waits for.
/// The caller polls each of these devices; iterating gives the indices into the mux's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a device that is not polled never sees its input"]
pub struct Wake(u64);

impl Wake {
    /// Puts source `index` into the set.
    pub(super) fn insert(&mut self, index: usize) {
        self.0 |= u32::try_from(index).ok().and_then(|index| 1u64.checked_shl(index)).unwrap_or(0);
    }
}

impl Iterator for Wake {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let index = self.0.trailing_zeros();
        // Clears the lowest bit; an empty set stays empty.
        self.0 &= self.0.wrapping_sub(1);
        (index < u64::BITS).then_some(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::Wake;

    #[test]
    fn a_set_gives_its_members_once_in_order() {
        let mut wake = Wake::default();
        for index in [63, 0, 5, 5, 64] {
            wake.insert(index);
        }
        assert_eq!(wake.collect::<Vec<_>>(), [0, 5, 63]);
        assert_eq!(Wake::default().next(), None);
    }
}
