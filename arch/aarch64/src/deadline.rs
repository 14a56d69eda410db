//! A deadline of the virtual counter, by the physical one.
#![forbid(unsafe_code)]

/// When the physical counter reaches what the virtual one, `offset` (CNTVOFF_EL2) behind it, calls `virtual_deadline`; `None` if
/// never. An offset with its highest bit set is negative: the guest's counter is ahead. (Counters begin near zero and do not wrap in
/// a lifetime, DDI 0487 D11.1.2, so neither do deadlines: one close to 2^64, which many take for "never", is not one long past.)
pub const fn physical(virtual_deadline: u64, offset: u64) -> Option<u64> {
    if (offset as i64) < 0 {
        return Some(virtual_deadline.saturating_sub(offset.wrapping_neg()));
    }
    virtual_deadline.checked_add(offset)
}

#[cfg(test)]
mod tests {
    use super::physical;

    #[test]
    fn deadlines_do_not_wrap() {
        assert_eq!(physical(100, 1000), Some(1100));
        assert_eq!(physical(u64::MAX, 1000), None);
        // The guest's counter is 50 ahead.
        assert_eq!(physical(100, 50u64.wrapping_neg()), Some(50));
        assert_eq!(physical(20, 50u64.wrapping_neg()), Some(0));
        assert_eq!(physical(u64::MAX, 50u64.wrapping_neg()), Some(u64::MAX - 50));
    }
}
