//! Words of 32 bits as sets of numbers.

/// The bit of interrupt or vCPU `number` in its word.
#[inline]
pub const fn bit(number: u32) -> u32 {
    1_u32.wrapping_shl(number)
}

/// The numbers of the bits set in `word`, lowest first. Costs one step for each bit that is set.
#[inline]
pub fn ones(mut word: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let lowest = (word != 0).then(|| word.trailing_zeros())?;
        word &= !bit(lowest);
        Some(lowest)
    })
}
