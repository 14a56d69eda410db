//! What the architecture says, as plainly as it can be said: no list registers, no claims, one global state.

use model::GicVersion;
use std::collections::HashMap;

#[derive(Clone, Debug)]
pub(super) struct Interrupt {
    pub(super) enabled: bool,
    pub(super) edge: bool,
    pub(super) line: bool,
    pub(super) latch: bool,
    /// Of a GICv2's SGI: the vCPUs for each of which it is pending.
    pub(super) senders: u8,
    pub(super) active: bool,
    pub(super) priority: u8,
    /// The vCPUs of which one gets it.
    pub(super) targets: u32,
}

impl Interrupt {
    fn new(version: GicVersion, intid: u32, targets: u32) -> Interrupt {
        let edge = intid < 16 || (intid >= 32 && intid % 2 == 1);
        let enabled = version == GicVersion::V2 && intid < 16;
        Interrupt { enabled, edge, line: false, latch: false, senders: 0, active: false, priority: 0, targets }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.latch || self.senders != 0 || (self.line && !self.edge)
    }

    pub(super) fn set_line(&mut self, level: bool) {
        self.latch |= self.edge && level && !self.line;
        self.line = level;
    }
}

/// What one vCPU is in the middle of.
#[derive(Clone, Debug)]
pub(super) struct Cpu {
    pub(super) online: bool,
    pub(super) mask: u8,
    /// Acknowledged and not ended, with the priority at that time; the last is the running one.
    pub(super) stack: Vec<(u32, u8)>,
}

#[derive(Clone, Debug)]
pub(super) struct Reference {
    version: GicVersion,
    pub(super) cpus: Vec<Cpu>,
    pub(super) forwarding: bool,
    interrupts: HashMap<(Option<usize>, u32), Interrupt>,
}

fn key(vcpu: usize, intid: u32) -> (Option<usize>, u32) {
    ((intid < 32).then_some(vcpu), intid)
}

impl Reference {
    /// All of `intids`; shared ones go to vCPU 0, odd shared ones and SGIs are edges.
    pub(super) fn new(version: GicVersion, vcpus: usize, intids: &[u32]) -> Reference {
        let mut interrupts = HashMap::new();
        for (vcpu, &intid) in (0..vcpus).flat_map(|vcpu| intids.iter().map(move |intid| (vcpu, intid))) {
            let target = if intid < 32 { vcpu } else { 0 };
            interrupts.insert(key(vcpu, intid), Interrupt::new(version, intid, 1 << target));
        }
        let cpu = Cpu { online: true, mask: 0xff, stack: Vec::new() };
        Reference { version, cpus: vec![cpu; vcpus], forwarding: true, interrupts }
    }

    pub(super) fn at(&mut self, vcpu: usize, intid: u32) -> &mut Interrupt {
        self.interrupts.get_mut(&key(vcpu, intid)).expect("one of the tested interrupts")
    }

    /// What `vcpu` could be given now, by priority alone, and whether it could go to no other vCPU.
    pub(super) fn candidates(&self, vcpu: usize) -> Vec<(u32, u8, bool)> {
        let here = |(whose, _): &(Option<usize>, u32)| whose.is_none_or(|whose| whose == vcpu);
        let mine = self.interrupts.iter().filter(|(key, _)| here(key));
        let routed = mine.filter(|(_, interrupt)| interrupt.targets & 1 << vcpu != 0);
        let deliverable = routed.filter(|(_, interrupt)| {
            self.forwarding && interrupt.enabled && interrupt.is_pending() && !interrupt.active
        });
        let cpu = &self.cpus[vcpu];
        let limit = cpu.stack.last().map_or(cpu.mask, |&(_, running)| running.min(cpu.mask));
        let takeable = deliverable.filter(|(_, interrupt)| interrupt.priority < limit);
        let only = |interrupt: &Interrupt| interrupt.targets.is_power_of_two();
        takeable.map(|(&(_, intid), interrupt)| (intid, interrupt.priority, only(interrupt))).collect()
    }

    /// `vcpu` acknowledged and got `got`, a GICv2's SGI with its sender: checks that it is right, and follows.
    pub(super) fn acknowledged(&mut self, vcpu: usize, got: Option<u32>) {
        let candidates = self.candidates(vcpu);
        let best = candidates.iter().filter(|&&(.., only)| only).map(|&(_, priority, _)| priority).min();
        let Some(got) = got else {
            assert_eq!(best, None, "vCPU {vcpu} got nothing, but {candidates:?} are for it");
            return;
        };
        let (intid, sender) = (got & 0x3ff, got >> 10);
        let taken = candidates.iter().find(|&&(candidate, ..)| candidate == intid);
        let &(_, priority, _) = taken.unwrap_or_else(|| panic!("vCPU {vcpu} got {intid}, not one of {candidates:?}"));
        assert!(
            best.is_none_or(|best| priority <= best),
            "vCPU {vcpu} got {intid}, but {candidates:?} has a better one"
        );
        let interrupt = self.at(vcpu, intid);
        interrupt.latch = false;
        if interrupt.senders != 0 {
            assert!(interrupt.senders & 1 << sender != 0, "vCPU {vcpu} got {intid} from {sender}, who did not send it");
            interrupt.senders &= !(1 << sender);
        }
        interrupt.active = true;
        self.cpus[vcpu].stack.push((got, priority));
    }

    /// Whether some vCPU has acknowledged this interrupt and not ended it.
    pub(super) fn is_handled(&self, vcpu: usize, intid: u32) -> bool {
        let whose = |cpu: usize| intid >= 32 || cpu == vcpu;
        let mut cpus = self.cpus.iter().enumerate().filter(|&(cpu, _)| whose(cpu));
        cpus.any(|(_, cpu)| cpu.stack.iter().any(|&(handled, _)| handled & 0x3ff == intid))
    }

    /// `vcpu` goes off: its private interrupts are at power-on, what it handled stays active.
    pub(super) fn stop(&mut self, vcpu: usize) {
        let cpu = &mut self.cpus[vcpu];
        cpu.online = false;
        cpu.stack.clear();
        for ((whose, intid), interrupt) in &mut self.interrupts {
            if *whose == Some(vcpu) {
                *interrupt = Interrupt::new(self.version, *intid, 1 << vcpu);
            }
        }
    }
}
