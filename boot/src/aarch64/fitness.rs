//! Whether the board's interrupt controller and timers are what was assumed of them.

use core::fmt;

use arch::intid;
use model::{Board, Controller, PAGE_BYTES};

use super::tree::{Facts, Gic};
use crate::facts::Region;

/// What differs, with both values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The interrupt controller.
    Controller {
        /// As assembled.
        expected: Controller,
        /// As the board's tree has it; `None` if there is none that Ostler knows.
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
    /// A private interrupt whose number is fixed by the base system architecture (DEN 0094, PPI assignments), and here.
    Private {
        /// What interrupts.
        what: &'static str,
        /// INTID that Ostler relies on.
        expected: u32,
        /// INTID as the board's tree has it.
        found: u32,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Controller { expected, found: Some(found) } => write!(f, "expected a {expected}, found a {found}"),
            Misfit::Controller { expected, found: None } => write!(f, "expected a {expected}, found no GIC"),
            Misfit::NoVirtualInterface => {
                f.write_str("expected a GICv2 with virtualisation extensions, found one without")
            }
            Misfit::Frame { what, found } => {
                write!(f, "expected the {what}'s 8 KiB of registers on whole pages, found {found}")
            }
            Misfit::Private { what, expected, found } => {
                write!(f, "expected the {what}'s interrupt {expected}, found {found}")
            }
        }
    }
}

/// Bytes of RAM that the board has, as far as it tells.
pub fn installed_bytes(facts: &Facts) -> u64 {
    facts.memory.iter().fold(0, |sum, region| sum.saturating_add(region.size_bytes))
}

/// Compares the board's hardware with what was assumed of it.
pub fn fits(assumed: &Board, facts: &Facts) -> Result<(), Misfit> {
    let hardware = &facts.hardware;
    let found = hardware.gic.as_ref().map(|gic| Controller::Gic(gic.version()));
    if found != Some(assumed.controller) {
        return Err(Misfit::Controller { expected: assumed.controller, found });
    }
    if let Some(Gic::V2 { cpu_interface, hypervisor_interface, virtual_cpu_interface, .. }) = &hardware.gic {
        let (Some(_), Some(virtual_cpu_interface)) = (hypervisor_interface, virtual_cpu_interface) else {
            return Err(Misfit::NoVirtualInterface);
        };
        whole_pages("CPU interface", cpu_interface)?;
        whole_pages("virtual CPU interface", virtual_cpu_interface)?;
    }
    let maintenance = match &hardware.gic {
        Some(Gic::V2 { maintenance, .. } | Gic::V3 { maintenance, .. }) => *maintenance,
        None => None,
    };
    let private = [
        ("virtual timer", intid::VIRTUAL_TIMER, hardware.timers.virtual_),
        ("physical timer", intid::PHYSICAL_TIMER, hardware.timers.physical),
        ("interrupt controller", intid::MAINTENANCE, maintenance),
    ];
    // What the tree does not tell is taken to be as usual.
    for (what, expected, found) in private {
        if let Some(found) = found.filter(|&found| found != expected) {
            return Err(Misfit::Private { what, expected, found });
        }
    }
    Ok(())
}

/// A GICv2's CPU interface, real or virtual: what a guest is given of the latter has to be a page, and of the former GICC_DIR has
/// to be there (the trees of some old boards leave it out).
fn whole_pages(what: &'static str, region: &Region) -> Result<(), Misfit> {
    let is_whole = region.start.0.is_multiple_of(PAGE_BYTES) && region.size_bytes >= model::Gic::CPU_INTERFACE_BYTES;
    if is_whole { Ok(()) } else { Err(Misfit::Frame { what, found: *region }) }
}

#[cfg(test)]
mod tests {
    use arrayvec::ArrayVec;
    use model::{GicVersion, Hpa, OnFailure};

    use super::*;

    const ASSUMED: Board = Board {
        name: "test",
        controller: Controller::Gic(GicVersion::V3),
        cpus: 4,
        memory_bytes: 1 << 30,
        on_failure: OnFailure::Reset,
        regions: &[],
    };

    fn facts() -> Facts {
        let distributor = Region { start: Hpa(0x800_0000), size_bytes: 0x1_0000 };
        let mut facts = Facts::default();
        facts.hardware.gic =
            Some(Gic::V3 { distributor, redistributors: ArrayVec::new(), stride_bytes: None, maintenance: Some(25) });
        facts
    }

    #[test]
    fn timers_on_other_interrupts_are_refused() {
        let mut facts = facts();
        facts.hardware.timers.virtual_ = Some(27);
        assert_eq!(fits(&ASSUMED, &facts), Ok(()));
        facts.hardware.timers.physical = Some(29);
        let error = fits(&ASSUMED, &facts).unwrap_err().to_string();
        assert!(error.ends_with("expected the physical timer's interrupt 30, found 29"), "{error}");
    }

    #[test]
    fn a_gicv2_has_to_have_whole_virtual_interfaces() {
        let assumed = Board { controller: Controller::Gic(GicVersion::V2), ..ASSUMED };
        let at = |start, size_bytes| Region { start: Hpa(start), size_bytes };
        let check = |cpu_interface, hypervisor_interface, virtual_cpu_interface| {
            let mut facts = facts();
            let distributor = at(0x800_0000, 0x1000);
            facts.hardware.gic = Some(Gic::V2 {
                distributor,
                cpu_interface,
                hypervisor_interface,
                virtual_cpu_interface,
                maintenance: None,
            });
            fits(&assumed, &facts).map_err(|error| error.to_string())
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

    #[test]
    fn another_interrupt_controller_is_refused_with_both_names() {
        let mut found = facts();
        found.hardware.gic = None;
        assert!(fits(&ASSUMED, &found).unwrap_err().to_string().contains("found no GIC"));
        let other = Board { controller: Controller::Gic(GicVersion::V2), ..ASSUMED };
        let error = fits(&other, &facts()).unwrap_err().to_string();
        assert!(error.contains("expected a GICv2, found a GICv3"), "{error}");
    }
}
