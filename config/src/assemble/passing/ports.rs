//! Ports of an x86 board that go to a VM: `pass loc io:PORT,LENGTH,rw`.

use model::Ports;

use super::super::hardware::Device;
use super::super::ports::words;
use super::{Desk, Passed, Passing};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{Attributes, PassLoc};

impl Passing<'_> {
    /// Passes `ports` of the board, which the guest finds at the same place.
    pub(super) fn ports(&mut self, loc: &PassLoc, ports: Ports, passed: &mut Passed, desk: &mut Desk) {
        let errors = desk.diagnostics.errors();
        let devices: Vec<&Device> = self.hardware.iter().flat_map(|hardware| hardware.at_ports(&ports)).collect();
        let mut report = |diagnostic: Diagnostic| desk.diagnostics.push(diagnostic.at(loc.span));
        let missing = (ports.first..=ports.first.saturating_add(ports.count - 1))
            .find(|&port| !devices.iter().flat_map(|device| &device.ports).any(|range| range.contains(port)));
        if let Some((device, why)) = devices.iter().find_map(|device| Some((device, device.own.as_ref()?))) {
            let message = format!("{} (ports {}) is Ostler's own: {why}", device.path, device.all_ports());
            report(
                Diagnostic::error(codes::NOT_TO_PASS, message)
                    .hint("guests have a virtual one where they need it: `vdev`"),
            );
        } else if let Some(port) = missing {
            let message = format!("board `{}` has no device at port {port:#x}", self.board.name);
            let near = devices.first().map(|device| format!("{} has ports {}", device.path, device.all_ports()));
            let hint = near.unwrap_or_else(|| self.page_says());
            report(Diagnostic::error(codes::NOT_ON_BOARD, message).hint(hint));
        } else {
            self.dma(loc, &devices, desk);
        }
        check_attributes(loc, desk);
        match self.ports.iter().find(|(other, _)| other.overlaps(&ports)) {
            Some((other, first)) => {
                let message = format!("ports {} of the board are passed twice", words(&ports));
                let error = Diagnostic::error(codes::PASSED_TWICE, message).at(loc.span);
                let label = format!("ports {}, first claimed here", words(other));
                desk.diagnostics
                    .push(error.label(*first, label).hint("what is passed has one owner: leave one of them out"));
            }
            None => self.ports.push((ports, loc.span)),
        }
        // One complaint is enough.
        if desk.diagnostics.errors() == errors && desk.ports.take(&[ports], "`pass`", Some(loc.span), desk.diagnostics)
        {
            passed.ports.push(ports);
        }
    }
}

/// A port is the guest's or it is not: SVM has one bit for its reads and its writes (APM volume 2, 15.10.1).
fn check_attributes(loc: &PassLoc, desk: &mut Desk) {
    let Some(attributes) = loc.attributes else { return };
    let Attributes { read, write, execute, cached, memory, dma, no_dma } = attributes.value;
    let mut refuse = |message: &str, hint: &str| {
        desk.diagnostics.push(Diagnostic::error(codes::PASS_ATTRIBUTES, message).at(attributes.span).hint(hint));
    };
    if execute || cached || memory {
        refuse("ports are no memory", "leave `x`, `c` and `m` out");
    } else if !read || !write {
        refuse("a port is read and written, or not passed at all", "write `rw`");
    }
    if dma && no_dma {
        refuse("`d` and `n` contradict each other", "leave one of them out");
    }
}
