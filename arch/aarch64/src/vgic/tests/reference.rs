//! What the architecture says, as plainly as it can be said: no list registers, no claims, one global state.

use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    To(usize),
    Any,
    Nobody,
}

#[derive(Clone, Debug)]
pub(super) struct Interrupt {
    pub(super) enabled: bool,
    pub(super) edge: bool,
    pub(super) line: bool,
    pub(super) latch: bool,
    pub(super) active: bool,
    pub(super) priority: u8,
    pub(super) route: Route,
}

impl Interrupt {
    fn new(edge: bool, route: Route) -> Interrupt {
        Interrupt { enabled: false, edge, line: false, latch: false, active: false, priority: 0, route }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.latch || (self.line && !self.edge)
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
    pub(super) cpus: Vec<Cpu>,
    pub(super) forwarding: bool,
    interrupts: HashMap<(Option<usize>, u32), Interrupt>,
}

fn key(vcpu: usize, intid: u32) -> (Option<usize>, u32) {
    ((intid < 32).then_some(vcpu), intid)
}

impl Reference {
    /// All of `intids`; shared ones go to vCPU 0, odd shared ones and SGIs are edges.
    pub(super) fn new(vcpus: usize, intids: &[u32]) -> Reference {
        let mut interrupts = HashMap::new();
        for (vcpu, &intid) in (0..vcpus).flat_map(|vcpu| intids.iter().map(move |intid| (vcpu, intid))) {
            let edge = intid < 16 || (intid >= 32 && intid % 2 == 1);
            let route = if intid < 32 { Route::To(vcpu) } else { Route::To(0) };
            interrupts.insert(key(vcpu, intid), Interrupt::new(edge, route));
        }
        let cpu = Cpu { online: true, mask: 0xff, stack: Vec::new() };
        Reference { cpus: vec![cpu; vcpus], forwarding: true, interrupts }
    }

    pub(super) fn at(&mut self, vcpu: usize, intid: u32) -> &mut Interrupt {
        self.interrupts.get_mut(&key(vcpu, intid)).expect("one of the tested interrupts")
    }

    /// What `vcpu` could be given now, by priority alone, and whether it could go to no other vCPU.
    pub(super) fn candidates(&self, vcpu: usize) -> Vec<(u32, u8, bool)> {
        let here = |(whose, _): &(Option<usize>, u32)| whose.is_none_or(|whose| whose == vcpu);
        let mine = self.interrupts.iter().filter(|(key, _)| here(key));
        let routed =
            mine.filter(|(_, interrupt)| matches!(interrupt.route, Route::Any) || interrupt.route == Route::To(vcpu));
        let deliverable = routed.filter(|(_, interrupt)| {
            self.forwarding && interrupt.enabled && interrupt.is_pending() && !interrupt.active
        });
        let cpu = &self.cpus[vcpu];
        let limit = cpu.stack.last().map_or(cpu.mask, |&(_, running)| running.min(cpu.mask));
        let takeable = deliverable.filter(|(_, interrupt)| interrupt.priority < limit);
        takeable.map(|(&(_, intid), interrupt)| (intid, interrupt.priority, interrupt.route != Route::Any)).collect()
    }

    /// `vcpu` acknowledged and got `got`: checks that it is right, and follows.
    pub(super) fn acknowledged(&mut self, vcpu: usize, got: Option<u32>) {
        let candidates = self.candidates(vcpu);
        let best = candidates.iter().filter(|&&(.., only)| only).map(|&(_, priority, _)| priority).min();
        let Some(intid) = got else {
            assert_eq!(best, None, "vCPU {vcpu} got nothing, but {candidates:?} are for it");
            return;
        };
        let taken = candidates.iter().find(|&&(candidate, ..)| candidate == intid);
        let &(_, priority, _) = taken.unwrap_or_else(|| panic!("vCPU {vcpu} got {intid}, not one of {candidates:?}"));
        assert!(
            best.is_none_or(|best| priority <= best),
            "vCPU {vcpu} got {intid}, but {candidates:?} has a better one"
        );
        let interrupt = self.at(vcpu, intid);
        interrupt.latch = false;
        interrupt.active = true;
        self.cpus[vcpu].stack.push((intid, priority));
    }

    /// Whether some vCPU has acknowledged this interrupt and not ended it.
    pub(super) fn is_handled(&self, vcpu: usize, intid: u32) -> bool {
        let whose = |cpu: usize| intid >= 32 || cpu == vcpu;
        let mut cpus = self.cpus.iter().enumerate().filter(|&(cpu, _)| whose(cpu));
        cpus.any(|(_, cpu)| cpu.stack.iter().any(|&(handled, _)| handled == intid))
    }

    /// `vcpu` goes off: its private interrupts are at power-on, what it handled stays active.
    pub(super) fn stop(&mut self, vcpu: usize) {
        let cpu = &mut self.cpus[vcpu];
        cpu.online = false;
        cpu.stack.clear();
        for ((whose, intid), interrupt) in &mut self.interrupts {
            if *whose == Some(vcpu) {
                *interrupt = Interrupt::new(*intid < 16, Route::To(vcpu));
            }
        }
    }
}
