//! `vdev` and what belongs to it.

use super::super::lexer::Word;
use super::super::suggest;
use super::super::vocabulary::{self, Entry, Place, Status};
use super::location::Location;
use super::{Context, Parser, join};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{Loc, Span, Spanned, VdevSpec, VdevSpecKind};

/// A vdev that was refused, and all that was written for it.
pub(super) struct RefusedVdev {
    name: String,
    why: &'static str,
    instead: String,
    /// `vdev NAME` first; what stands together is one span.
    spans: Vec<Span>,
}

impl Parser<'_> {
    /// `vdev TYPE`.
    pub(super) fn vdev(&mut self, entry: &'static Entry, word: &Word) {
        self.open(Context::Refused);
        let Some(argument) = self.argument(entry, word) else { return };
        let span = join(word.span, argument.span);
        let text = vocabulary::vdev_type(&argument.text);
        let is_type = |entry: &Entry| entry.place == Place::VdevType;
        let known = vocabulary::find(text, is_type);
        match known.map(|entry| (entry, self.status(entry))) {
            Some((_, Status::Refused(refusal))) => {
                self.refused = Some(RefusedVdev {
                    name: text.to_owned(),
                    why: refusal.why,
                    instead: refusal.instead.to_owned(),
                    spans: vec![span],
                });
            }
            Some((entry, _)) => self.open_vdev(entry.word, span),
            None => match text.strip_suffix("-safety").and_then(|plain| vocabulary::find(plain, is_type)) {
                Some(plain) => {
                    let instead = format!("there are no certified variants: write `vdev {}`", plain.word);
                    let (name, why) = (text.to_owned(), "is not supported yet");
                    self.refused = Some(RefusedVdev { name, why, instead, spans: vec![span] });
                }
                None => {
                    let hint = match suggest::nearest(text, vocabulary::words(is_type)) {
                        Some(nearest) => format!("did you mean `{nearest}`?"),
                        None => self.vdevs_there_are(),
                    };
                    let diagnostic =
                        Diagnostic::error(codes::UNKNOWN_WORD, format!("there is no vdev `{}`", argument.text));
                    self.diagnostics.push(diagnostic.at(argument.span).hint(hint));
                }
            },
        }
    }

    /// Takes what was passed over, from `word` to where the parser is, as a part of the refused vdev.
    pub(super) fn belongs_to_refused(&mut self, word: &Word) {
        let Some(mut refused) = self.refused.take() else { return };
        let span = self.last_taken().map_or(word.span, |last| join(word.span, last));
        match refused.spans.last_mut() {
            // Only white space of one line in between: one piece to the reader.
            Some(last)
                if last.file == span.file && self.between(*last, span).chars().all(|c| matches!(c, ' ' | '\t')) =>
            {
                last.end = span.end;
            }
            _ => refused.spans.push(span),
        }
        self.refused = Some(refused);
    }

    /// Reports the refused vdev, with all that was written for it, now that its context ends.
    pub(super) fn report_refused(&mut self) {
        let Some(RefusedVdev { name, why, instead, spans }) = self.refused.take() else { return };
        let mut diagnostic = Diagnostic::error(codes::NOT_SUPPORTED, format!("`vdev {name}` {why}"));
        for (index, span) in spans.into_iter().enumerate() {
            diagnostic = if index == 0 { diagnostic.at(span) } else { diagnostic.label(span, "this belongs to it") };
        }
        self.diagnostics.push(diagnostic.hint(instead));
    }

    /// The vdevs that a guest can have, for a hint.
    fn vdevs_there_are(&self) -> String {
        let cpu = self.architecture();
        let works = |entry: &Entry| entry.place == Place::VdevType && entry.status(cpu) == Status::Works;
        let words: Vec<String> = vocabulary::words(works).map(|word| format!("`{word}`")).collect();
        let (last, others) =
            words.split_last().map_or((String::new(), &[][..]), |(last, others)| (last.clone(), others));
        format!("there are {} and {last}; a vdev of one's own cannot be loaded", others.join(", "))
    }

    fn open_vdev(&mut self, kind: &str, span: Span) {
        let Some(kind) = VdevSpecKind::from_word(kind) else { return };
        let is_gic = |vdev: &VdevSpec| matches!(vdev.kind, VdevSpecKind::Gic { .. });
        // A guest has one GIC, asked for or not: more lines for it give more options to the same.
        let index = match self.spec.vdevs.iter().position(is_gic) {
            Some(index) if matches!(kind, VdevSpecKind::Gic { .. }) => index,
            _ => {
                self.spec.vdevs.push(VdevSpec { kind, loc: None, intr: None, name: None, span });
                self.spec.vdevs.len() - 1
            }
        };
        self.open(Context::Vdev(index));
    }

    /// A sub-option of the vdev `index`.
    pub(super) fn vdev_option(&mut self, index: usize, entry: &'static Entry, word: &Word) {
        if entry.word == "log" {
            return self.logger(entry, word);
        }
        self.note_no_meaning(entry, word);
        let argument = match entry.word {
            "name" | "hostdev" => self.text_argument(entry, word),
            _ => self.argument(entry, word),
        };
        let Some(argument) = argument else { return };
        match entry.word {
            "loc" => self.vdev_loc(index, &argument),
            "intr" => self.intr(index, &argument),
            "name" => self.vdev_name(index, &argument),
            "version" => self.gic_version(index, &argument),
            "hostvector" => self.hostvector(index, &argument),
            "hostdev" => self.hostdev(index, argument),
            "frequency" => self.frequency(index, &argument),
            "action" => self.action(index, argument),
            "reg" => self.preset(index, &argument),
            "sched" => drop(self.sched(&argument)),
            "delayed" if argument.text == "forever" => {}
            "delayed" => drop(self.plain(argument.piece(), "a number of seconds, or `forever`")),
            _ => drop(self.plain(argument.piece(), "a number of microseconds")),
        }
    }

    fn vdev_loc(&mut self, index: usize, argument: &Word) {
        let Some(location) = self.location("loc", argument) else { return };
        let Some(kind) = self.spec.vdevs.get(index).map(|vdev| vdev.kind.clone()) else { return };
        let loc = match (location, &kind) {
            (Location::Port(port), VdevSpecKind::Ser8250 { .. }) => {
                Spanned { value: Loc::Port(port.value), span: port.span }
            }
            (Location::Pci { device, function }, VdevSpecKind::PciDummy) => {
                Spanned { value: Loc::Pci { device, function }, span: argument.span }
            }
            // Said where it is anyway, which is what qvm allows.
            (Location::Port(port), kind) if usual_port(kind) == Some(port.value) => return,
            (Location::Memory(place), kind) if is_in_memory(kind) => {
                if place.text.contains(',') {
                    let hint = "write the address alone: the device knows its length";
                    return self.bad_value(place.span, "the `loc` of a vdev takes no length", hint);
                }
                let Some(address) = self.address(place.piece()) else { return };
                self.check_page(address);
                Spanned { value: Loc::Memory(address.value), span: address.span }
            }
            (_, kind) => {
                let hint = match kind {
                    VdevSpecKind::Ser8250 { .. } => "it is at ports: `loc io:0x3f8`, or leave it out".to_owned(),
                    VdevSpecKind::PciDummy => "it is on PCI bus 0: `loc pci:0:DEVICE.FUNCTION`".to_owned(),
                    kind if is_in_memory(kind) => "it is in memory: `loc ADDRESS`".to_owned(),
                    kind => match usual_port(kind) {
                        Some(port) => format!("it is where every PC has it, at port {port:#x}: leave it out"),
                        None => "leave it out".to_owned(),
                    },
                };
                return self.bad_value(argument.span, format!("`{}` cannot be there", kind.word()), hint);
            }
        };
        self.override_with("loc", |spec| spec.vdevs.get_mut(index).map(|vdev| &mut vdev.loc), loc);
    }

    /// `OFFSET,VALUE`: a byte of a clock's memory. Both are numbers of a register: decimal, as all that are no addresses.
    fn preset(&mut self, index: usize, argument: &Word) {
        let [offset, value] = argument.split(',', 3)[..] else {
            let hint = "write `reg OFFSET,VALUE`, for example `reg 0x10,0x20`";
            return self.bad_value(argument.span, format!("`{}` is no byte of a clock's memory", argument.text), hint);
        };
        // Below are the time and the registers, which the clock itself sets (MC146818 data sheet, "Address map").
        let offset = self.ranged(offset, "an offset in the clock's memory", 0x0e, 0x7f);
        let value = self.ranged(value, "a byte", 0, 0xff);
        let byte = |number: Spanned<u64>| u8::try_from(number.value).ok();
        let (Some(offset), Some(value)) = (offset.and_then(byte), value.and_then(byte)) else { return };
        if let Some(VdevSpec { kind: VdevSpecKind::Mc146818 { presets }, .. }) = self.spec.vdevs.get_mut(index) {
            // Of several for one offset the last one counts.
            presets.retain(|(other, _)| *other != offset);
            presets.push((offset, value));
        }
    }

    /// Where the GIC got the name that it has by now, if it has got one.
    pub(super) fn gic_name(&self) -> Option<Span> {
        let gic = self.spec.vdevs.iter().find(|vdev| matches!(vdev.kind, VdevSpecKind::Gic { .. }));
        gic.and_then(|gic| Some(gic.name.as_ref()?.span))
    }

    fn vdev_name(&mut self, index: usize, argument: &Word) {
        let Some(name) = self.name(argument) else { return };
        let is_controller = self.spec.vdevs.get(index).is_some_and(|vdev| vdev.kind.is_controller());
        if is_controller && name.value.contains(':') {
            let message = format!("the name `{}` has a colon in it", name.value);
            let diagnostic = Diagnostic::error(codes::WRONG_NAME, message)
                .at(name.span)
                .hint("an interrupt controller's name stands before a colon in `intr`");
            return self.diagnostics.push(diagnostic);
        }
        self.override_with("name", |spec| spec.vdevs.get_mut(index).map(|vdev| &mut vdev.name), name);
    }

    fn gic_version(&mut self, index: usize, argument: &Word) {
        let version = match argument.text.as_str() {
            "2" => 2,
            "3" => 3,
            text => {
                let message = format!("there is no GIC version `{text}`");
                return self.bad_value(argument.span, message, "write `version 3` or `version 2`");
            }
        };
        let version = Spanned { value: version, span: argument.span };
        self.override_with(
            "version",
            |spec| match &mut spec.vdevs.get_mut(index)?.kind {
                VdevSpecKind::Gic { version, .. } => Some(version),
                _ => None,
            },
            version,
        );
    }

    /// The interrupt of the board that the controller's line 0 stands for; the following lines count up.
    fn hostvector(&mut self, index: usize, argument: &Word) {
        let Some(vector) = self.word32(argument.piece(), "an interrupt of the board") else { return };
        self.override_with(
            "hostvector",
            |spec| match &mut spec.vdevs.get_mut(index)?.kind {
                VdevSpecKind::Gic { hostvector, .. } | VdevSpecKind::Ioapic { hostvector } => Some(hostvector),
                _ => None,
            },
            vector,
        );
    }

    /// The clock of a watchdog. A counter of the architecture is no faster (DDI 0487 D11.1.2).
    fn frequency(&mut self, index: usize, argument: &Word) {
        let Some(hertz) = self.ranged(argument.piece(), "a frequency in hertz", 1, 1_000_000_000) else { return };
        self.override_with(
            "frequency",
            |spec| match &mut spec.vdevs.get_mut(index)?.kind {
                VdevSpecKind::WdtSp805 { frequency, .. } => Some(frequency),
                _ => None,
            },
            hertz,
        );
    }

    /// What a watchdog's bite does: `[dump,]terminate`.
    fn action(&mut self, index: usize, argument: Word) {
        match argument.text.as_str() {
            "terminate" | "dump,terminate" => {}
            "fiq" | "dump,fiq" => {
                let instead = "a guest gets no FIQ from its watchdog: `wdt-sp805` interrupts at the first time-out";
                return self.not_supported(&format!("action {}", argument.text), argument.span, instead);
            }
            text => {
                let message = format!("`{text}` is not what a watchdog can do");
                return self.bad_value(argument.span, message, "write `action terminate` or `action dump,terminate`");
            }
        }
        let value = Spanned { value: argument.text, span: argument.span };
        self.override_with(
            "action",
            |spec| match &mut spec.vdevs.get_mut(index)?.kind {
                VdevSpecKind::WdtSp805 { action, .. } | VdevSpecKind::WdtIb700 { action } => Some(action),
                _ => None,
            },
            value,
        );
    }

    /// `[<|>]-`, or in place of `-` what the system calls the board's console; several add up.
    fn hostdev(&mut self, index: usize, argument: Word) {
        let text = argument.text.as_str();
        let (direction, name) = match text.strip_prefix(['<', '>']) {
            Some(name) => text.split_at(text.len() - name.len()),
            None => ("", text),
        };
        let consoles = self.environment.host.consoles;
        if name != "-" && !consoles.iter().any(|console| console == name) {
            let forms = "the board's console is the only host device: `hostdev -`, or `>-` and `<-` for one direction";
            let hint = match (suggest::nearest(name, consoles.iter().map(String::as_str)), consoles) {
                (Some(nearest), _) => format!("did you mean `{direction}{nearest}`? {forms}"),
                (None, []) => forms.to_owned(),
                (None, consoles) => format!("{forms}; `{}` means the same", consoles.join("`, `")),
            };
            return self.not_supported(&format!("hostdev {text}"), argument.span, &hint);
        }
        let value = format!("{direction}-");
        if let Some(hostdev) = self.spec.vdevs.get_mut(index).and_then(|vdev| vdev.kind.hostdev_mut()) {
            hostdev.push(Spanned { value, span: argument.span });
        }
    }
}

/// Whether the registers of such a vdev are in memory.
fn is_in_memory(kind: &VdevSpecKind) -> bool {
    matches!(
        kind,
        VdevSpecKind::Gic { .. }
            | VdevSpecKind::Pl011 { .. }
            | VdevSpecKind::Pl061
            | VdevSpecKind::WdtSp805 { .. }
            | VdevSpecKind::Ioapic { .. }
            | VdevSpecKind::Hpet
    )
}

/// The first port of a vdev that is at the same ports on every PC.
fn usual_port(kind: &VdevSpecKind) -> Option<u16> {
    match kind {
        VdevSpecKind::Pic8259 => Some(0x20),
        VdevSpecKind::Timer8254 => Some(0x40),
        VdevSpecKind::PcKeyboard => Some(0x60),
        VdevSpecKind::WdtIb700 { .. } => Some(0x441),
        VdevSpecKind::Mc146818 { .. } => Some(0x70),
        _ => None,
    }
}
