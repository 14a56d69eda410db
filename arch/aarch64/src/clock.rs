//! The board's wall clock.

/// Seconds since 1970; `None` if there is no clock that Ostler reads. (Guests of arm64 have the time of a passed PL031, or none.)
pub const fn seconds_since_1970() -> Option<u64> {
    None
}
