//! A GICv2's registers as a guest's driver reads and writes them.

use super::super::{KickMask, Redistributor, Vgic};
use super::world::*;
use model::{GicVersion, Irq};
use proptest::prelude::*;

fn with_vgic<const N: usize>(test: impl FnOnce(&Vgic<'_>)) {
    let redistributors = [const { Redistributor::new() }; N];
    test(&Vgic::new(GicVersion::V2, &redistributors));
}

fn read(vgic: &Vgic<'_>, from: u32, offset: u64, width: u8) -> u64 {
    vgic.distributor_v2_read(from, offset, width).value
}

fn write(vgic: &Vgic<'_>, from: u32, offset: u64, width: u8, value: u64) -> KickMask {
    vgic.distributor_v2_write(from, offset, width, value)
}

#[test]
fn the_distributor_says_what_it_is() {
    with_vgic::<3>(|vgic| {
        assert_eq!(read(vgic, 0, 0x0, 4), 0);
        assert_eq!(read(vgic, 0, 0x4, 4), 2 << 5 | 0xf, "3 CPUs, 512 interrupts");
        assert_eq!(read(vgic, 0, 0x8, 4) & 0xfff, 0x43b);
        assert_eq!(read(vgic, 0, 0xfe8, 4) >> 4 & 0xf, 2);
        assert_eq!(read(vgic, 0, 0xfe0, 4), 0x90);
        let _ = write(vgic, 0, 0x0, 4, 0xffff_ffff);
        assert_eq!(read(vgic, 0, 0x0, 4), 3);
        // PPISR, NSACR, the write-only SGIR, and what is a GICv3's.
        for offset in [0xd00, 0xe00, 0xf00, 0x6108, 0xffe8] {
            let _ = write(vgic, 0, offset, 4, 0);
            assert_eq!(read(vgic, 0, offset, 4), 0, "{offset:#x}");
        }
    });
}

#[test]
fn there_are_eight_cpus_at_most() {
    with_vgic::<9>(|vgic| assert_eq!((vgic.vcpus(), read(vgic, 0, 0x4, 4) >> 5 & 7), (8, 7)));
}

#[test]
fn targets_are_bytes_and_private_ones_say_who_reads() {
    with_vgic::<3>(|vgic| {
        assert_eq!(read(vgic, 2, TARGETS, 4), 0x0404_0404);
        assert_eq!(read(vgic, 1, TARGETS + 31, 1), 2);
        let _ = write(vgic, 1, TARGETS, 4, 0xffff_ffff);
        assert_eq!(read(vgic, 1, TARGETS, 4), 0x0202_0202);

        assert_eq!(read(vgic, 0, TARGETS + 40, 4), 0);
        let _ = write(vgic, 0, TARGETS + 40, 4, 0xff03_0201);
        assert_eq!(read(vgic, 1, TARGETS + 40, 4), 0x0703_0201, "vCPU 3 and up do not exist");
        let _ = write(vgic, 0, TARGETS + 41, 1, 4);
        assert_eq!(read(vgic, 0, TARGETS + 40, 4), 0x0703_0401);
        for (width, offset) in [(2, 40), (8, 40), (4, 41), (4, 42)] {
            let _ = write(vgic, 0, TARGETS + offset, width, u64::MAX);
            assert_eq!(read(vgic, 0, TARGETS + 40, 4), 0x0703_0401, "{width} bytes");
        }
        let _ = write(vgic, 0, TARGETS + 512, 4, u64::MAX);
        assert_eq!(read(vgic, 0, TARGETS + 512, 4), 0);
    });
}

#[test]
fn one_cpu_has_no_targets_and_gets_everything() {
    let mut world = World::of(GicVersion::V2, 1, 4);
    assert_eq!(read(&world.vgic, 0, TARGETS, 4), 0);
    world.set_targets(0, 40, 0);
    assert_eq!(read(&world.vgic, 0, TARGETS + 40, 4), 0);
    world.write_bit(0, SET_ENABLE, 40);
    world.set_line(Irq::Shared(40), true);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(40));
}

