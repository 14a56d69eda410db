//! The fixed hardware by ACPI, and as Linux's ACPICA drives it.

use super::*;
use proptest::prelude::*;

const STS: u64 = 0;
const EN: u64 = 2;
const CNT: u64 = 4;
const TMR: u64 = 8;

/// One whose timer is the guest's counter, at time zero.
fn plain() -> AcpiPower {
    let mut power = AcpiPower::new(HZ);
    power.advance(0);
    power
}

fn get(power: &mut AcpiPower, offset: u64) -> u64 {
    power.read(offset, Width::Half)
}

fn put(power: &mut AcpiPower, offset: u64, value: u16) {
    power.write(offset, Width::Half, value.into());
}

#[test]
fn registers_after_reset() {
    let mut power = plain();
    assert_eq!([STS, EN, CNT, TMR].map(|offset| get(&mut power, offset)), [0, 0, 1, 0]);
    assert_eq!((power.line(), power.deadline(), power.take_request()), (false, None, None));
}

#[test]
fn registers_keep_the_bits_that_they_have() {
    let mut power = plain();
    put(&mut power, EN, 0xffff);
    assert_eq!(get(&mut power, EN), 0x0721);
    put(&mut power, CNT, 0xdfff);
    assert_eq!(get(&mut power, CNT), 0x1c03, "SCI_EN stays, SLP_EN and GBL_RLS read as zero");
    put(&mut power, CNT, 0);
    assert_eq!(get(&mut power, CNT), 1);
    assert_eq!(power.take_request(), None);
}

/// ACPI 6.5, section 4.8.2.2.1: PWRBTN_STS is set whether enabled or not, and interrupts while it is.
#[test]
fn the_power_button_interrupts_until_its_status_is_cleared() {
    let mut power = plain();
    power.press();
    assert_eq!((get(&mut power, STS), power.line()), (0x100, false));
    put(&mut power, EN, POWER_BUTTON);
    assert!(power.line());
    put(&mut power, STS, !POWER_BUTTON);
    assert!(power.line(), "zeros clear nothing");
    put(&mut power, STS, POWER_BUTTON);
    assert_eq!((get(&mut power, STS), power.line()), (0, false));
    // By bytes.
    power.press();
    power.write(STS, Width::Byte, 0xff);
    assert!(power.line());
    power.write(STS + 1, Width::Byte, 0x01);
    assert!(!power.line());
}

#[test]
fn only_s5_is_a_way_off() {
    let mut power = plain();
    for sleep_type in (0..8).filter(|&sleep_type| sleep_type != 5) {
        put(&mut power, CNT, sleep_type << 10 | SLEEP);
        assert_eq!(power.take_request(), None, "{sleep_type}");
        assert_eq!(get(&mut power, CNT), u64::from(sleep_type << 10 | 1));
    }
    // ACPICA writes the type, and then the type with SLP_EN.
    put(&mut power, CNT, 5 << 10 | SCI);
    assert_eq!(power.take_request(), None);
    put(&mut power, CNT, 5 << 10 | SCI | SLEEP);
    assert_eq!((power.take_request(), power.take_request()), (Some(Request::PowerOff), None));
    // By the high byte alone, and by a word at the whole of the block.
    power.write(CNT + 1, Width::Byte, 0x34);
    assert_eq!(power.take_request(), Some(Request::PowerOff));
    power.write(EN, Width::Word, 0x3400_0000);
    assert_eq!(power.take_request(), Some(Request::PowerOff));
    power.write(CNT, Width::Byte, 0x34);
    assert_eq!(power.take_request(), None);
}

