//! KVM's paravirtual clock and steal time: what a guest is told of time, in records of its own memory.
//!
//! A guest that measures its time-stamp counter by a timer gets it wrong where reading the timer is an exit. So it is told: CPUID
//! has KVM's signature behind our own, and by registers that CPUID lists a guest names records that are written for it: one of each vCPU
//! that turns its time stamp into nanoseconds, which are the same on all of them; the time of day at which these began; and how much
//! time others took from the vCPU. (Linux, Documentation/virt/kvm/x86/cpuid.rst and msr.rst, and arch/x86/include/asm/pvclock-abi.h;
//! what is not listed in CPUID is not here.)
//!
//! A time stamp is that of the VM and what the guest has added: the first record is written when it is asked for, and when the guest
//! adds something else. Nothing else changes it: in a pause the time stamp stands still with the VM.
#![forbid(unsafe_code)]

use model::Gpa;

/// The time of day at which the clock was at zero.
pub const WALL_CLOCK: u32 = 0x4b56_4d00;
/// The clock.
pub const SYSTEM_TIME: u32 = 0x4b56_4d01;
/// Stolen time.
pub const STEAL_TIME: u32 = 0x4b56_4d03;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// Of a register: the record is to be written.
const ENABLED: u64 = 1;
/// Of the clock: it is the same on all vCPUs (PVCLOCK_TSC_STABLE_BIT).
const STABLE: u32 = 1;

/// How the time stamp becomes nanoseconds: shifted left by `shift`, or right if that is negative, times `multiplier`, without the low
/// 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    multiplier: u32,
    shift: i8,
}

impl Scale {
    /// For `hz` ticks in a second; all is zero if that is.
    pub fn new(hz: u64) -> Scale {
        // The multiplier with as many digits as it can have.
        (-32_i8..=30)
            .find_map(|shift| {
                let multiplier =
                    u128::from(SECOND).checked_shl(32_i8.wrapping_sub(shift) as u32)?.checked_div(hz.into())?;
                u32::try_from(multiplier).ok().map(|multiplier| Scale { multiplier, shift })
            })
            .unwrap_or(Scale { multiplier: 0, shift: 0 })
    }

    /// What a guest makes of so many ticks.
    pub fn nanoseconds(self, ticks: u64) -> u64 {
        let distance = self.shift.unsigned_abs().into();
        let shifted = if self.shift < 0 { ticks.wrapping_shr(distance) } else { ticks.wrapping_shl(distance) };
        (u128::from(shifted).wrapping_mul(self.multiplier.into()) >> 32) as u64
    }

    /// The clock's record, whose zero is at the time stamp `origin`.
    pub fn clock(self, origin: u64) -> [u32; 8] {
        let format = u32::from(self.shift as u8) | STABLE << 8;
        [0, 0, origin as u32, (origin >> 32) as u32, 0, 0, self.multiplier, format]
    }
}

/// The word of the clock's record and of that of the time of day which has the version. These functions leave it at zero.
pub const VERSION: usize = 0;
/// The same of the record of stolen time.
pub const VERSION_OF_STOLEN: usize = 2;

/// The record of the time of day: `nanoseconds` since 1970.
pub fn time_of_day(nanoseconds: u64) -> [u32; 3] {
    [0, (nanoseconds / SECOND) as u32, (nanoseconds % SECOND) as u32]
}

/// The record of stolen time. Behind the version: no flags, and not preempted, which it is not told of.
pub fn stolen(nanoseconds: u64) -> [u32; 5] {
    [nanoseconds as u32, (nanoseconds >> 32) as u32, 0, 0, 0]
}

/// Where the record is that a write of `value` to `register` asks for, and its size in bytes; `None` if that asks for none. Reserved
/// bits are an error.
pub fn record(register: u32, value: u64) -> Result<Option<(Gpa, u64)>, Refused> {
    let (reserved, size, is_wanted) = match register {
        WALL_CLOCK => (0b11, 12, true),
        SYSTEM_TIME => (0b10, 32, value & ENABLED != 0),
        STEAL_TIME => (0b11_1110, 64, value & ENABLED != 0),
        _ => return Err(Refused),
    };
    if value & reserved != 0 {
        return Err(Refused);
    }
    Ok(is_wanted.then_some((Gpa(value & !ENABLED), size)))
}

/// A write that is refused, by #GP(0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What Linux takes the frequency for, in kHz (pvclock_tsc_khz).
    fn khz(scale: Scale) -> u64 {
        let khz = (1_000_000_u64 << 32) / u64::from(scale.multiplier);
        if scale.shift < 0 { khz << scale.shift.unsigned_abs() } else { khz >> scale.shift }
    }

    #[test]
    fn frequencies_of_cpus_are_told() {
        for (hz, shift) in
            [(999_999_999, 1), (1_000_000_000, 1), (2_000_000_000, 0), (2_593_904_000, -1), (4_700_000_000, -2)]
        {
            let scale = Scale::new(hz);
            assert_eq!(scale.shift, shift, "{hz}");
            assert!(khz(scale).abs_diff(hz / 1000) <= 1, "{hz}: {}", khz(scale));
        }
        assert_eq!(Scale::new(0).nanoseconds(u64::MAX), 0);
    }

    #[test]
    fn records_are_as_the_interface_has_them() {
        let scale = Scale { multiplier: 0x8000_0001, shift: -1 };
        assert_eq!(scale.clock(0x1_2345_6789), [0, 0, 0x2345_6789, 1, 0, 0, 0x8000_0001, 0x1ff]);
        assert_eq!(time_of_day(1_700_000_000_000_000_123), [0, 1_700_000_000, 123]);
        assert_eq!(stolen(0x1_2345_6789), [0x2345_6789, 1, 0, 0, 0]);
    }

    #[test]
    fn a_register_names_an_aligned_record_and_nothing_else() {
        assert_eq!(record(WALL_CLOCK, 0x1004), Ok(Some((Gpa(0x1004), 12))));
        assert_eq!(record(SYSTEM_TIME, 0x1005), Ok(Some((Gpa(0x1004), 32))));
        assert_eq!(record(STEAL_TIME, 0x1041), Ok(Some((Gpa(0x1040), 64))));
        for register in [SYSTEM_TIME, STEAL_TIME] {
            assert_eq!(record(register, 0), Ok(None));
            assert_eq!(record(register, 0x1000), Ok(None), "{register:#x}");
        }
        let refused =
            [(WALL_CLOCK, 1), (WALL_CLOCK, 2), (SYSTEM_TIME, 3), (STEAL_TIME, 3), (STEAL_TIME, 0x21), (0x11, 1)];
        for (register, low) in refused {
            assert_eq!(record(register, 0x1000 | low), Err(Refused), "{register:#x} {low:#x}");
        }
    }

    proptest! {
        /// A guest's clock is off by one in 2^31 at most, and it never goes back.
        #[test]
        fn as_exact_as_it_can_be(hz in 1_000_000_u64..10_000_000_000, ticks in 0_u64..1 << 53) {
            let scale = Scale::new(hz);
            let exact = u128::from(ticks) * u128::from(SECOND) / u128::from(hz);
            let told = u128::from(scale.nanoseconds(ticks));
            // Shifted out: at most three ticks.
            prop_assert!(told <= exact && exact - told <= (exact >> 30) + 4 * u128::from(SECOND) / u128::from(hz) + 2);
            prop_assert!(scale.nanoseconds(ticks + 1) >= scale.nanoseconds(ticks));
        }
    }
}
