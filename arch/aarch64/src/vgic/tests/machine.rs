//! The virtual GIC against the [`Reference`], with random histories: what a vCPU acknowledges is always what the
//! architecture would give it, whatever the number of list registers.

use super::reference::Reference;
use super::world::*;
use model::{GicVersion, Irq};
use proptest::prelude::*;

const VCPUS: usize = 3;
const PPI: u32 = 20;
const TIMER: u32 = 27;
const INTIDS: [u32; 12] = [0, 1, PPI, TIMER, 32, 33, 40, 41, 43, 63, 64, 511];

#[derive(Clone, Debug)]
enum Step {
    Enable(u32),
    Disable(u32),
    Pend(u32),
    Unpend(u32),
    Line(u32, bool),
    Pulse(u32),
    Timer(bool),
    Sgi(u32, u8),
    SetSenders(u32, u8),
    ClearSenders(u32, u8),
    Route(u32, usize),
    Priority(u32, u8),
    Activate(u32),
    Inactivate(u32),
    Acknowledge,
    End,
    Deactivate(usize),
    Mask(u8),
    Forward(bool),
    CheckPending(u32),
    CheckActive(u32),
    Stop,
    Start,
    Switch,
}

fn step() -> impl Strategy<Value = Step> {
    let intid = || prop::sample::select(&INTIDS[..]);
    let shared = || prop::sample::select(&INTIDS[4..]);
    let priority = || (0..8_u8).prop_map(|level| level * 16);
    prop_oneof![
        6 => intid().prop_map(Step::Enable),
        2 => intid().prop_map(Step::Disable),
        3 => intid().prop_map(Step::Pend),
        1 => intid().prop_map(Step::Unpend),
        6 => (intid(), any::<bool>()).prop_map(|(intid, level)| Step::Line(intid, level)),
        4 => shared().prop_map(Step::Pulse),
        2 => any::<bool>().prop_map(Step::Timer),
        4 => (0..2_u32, 0..8_u8).prop_map(|(sgi, targets)| Step::Sgi(sgi, targets)),
        1 => (0..2_u32, 0..8_u8).prop_map(|(sgi, senders)| Step::SetSenders(sgi, senders)),
        1 => (0..2_u32, 0..8_u8).prop_map(|(sgi, senders)| Step::ClearSenders(sgi, senders)),
        3 => (shared(), 0..8_usize).prop_map(|(intid, to)| Step::Route(intid, to)),
        2 => (intid(), priority()).prop_map(|(intid, priority)| Step::Priority(intid, priority)),
        1 => intid().prop_map(Step::Activate),
        2 => intid().prop_map(Step::Inactivate),
        10 => Just(Step::Acknowledge),
        8 => Just(Step::End),
        6 => any::<usize>().prop_map(Step::Deactivate),
        1 => prop::sample::select(vec![0x20_u8, 0x50, 0xff, 0xff]).prop_map(Step::Mask),
        1 => prop::bool::weighted(0.8).prop_map(Step::Forward),
        1 => intid().prop_map(Step::CheckPending),
        1 => intid().prop_map(Step::CheckActive),
        1 => Just(Step::Stop),
        2 => Just(Step::Start),
        3 => Just(Step::Switch),
    ]
}

struct Machine {
    version: GicVersion,
    world: World,
    reference: Reference,
    split: bool,
    /// Ended, still active: by whom and what.
    ended: Vec<(usize, u32)>,
}

fn irq(vcpu: usize, intid: u32) -> Irq {
    if intid < 32 { Irq::Private { vcpu: vcpu as u32, intid } } else { Irq::Shared(intid) }
}

impl Machine {
    fn new(version: GicVersion, list_registers: usize, split: bool) -> Machine {
        let mut world = World::of(version, VCPUS, list_registers);
        for intid in INTIDS.into_iter().filter(|intid| *intid >= 32 && intid % 2 == 1) {
            world.set_edge(0, intid);
        }
        for cpu in &mut world.cpus {
            cpu.hardware.split = split;
        }
        world.settle();
        Machine { version, world, reference: Reference::new(version, VCPUS, &INTIDS), split, ended: Vec::new() }
    }

    fn step(&mut self, vcpu: usize, step: &Step) {
        let online = self.reference.cpus[vcpu].online;
        match *step {
            Step::Start if !online => {
                self.reference.cpus[vcpu].online = true;
                self.world.start(vcpu);
            }
            Step::Line(intid, level) if intid >= 32 || intid == PPI => {
                self.reference.at(vcpu, intid).set_line(level);
                self.world.set_line(irq(vcpu, intid), level);
            }
            Step::Pulse(intid) => {
                self.reference.at(vcpu, intid).latch = true;
                self.world.pulse(irq(vcpu, intid));
            }
            _ if !online => {}
            _ => self.guest_step(vcpu, step),
        }
        self.world.settle();
    }

