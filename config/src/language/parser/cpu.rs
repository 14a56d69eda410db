//! `cpu` and what belongs to it.

use super::super::lexer::Word;
use super::super::vocabulary::{Entry, Refusal, Status};
use super::{Context, Parser, join};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{CpuSpec, Policy, Spanned};

impl Parser<'_> {
    /// `cpu`: one more vCPU.
    pub(super) fn cpu(&mut self, word: &Word) {
        self.open(Context::Cpu(self.spec.cpus.len()));
        self.spec.cpus.push(CpuSpec { sched: None, runmask: None, span: word.span });
    }

    /// A sub-option of the vCPU `index`.
    pub(super) fn cpu_option(&mut self, index: usize, entry: &'static Entry, word: &Word) {
        let Some(argument) = self.argument(entry, word) else { return };
        match entry.word {
            "sched" => {
                let Some(sched) = self.sched(&argument) else { return };
                self.override_with("sched", |spec| spec.cpus.get_mut(index).map(|cpu| &mut cpu.sched), sched);
            }
            _ => {
                let Some(runmask) = self.runmask(&argument) else { return };
                self.override_with("runmask", |spec| spec.cpus.get_mut(index).map(|cpu| &mut cpu.runmask), runmask);
            }
        }
    }

    /// `cluster NAME`: refused, because boards have no named sets. A set of one CPU has a number in its name.
    pub(super) fn cluster(&mut self, entry: &'static Entry, word: &Word) {
        let Status::Refused(Refusal { instead, .. }) = self.status(entry) else { return };
        let Some(name) = self.argument(entry, word) else { return };
        let number = name.text.strip_prefix("_cpu-").filter(|digits| digits.parse::<u32>().is_ok());
        let instead = number.map_or(instead.to_owned(), |number| format!("write `runmask {number}`"));
        self.not_supported("cluster", join(word.span, name.span), &instead);
    }

    /// `PRIORITY[r|f|o]`.
    pub(super) fn sched(&mut self, argument: &Word) -> Option<Spanned<(u8, Policy)>> {
        if argument.text.contains(',') {
            let instead = "sporadic scheduling is not built: write one priority, `sched PRIORITY[r|f|o]`; what a guest's exits take \
                from others is bounded by `set ostler-exit-budget EXITS/MILLISECONDS`";
            self.not_supported("sched HIGH,LOW,…", argument.span, instead);
            return None;
        }
        let (digits, policy) = match argument.text.char_indices().last() {
            Some((at, 'r' | 'o')) => (argument.text.get(..at)?, Policy::RoundRobin),
            Some((at, 'f')) => (argument.text.get(..at)?, Policy::Fifo),
            _ => (argument.text.as_str(), Policy::default()),
        };
        // The span keeps the policy's letter: it is one value to the reader.
        let digits = Spanned { value: digits, span: argument.span };
        let priority = self.ranged(digits, "a priority", 1, 255)?;
        Some(Spanned { value: (u8::try_from(priority.value).ok()?, policy), span: argument.span })
    }

    /// `CPU[,CPU…]`.
    fn runmask(&mut self, argument: &Word) -> Option<Spanned<Vec<u32>>> {
        let mut good = true;
        let mut cpus: Vec<Spanned<u32>> = Vec::new();
        for piece in argument.split(',', usize::MAX) {
            let Some(cpu) = self.word32(piece, "a CPU's number") else {
                good = false;
                continue;
            };
            match cpus.iter().find(|other| other.value == cpu.value) {
                Some(first) => {
                    let diagnostic = Diagnostic::error(codes::BAD_VALUE, format!("CPU {} is named twice", cpu.value))
                        .at(cpu.span)
                        .label(first.span, "first named here");
                    self.diagnostics.push(diagnostic);
                    good = false;
                }
                None => cpus.push(cpu),
            }
        }
        let value = cpus.into_iter().map(|cpu| cpu.value).collect();
        good.then_some(Spanned { value, span: argument.span })
    }
}