#[test]
fn private_words_are_each_vcpu_s_own() {
    with_vgic::<2>(|vgic| {
        for register in [SET_ENABLE, GROUP, SET_PENDING, SET_ACTIVE] {
            let before = read(vgic, 0, register, 4);
            let _ = write(vgic, 1, register, 4, 1 << 20);
            assert_eq!((read(vgic, 0, register, 4), read(vgic, 1, register, 4) >> 20), (before, 1), "{register:#x}");
        }
        let _ = write(vgic, 1, PRIORITY + 20, 1, 0x50);
        assert_eq!((read(vgic, 0, PRIORITY + 20, 4), read(vgic, 1, PRIORITY + 20, 4)), (0, 0x50));
        let _ = write(vgic, 1, SET_ENABLE + 4, 4, 1 << 8);
        assert_eq!(read(vgic, 0, SET_ENABLE + 4, 4), 1 << 8);
    });
}

#[test]
fn sgis_are_enabled_always_and_pending_by_their_senders() {
    with_vgic::<3>(|vgic| {
        let _ = write(vgic, 0, CLEAR_ENABLE, 4, 0xffff_ffff);
        assert_eq!(read(vgic, 0, SET_ENABLE, 4), 0xffff);
        let _ = write(vgic, 0, SET_PENDING, 4, 0xffff_ffff);
        assert_eq!(read(vgic, 0, SET_PENDING, 4), 0xffff_0000);

        // As words and as bytes; who does not exist sends nothing.
        let _ = write(vgic, 0, SET_SENDERS + 4, 4, 0xff00_0502);
        assert_eq!(read(vgic, 0, SET_SENDERS + 4, 4), 0x0700_0502);
        assert_eq!(read(vgic, 0, CLEAR_SENDERS + 5, 1), 0x05);
        assert_eq!(read(vgic, 1, SET_SENDERS + 4, 4), 0, "another vCPU's are its own");
        assert_eq!(read(vgic, 0, SET_PENDING, 4) & 0xffff, 0b1011_0000);
        let _ = write(vgic, 0, CLEAR_PENDING, 4, 0xffff_ffff);
        assert_eq!(read(vgic, 0, SET_PENDING, 4), 0b1011_0000);
        let _ = write(vgic, 0, CLEAR_SENDERS + 5, 1, 0x01);
        assert_eq!(read(vgic, 0, SET_PENDING, 4), 0b1011_0000);
        let _ = write(vgic, 0, CLEAR_SENDERS + 4, 4, 0xffff_ffff);
        assert_eq!((read(vgic, 0, SET_PENDING, 4), read(vgic, 0, SET_SENDERS + 4, 4)), (0, 0));
    });
}

#[test]
fn power_on_comes_back() {
    with_vgic::<2>(|vgic| {
        let registers = [0x0, SET_ENABLE, SET_ENABLE + 4, GROUP + 4, TARGETS + 40, SET_SENDERS, SET_PENDING];
        let state = || registers.map(|register| read(vgic, 0, register, 4));
        let before = state();
        for register in registers {
            let _ = write(vgic, 0, register, 4, 0x0303_0303);
        }
        assert_ne!(state(), before);
        vgic.reset();
        assert_eq!(state(), before);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A hostile guest: any access, while interrupts come and go.
    #[test]
    fn nothing_panics_and_all_settles(
        list_registers in prop::sample::select(vec![1_usize, 4]),
        accesses in prop::collection::vec(
            (
                0..2_usize,
                prop_oneof![0..0x1010_u64, 0x7f0..0x830_u64, 0xf00..0xf34_u64, any::<u64>()],
                prop_oneof![4 => Just(4_u8), 2 => Just(1), 1 => any::<u8>()],
                prop_oneof![any::<u64>(), Just(u64::MAX), (0..32_u32).prop_map(|bit| 1 << bit)],
            ),
            0..150,
        ),
    ) {
        let mut world = World::of(GicVersion::V2, 2, list_registers);
        for (step, &(vcpu, offset, width, value)) in accesses.iter().enumerate() {
            world.set_line(Irq::Shared(32 + step as u32 % 40), step % 3 == 0);
            world.sync(vcpu);
            let kick = world.vgic.distributor_v2_read(vcpu as u32, offset, width).kick
                | world.vgic.distributor_v2_write(vcpu as u32, offset, width, value)
                | world.vgic.cpu_interface_v2_write(vcpu as u32, offset, width, value);
            world.kick_from(kick, vcpu);
            world.settle();
            if let Some(acknowledged) = world.acknowledge(vcpu)
                && step % 2 == 0
            {
                world.end(vcpu, acknowledged);
            }
            world.settle();
        }
    }
}