    fn guest_step(&mut self, vcpu: usize, step: &Step) {
        let (version, is_sgi) = (self.version, |intid: u32| intid < 16);
        match *step {
            Step::Enable(intid) => {
                self.reference.at(vcpu, intid).enabled = true;
                self.world.write_bit(vcpu, SET_ENABLE, intid);
            }
            Step::Disable(intid) => {
                self.reference.at(vcpu, intid).enabled = version == GicVersion::V2 && is_sgi(intid);
                self.world.write_bit(vcpu, CLEAR_ENABLE, intid);
            }
            // The timer's own line and software's latch are one state in a list register with HW=1.
            Step::Pend(intid) if intid != TIMER => {
                self.reference.at(vcpu, intid).latch |= !(version == GicVersion::V2 && is_sgi(intid));
                self.world.write_bit(vcpu, SET_PENDING, intid);
            }
            Step::Unpend(intid) => {
                self.reference.at(vcpu, intid).latch = false;
                self.world.write_bit(vcpu, CLEAR_PENDING, intid);
            }
            Step::Timer(level) => {
                self.reference.at(vcpu, TIMER).line = level;
                self.world.cpus[vcpu].hardware.line = if level { 1 << TIMER } else { 0 };
                self.world.sync(vcpu);
            }
            Step::Sgi(sgi, targets) => {
                for target in (0..VCPUS).filter(|target| targets & 1 << target != 0) {
                    match version {
                        GicVersion::V2 => self.reference.at(target, sgi).senders |= 1 << vcpu,
                        GicVersion::V3 => self.reference.at(target, sgi).latch = true,
                    }
                }
                self.world.send_sgi_to(vcpu, sgi, targets);
            }
            Step::SetSenders(sgi, senders) if version == GicVersion::V2 => {
                self.reference.at(vcpu, sgi).senders |= senders;
                self.world.write(vcpu, SET_SENDERS + u64::from(sgi), 1, senders.into());
            }
            Step::ClearSenders(sgi, senders) if version == GicVersion::V2 => {
                self.reference.at(vcpu, sgi).senders &= !senders;
                self.world.write(vcpu, CLEAR_SENDERS + u64::from(sgi), 1, senders.into());
            }
            Step::Route(intid, targets) if version == GicVersion::V2 => {
                self.reference.at(vcpu, intid).targets = targets as u32;
                // Who does not exist is not a target.
                self.world.set_targets(vcpu, intid, targets as u8 | 0xf0);
            }
            Step::Route(intid, to) => {
                let (targets, register) = match to {
                    0..VCPUS => (1 << to, to as u64),
                    VCPUS => (u32::MAX, ROUTE_TO_ANY),
                    _ => (0, 0x7700),
                };
                self.reference.at(vcpu, intid).targets = targets;
                self.world.route(vcpu, intid, register);
            }
            // A GICv2's SGI can't be disabled.
            Step::Priority(intid, _)
                if version == GicVersion::V2 && is_sgi(intid) && self.reference.at(vcpu, intid).is_pending() => {}
            // A priority takes effect when the interrupt is next forwarded: as drivers do, change it while disabled.
            Step::Priority(intid, priority) => {
                let interrupt = self.reference.at(vcpu, intid);
                interrupt.priority = priority;
                let enabled = interrupt.enabled;
                self.world.write_bit(vcpu, CLEAR_ENABLE, intid);
                self.world.settle();
                self.world.set_priority(vcpu, intid, priority);
                if enabled {
                    self.world.write_bit(vcpu, SET_ENABLE, intid);
                }
            }
            Step::Activate(intid) => {
                self.reference.at(vcpu, intid).active = true;
                self.world.write_bit(vcpu, SET_ACTIVE, intid);
            }
            // Without the split, a guest that also ends what it inactivated would end it twice.
            Step::Inactivate(intid) if self.split || !self.reference.is_handled(vcpu, intid) => {
                self.forget(vcpu, intid);
                self.world.write_bit(vcpu, CLEAR_ACTIVE, intid);
            }
            Step::Acknowledge => {
                let got = self.world.acknowledge(vcpu);
                self.reference.acknowledged(vcpu, got);
            }
            Step::End => self.end(vcpu),
            Step::Deactivate(which) if !self.ended.is_empty() => self.deactivate(vcpu, which % self.ended.len()),
            Step::Mask(mask) => {
                self.reference.cpus[vcpu].mask = mask;
                self.world.cpus[vcpu].hardware.mask = mask;
            }
            Step::Forward(on) => {
                self.reference.forwarding = on;
                self.world.write(vcpu, DISTRIBUTOR_CONTROL, 4, if on { 3 } else { 0 });
            }
            Step::CheckPending(intid) if intid != TIMER => {
                let expected = self.reference.at(vcpu, intid).is_pending();
                assert_eq!(self.world.read_bit(vcpu, SET_PENDING, intid), expected, "pending {intid}");
            }
            Step::CheckActive(intid) => {
                let expected = self.reference.at(vcpu, intid).active;
                assert_eq!(self.world.read_bit(vcpu, SET_ACTIVE, intid), expected, "active {intid}");
            }
            // The guest can't tell.
            Step::Switch => self.world.switch(vcpu),
            Step::Stop if self.reference.cpus.iter().filter(|cpu| cpu.online).count() > 1 => {
                self.reference.stop(vcpu);
                self.ended.retain(|&(whose, intid)| intid >= 32 || whose != vcpu);
                self.world.cpus[vcpu].hardware.line = 0;
                let ppi = irq(vcpu, PPI);
                self.world.set_line(ppi, false);
                self.world.stop(vcpu);
                self.world.cpus[vcpu].hardware.reset();
            }
            _ => {}
        }
    }

