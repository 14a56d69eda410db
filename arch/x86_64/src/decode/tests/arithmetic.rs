//! Results and flags against the manual's words, computed another way: in wider integers, and flags one by one.

use super::super::alu::{Alu, BitChange, Unary, flags::*};
use proptest::prelude::*;

fn bits(bytes: u8) -> u32 {
    u32::from(bytes) * 8
}

fn cut(bytes: u8, value: i128) -> u64 {
    (value & ((1 << bits(bytes)) - 1)) as u64
}

fn signed(bytes: u8, value: u64) -> i128 {
    let value = i128::from(value);
    if value >> (bits(bytes) - 1) & 1 != 0 { value - (1 << bits(bytes)) } else { value }
}

fn set(flag: u64, condition: bool) -> u64 {
    if condition { flag } else { 0 }
}

/// SF, ZF and PF of a result.
fn of_result(bytes: u8, value: u64) -> u64 {
    let ones = (0..8).filter(|bit| value >> bit & 1 != 0).count();
    set(SF, signed(bytes, value) < 0) | set(ZF, value == 0) | set(PF, ones % 2 == 0)
}

/// `a + b` or `a - b` with a carry or borrow.
fn sum(bytes: u8, a: u64, b: u64, sign: i128, carry: u64) -> (u64, u64) {
    let of = |a: i128, b: i128| a + sign * (b + i128::from(carry));
    let value = cut(bytes, of(a.into(), b.into()));
    let exact = of(signed(bytes, a), signed(bytes, b));
    let fits = |bits: u32, value: i128| (0..1 << bits).contains(&value);
    let flags = of_result(bytes, value)
        | set(CF, !fits(bits(bytes), of(a.into(), b.into())))
        | set(AF, !fits(4, of((a & 15).into(), (b & 15).into())))
        | set(OF, exact != signed(bytes, value));
    (value, flags)
}

fn width() -> impl Strategy<Value = u8> {
    prop_oneof![Just(1), Just(2), Just(4), Just(8)]
}

/// Values near the ends of all widths, and any.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (0..64_u32, -2..3_i64).prop_map(|(bit, near)| (1_u64 << bit).wrapping_add(near as u64)),
        any::<u8>().prop_map(u64::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn two_values(bytes in width(), a in value(), b in value(), before: u64, number in 0..8_u8) {
        let (a, b) = (cut(bytes, a.into()), cut(bytes, b.into()));
        let carry = before & CF;
        let logical = |value| (value, of_result(bytes, value));
        let (expected, status) = match number {
            0 => sum(bytes, a, b, 1, 0),
            1 => logical(a | b),
            2 => sum(bytes, a, b, 1, carry),
            3 => sum(bytes, a, b, -1, carry),
            4 => logical(a & b),
            6 => logical(a ^ b),
            _ => sum(bytes, a, b, -1, 0),
        };
        let (value, after) = Alu::from_number(number).compute(bytes, a, b, before);
        prop_assert_eq!(value, expected);
        prop_assert_eq!(after & STATUS, status);
        prop_assert_eq!(after & !STATUS, before & !STATUS);
    }

    #[test]
    fn one_value(bytes in width(), a in value(), before: u64) {
        let a = cut(bytes, a.into());
        let carry = before & CF;
        let kept = |(value, status): (u64, u64)| (value, before & !STATUS | status & !CF | carry);
        prop_assert_eq!(Unary::Inc.compute(bytes, a, before), kept(sum(bytes, a, 1, 1, 0)));
        prop_assert_eq!(Unary::Dec.compute(bytes, a, before), kept(sum(bytes, a, 1, -1, 0)));
        prop_assert_eq!(Unary::Not.compute(bytes, a, before), (cut(bytes, !i128::from(a)), before));
        let (value, status) = sum(bytes, 0, a, -1, 0);
        prop_assert_eq!(status & CF != 0, a != 0);
        prop_assert_eq!(Unary::Neg.compute(bytes, a, before), (value, before & !STATUS | status));
    }

    #[test]
    fn bits_by_number(bytes in prop_oneof![Just(2), Just(4), Just(8)], a in value(), number: u64, before: u64) {
        let a = cut(bytes, a.into());
        let bit = 1 << (number % u64::from(bits(bytes)));
        let after = before & !CF | set(CF, a & bit != 0);
        prop_assert_eq!(BitChange::None.compute(bytes, a, number, before), (a, after));
        prop_assert_eq!(BitChange::Set.compute(bytes, a, number, before), (a | bit, after));
        prop_assert_eq!(BitChange::Reset.compute(bytes, a, number, before), (a & !bit, after));
        prop_assert_eq!(BitChange::Complement.compute(bytes, a, number, before), (a ^ bit, after));
    }
}
