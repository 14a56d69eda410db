//! A hostile guest: any access to any offset, any SGI, any number, in any order.

use super::world::World;
use model::Irq;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Poke {
    DistributorRead(u64, u8),
    DistributorWrite(u64, u8, u64),
    RedistributorRead(u32, u64, u8),
    RedistributorWrite(u32, u64, u8, u64),
    Sgi(u64),
    Group0Sgi(u64),
    Deactivate(u32),
    Line(u32, bool),
    Private(u32, u32, bool),
    Timer(bool),
    Acknowledge,
    End(u32),
}

/// Offsets anywhere, but mostly where something is.
fn offset(frame: u64) -> impl Strategy<Value = u64> {
    prop_oneof![0..0x1000_u64, 0x6000..0x7100_u64, 0xff00..0x1_0000_u64, 0..frame, any::<u64>()]
}

fn width() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(4_u8), 1 => Just(1), 1 => Just(8), 1 => Just(2), 1 => any::<u8>()]
}

fn poke() -> impl Strategy<Value = Poke> {
    let frame = || prop_oneof![0..0x2_0000_u64, 0x1_0000..0x1_0500_u64, any::<u64>()];
    let value = || prop_oneof![any::<u64>(), Just(u64::MAX), (0..64_u32).prop_map(|bit| 1 << bit)];
    prop_oneof![
        1 => (offset(0x1_0000), width()).prop_map(|(offset, width)| Poke::DistributorRead(offset, width)),
        4 => (offset(0x1_0000), width(), value())
            .prop_map(|(offset, width, value)| Poke::DistributorWrite(offset, width, value)),
        1 => (any::<u32>(), frame(), width()).prop_map(|(vcpu, offset, width)| Poke::RedistributorRead(vcpu, offset, width)),
        4 => (0..4_u32, frame(), width(), value())
            .prop_map(|(vcpu, offset, width, value)| Poke::RedistributorWrite(vcpu, offset, width, value)),
        1 => value().prop_map(Poke::Sgi),
        1 => value().prop_map(Poke::Group0Sgi),
        1 => prop_oneof![0..520_u32, any::<u32>()].prop_map(Poke::Deactivate),
        1 => (prop_oneof![0..520_u32, any::<u32>()], any::<bool>()).prop_map(|(intid, level)| Poke::Line(intid, level)),
        1 => (0..4_u32, 0..40_u32, any::<bool>()).prop_map(|(vcpu, intid, level)| Poke::Private(vcpu, intid, level)),
        1 => any::<bool>().prop_map(Poke::Timer),
        4 => Just(Poke::Acknowledge),
        2 => (0..600_u32).prop_map(Poke::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_all_settles(
        list_registers in prop::sample::select(vec![1_usize, 4, 16]),
        split: bool,
        pokes in prop::collection::vec((0..2_usize, poke()), 0..150),
    ) {
        let mut world = World::new(2, list_registers);
        for word in 0..16 {
            world.write(0, 0x100 + 4 * word, 4, u64::MAX);
        }
        for vcpu in 0..2 {
            world.cpus[vcpu].hardware.split = split;
            world.write_private(vcpu, 0x100, 4, u64::MAX);
        }
        for (vcpu, poke) in pokes {
            let from = vcpu as u32;
            world.sync(vcpu);
            let vgic = &world.vgic;
            let kick = match poke {
                Poke::DistributorRead(offset, width) => vgic.distributor_read(from, offset, width).kick,
                Poke::DistributorWrite(offset, width, value) => vgic.distributor_write(from, offset, width, value),
                Poke::RedistributorRead(whose, offset, width) => vgic.redistributor_read(from, whose, offset, width).kick,
                Poke::RedistributorWrite(whose, offset, width, value) => {
                    vgic.redistributor_write(whose, offset, width, value)
                }
                Poke::Sgi(value) => vgic.send_sgi(from, value),
                Poke::Group0Sgi(value) => vgic.send_group0_sgi(from, value),
                Poke::Deactivate(intid) => vgic.deactivate(from, intid),
                Poke::Line(intid, level) => vgic.inject(Irq::Shared(intid), level).unwrap_or_default(),
                Poke::Private(vcpu, intid, level) => {
                    vgic.inject(Irq::Private { vcpu, intid }, level).unwrap_or_default()
                }
                Poke::Timer(level) => {
                    let line = &mut world.cpus[vcpu].hardware.line;
                    *line = if level { 1 << 27 } else { 0 };
                    Default::default()
                }
                Poke::Acknowledge => {
                    world.acknowledge(vcpu);
                    Default::default()
                }
                Poke::End(intid) => {
                    world.cpus[vcpu].hardware.end(intid);
                    Default::default()
                }
            };
            world.kick_from(kick, vcpu);
            world.settle();
        }
    }
}