    fn end(&mut self, vcpu: usize) {
        let Some((acknowledged, _)) = self.reference.cpus[vcpu].stack.pop() else { return };
        let intid = acknowledged & 0x3ff;
        if !self.split {
            self.reference.at(vcpu, intid).active = false;
        } else if self.reference.at(vcpu, intid).active {
            self.ended.push((vcpu, intid));
        }
        self.world.end(vcpu, acknowledged);
    }

    /// vCPU `vcpu` deactivates one of those that were ended; a private one only its own vCPU can.
    fn deactivate(&mut self, vcpu: usize, which: usize) {
        let (whose, intid) = self.ended[which];
        let vcpu = if intid < 32 { whose } else { vcpu };
        self.forget(vcpu, intid);
        self.world.deactivate(vcpu, intid);
    }

    fn forget(&mut self, vcpu: usize, intid: u32) {
        self.reference.at(vcpu, intid).active = false;
        self.ended.retain(|&(whose, ended)| ended != intid || (intid < 32 && whose != vcpu));
    }

    fn live(&mut self, steps: &[(usize, Step)]) {
        for (vcpu, step) in steps {
            self.step(*vcpu, step);
        }
        self.drain();
    }

    /// Ends everything; then whatever can be delivered must come, and nothing else.
    fn drain(&mut self) {
        let online: Vec<usize> = (0..VCPUS).filter(|&vcpu| self.reference.cpus[vcpu].online).collect();
        for &vcpu in &online {
            self.step(vcpu, &Step::Mask(0xff));
            self.step(vcpu, &Step::Forward(true));
            while !self.reference.cpus[vcpu].stack.is_empty() {
                self.step(vcpu, &Step::End);
            }
        }
        while !self.ended.is_empty() {
            self.step(online[0], &Step::Deactivate(0));
        }
        for &vcpu in &online {
            INTIDS.iter().for_each(|&intid| self.step(vcpu, &Step::Inactivate(intid)));
        }
        for _ in 0..2 {
            for &vcpu in &online {
                while let Some(acknowledged) = self.world.acknowledge(vcpu) {
                    self.reference.acknowledged(vcpu, Some(acknowledged));
                    let intid = acknowledged & 0x3ff;
                    self.step(vcpu, &Step::Line(intid, false));
                    if intid == TIMER {
                        self.step(vcpu, &Step::Timer(false));
                    }
                    self.step(vcpu, &Step::End);
                    if self.split {
                        self.step(vcpu, &Step::Deactivate(0));
                    }
                }
                self.reference.acknowledged(vcpu, None);
            }
        }
        for &vcpu in &online {
            assert_eq!(self.reference.candidates(vcpu), [], "vCPU {vcpu} never got these");
            self.step(vcpu, &Step::Timer(false));
        }
        for cpu in &self.world.cpus {
            assert_eq!(cpu.hardware.active, 0, "a physical interrupt was left active");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_the_architecture_says(
        list_registers in prop::sample::select(vec![1_usize, 2, 4, 16]),
        split: bool,
        steps in prop::collection::vec((0..VCPUS, step()), 0..250),
    ) {
        Machine::new(GicVersion::V3, list_registers, split).live(&steps);
    }

    #[test]
    fn as_the_architecture_says_on_a_gicv2(
        list_registers in prop::sample::select(vec![1_usize, 2, 4, 16]),
        split: bool,
        steps in prop::collection::vec((0..VCPUS, step()), 0..250),
    ) {
        Machine::new(GicVersion::V2, list_registers, split).live(&steps);
    }
}
