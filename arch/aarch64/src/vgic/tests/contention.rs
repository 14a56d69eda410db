//! Several vCPUs that meet at one interrupt at the same moment, again and again: who has it afterwards?

use super::super::{CpuInterface, KickMask, Redistributor, Vgic};
use super::fake::FakeCpu;
use super::world::*;
use model::{GicVersion, Irq};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};

const VCPUS: usize = 3;
const ROUNDS: u32 = 3000;
const INTID: u32 = 40;
const WORD: u64 = 4;
const BIT: u64 = 1 << (INTID % 32);

/// Each round: the interrupt's line is high, its GICD_IROUTER or GICD_ITARGETSR is `route`, all vCPUs have just started. Each does `act` and then
/// what has to be done before an entry, all at the same time. When all are quiet, `check` says whether the right vCPUs have
/// the interrupt in a list register.
fn meet(
    version: GicVersion,
    route: u64,
    act: impl Fn(usize, &Vgic<'_>) -> KickMask + Sync,
    check: impl Fn(&Vgic<'_>, &[usize]) -> bool + Sync,
) {
    let redistributors = [const { Redistributor::new() }; VCPUS];
    let vgic = Vgic::new(version, &redistributors);
    let (barrier, have, failed) = (Barrier::new(VCPUS), Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for vcpu in 0..VCPUS {
            let (vgic, barrier, have, failed, act, check) = (&vgic, &barrier, &have, &failed, &act, &check);
            scope.spawn(move || {
                arch_common::chaos::enable(vcpu as u32 * 2 + 1);
                let mut interface = CpuInterface::new(vcpu as u32, true);
                let mut hardware = FakeCpu::new(version, 2);
                for _ in 0..ROUNDS {
                    if barrier.wait().is_leader() {
                        prepare(version, vgic, route);
                        have.lock().unwrap().clear();
                    }
                    barrier.wait();
                    interface.start(vgic);
                    interface.load(vgic);
                    // Who is kicked looks again: here all do, three times.
                    let _ = act(vcpu, vgic);
                    for _ in 0..3 {
                        while interface.needs_flush(vgic) {
                            let _ = interface.flush(vgic, &mut hardware);
                        }
                        barrier.wait();
                    }
                    if hardware.listed().iter().any(|&(intid, ..)| intid == INTID) {
                        have.lock().unwrap().push(vcpu);
                    }
                    if barrier.wait().is_leader() {
                        failed.store(!check(vgic, &have.lock().unwrap()), SeqCst);
                    }
                    barrier.wait();
                    if failed.load(SeqCst) {
                        break;
                    }
                    let _ = interface.unload(vgic, &mut hardware) | interface.stop(vgic);
                }
            });
        }
    });
    assert!(!failed.load(SeqCst), "these vCPUs have it: {:?}", have.lock().unwrap());
}

fn prepare(version: GicVersion, vgic: &Vgic<'_>, route: u64) {
    vgic.reset();
    let write = |offset, width, value| {
        let _ = match version {
            GicVersion::V2 => vgic.distributor_v2_write(0, offset, width, value),
            GicVersion::V3 => vgic.distributor_write(0, offset, width, value),
        };
    };
    write(DISTRIBUTOR_CONTROL, 4, 3);
    match version {
        GicVersion::V2 => write(TARGETS + u64::from(INTID), 1, route),
        GicVersion::V3 => write(ROUTE + 8 * u64::from(INTID), 8, route),
    }
    write(SET_ENABLE + WORD, 4, BIT);
    let _ = vgic.inject(Irq::Shared(INTID), true);
}

#[test]
fn of_all_that_may_take_it_one_does() {
    let nothing = |_: usize, _: &Vgic<'_>| KickMask::NONE;
    meet(GicVersion::V3, ROUTE_TO_ANY, nothing, |_, have| have.len() == 1);
}

#[test]
fn of_several_targets_one_takes_it() {
    let nothing = |_: usize, _: &Vgic<'_>| KickMask::NONE;
    meet(GicVersion::V2, 0b101, nothing, |_, have| have == [0] || have == [2]);
}

#[test]
fn new_targets_win_over_a_claim_under_way() {
    let reroute = |vcpu: usize, vgic: &Vgic<'_>| match vcpu {
        1 => vgic.distributor_v2_write(1, TARGETS + u64::from(INTID), 1, 0b100),
        _ => KickMask::NONE,
    };
    meet(GicVersion::V2, 0b11, reroute, |_, have| have == [2]);
}

#[test]
fn a_new_route_wins_over_a_claim_under_way() {
    let reroute = |vcpu: usize, vgic: &Vgic<'_>| match vcpu {
        1 => vgic.distributor_write(1, ROUTE + 8 * u64::from(INTID), 8, 2),
        _ => KickMask::NONE,
    };
    meet(GicVersion::V3, 0, reroute, |_, have| have == [2]);
}

#[test]
fn what_the_guest_sets_active_is_delivered_to_nobody() {
    let activate = |vcpu: usize, vgic: &Vgic<'_>| match vcpu {
        1 => vgic.distributor_write(1, SET_ACTIVE + WORD, 4, BIT),
        _ => KickMask::NONE,
    };
    meet(GicVersion::V3, ROUTE_TO_ANY, activate, |vgic, have| {
        have.is_empty() && vgic.distributor_read(0, SET_ACTIVE + WORD, 4).value == BIT
    });
}

#[test]
fn what_the_guest_disables_is_delivered_to_nobody() {
    let disable = |vcpu: usize, vgic: &Vgic<'_>| match vcpu {
        1 => vgic.distributor_write(1, CLEAR_ENABLE + WORD, 4, BIT),
        _ => KickMask::NONE,
    };
    meet(GicVersion::V3, 0, disable, |vgic, have| {
        have.is_empty() && vgic.distributor_read(0, SET_PENDING + WORD, 4).value == BIT
    });
}

#[test]
fn setting_active_is_not_lost_at_the_end_of_a_claim() {
    let act = |vcpu: usize, vgic: &Vgic<'_>| match vcpu {
        1 => vgic.distributor_write(1, SET_ACTIVE + WORD, 4, BIT),
        2 => vgic.inject(Irq::Shared(INTID), false).unwrap(),
        _ => KickMask::NONE,
    };
    meet(GicVersion::V3, 0, act, |vgic, have| {
        have.is_empty() && vgic.distributor_read(0, SET_ACTIVE + WORD, 4).value == BIT
    });
}
