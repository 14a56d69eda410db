//! What can be said only when the whole file is known: whose interrupt lines the vdevs and passes ask for.

use super::{Named, Parser};
use crate::assemble::Architecture;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{VdevSpec, VdevSpecKind};

/// The GIC's name if no `vdev gic name …` gives another.
const DEFAULT_CONTROLLER: &str = "gic";

impl Parser<'_> {
    /// Checks that each `intr` names an interrupt controller of the guest's, and that it had that name by then.
    pub(super) fn check_controllers(&mut self) {
        match self.architecture() {
            Architecture::Aarch64 => self.check_gic(),
            Architecture::X86_64 => self.check_pics(),
        }
    }

    /// Puts a controller's name where `intr` of the vdev has none.
    fn name_controller(&mut self, (vdev, line): (usize, usize), name: &str) {
        let lines = self.spec.vdevs.get_mut(vdev).and_then(|vdev| vdev.intr.as_mut());
        if let Some(line) = lines.and_then(|lines| lines.value.get_mut(line)) {
            name.clone_into(&mut line.controller);
        }
    }

    /// On x86 a guest has the controllers that its file has. Without a name the I/O APIC is meant, or else the 8259s.
    fn check_pics(&mut self) {
        let name_of = |vdev: &VdevSpec| match &vdev.name {
            Some(name) => name.value.clone(),
            None => vdev.kind.word().to_owned(),
        };
        let pics = self.spec.vdevs.iter().enumerate().filter(|(_, vdev)| vdev.kind.is_controller());
        let mut pics: Vec<_> = pics.map(|(index, vdev)| (index, name_of(vdev), vdev.span, vdev.kind.clone())).collect();
        pics.sort_by_key(|(index, _, _, kind)| (!matches!(kind, VdevSpecKind::Ioapic { .. }), *index));
        for Named { vdev, name: controller, vdevs, .. } in std::mem::take(&mut self.controllers) {
            let default = controller.value.is_empty();
            let found = pics.iter().find(|(_, name, ..)| default || *name == controller.value);
            match found {
                Some((index, name, span, _)) => {
                    if let Some(vdev) = vdev {
                        self.name_controller(vdev, name);
                    }
                    if *index >= vdevs && !default {
                        let message = format!("the interrupt controller `{name}` is used before it is there");
                        let hint = format!("write `vdev {}` before what uses it", self.spec.vdevs[*index].kind.word());
                        let error = Diagnostic::error(codes::ORDER, message).at(controller.span);
                        self.diagnostics.push(error.label(*span, "it is there from here on").hint(hint));
                    }
                }
                None => {
                    let message = match default {
                        true => "this VM has no interrupt controller for the line".to_owned(),
                        false => format!("there is no interrupt controller `{}`", controller.value),
                    };
                    let names: Vec<String> = pics.iter().map(|(_, name, ..)| format!("`{name}`")).collect();
                    let hint = match names.is_empty() {
                        true => "write `vdev ioapic` before it, or `vdev 8259`".to_owned(),
                        false => format!("there is {}", names.join(" and ")),
                    };
                    let error = Diagnostic::error(codes::UNKNOWN_CONTROLLER, message).at(controller.span);
                    self.diagnostics.push(error.hint(hint));
                }
            }
        }
    }

    fn check_gic(&mut self) {
        let gic = self.spec.vdevs.iter().find(|vdev| matches!(vdev.kind, VdevSpecKind::Gic { .. }));
        let given = gic.and_then(|vdev| vdev.name.clone());
        let name = given.as_ref().map_or(DEFAULT_CONTROLLER, |name| &name.value).to_owned();
        for Named { vdev, name: controller, known, .. } in std::mem::take(&mut self.controllers) {
            if controller.value == name || controller.value.is_empty() {
                if let Some(vdev) = vdev {
                    self.name_controller(vdev, &name);
                }
                let late = given.as_ref().filter(|given| known != Some(given.span));
                if let Some(given) = late.filter(|_| !controller.value.is_empty()) {
                    let message = format!("the interrupt controller `{name}` is used before it has that name");
                    let diagnostic = Diagnostic::error(codes::ORDER, message)
                        .at(controller.span)
                        .label(given.span, "named here")
                        .hint("write `vdev gic` before what uses it");
                    self.diagnostics.push(diagnostic);
                }
                continue;
            }
            let message = format!("there is no interrupt controller `{}`", controller.value);
            let mut diagnostic = Diagnostic::error(codes::UNKNOWN_CONTROLLER, message)
                .at(controller.span)
                .hint(format!("the guest's only interrupt controller is `{name}`"));
            if let Some(given) = &given {
                diagnostic = diagnostic.label(given.span, "it has its name from here");
            }
            self.diagnostics.push(diagnostic);
        }
    }
}
