//! The registers as a guest's driver reads and writes them.

use super::super::{Redistributor, Vgic};
use super::world::*;
use model::GicVersion;
use proptest::prelude::*;

fn with_vgic<const N: usize>(test: impl FnOnce(&Vgic<'_>)) {
    let redistributors = [const { Redistributor::new() }; N];
    test(&Vgic::new(GicVersion::V3, &redistributors));
}

fn read(vgic: &Vgic<'_>, offset: u64, width: u8) -> u64 {
    vgic.distributor_read(0, offset, width).value
}

fn write(vgic: &Vgic<'_>, offset: u64, width: u8, value: u64) {
    let _ = vgic.distributor_write(0, offset, width, value);
}

#[test]
fn the_distributor_says_what_it_is() {
    with_vgic::<2>(|vgic| {
        assert_eq!(read(vgic, 0x0, 4), 0x50);
        assert_eq!(read(vgic, 0x4, 4), 0x0048_000f);
        assert_eq!(read(vgic, 0x8, 4) & 0xfff, 0x43b);
        assert_eq!(read(vgic, 0xffe8, 4) >> 4 & 0xf, 3);
        write(vgic, 0x0, 4, 0xffff_ffff);
        assert_eq!(read(vgic, 0x0, 4), 0x53);
        write(vgic, 0x0, 4, 0);
        assert_eq!(read(vgic, 0x0, 4), 0x50);
    });
}

#[test]
fn a_redistributor_says_whose_it_is() {
    with_vgic::<18>(|vgic| {
        let kind = |vcpu| vgic.redistributor_read(0, vcpu, 0x8, 8).value;
        assert_eq!(kind(0), 0);
        assert_eq!(kind(3), 3 << 32 | 3 << 8);
        assert_eq!(kind(17), 0x101 << 32 | 17 << 8 | 1 << 4);
        assert_eq!(vgic.redistributor_read(0, 17, 0x8, 4).value, 17 << 8 | 1 << 4);
        assert_eq!(vgic.redistributor_read(0, 17, 0xc, 4).value, 0x101);
        assert_eq!(vgic.redistributor_read(0, 17, 0xffe8, 4).value >> 4 & 0xf, 3);
        assert_eq!(vgic.redistributor_read(0, 18, 0x8, 8).value, 0);
    });
}

#[test]
fn a_redistributor_sleeps_and_wakes() {
    with_vgic::<1>(|vgic| {
        let waker = || vgic.redistributor_read(0, 0, 0x14, 4).value;
        assert_eq!(waker(), 0);
        let _ = vgic.redistributor_write(0, 0x14, 4, 2);
        assert_eq!(waker(), 6);
        let _ = vgic.redistributor_write(0, 0x14, 4, 0);
        assert_eq!(waker(), 0);
    });
}

#[test]
fn set_and_clear_registers_are_two_views() {
    with_vgic::<1>(|vgic| {
        for (set, clear) in [(SET_ENABLE, CLEAR_ENABLE), (SET_PENDING, CLEAR_PENDING), (SET_ACTIVE, CLEAR_ACTIVE)] {
            write(vgic, set + 4, 4, 0xf0f0);
            write(vgic, set + 4, 4, 1);
            assert_eq!((read(vgic, set + 4, 4), read(vgic, clear + 4, 4)), (0xf0f1, 0xf0f1));
            write(vgic, clear + 4, 4, 0xff);
            assert_eq!((read(vgic, set + 4, 4), read(vgic, clear + 4, 4)), (0xf000, 0xf000));
            // The last word is there, the next is not.
            write(vgic, set + 0x3c, 4, u64::MAX);
            write(vgic, set + 0x40, 4, u64::MAX);
            assert_eq!((read(vgic, set + 0x3c, 4), read(vgic, set + 0x40, 4)), (0xffff_ffff, 0));
        }
    });
}

#[test]
fn private_interrupts_are_in_the_redistributor_only() {
    with_vgic::<2>(|vgic| {
        for offset in [GROUP, SET_ENABLE, SET_PENDING, SET_ACTIVE, PRIORITY, CONFIG] {
            write(vgic, offset, 4, u64::MAX);
            assert_eq!(read(vgic, offset, 4), 0);
        }
        let _ = vgic.redistributor_write(1, 0x1_0000 + SET_ENABLE, 4, 0x8000_0001);
        assert_eq!(vgic.redistributor_read(0, 1, 0x1_0000 + CLEAR_ENABLE, 4).value, 0x8000_0001);
        assert_eq!(vgic.redistributor_read(0, 0, 0x1_0000 + CLEAR_ENABLE, 4).value, 0);
        // A shared word is not in a redistributor.
        let _ = vgic.redistributor_write(1, 0x1_0000 + SET_ENABLE + 4, 4, 1);
        assert_eq!(read(vgic, SET_ENABLE + 4, 4), 0);
    });
}

#[test]
fn priorities_go_by_bytes_and_words() {
    with_vgic::<1>(|vgic| {
        write(vgic, PRIORITY + 0x1fc, 4, 0xff_a4_87_40);
        assert_eq!(read(vgic, PRIORITY + 0x1fc, 4), 0xf8_a0_80_40);
        write(vgic, PRIORITY + 0x1fd, 1, 0x18);
        assert_eq!(read(vgic, PRIORITY + 0x1fc, 4), 0xf8_a0_18_40);
        assert_eq!(read(vgic, PRIORITY + 0x1ff, 1), 0xf8);
        write(vgic, PRIORITY + 0x200, 4, u64::MAX);
        assert_eq!(read(vgic, PRIORITY + 0x200, 4), 0);
    });
}

#[test]
fn configuration_has_one_bit_of_two_and_sgis_are_edges() {
    with_vgic::<1>(|vgic| {
        write(vgic, CONFIG + 8, 4, 0xffff_fff7);
        assert_eq!(read(vgic, CONFIG + 8, 4), 0xaaaa_aaa2);
        assert_eq!(read(vgic, CONFIG + 12, 4), 0);
        let private = |offset| vgic.redistributor_read(0, 0, 0x1_0000 + CONFIG + offset, 4).value;
        let _ = vgic.redistributor_write(0, 0x1_0000 + CONFIG, 4, 0);
        let _ = vgic.redistributor_write(0, 0x1_0000 + CONFIG + 4, 4, 8);
        assert_eq!((private(0), private(4)), (0xaaaa_aaaa, 8));
    });
}

#[test]
fn routes_are_64_bits_wide_and_have_halves() {
    with_vgic::<1>(|vgic| {
        let route = ROUTE + 8 * 32;
        write(vgic, route, 8, u64::MAX);
        assert_eq!(read(vgic, route, 8), 0xff_80ff_ffff);
        write(vgic, route, 4, 0x8000_0102);
        assert_eq!(read(vgic, route, 8), 0xff_8000_0102);
        write(vgic, route + 4, 4, 1);
        assert_eq!((read(vgic, route, 4), read(vgic, route + 4, 4)), (0x8000_0102, 1));
        // Private interrupts have none.
        write(vgic, ROUTE + 8 * 31, 8, 1);
        assert_eq!(read(vgic, ROUTE + 8 * 31, 8), 0);
    });
}

#[test]
fn what_is_reserved_and_wrong_widths_read_as_zero() {
    with_vgic::<1>(|vgic| {
        write(vgic, SET_ENABLE + 4, 4, u64::MAX);
        for (offset, width) in [(0x104, 8), (0x104, 2), (0x104, 1), (0x105, 4), (0x106, 2), (0x0c, 4), (0x800, 4)] {
            assert_eq!(read(vgic, offset, width), 0, "{offset:#x}/{width}");
        }
        // SGIR, CPENDSGIR, SPENDSGIR, IGRPMODR, NSACR, SETSPI, STATUSR.
        for offset in [0xf00, 0xf10, 0xf20, 0xd04, 0xe08, 0x40, 0x10] {
            write(vgic, offset, 4, u64::MAX);
            assert_eq!(read(vgic, offset, 4), 0, "{offset:#x}");
        }
        // PROPBASER, PENDBASER: no LPIs.
        for offset in [0x70, 0x78] {
            let _ = vgic.redistributor_write(0, offset, 8, u64::MAX);
            assert_eq!(vgic.redistributor_read(0, 0, offset, 8).value, 0);
        }
    });
}

#[test]
fn there_are_at_most_32_vcpus() {
    with_vgic::<33>(|vgic| {
        assert_eq!(vgic.vcpus(), 32);
        assert_eq!(vgic.redistributor_read(0, 31, 0x8, 8).value >> 4 & 1, 1);
        assert_eq!(vgic.redistributor_read(0, 32, 0x8, 8).value, 0);
        let all = vgic.send_sgi(3, 1 << 40);
        assert_eq!(all.0, !(1 << 3));
    });
}

proptest! {
    /// What a register holds is what was written, cut to the bits that exist, whatever else was written elsewhere.
    #[test]
    fn words_do_not_disturb_each_other(writes in prop::collection::vec((1..16_u64, any::<u32>()), 1..20)) {
        with_vgic::<1>(|vgic| {
            let mut expected = [0_u64; 16];
            for (word, value) in writes {
                write(vgic, GROUP + 4 * word, 4, value.into());
                expected[word as usize] = value.into();
            }
            for word in 0..16 {
                assert_eq!(read(vgic, GROUP + 4 * word, 4), expected[word as usize]);
            }
        });
    }
}
