//! Random interleavings of messages, IPIs, lines, EOIs and priorities against a model that is a list of sets: nothing is lost, nothing
//! comes twice, and always the right one comes first.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const VCPUS: u32 = 3;
/// Level-triggered lines: pin, vCPU, vector.
const LEVELS: [(u32, u32, u8); 3] = [(20, 0, 0x35), (21, 1, 0x46), (22, 2, 0x35)];

#[derive(Clone, Copy, Debug)]
enum Step {
    Message(u32, u8),
    Ipi(u32, u32, u8),
    ToAllOthers(u32, u8),
    Line(usize, bool),
    /// Of its timer, or an IPI to itself: to be taken at once if that is possible.
    Own(u32, u8),
    Take(u32),
    /// Takes one, and is kept from it.
    Kept(u32),
    End(u32),
    Priority(u32, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let vcpu = || 0..VCPUS;
    // Few vectors, so that they meet.
    let vector = || prop_oneof![Just(0x31_u8), Just(0x35), Just(0x42), Just(0x46), Just(0x5f), Just(0xff), Just(16)];
    prop::collection::vec(
        prop_oneof![
            (vcpu(), vector()).prop_map(|(to, vector)| Step::Message(to, vector)),
            (vcpu(), vcpu(), vector()).prop_map(|(from, to, vector)| Step::Ipi(from, to, vector)),
            (vcpu(), vector()).prop_map(|(from, vector)| Step::ToAllOthers(from, vector)),
            (0..LEVELS.len(), any::<bool>()).prop_map(|(line, level)| Step::Line(line, level)),
            (vcpu(), vector()).prop_map(|(vcpu, vector)| Step::Own(vcpu, vector)),
            vcpu().prop_map(Step::Take),
            vcpu().prop_map(Step::Kept),
            vcpu().prop_map(Step::Take),
            vcpu().prop_map(Step::End),
            (vcpu(), prop_oneof![Just(0_u8), Just(0x30), Just(0x45)])
                .prop_map(|(vcpu, value)| Step::Priority(vcpu, value)),
        ],
        1..120,
    )
}

#[derive(Default)]
struct Cpu {
    requested: BTreeSet<u8>,
    served: BTreeSet<u8>,
    /// The last that came with this vector was a level.
    levels: BTreeSet<u8>,
    priority: u8,
}

impl Cpu {
    fn request(&mut self, vector: u8) {
        self.requested.insert(vector);
    }

    fn next(&self) -> Option<u8> {
        let class = self.served.last().copied().unwrap_or(0).max(self.priority) / 16;
        self.requested.last().copied().filter(|vector| vector / 16 > class)
    }
}

#[derive(Default)]
struct Model {
    cpus: [Cpu; VCPUS as usize],
    lines: [bool; LEVELS.len()],
    waits: [bool; LEVELS.len()],
}

impl Model {
    fn edge(&mut self, vcpu: u32, vector: u8) {
        let cpu = &mut self.cpus[vcpu as usize];
        // One that came as a level stays one until its EOI.
        if !cpu.requested.contains(&vector) && !cpu.served.contains(&vector) {
            cpu.levels.remove(&vector);
        }
        cpu.request(vector);
    }

    fn send_levels(&mut self) {
        for (line, (_, vcpu, vector)) in LEVELS.into_iter().enumerate() {
            if self.lines[line] && !self.waits[line] {
                self.waits[line] = true;
                self.cpus[vcpu as usize].levels.insert(vector);
                self.cpus[vcpu as usize].request(vector);
            }
        }
    }

