//! `intr` of a vdev: `PIC:LINE`, and x86's `apic`.

use super::super::lexer::Word;
use super::super::vocabulary::Refusal;
use super::{Named, Parser};
use crate::assemble::Architecture;
use crate::spec::{Line, Span, Spanned, VdevSpecKind};

impl Parser<'_> {
    /// `PIC:LINE`, of a vdev with several lines a list; without the name before the colon it is the default controller.
    pub(super) fn intr(&mut self, index: usize, argument: &Word) {
        let Some(kind) = self.spec.vdevs.get(index).map(|vdev| vdev.kind.clone()) else { return };
        if let VdevSpecKind::Ioapic { .. } = kind {
            if argument.text != "apic" {
                let hint = "write `intr apic`, or leave it out";
                self.bad_value(argument.span, "an I/O APIC interrupts the local APICs of the CPUs", hint);
            }
            return;
        }
        let pieces = argument.split(',', usize::MAX);
        if pieces.len() > 1 && !matches!(kind, VdevSpecKind::Hpet) {
            let hint = "write one line; a list of them is for a vdev that has several";
            return self.bad_value(argument.span, "this vdev has one interrupt line", hint);
        }
        let mut lines = Vec::new();
        for piece in pieces {
            let Some(line) = self.line(piece) else { return };
            lines.push(line);
        }
        let known = self.gic_name();
        self.controllers.retain(|other| other.vdev.is_none_or(|(vdev, _)| vdev != index));
        for (at, (controller, _)) in lines.iter().enumerate() {
            let (name, vdevs) = (controller.clone(), self.spec.vdevs.len());
            self.controllers.push(Named { vdev: Some((index, at)), name, vdevs, known });
        }
        let lines = lines.into_iter().map(|(controller, line)| Line { controller: controller.value, line }).collect();
        let intr = Spanned { value: lines, span: argument.span };
        self.override_with("intr", |spec| spec.vdevs.get_mut(index).map(|vdev| &mut vdev.intr), intr);
    }

    /// `PIC:LINE`.
    fn line(&mut self, piece: Spanned<&str>) -> Option<(Spanned<String>, Spanned<u32>)> {
        let arm = self.architecture() == Architecture::Aarch64;
        let Some((controller, line)) = piece.value.split_once(':') else {
            match (piece.value, arm) {
                ("apic", true) => {
                    let instead = "it is an x86 processor's own interrupt controller: write `gic:LINE`";
                    self.refuse("intr apic", piece.span, Refusal::only(Architecture::X86_64, instead));
                }
                ("apic", false) => {
                    let hint = "a device's line leads to an I/O APIC or a 8259: write `intr :LINE`";
                    self.bad_value(piece.span, "only an `ioapic` interrupts the local APICs", hint);
                }
                (_, arm) => {
                    let hint = match arm {
                        true => "write `intr gic:LINE`, with a raw INTID: SPI 5 is `gic:37`",
                        false => "write `intr PIC:LINE`, or `intr :LINE` for the default controller",
                    };
                    self.bad_value(piece.span, "`intr` needs a controller and a line", hint);
                }
            }
            return None;
        };
        // Where the text stands as it is, its parts can be underlined.
        let verbatim = piece.span.end - piece.span.start == piece.value.len();
        let part = |start: usize, length: usize| match verbatim {
            true => Span { start: piece.span.start + start, end: piece.span.start + start + length, ..piece.span },
            false => piece.span,
        };
        let line_at = Spanned { value: line, span: part(controller.len() + 1, line.len()) };
        let line = self.word32(line_at, "an interrupt line")?;
        let name = Spanned { value: controller.to_owned(), span: part(0, controller.len()) };
        Some((name, Spanned { value: line.value, span: piece.span }))
    }
}
