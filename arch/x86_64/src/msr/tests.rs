//! The table, row by row where it matters, and its order.

use super::*;

const ALL: Has = Has { barrier: true };

#[test]
fn what_kernels_read_without_a_question_is_there() {
    for register in
        [0x8b, 0xfe, 0x179, 0x17a, 0x1a0, 0x1d9, 0xc001_0010, 0xc001_0015, 0xc001_001a, 0xc001_001d, 0xc001_1029]
    {
        assert!(matches!(read(register), Answer::Value(_)), "{register:#x}");
    }
    assert_eq!(read(0x179), Answer::Value(0), "no banks");
    assert_eq!(write(0x179, ALL), Answer::Refused);
    assert_eq!(write(0x17a, ALL), Answer::Ignore);
}

#[test]
fn the_vcpus_own_are_its_own() {
    for (register, own) in [
        (0x10, Own::Tsc),
        (0x1b, Own::LocalApic),
        (0x3b, Own::TscAdjust),
        (0x6e0, Own::LocalApic),
        (0x802, Own::LocalApic),
        (0x83f, Own::LocalApic),
        (0xc000_0080, Own::Efer),
        (0x2ff, Own::Mtrr(0x2ff)),
        (0x4b56_4d00, Own::Clock),
        (0x4b56_4d01, Own::Clock),
        (0x4b56_4d03, Own::Clock),
    ] {
        assert_eq!((read(register), write(register, ALL)), (Answer::Own(own), Answer::Own(own)));
    }
}

#[test]
fn what_is_hidden_is_not_there() {
    // SPEC_CTRL, VIRT_SPEC_CTRL, OSVW, IBS, extended counters, VM_HSAVE_PA, Intel's VMX, PKRS, XSS, KVM's first clock and what else
    // it has.
    for register in [
        0x48,
        0xc001_011f,
        0xc001_0140,
        0xc001_1030,
        0xc001_0200,
        0xc001_0117,
        0x480,
        0x6e1,
        0xda0,
        0x11,
        0x12,
        0x4b56_4d02,
        0x4b56_4d04,
        0x1234_5678,
    ] {
        assert_eq!((read(register), write(register, ALL)), (Answer::Unlisted, Answer::Unlisted), "{register:#x}");
    }
    assert_eq!((read(PRED_CMD), write(PRED_CMD, ALL)), (Answer::Refused, Answer::Own(Own::Barrier)));
    assert_eq!(write(PRED_CMD, Has::default()), Answer::Refused);
    assert_eq!(read(0xc001_1004), Answer::Refused);
}

#[test]
fn no_register_is_in_two_rows() {
    for (index, row) in ROWS.iter().enumerate() {
        assert!(row.0 <= row.1);
        for other in &ROWS[index + 1..] {
            assert!(row.1 < other.0 || other.1 < row.0, "{:#x} and {:#x}", row.0, other.0);
        }
    }
}

#[test]
fn memory_types_are_kept_if_they_exist() {
    let mut mtrrs = Mtrrs::default();
    let registers = (0x200..=0x20f).chain([0x250, 0x258, 0x259]).chain(0x268..=0x26f).chain([0x2ff]);
    for (number, register) in registers.clone().enumerate() {
        let value = match register {
            0x200..=0x20f if register & 1 == 1 => 0x800 | (number as u64) << 12,
            0x200..=0x20f => 6 | (number as u64) << 12,
            0x2ff => 0xc06,
            _ => 0x0606_0606_0606_0000 | (4 + (number as u64 & 1)),
        };
        assert!(mtrrs.write(register, value, 40), "{register:#x}");
        assert_eq!(mtrrs.read(register), value);
    }
    let kept = mtrrs;
    for (register, value) in [
        (0x200, 2),
        (0x200, 1 << 40),
        (0x201, 1),
        (0x201, 1 << 40 | 0x800),
        (0x2ff, 7),
        (0x2ff, 1 << 12),
        (0x250, 0x1e),
    ] {
        assert!(!mtrrs.write(register, value, 40), "{register:#x} {value:#x}");
    }
    assert_eq!(mtrrs, kept);
}
