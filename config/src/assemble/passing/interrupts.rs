//! Interrupts of the board that go to a VM.

use model::{PassedInterrupt, Trigger};

use super::super::Architecture;
use super::{Desk, Passed, Passing};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{PassIntr, Span, Spanned};

/// The board's interrupt that `intr` means.
pub(super) fn host(intr: &PassIntr, hostvector: u32) -> u32 {
    intr.host.map_or_else(|| hostvector.saturating_add(intr.line.value), |host| host.value)
}

impl Passing<'_> {
    /// Passes the board's interrupt `host` as the guest's `line`; `span` says so, and `unmasked` is where there is a `u`.
    /// How it is triggered; `None` if something is wrong, which is reported.
    pub(super) fn interrupt(
        &mut self,
        (host, line): (u32, u32),
        span: Span,
        unmasked: Option<Span>,
        passed: &mut Passed,
        desk: &mut Desk,
    ) -> Option<Trigger> {
        let errors = desk.diagnostics.errors();
        let what = format!("interrupt {host} of the board");
        desk.lines.take(Spanned { value: line, span }, &what, desk.diagnostics);
        let mut report = |diagnostic: Diagnostic| desk.diagnostics.push(diagnostic);
        let hardware = self.hardware.as_ref();
        let mut trigger = None;
        let owners = hardware.into_iter().flat_map(|hardware| hardware.interrupt(host));
        for (device, interrupt) in owners {
            trigger = Some(interrupt.trigger);
            if let Some(why) = &device.own {
                let message = format!("interrupt {host} is Ostler's own: {why}");
                report(Diagnostic::error(codes::NOT_TO_PASS, message).at(span));
            }
        }
        match (trigger, unmasked) {
            (None, _) => {
                let message = format!("no device of the board has interrupt {host}");
                let hint = match (self.board.architecture, host) {
                    (Architecture::X86_64, _) => format!("{}, with ACPI's numbers as `lines`", self.page_says()),
                    (_, 0..32) => format!("these are raw INTIDs: SPI {host} is {}", host + 32),
                    (..) => "its device tree has them as SPIs, less 32: `pass intr gic:LINE=INTID`".to_owned(),
                };
                report(Diagnostic::error(codes::NOT_ON_BOARD, message).at(span).hint(hint));
            }
            (Some(Trigger::Level), Some(at)) => {
                let message =
                    format!("interrupt {host} is level-sensitive: it has to stay masked until it was handled");
                let hint =
                    "leave the `u` out: the line is high until the device was served, and would interrupt without end";
                report(Diagnostic::error(codes::PASSED_INTERRUPT, message).at(at).hint(hint));
            }
            _ => {}
        }
        if let Some(first) = self.interrupts.insert(host, span) {
            let error =
                Diagnostic::error(codes::PASSED_TWICE, format!("interrupt {host} of the board is passed twice"));
            let hint = "an interrupt has one owner: leave one of them out";
            report(error.at(span).label(first, "first claimed here").hint(hint));
        }
        let trigger = trigger.filter(|_| desk.diagnostics.errors() == errors)?;
        passed.interrupts.push(PassedInterrupt { host, line, trigger, unmasked: unmasked.is_some() });
        Some(trigger)
    }
}
