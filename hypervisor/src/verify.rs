//! Is this the board that the configuration was checked against?
//!
//! The assembler proved that everything fits a board with so many CPUs and so much memory. More of either is no
//! harm; less is, and so is another interrupt controller.

use core::fmt;

use arch::intid;
use boot::tree::Gic;
use boot::{Facts, Region};
use model::{Board, Controller, PAGE_BYTES, Pass};

/// What differs, with both values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The interrupt controller.
    Controller {
        /// As assembled.
        expected: Controller,
        /// As the board has it; `None` if there is none that Ostler knows.
        found: Option<Controller>,
    },
    /// A GICv2 without what virtual machines need: GICH and GICV.
    NoVirtualInterface,
    /// A frame of a GICv2 that is too short, or does not begin where a page does.
    Frame {
        /// Which one.
        what: &'static str,
        /// As the board's tree has it.
        found: Region,
    },
    /// Number of CPUs.
    Cpus {
        /// As assembled.
        expected: u32,
        /// As the board's tree has it.
        found: usize,
    },
    /// A private interrupt whose number is fixed by the base system architecture (DEN 0094, PPI assignments), and here.
    Private {
        /// What interrupts.
        what: &'static str,
        /// INTID that Ostler relies on.
        expected: u32,
        /// INTID as the board's tree has it.
        found: u32,
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
    /// An interrupt that is passed to a VM.
    PassedInterrupt {
        /// Its INTID.
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
            Mismatch::Controller { expected, found: Some(found) } => {
                write!(f, "expected a {expected}, found a {found}")
            }
            Mismatch::Controller { expected, found: None } => write!(f, "expected a {expected}, found no GIC"),
            Mismatch::NoVirtualInterface => {
                f.write_str("expected a GICv2 with virtualisation extensions, found one without")
            }
            Mismatch::Frame { what, found } => {
                write!(f, "expected the {what}'s 8 KiB of registers on whole pages, found {found}")
            }
            Mismatch::Cpus { expected, found } => write!(f, "expected {expected} CPUs, found {found}"),
            Mismatch::Private { what, expected, found } => {
                write!(f, "expected the {what}'s interrupt {expected}, found {found}")
            }
            Mismatch::Region { expected: model::Region { start, size_bytes } } => {
                write!(f, "expected memory of nobody's, {size_bytes} bytes at {start}, found none there")
            }
            Mismatch::Passed { expected, found } => {
                write!(f, "expected what is a VM's at {}, {} bytes, found {found}", expected.hpa, expected.size_bytes)
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
    let gic = facts.hardware.gic.as_ref().map(|gic| Controller::Gic(gic.version()));
    if gic != Some(assumed.controller) {
        return Err(Mismatch::Controller { expected: assumed.controller, found: gic });
    }
    if let Some(Gic::V2 { cpu_interface, hypervisor_interface, virtual_cpu_interface, .. }) = &facts.hardware.gic {
        let (Some(_), Some(virtual_cpu_interface)) = (hypervisor_interface, virtual_cpu_interface) else {
            return Err(Mismatch::NoVirtualInterface);
        };
        whole_pages("CPU interface", cpu_interface)?;
        whole_pages("virtual CPU interface", virtual_cpu_interface)?;
    }
    if (facts.cpus.len() as u64) < u64::from(assumed.cpus) {
        return Err(Mismatch::Cpus { expected: assumed.cpus, found: facts.cpus.len() });
    }
    let maintenance = match &facts.hardware.gic {
        Some(Gic::V2 { maintenance, .. } | Gic::V3 { maintenance, .. }) => *maintenance,
        None => None,
    };
    let private = [
        ("virtual timer", intid::VIRTUAL_TIMER, facts.hardware.timers.virtual_),
        ("physical timer", intid::PHYSICAL_TIMER, facts.hardware.timers.physical),
        ("interrupt controller", intid::MAINTENANCE, maintenance),
    ];
    // What the tree does not tell is taken to be as usual.
    for (what, expected, found) in private {
        if let Some(found) = found.filter(|&found| found != expected) {
            return Err(Mismatch::Private { what, expected, found });
        }
    }
    let memory = facts.memory.iter().fold(0, |sum: u64, region| sum.saturating_add(region.size_bytes));
    if memory < assumed.memory_bytes {
        return Err(Mismatch::Memory { expected: assumed.memory_bytes, found: memory });
    }
    Ok(())
}

/// Compares what of the board is passed to VMs (ranges, and INTIDs of interrupts) with what the board has there: no memory but that of the board's regions, and nothing
/// of Ostler's `own` registers.
pub fn passed<'a>(
    assumed: &Board,
    passes: impl Iterator<Item = Pass>,
    mut interrupts: impl Iterator<Item = u32>,
    facts: &Facts,
    own: impl Iterator<Item = &'a Region> + Clone,
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
        } else if own.clone().any(|own| overlaps(own, start, size)) {
            "the console or the interrupt controller"
        } else {
            continue;
        };
        return Err(Mismatch::Passed { expected, found });
    }
    let console = facts.hardware.console.and_then(|console| console.intid);
    match interrupts.find(|&host| console == Some(host)) {
        Some(expected) => Err(Mismatch::PassedInterrupt { expected }),
        None => Ok(()),
    }
}