#[test]
fn the_timer_tells_when_its_highest_bit_changes() {
    let mut power = plain();
    assert_eq!(power.deadline(), None);
    put(&mut power, EN, TIMER_CARRY);
    assert_eq!(power.deadline(), Some(1 << 23));
    power.advance((1 << 23) - 1);
    assert_eq!((power.read(TMR, Width::Word), power.line()), (0x7f_ffff, false));
    power.advance(1 << 23);
    assert_eq!((power.read(TMR, Width::Word), power.line(), power.deadline()), (0x80_0000, true, None));
    put(&mut power, STS, TIMER_CARRY);
    assert_eq!((power.line(), power.deadline()), (false, Some(1 << 24)));
    power.advance((1 << 24) + 7);
    assert_eq!((power.read(TMR, Width::Word), power.line()), (7, true), "from one to zero, too");
    power.write(TMR, Width::Word, 0);
    assert_eq!(power.read(TMR, Width::Word), 7, "read-only");
    put(&mut power, STS, TIMER_CARRY);
    power.advance(1 << 60);
    assert!(power.line(), "however long nobody looked");
}

#[test]
fn the_timer_goes_by_the_guests_counter() {
    let mut power = AcpiPower::new(NonZeroU64::new(5_000_000_000).unwrap());
    power.advance(u64::MAX);
    power.advance(49_999_999_999);
    assert_eq!(power.read(TMR, Width::Word), 35_795_450 % (1 << 24));
}

#[test]
fn accesses_of_every_width_at_every_offset() {
    let mut power = plain();
    power.press();
    put(&mut power, EN, 0xffff);
    power.advance(0x34_5678);
    let bytes: Vec<u64> = (0..16).map(|offset| power.read(offset, Width::Byte)).collect();
    assert_eq!(bytes, [0, 1, 0x21, 7, 1, 0, 0, 0, 0x78, 0x56, 0x34, 0, 0, 0, 0, 0]);
    for width in [Width::Half, Width::Word, Width::Double] {
        for offset in 0..12 {
            let expected = (0..width.bytes()).fold(0, |value, index| {
                value | bytes.get((offset + index) as usize).copied().unwrap_or(0) << (8 * index)
            });
            assert_eq!(power.read(offset, width), expected, "{offset} {width:?}");
        }
    }
    for offset in [12, 0x100, u64::MAX] {
        power.write(offset, Width::Double, u64::MAX);
        assert_eq!(power.read(offset, Width::Double), 0);
    }
    assert_eq!(power.take_request(), None);
}

#[test]
fn reset_and_quiesce() {
    let mut power = plain();
    power.advance(1 << 23);
    power.press();
    put(&mut power, EN, 0xffff);
    power.quiesce();
    put(&mut power, CNT, 5 << 10 | SLEEP);
    assert_eq!((power.line(), power.take_request(), power.deadline()), (false, None, None));
    power.reset();
    power.advance((1 << 23) + 5);
    assert_eq!((get(&mut power, STS), get(&mut power, EN), get(&mut power, CNT)), (0, 0, 1));
    assert_eq!(power.read(TMR, Width::Word), (1 << 23) + 5, "time goes on");
}

proptest! {
    /// Whatever a guest does: no bits beyond the width, and the line is what status and enable say.
    #[test]
    fn any_sequence_keeps_the_invariants(
        steps in prop::collection::vec((0u64..16, 0usize..4, any::<u64>(), 0u8..4), 1..200),
    ) {
        let mut power = AcpiPower::new(NonZeroU64::new(5_000_000_000).unwrap());
        let widths = [Width::Byte, Width::Half, Width::Word, Width::Double];
        for (offset, width, value, kind) in steps {
            match kind {
                0 => power.press(),
                1 => power.advance(value),
                2 => prop_assert_eq!(power.read(offset, widths[width]) & !widths[width].mask(), 0),
                _ => power.write(offset, widths[width], value),
            }
            prop_assert_eq!(power.line(), get(&mut power, STS) & get(&mut power, EN) != 0);
            prop_assert_eq!(get(&mut power, CNT) & 0xe3fd, 1);
            prop_assert!(power.deadline().is_none() || get(&mut power, STS) & 1 == 0);
        }
    }
}
