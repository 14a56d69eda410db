//! Is this the board that the configuration was checked against?
//!
//! The assembler proved that everything fits a board with so many CPUs and so much memory. More of either is no
//! harm; less is, and so is another interrupt controller.

use core::fmt;

use boot::{Facts, Region};
use model::{Board, Pass, Ports};

/// What differs, with both values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// What the CPU's own room knows best.
    Hardware(boot::Misfit),
    /// Number of CPUs.
    Cpus {
        /// As assembled.
        expected: u32,
        /// As the board's tree has it.
        found: usize,
    },
    /// A named region of RAM.
    Region {
        /// As assembled.
        expected: model::Region,
    },
    /// What is passed to a VM.
    Passed {
        /// As assembled.
        expected: Pass,
        /// What the board has there.
        found: &'static str,
    },
    /// Ports that are passed to a VM.
    PassedPorts {
        /// As assembled.
        expected: Ports,
    },
    /// An interrupt that is passed to a VM.
    PassedInterrupt {
        /// Its number.
        expected: u32,
    },
    /// Bytes of RAM.
    Memory {
        /// As assembled.
        expected: u64,
        /// As the board's tree has it.
        found: u64,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the board that this was assembled for: ")?;
        match self {
            Mismatch::Hardware(misfit) => write!(f, "{misfit}"),
            Mismatch::Cpus { expected, found } => write!(f, "expected {expected} CPUs, found {found}"),
            Mismatch::Region { expected: model::Region { start, size_bytes } } => {
                write!(f, "expected memory of nobody's, {size_bytes} bytes at {start}, found none there")
            }
            Mismatch::Passed { expected, found } => {
                write!(f, "expected what is a VM's at {}, {} bytes, found {found}", expected.hpa, expected.size_bytes)
            }
            Mismatch::PassedPorts { expected: Ports { first, count } } => {
                write!(f, "expected {count} ports for a VM from {first:#x} on, found some that are Ostler's own")
            }
            Mismatch::PassedInterrupt { expected } => {
                write!(f, "expected interrupt {expected} for a VM, found it at the console")
            }
            Mismatch::Memory { expected, found } => {
                write!(f, "expected {} MiB of memory, found {} MiB", expected >> 20, found >> 20)
            }
        }
    }
}

/// Compares the board with what was assumed of it.
pub fn board(assumed: &Board, facts: &Facts) -> Result<(), Mismatch> {
    boot::fits(assumed, facts).map_err(Mismatch::Hardware)?;
    if (facts.cpus.len() as u64) < u64::from(assumed.cpus) {
        return Err(Mismatch::Cpus { expected: assumed.cpus, found: facts.cpus.len() });
    }
    let memory = boot::installed_bytes(facts);
    if memory < assumed.memory_bytes {
        return Err(Mismatch::Memory { expected: assumed.memory_bytes, found: memory });
    }
    Ok(())
}

/// Compares what of the board is passed to VMs (ranges, and INTIDs of interrupts) with what the board has there: no memory but that of the board's regions, and nothing
/// of Ostler's `own` registers.
pub fn passed(
    assumed: &Board,
    passes: impl Iterator<Item = Pass>,
    mut interrupts: impl Iterator<Item = u32>,
    facts: &Facts,
    own: impl Iterator<Item = Region> + Clone,
) -> Result<(), Mismatch> {
    let overlaps =
        |one: &Region, start: u64, size: u64| one.start.0 < start.saturating_add(size) && start < one.end().0;
    let contains =
        |one: &Region, start: u64, size: u64| one.start.0 <= start && start.saturating_add(size) <= one.end().0;
    for &expected in assumed.regions {
        let (start, size) = (expected.start.0, expected.size_bytes);
        let is_reserved = facts.reserved.iter().any(|reserved| overlaps(&reserved.region, start, size));
        if is_reserved || !facts.memory.iter().any(|memory| contains(memory, start, size)) {
            return Err(Mismatch::Region { expected });
        }
    }
    for expected in passes {
        let (start, size) = (expected.hpa.0, expected.size_bytes);
        let of_region = |region: &model::Region| {
            contains(&Region { start: region.start, size_bytes: region.size_bytes }, start, size)
        };
        let found = if facts.reserved.iter().any(|reserved| overlaps(&reserved.region, start, size)) {
            "memory that is reserved"
        } else if facts.memory.iter().any(|memory| overlaps(memory, start, size))
            && !assumed.regions.iter().any(of_region)
        {
            "memory"
        } else if own.clone().any(|own| overlaps(&own, start, size)) {
            "the console or the interrupt controller"
        } else {
            continue;
        };
        return Err(Mismatch::Passed { expected, found });
    }
    let console = facts.hardware.console.and_then(|console| console.interrupt());
    match interrupts.find(|&host| console == Some(host)) {
        Some(expected) => Err(Mismatch::PassedInterrupt { expected }),
        None => Ok(()),
    }
}

