//! A set of a pCPU's seats: one word, so that who is in it is found without a look at those who are not.

/// Seats by their numbers, 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats(u64);

impl Seats {
    /// The seats whose bits are set, as in a pCPU's mailbox.
    pub const fn new(bits: u64) -> Seats {
        Seats(bits)
    }

    /// Whether `seat` is in it.
    pub fn has(self, seat: usize) -> bool {
        self.0 & bit(seat) != 0
    }

    /// Those that are in this or the other.
    pub const fn with(self, others: Seats) -> Seats {
        Seats(self.0 | others.0)
    }

    /// Those that are not in the other.
    pub const fn without(self, others: Seats) -> Seats {
        Seats(self.0 & !others.0)
    }

    /// Puts `seat` into it.
    pub fn insert(&mut self, seat: usize) {
        self.0 |= bit(seat);
    }

    /// Takes `seat` out of it.
    pub fn remove(&mut self, seat: usize) {
        self.0 &= !bit(seat);
    }
}

impl Iterator for Seats {
    type Item = usize;

    /// The lowest; it is out of the set then.
    fn next(&mut self) -> Option<usize> {
        let lowest = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0.wrapping_sub(1);
        Some(lowest as usize)
    }
}

/// No bit for a seat that can't be.
fn bit(seat: usize) -> u64 {
    u32::try_from(seat).ok().and_then(|seat| 1_u64.checked_shl(seat)).unwrap_or(0)
}
