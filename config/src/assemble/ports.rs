//! Who has which ports of one x86 VM. A port has one owner, as an address has.

use model::Ports;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::Span;

/// The ports that are taken so far.
#[derive(Debug, Default)]
pub(super) struct PortClaims {
    taken: Vec<(Ports, String, Option<Span>)>,
}

impl PortClaims {
    /// Takes `ranges` for `what`; `span` is where that was written, `None` of what is there unasked. Reports and gives `false`
    /// if one of them is not free.
    pub(super) fn take(
        &mut self,
        ranges: &[Ports],
        what: &str,
        span: Option<Span>,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        for range in ranges {
            let Some((first, other, there)) = self.taken.iter().find(|(taken, ..)| taken.overlaps(range)) else {
                continue;
            };
            let message = format!("{what} (ports {}) overlaps {other} (ports {})", words(range), words(first));
            let mut error = Diagnostic::error(codes::PORT_OVERLAP, message);
            error = span.into_iter().fold(error, Diagnostic::at);
            error = there.iter().fold(error, |error, there| error.label(*there, "first claimed here"));
            let hint = "a PC's UARTs are at io:0x3f8, io:0x2f8, io:0x3e8 and io:0x2e8";
            diagnostics.push(error.hint(hint));
            return false;
        }
        self.taken.extend(ranges.iter().map(|range| (*range, what.to_owned(), span)));
        true
    }
}

/// A range of ports for people.
pub(super) fn words(ports: &Ports) -> String {
    if ports.count == 1 {
        return format!("{:#x}", ports.first);
    }
    format!("{:#x} to {:#x}", ports.first, u32::from(ports.first) + u32::from(ports.count) - 1)
}