/// Compares the ports that are passed to VMs with Ostler's `own`.
pub fn ports(
    mut passed: impl Iterator<Item = Ports>,
    own: impl Iterator<Item = Ports> + Clone,
) -> Result<(), Mismatch> {
    let is_own = |ports: &Ports| own.clone().any(|own| own.overlaps(ports));
    match passed.find(is_own) {
        Some(expected) => Err(Mismatch::PassedPorts { expected }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use boot::aarch64::tree::Gic;
    use model::{Controller, GicVersion, Hpa, OnFailure};

    fn facts(cpus: usize, memory: u64) -> Facts {
        let at = |start| Region { start: Hpa(start), size_bytes: memory };
        let mut facts = Facts { cpus: (0..cpus as u64).collect(), ..Facts::default() };
        facts.memory.push(at(0x4000_0000));
        facts.hardware.gic = Some(Gic::V3 {
            distributor: at(0x800_0000),
            redistributors: Default::default(),
            stride_bytes: None,
            maintenance: None,
        });
        facts
    }

    const ASSUMED: Board = Board {
        name: "test",
        controller: Controller::Gic(GicVersion::V3),
        cpus: 4,
        memory_bytes: 1 << 30,
        on_failure: OnFailure::Reset,
        regions: &[],
    };

    #[test]
    fn less_is_refused_and_more_is_not() {
        assert_eq!(board(&ASSUMED, &facts(4, 1 << 30)), Ok(()));
        assert_eq!(board(&ASSUMED, &facts(8, 2 << 30)), Ok(()));
        assert_eq!(board(&ASSUMED, &facts(3, 1 << 30)), Err(Mismatch::Cpus { expected: 4, found: 3 }));
        let error = board(&ASSUMED, &facts(4, 1 << 29)).unwrap_err();
        assert!(error.to_string().ends_with("expected 1024 MiB of memory, found 512 MiB"), "{error}");
    }

    #[test]
    fn ports_of_ostlers_are_no_vms() {
        let own = [Ports::new(0x3f8, 8), Ports::new(0xcf8, 8)];
        let check = |passed: Ports| ports([Ports::new(0x2f8, 8), passed].into_iter(), own.into_iter());
        assert_eq!(check(Ports::new(0x70, 2)), Ok(()));
        let expected = Ports::new(0xcff, 2);
        assert_eq!(check(expected), Err(Mismatch::PassedPorts { expected }));
    }

    /// Registers that a VM has.
    fn pass(at: u64) -> Pass {
        let kind = model::MemoryType::Device;
        Pass { gpa: model::Gpa(0), hpa: Hpa(at), size_bytes: 0x1000, write: true, execute: false, kind }
    }

    #[test]
    fn what_is_passed_is_not_the_boards_memory_and_not_ostlers() {
        let mut facts = facts(4, 1 << 30);
        let at = |start, size_bytes| Region { start: Hpa(start), size_bytes };
        let uart = at(0x900_0000, 0x1000);
        facts.hardware.console = Some(boot::Uart { registers: uart, intid: Some(33) });
        let region = model::Region { start: Hpa(0x4400_0000), size_bytes: 0x2000 };
        let check = |facts: &Facts, regions: &'static [model::Region], hpa: u64, host: u32| {
            let (passes, hosts) = ([pass(hpa)].into_iter(), [host].into_iter());
            passed(&Board { regions, ..ASSUMED }, passes, hosts, facts, [uart].into_iter())
                .map_err(|error| error.to_string())
        };
        let regions: &'static [model::Region] = Box::leak(Box::new([region]));
        assert_eq!(check(&facts, regions, 0x901_0000, 34), Ok(()));
        assert_eq!(check(&facts, regions, 0x4400_1000, 34), Ok(()));
        let ends = |found: Result<(), String>, what: &str| {
            let found = found.unwrap_err();
            assert!(found.ends_with(what), "{found}");
        };
        ends(check(&facts, regions, 0x4400_2000, 34), "at 0x44002000, 4096 bytes, found memory");
        ends(check(&facts, &[], 0x4400_1000, 34), "found memory");
        ends(check(&facts, regions, 0x900_0000, 34), "found the console or the interrupt controller");
        ends(check(&facts, regions, 0x901_0000, 33), "expected interrupt 33 for a VM, found it at the console");
        facts.reserved.push(boot::Reserved { region: at(0x4400_1000, 0x1000), no_map: true });
        ends(check(&facts, regions, 0x901_0000, 34), "8192 bytes at 0x44000000, found none there");
        ends(check(&facts, &[], 0x4400_1000, 34), "found memory that is reserved");
    }
}
