//! What of a VM is at, or nearest to, a guest-physical address: for the reader of a failure.

use core::fmt;

use model::{Access, Gpa, Vm};

/// Something that a VM has at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owned {
    what: &'static str,
    start: u64,
    size: u64,
}

impl Owned {
    fn new(what: &'static str, start: Gpa, size: u64) -> Owned {
        Owned { what, start: start.0, size }
    }

    /// How far `gpa` is from it; zero inside.
    fn distance(&self, gpa: u64) -> u64 {
        let last = self.start.saturating_add(self.size.saturating_sub(1));
        self.start.saturating_sub(gpa).max(gpa.saturating_sub(last))
    }
}

/// All that a VM has.
fn all(vm: &Vm) -> impl Iterator<Item = Owned> {
    let memory = vm.memory.iter().map(|memory| {
        let what = match memory.access {
            Access::ReadWrite => "RAM",
            Access::ReadOnly => "ROM",
        };
        Owned::new(what, memory.gpa, memory.size_bytes)
    });
    let frames = vm.machine.frames(u32::try_from(vm.cpus.len()).unwrap_or(u32::MAX)).into_iter().flatten();
    let frames = frames.map(|(what, start, size)| Owned::new(what, start, size));
    let vdevs = vm.vdevs.iter().filter_map(|vdev| match vdev.place {
        model::Place::Memory { gpa, size_bytes } => Some(Owned::new(vdev.name, gpa, size_bytes)),
        model::Place::Ports(_) => None,
    });
    let passes = vm.passes.iter().map(|pass| Owned::new("what was passed", pass.gpa, pass.size_bytes));
    memory.chain(frames).chain(vdevs).chain(passes)
}

/// Where an address is, in words.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The VM that used it.
    pub vm: &'a Vm,
    /// The address.
    pub gpa: u64,
}

impl Place<'_> {
    /// The name of what is there.
    pub fn owner(&self) -> Option<&'static str> {
        all(self.vm).find(|owned| owned.distance(self.gpa) == 0).map(|owned| owned.what)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { vm, gpa } = self;
        match all(vm).min_by_key(|owned| owned.distance(*gpa)) {
            Some(owned) if owned.distance(*gpa) == 0 => {
                write!(f, "{gpa:#x} is in {} at {:#x}", owned.what, owned.start)
            }
            Some(owned) => {
                write!(f, "{gpa:#x} is not in VM {}; nearest: {} at {:#x}", vm.name, owned.what, owned.start)
            }
            None => write!(f, "{gpa:#x} is not in VM {}", vm.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, *};
    use model::{
        Access, Action, Console, Counter, Cpu, Gic, GicVersion, Gpa, Hpa, Machine, Memory, MemoryType, Pass, Policy,
        Start, Unsupported, Vdev, VdevKind,
    };

    const VM: Vm = Vm {
        name: "rtos",
        memory: &[
            Memory { gpa: Gpa(0x4000_0000), size_bytes: 0x10_0000, access: Access::ReadWrite },
            Memory { gpa: Gpa(0x6000_0000), size_bytes: 0x1000, access: Access::ReadOnly },
        ],
        cpus: &[Cpu { pcpu: 0, priority: 10, policy: Policy::RoundRobin }; 2],
        loads: &[],
        entry: Start::Arm { pc: Gpa(0), x0: 0 },
        machine: Machine::Arm(Gic { version: GicVersion::V3, distributor: Gpa(0x2f00_0000), cpus: Gpa(0x2f10_0000) }),
        vdevs: &[Vdev {
            name: "pl011",
            place: model::Place::Memory { gpa: Gpa(0x0900_0000), size_bytes: 0x1000 },
            lines: &[],
            kind: VdevKind::Pl011 { console: Console::Nowhere },
        }],
        passes: &[Pass {
            gpa: Gpa(0x0901_0000),
            hpa: Hpa(0x0901_0000),
            size_bytes: 0x1000,
            write: true,
            execute: false,
            kind: MemoryType::Device,
        }],
        interrupts: &[],
        unsupported: Unsupported { instruction: Action::Fail, reference: Action::Ignore, register: Action::Fail },
        counter: Counter::StartsAtZero,
        exit_on_halt: true,
        exit_budget: None,
        stolen_time: None,
        poweroff_timeout_s: 60,
        restart: model::Restart::DEFAULT,
        progress_timeout_ms: None,
        ports: &[],
    };

    #[test]
    fn an_address_is_in_something_or_near_it() {
        let place = |gpa| Place { vm: &VM, gpa };
        assert_eq!(
            place(0x0904_0000).to_string(),
            "0x9040000 is not in VM rtos; nearest: what was passed at 0x9010000"
        );
        assert_eq!(place(0x0901_0ffc).owner(), Some("what was passed"));
        assert_eq!(place(0x0900_0ffc).to_string(), "0x9000ffc is in pl011 at 0x9000000");
        assert_eq!(place(0x400f_ffff).owner(), Some("RAM"));
        assert_eq!(place(0x4010_0000).owner(), None);
        assert_eq!(place(0x6000_0fff).owner(), Some("ROM"));
        assert_eq!(place(0x2f13_ffff).owner(), Some("gic"), "the second vCPU's redistributor");
        assert_eq!(place(u64::MAX).to_string(), "0xffffffffffffffff is not in VM rtos; nearest: ROM at 0x60000000");
    }
}