/// A GICv2's CPU interface, real or virtual: what a guest is given of the latter has to be a page, and of the former GICC_DIR has
/// to be there (the trees of some old boards leave it out).
fn whole_pages(what: &'static str, region: &Region) -> Result<(), Mismatch> {
    let is_whole = region.start.0.is_multiple_of(PAGE_BYTES) && region.size_bytes >= model::Gic::CPU_INTERFACE_BYTES;
    if is_whole { Ok(()) } else { Err(Mismatch::Frame { what, found: *region }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{GicVersion, Hpa, OnFailure};

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
    fn timers_on_other_interrupts_are_refused() {
        let mut facts = facts(4, 1 << 30);
        facts.hardware.timers.virtual_ = Some(27);
        assert_eq!(board(&ASSUMED, &facts), Ok(()));
        facts.hardware.timers.physical = Some(29);
        let error = board(&ASSUMED, &facts).unwrap_err().to_string();
        assert!(error.ends_with("expected the physical timer's interrupt 30, found 29"), "{error}");
    }

    #[test]
    fn a_gicv2_has_to_have_whole_virtual_interfaces() {
        let assumed = Board { controller: Controller::Gic(GicVersion::V2), ..ASSUMED };
        let at = |start, size_bytes| Region { start: Hpa(start), size_bytes };
        let check = |cpu_interface, hypervisor_interface, virtual_cpu_interface| {
            let mut facts = facts(4, 1 << 30);
            let distributor = at(0x800_0000, 0x1000);
            facts.hardware.gic = Some(Gic::V2 {
                distributor,
                cpu_interface,
                hypervisor_interface,
                virtual_cpu_interface,
                maintenance: None,
            });
            board(&assumed, &facts).map_err(|error| error.to_string())
        };
        let (control, interface) = (Some(at(0x4000, 0x1000)), at(0x6000, 0x2000));
        assert_eq!(check(interface, control, Some(interface)), Ok(()));
        for (control, interface) in [(None, None), (control, None), (None, Some(interface))] {
            let error = check(at(0x2000, 0x2000), control, interface).unwrap_err();
            assert!(error.ends_with("expected a GICv2 with virtualisation extensions, found one without"), "{error}");
        }
        let error = check(interface, control, Some(at(0x6800, 0x2000))).unwrap_err();
        assert!(error.contains("the virtual CPU interface's 8 KiB of registers on whole pages, found 0x"), "{error}");
        let error = check(at(0x2000, 0x1000), control, Some(interface)).unwrap_err();
        assert!(error.contains("the CPU interface's 8 KiB"), "{error}");
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
        facts.hardware.console = Some(boot::tree::Uart { registers: uart, intid: Some(33) });
        let region = model::Region { start: Hpa(0x4400_0000), size_bytes: 0x2000 };
        let check = |facts: &Facts, regions: &'static [model::Region], hpa: u64, host: u32| {
            let (passes, hosts) = ([pass(hpa)].into_iter(), [host].into_iter());
            passed(&Board { regions, ..ASSUMED }, passes, hosts, facts, [uart].iter())
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

    #[test]
    fn another_interrupt_controller_is_refused_with_both_names() {
        let mut found = facts(4, 1 << 30);
        found.hardware.gic = None;
        assert!(board(&ASSUMED, &found).unwrap_err().to_string().contains("found no GIC"));
        let other = Board { controller: Controller::Gic(GicVersion::V2), ..ASSUMED };
        let error = board(&other, &facts(4, 1 << 30)).unwrap_err().to_string();
        assert!(error.contains("expected a GICv2, found a GICv3"), "{error}");
    }
}
