//! What can be said only when the whole file is known: whose interrupt lines the vdevs and passes ask for.

use super::{Named, Parser};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::VdevSpecKind;

/// The GIC's name if no `vdev gic name …` gives another.
const DEFAULT_CONTROLLER: &str = "gic";

impl Parser<'_> {
    /// Checks that each `intr` names the guest's interrupt controller, and that it had that name by then.
    pub(super) fn check_controllers(&mut self) {
        let gic = self.spec.vdevs.iter().find(|vdev| matches!(vdev.kind, VdevSpecKind::Gic { .. }));
        let given = gic.and_then(|vdev| vdev.name.clone());
        let name = given.as_ref().map_or(DEFAULT_CONTROLLER, |name| &name.value).to_owned();
        for Named { vdev, name: controller, known } in std::mem::take(&mut self.controllers) {
            if controller.value == name || controller.value.is_empty() {
                let intr = vdev.and_then(|vdev| self.spec.vdevs.get_mut(vdev)?.intr.as_mut());
                if let Some(intr) = intr {
                    intr.value.0.clone_from(&name);
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
