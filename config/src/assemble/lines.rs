//! Who has which shared interrupt line of one VM. A line has one owner, as an address has.

use std::collections::BTreeMap;

use model::Gic;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{ReserveSpec, Span, Spanned, VmSpec};

/// Raw INTIDs of the lines that all CPUs share (IHI 0069, 2.2.1).
pub(super) const SHARED: std::ops::Range<u32> = 32..Gic::INTIDS;
/// How many free lines a hint names.
const FREE_SHOWN: usize = 3;

/// The lines of one VM's interrupt controller that are taken so far.
pub(super) struct Lines {
    /// The name that `intr` calls the controller by.
    controller: String,
    /// The lines that there are.
    range: std::ops::Range<u32>,
    /// What has each, and where that is said; `None` of what is there unasked.
    taken: BTreeMap<u32, (String, Option<Span>)>,
    /// What `reserve intr` names: no hint proposes them.
    reserved: Vec<u32>,
}

impl Lines {
    /// Nothing is taken yet. Warns of lines to reserve that do not exist.
    pub(super) fn new(
        spec: &VmSpec,
        controller: &str,
        range: std::ops::Range<u32>,
        diagnostics: &mut Diagnostics,
    ) -> Lines {
        let mut reserved = Vec::new();
        for reserve in &spec.reserves {
            let ReserveSpec::Interrupt(line) = reserve else { continue };
            reserved.push(line.value);
            if line.value >= range.end {
                let message = format!("`{controller}` has no line {} that could be reserved", line.value);
                let hint = format!("its last one is {}", range.end.saturating_sub(1));
                diagnostics.push(Diagnostic::warning(codes::RESERVED_LINE, message).at(line.span).hint(hint));
            }
        }
        Lines { controller: controller.to_owned(), range, taken: BTreeMap::new(), reserved }
    }

    /// Takes `line`, a raw INTID, for `what`. Reports and gives `None` if it is not shared, or not free.
    pub(super) fn take(&mut self, line: Spanned<u32>, what: &str, diagnostics: &mut Diagnostics) -> Option<u32> {
        let Spanned { value: line, span } = line;
        let name = self.controller.clone();
        let error = |message: String| Diagnostic::error(codes::INTERRUPT, message).at(span);
        if !self.range.contains(&line) && self.range.start == 0 {
            let hint = match self.range.end {
                0 => "the VM has no interrupt controller: write `vdev ioapic`".to_owned(),
                end => format!("its lines are 0 to {}", end - 1),
            };
            diagnostics.push(error(format!("`{name}` has no line {line}")).hint(hint));
            return None;
        }
        if !self.range.contains(&line) {
            let hint = format!("`{name}` takes raw INTIDs: {} to {} are shared lines", SHARED.start, SHARED.end - 1);
            let error = match line < SHARED.start {
                true => error(format!("line {line} is private to a CPU"))
                    .hint(format!("{hint}; if SPI {line} was meant, write `{name}:{}`", line + SHARED.start)),
                false => error(format!("`{name}` has no line {line}")).hint(hint),
            };
            diagnostics.push(error);
            return None;
        }
        if let Some(first) = self.insert(line, what, Some(span)) {
            let free: Vec<String> = self.free(line).map(|line| line.to_string()).collect();
            let hint = format!("each vdev needs a line of its own; the next free ones are {}", free.join(", "));
            let error = match first {
                Some(first) => error(format!("line {line} of `{name}` is taken")).label(first, "first claimed here"),
                None => {
                    let owner = self.taken.get(&line).map_or("another", |(what, _)| what.as_str());
                    error(format!("line {line} of `{name}` is {owner}'s"))
                }
            };
            diagnostics.push(error.hint(hint));
            return None;
        }
        Some(line)
    }

    /// Takes `line` for `what`, which `span` says. If it is not free, gives where it was taken, and that stays.
    fn insert(&mut self, line: u32, what: &str, span: Option<Span>) -> Option<Option<Span>> {
        match self.taken.get(&line) {
            Some((_, first)) => Some(*first),
            None => {
                self.taken.insert(line, (what.to_owned(), span));
                None
            }
        }
    }

    /// Takes `line` for something that is there unasked, or has the line as a rule, if it is free; `span` is where that is said.
    pub(super) fn take_if_free(&mut self, line: u32, what: &str, span: Option<Span>) -> bool {
        self.range.contains(&line) && self.insert(line, what, span).is_none()
    }

    /// What has `line`, and where that is said.
    pub(super) fn owner(&self, line: u32) -> Option<(&str, Span)> {
        self.taken.get(&line).and_then(|(what, span)| Some((what.as_str(), (*span)?)))
    }

    /// Some lines from `line` on that nothing has and nobody reserved, those at the beginning after those at the end.
    fn free(&self, line: u32) -> impl Iterator<Item = u32> {
        let is_free = |line: &u32| !self.taken.contains_key(line) && !self.reserved.contains(line);
        (line..self.range.end).chain(self.range.start..line).filter(is_free).take(FREE_SHOWN)
    }
}