    fn end(&mut self, vcpu: u32) {
        let cpu = &mut self.cpus[vcpu as usize];
        let Some(ended) = cpu.served.pop_last() else { return };
        if cpu.levels.contains(&ended) {
            for (line, (_, _, vector)) in LEVELS.into_iter().enumerate() {
                if vector == ended {
                    self.waits[line] = false;
                }
            }
        }
        self.send_levels();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn as_sets_of_vectors(steps in steps()) {
        let mut world = World::new(VCPUS);
        let mut model = Model::default();
        for (pin, vcpu, vector) in LEVELS {
            let _ = world.write_entry(pin, u64::from(vcpu) << 56 | 1 << 15 | u64::from(vector));
        }
        // Seen at once, so that both know of an edge and a level of one vector which came first.
        let collect = |world: &mut World| (0..VCPUS).for_each(|vcpu| {
            let _ = world.pending(vcpu);
        });
        collect(&mut world);
        for step in steps {
            match step {
                Step::Message(to, vector) => {
                    let kick = world.vapic.message(0xfee0_0000 | u64::from(to) << 12, vector.into());
                    prop_assert_eq!(kick, KickMask::of(to));
                    model.edge(to, vector);
                }
                Step::Ipi(from, to, vector) => {
                    world.set(from, ICR_HIGH, to << 24);
                    let kick = world.write(from, ICR, vector.into());
                    prop_assert_eq!(kick, if from == to { KickMask::NONE } else { KickMask::of(to) });
                    model.edge(to, vector);
                }
                Step::ToAllOthers(from, vector) => {
                    let kick = world.write(from, ICR, 3 << 18 | u32::from(vector));
                    prop_assert_eq!(kick, KickMask(0b111).without(from));
                    (0..VCPUS).filter(|&to| to != from).for_each(|to| model.edge(to, vector));
                }
                Step::Line(line, level) => {
                    let _ = world.vapic.set_line(LEVELS[line].0, level);
                    model.lines[line] = level;
                    model.send_levels();
                }
                Step::Own(vcpu, vector) => {
                    let apic = &mut world.apics[vcpu as usize];
                    let is_alone = model.cpus[vcpu as usize].requested.is_empty();
                    let is_taken = apic.accept_at_once(&world.vapic, vector);
                    if !is_taken {
                        apic.request(vector);
                    }
                    model.edge(vcpu, vector);
                    let cpu = &mut model.cpus[vcpu as usize];
                    prop_assert_eq!(is_taken, is_alone && cpu.next() == Some(vector));
                    if is_taken {
                        cpu.requested.remove(&vector);
                        cpu.served.insert(vector);
                    }
                }
                Step::Take(vcpu) => {
                    let next = model.cpus[vcpu as usize].next();
                    prop_assert_eq!(world.take(vcpu), next);
                    if let Some(next) = next {
                        model.cpus[vcpu as usize].requested.remove(&next);
                        model.cpus[vcpu as usize].served.insert(next);
                    }
                }
                Step::Kept(vcpu) => {
                    let next = model.cpus[vcpu as usize].next();
                    prop_assert_eq!(world.take(vcpu), next);
                    if let Some(next) = next {
                        world.apics[vcpu as usize].give_back(next);
                    }
                }
                Step::End(vcpu) => {
                    let _ = world.write(vcpu, EOI, 0);
                    model.end(vcpu);
                }
                Step::Priority(vcpu, value) => {
                    world.set(vcpu, TPR, value.into());
                    model.cpus[vcpu as usize].priority = value;
                }
            }
            collect(&mut world);
            for vcpu in 0..VCPUS {
                let cpu = &model.cpus[vcpu as usize];
                let bits = |set: &BTreeSet<u8>, word: u32| {
                    set.iter().filter(|&&vector| u32::from(vector) / 32 == word).fold(0, |bits, vector| bits | 1 << (vector % 32))
                };
                for word in 0..8 {
                    let offset = u64::from(word) * 16;
                    prop_assert_eq!(world.read(vcpu, IRR + offset), bits(&cpu.requested, word));
                    prop_assert_eq!(world.read(vcpu, ISR + offset), bits(&cpu.served, word));
                }
                prop_assert_eq!(world.vectors()[vcpu as usize], cpu.next());
            }
        }
    }
}
