//! The numbers of the board's interrupts, and the vectors that carry them.
//!
//! An interrupt from outside is its *global system interrupt* (ACPI 5.2.13): input n of the first I/O APIC is number n. A CPU's
//! own ones are numbered from [`FIRST_OWN`] on. The IDT's vectors follow the numbers, the own ones in the highest priority
//! class (APM volume 2, 16.6.2).

/// Vectors below are the CPU's exceptions and, where firmware has left the 8259s there, their spurious interrupts.
pub const FIRST_VECTOR: u8 = 0x30;
/// Inputs of I/O APICs that have a vector.
pub const SHARED: u32 = 0xf0 - FIRST_VECTOR as u32;
/// A CPU's own interrupts begin here.
pub const FIRST_OWN: u32 = 0x100;

/// [`crate::alarm`] goes off.
pub const ALARM: u32 = FIRST_OWN;
/// Another CPU rings: look into the mailbox.
pub const KICK: u32 = FIRST_OWN + 1;
/// Another CPU has failed: stop for good.
pub const STOP: u32 = FIRST_OWN + 2;
/// The local APIC complains: about a message that it could not send or take (APM volume 2, 16.4.6).
pub const ERROR: u32 = FIRST_OWN + 3;

/// Delivered in place of an interrupt that was withdrawn; never acknowledged (APM volume 2, 16.4.7). Its low bits are ones on
/// old CPUs.
pub const SPURIOUS_VECTOR: u8 = 0xff;

/// The vector of [`ALARM`].
pub const ALARM_VECTOR: u8 = 0xf0;

/// The vector of interrupt `number`; `None` if it has none.
#[expect(clippy::arithmetic_side_effects, reason = "each range is what its arm subtracts and adds")]
pub const fn vector(number: u32) -> Option<u8> {
    match number {
        0..SHARED => Some((FIRST_VECTOR as u32 + number) as u8),
        FIRST_OWN..=ERROR => Some((0xf0 + (number - FIRST_OWN)) as u8),
        _ => None,
    }
}

/// The number of the interrupt that `vector` carries; `None` if it carries none.
#[expect(clippy::arithmetic_side_effects, reason = "each range is what its arm subtracts and adds")]
pub const fn number(vector: u8) -> Option<u32> {
    match vector {
        FIRST_VECTOR..0xf0 => Some((vector - FIRST_VECTOR) as u32),
        0xf0..=0xf3 => Some(FIRST_OWN + (vector - 0xf0) as u32),
        _ => None,
    }
}

/// Whether `number` comes from outside of the CPU.
pub const fn is_shared(number: u32) -> bool {
    number < FIRST_OWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vector_has_one_number_and_back() {
        for carried in 0..=u8::MAX {
            if let Some(number) = number(carried) {
                assert_eq!(vector(number), Some(carried));
                assert_eq!(is_shared(number), carried < 0xf0);
            }
        }
        assert_eq!((0..=ERROR).filter_map(vector).count(), SHARED as usize + 4);
        for none in [SHARED, FIRST_OWN - 1, ERROR + 1, u32::MAX] {
            assert_eq!(vector(none), None, "{none:#x}");
        }
        assert_eq!(vector(ALARM), Some(ALARM_VECTOR));
        assert_eq!((number(0x2f), number(SPURIOUS_VECTOR)), (None, None));
    }
}
