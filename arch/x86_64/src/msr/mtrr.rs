//! Memory-type range registers: a guest may write them, and reads what it wrote. They have no effect: with nested paging the
//! type of its memory is the guest's PAT's and the board's (APM volume 2, 15.25.9).

/// MTRRcap: eight pairs, fixed ranges, write-combining.
pub(super) const CAP: u64 = 1 << 10 | 1 << 8 | 8;

/// What a guest has in them. All zero out of reset: off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mtrrs {
    variable: [u64; 16],
    fixed: [u64; 11],
    default: u64,
}

/// Types that there are: UC, WC, WT, WP, WB.
const fn is_type(kind: u8) -> bool {
    matches!(kind, 0 | 1 | 4 | 5 | 6)
}

impl Mtrrs {
    fn slot(&mut self, register: u32) -> Option<&mut u64> {
        let fixed = match register {
            0x200..=0x20f => return self.variable.get_mut(register.wrapping_sub(0x200) as usize),
            0x250 => 0,
            0x258..=0x259 => register.wrapping_sub(0x257),
            0x268..=0x26f => register.wrapping_sub(0x265),
            _ => return Some(&mut self.default),
        };
        self.fixed.get_mut(fixed as usize)
    }

    /// What `register`, one of them, has.
    pub fn read(&self, register: u32) -> u64 {
        let mut copy = *self;
        copy.slot(register).copied().unwrap_or(0)
    }

    /// Writes `register`, one of them, in a guest whose physical addresses have `bits` bits. False if that is refused.
    pub fn write(&mut self, register: u32, value: u64, bits: u32) -> bool {
        let beyond = u64::MAX.checked_shl(bits).unwrap_or(0);
        let is_valid = match register {
            // Base: type and address. Mask: valid bit and address.
            0x200..=0x20f if register & 1 == 0 => value & (beyond | 0xf00) == 0 && is_type(value as u8),
            0x200..=0x20f => value & (beyond | 0x7ff) == 0,
            // Enable, fixed enable, type.
            0x2ff => value & !(1 << 11 | 1 << 10 | 0xff) == 0 && is_type(value as u8),
            // Bits 4:3 are AMD's, for firmware only.
            _ => value.to_le_bytes().into_iter().all(is_type),
        };
        match self.slot(register) {
            Some(slot) if is_valid => {
                *slot = value;
                true
            }
            _ => false,
        }
    }
}
