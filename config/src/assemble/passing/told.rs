//! Devices of a board without a device tree that a guest has as a whole: its ACPI tables tell of them.

use model::{Ports, Trigger};

use super::super::claims::Range;
use super::{Passed, Passing};

/// A device for the DSDT.
#[derive(Clone, Debug)]
pub(in super::super) struct Told {
    /// Its hardware ID.
    pub(in super::super) id: String,
    pub(in super::super) ports: Vec<Ports>,
    /// Guest-physical.
    pub(in super::super) memory: Vec<Range>,
    /// The guest's lines.
    pub(in super::super) lines: Vec<(u32, Trigger)>,
}

impl Passing<'_> {
    /// The devices of which `passed` has all registers, in the order of the board's page.
    pub(in super::super) fn told(&self, passed: &Passed) -> Vec<Told> {
        let devices = self.hardware.iter().flat_map(|hardware| &hardware.devices);
        let told = devices.filter_map(|device| {
            let id = device.acpi.clone()?;
            let has = |port: &Ports| passed.ports.iter().any(|range| range.covers(port));
            let at = |range: &Range| {
                let within = |pass: &&model::Pass| {
                    Range::new(pass.hpa.0, pass.size_bytes).is_some_and(|host| host.contains(*range))
                };
                let pass = passed.ranges.iter().find(within)?;
                Range::new(pass.gpa.0 + (range.start - pass.hpa.0), range.size())
            };
            let memory: Option<Vec<Range>> = device.registers.iter().map(at).collect();
            let own = |host: u32| passed.interrupts.iter().find(|passed| passed.host == host);
            let lines = device.interrupts.iter().filter_map(|interrupt| own(interrupt.intid));
            let lines = lines.map(|passed| (passed.line, passed.trigger)).collect();
            device.ports.iter().all(has).then_some(Told { id, ports: device.ports.clone(), memory: memory?, lines })
        });
        told.collect()
    }
}
