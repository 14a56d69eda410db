//! `[type] pass [loc …]… [intr …]…`: what of the board the guest has for itself.
//!
//! The values behind a comma are read from the left, and `=` begins the host's side of it: `GPA,LENGTH,rw=HPA`. Of a node in
//! the board's device tree (`dt:/PATH`) all but the guest's side is known, so there `=` begins that.

use model::Ports;

use super::super::lexer::Word;
use super::super::vocabulary::{Entry, Refusal};
use super::{Context, Named, Parser};
use crate::assemble::Architecture;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{Attributes, PassIntr, PassLoc, PassPlace, PassSpec, Span, Spanned};

/// What each letter does, for hints.
const LETTERS: &str = "the letters are `r` read, `w` write, `x` execute, `c` cached, `m` memory, `d` does DMA, `n` does none, and \
                       `e` `s` `t`, which change nothing here; `+` and `-` add and remove those behind them";

impl Parser<'_> {
    /// Opens the context of a `pass`.
    pub(super) fn pass(&mut self, initrd: bool, span: Span) {
        let index = self.spec.passes.len();
        self.spec.passes.push(PassSpec { initrd, locs: Vec::new(), intrs: Vec::new(), span });
        self.open(Context::Pass { index, filled: false });
    }

    /// `kind pass`: what is passed is there before the board starts.
    pub(super) fn typed_pass(&mut self, kind: &str, span: Span) {
        let refusal = match kind {
            "initrd" | "data" => return self.pass(kind == "initrd", span),
            "guest" => Refusal::not_yet("a program has to be known when the image is built: `guest load FILE`"),
            "fdt" => Refusal::not_yet("device trees are merged when the image is built: `fdt load FILE`"),
            _ if self.architecture() == Architecture::Aarch64 => {
                Refusal::only(Architecture::X86_64, "an arm64 guest takes a device tree: `fdt load FILE`")
            }
            _ => Refusal::not_yet("ACPI tables are placed when the image is built: `acpi load FILE`"),
        };
        self.refuse(&format!("{kind} pass"), span, refusal);
        self.open(Context::Refused);
    }

    /// The context of a `pass` ends without anything in it.
    pub(super) fn passes_nothing(&mut self, index: usize) {
        let Some(pass) = self.spec.passes.get(index) else { return };
        let diagnostic = Diagnostic::error(codes::EMPTY_CONTEXT, "`pass` passes nothing").at(pass.span).hint(
            match self.architecture() {
                Architecture::Aarch64 => {
                    "write `pass loc dt:/NODE`, `pass loc START,LENGTH,rw` or `pass intr gic:LINE`"
                }
                Architecture::X86_64 => {
                    "write `pass loc io:PORT,LENGTH,rw`, `pass loc START,LENGTH,rw` or `pass intr ioapic:LINE`"
                }
            },
        );
        self.diagnostics.push(diagnostic);
    }

    /// `loc` or `intr` of the pass `index`; each passes one more.
    pub(super) fn pass_option(&mut self, index: usize, entry: &'static Entry, word: &Word) {
        if let Context::Pass { filled, .. } = &mut self.context {
            *filled = true;
        }
        let Some(argument) = self.argument(entry, word) else { return };
        match entry.word {
            "loc" => {
                let loc = match argument.strip_prefix("dt:") {
                    Some(_) if self.architecture() == Architecture::X86_64 => {
                        let instead = "an x86 board has no device tree: write `pass loc GPA,LENGTH,ATTRIBUTES=HPA`";
                        return self.refuse(
                            "pass loc dt:…",
                            argument.span,
                            Refusal::only(Architecture::Aarch64, instead),
                        );
                    }
                    Some(node) => self.pass_node(&argument, &node),
                    None => match argument.strip_prefix("io:") {
                        Some(ports) if self.architecture() == Architecture::X86_64 => {
                            self.pass_ports(&argument, &ports)
                        }
                        _ => self.pass_memory(&argument),
                    },
                };
                if let (Some(pass), Some(loc)) = (self.spec.passes.get_mut(index), loc) {
                    pass.locs.push(loc);
                }
            }
            _ => {
                let intr = self.pass_intr(&argument);
                if let (Some(pass), Some(intr)) = (self.spec.passes.get_mut(index), intr) {
                    pass.intrs.push(intr);
                }
            }
        }
    }

    /// `dt:/PATH[,ATTRIBUTES][=GPA]`, without the `dt:`. A node's name may have a comma in it, but no `=`.
    fn pass_node(&mut self, argument: &Word, node: &Word) -> Option<PassLoc> {
        let (left, gpa) = sides(node);
        // A path ends at the last slash's name: letters behind a comma there could be the name's or attributes.
        let (path, letters) = match left.value.rsplit_once(',') {
            Some((path, letters)) if letters.chars().all(|c| "+-rwxcemdnst".contains(c)) && !letters.is_empty() => {
                (path, Some(Spanned { value: letters, span: tail(left, letters) }))
            }
            _ => (left.value, None),
        };
        if !path.starts_with('/') {
            let message = format!("`{path}` is no path in the board's device tree");
            self.bad_value(argument.span, message, "write it from the root, for example `dt:/pl031@9010000`");
            return None;
        }
        let path = Spanned { value: path.trim_end_matches('/').to_owned(), span: argument.span };
        let attributes = match letters {
            Some(letters) => Some(self.attributes(letters)?),
            None => None,
        };
        let gpa = match gpa {
            Some(gpa) => {
                let gpa = self.address(gpa)?;
                self.check_page(gpa);
                Some(gpa)
            }
            None => None,
        };
        Some(PassLoc { place: PassPlace::Node { path, gpa }, attributes, span: argument.span })
    }

    /// `[mem:]GPA,LENGTH,ATTRIBUTES[=HPA]`.
    fn pass_memory(&mut self, argument: &Word) -> Option<PassLoc> {
        let range = self.memory_location("pass loc", argument)?;
        let (left, hpa) = sides(&range);
        let pieces = pieces(left);
        let [start, length, letters] = *pieces.as_slice() else {
            let hint = "write `pass loc GPA,LENGTH,ATTRIBUTES=HPA`, for example `pass loc 0x9010000,0x1000,rw`";
            self.bad_value(argument.span, "memory is passed with a start, a length and attributes", hint);
            return None;
        };
        let (gpa, size_bytes, attributes) = (self.address(start), self.size(length), self.attributes(letters));
        let hpa = match hpa {
            Some(hpa) => Some(self.address(hpa)?),
            None => None,
        };
        let (gpa, size_bytes) = (gpa?, size_bytes?);
        for address in [Some(gpa), hpa].into_iter().flatten() {
            self.check_page(address);
            self.check_end(Some(address), size_bytes, argument.span);
        }
        self.check_length(size_bytes, true);
        let place = PassPlace::Memory { gpa, size_bytes, hpa };
        Some(PassLoc { place, attributes: Some(attributes?), span: argument.span })
    }

    /// `io:PORT,LENGTH,ATTRIBUTES`, without the `io:`: the guest's are the board's own.
    fn pass_ports(&mut self, argument: &Word, ports: &Word) -> Option<PassLoc> {
        let (left, host) = sides(ports);
        let pieces = pieces(left);
        let ([first, length, letters], None) = (pieces.as_slice(), host) else {
            let hint = "write `pass loc io:PORT,LENGTH,ATTRIBUTES`, for example `pass loc io:0x2f8,8,rw`";
            let message = "ports are passed with the first one, how many and attributes, to be where they are";
            self.bad_value(argument.span, message, hint);
            return None;
        };
        let (first, length, attributes) = (self.address(*first)?, self.size(*length)?, self.attributes(*letters)?);
        let [start, count] = [first.value, length.value].map(|value| u16::try_from(value).ok());
        let range =
            start.zip(count).filter(|_| length.value != 0 && first.value.saturating_add(length.value) <= 0x1_0000);
        let Some((start, count)) = range else {
            let diagnostic = Diagnostic::error(codes::OUT_OF_RANGE, "there are no such ports").at(argument.span);
            self.diagnostics.push(diagnostic.hint("ports are from 0 to 0xffff"));
            return None;
        };
        let place = PassPlace::Ports(Ports::new(start, count));
        Some(PassLoc { place, attributes: Some(attributes), span: argument.span })
    }

    /// Letters with `+` and `-` among them.
    fn attributes(&mut self, letters: Spanned<&str>) -> Option<Spanned<Attributes>> {
        let (mut attributes, mut adds) = (Attributes::default(), true);
        let mut without_effect = String::new();
        for letter in letters.value.chars() {
            let slot = match letter {
                '+' | '-' => {
                    adds = letter == '+';
                    continue;
                }
                'r' => &mut attributes.read,
                'w' => &mut attributes.write,
                'x' => &mut attributes.execute,
                'c' => &mut attributes.cached,
                'm' => &mut attributes.memory,
                'd' => &mut attributes.dma,
                'n' => &mut attributes.no_dma,
                'e' | 's' | 't' => {
                    without_effect.extend((!without_effect.contains(letter)).then_some(letter));
                    continue;
                }
                _ => {
                    self.bad_value(letters.span, format!("`{letter}` is no attribute of a `pass`"), LETTERS);
                    return None;
                }
            };
            *slot = adds;
        }
        for letter in without_effect.chars() {
            let why = match letter {
                'e' => "what the board answers to a guest's access is never hidden",
                _ => "nothing holds a device's DMA to ranges without an IOMMU",
            };
            let note = Diagnostic::note(codes::NO_MEANING, format!("attribute `{letter}` has no meaning here: {why}"));
            self.diagnostics.push(note.at(letters.span));
        }
        // Memory is read, written, executed and cached.
        if attributes.memory {
            attributes = Attributes { read: true, write: true, execute: true, cached: true, ..attributes };
        }
        Some(Spanned { value: attributes, span: letters.span })
    }

    /// `PIC:LINE[,ATTRIBUTES][=HOSTVECTOR]`.
    fn pass_intr(&mut self, argument: &Word) -> Option<PassIntr> {
        let (left, host) = sides(argument);
        let Some((controller, rest)) = left.value.split_once(':') else {
            let hint = match self.architecture() {
                Architecture::Aarch64 => "write `pass intr gic:LINE`, with a raw INTID: SPI 2 is `gic:34`",
                Architecture::X86_64 => "write `pass intr ioapic:LINE`, or `ioapic:LINE=N` for line N of the board",
            };
            self.bad_value(argument.span, "`pass intr` needs a controller and a line", hint);
            return None;
        };
        let pieces = pieces(Spanned { value: rest, span: tail(left, rest) });
        let (line, letters) = match *pieces.as_slice() {
            [line] => (line, None),
            [line, letters] => (line, Some(letters)),
            _ => {
                let hint = "write `pass intr gic:LINE`, or `gic:LINE,u=HOSTVECTOR`";
                self.bad_value(argument.span, "`pass intr` takes one list of attributes", hint);
                return None;
            }
        };
        let line = self.word32(line, "an interrupt line")?;
        let host = match host {
            Some(host) => Some(self.word32(host, "an interrupt of the board")?),
            None => None,
        };
        let mut unmasked = None;
        for letter in letters.iter().flat_map(|letters| letters.value.chars()) {
            let span = letters.map_or(argument.span, |letters| letters.span);
            match letter {
                '+' => {}
                'u' => unmasked = Some(span),
                't' => {
                    let why = "no thread handles an interrupt here";
                    let note = Diagnostic::note(codes::NO_MEANING, format!("attribute `t` has no meaning here: {why}"));
                    self.diagnostics.push(note.at(span));
                }
                _ => {
                    let hint = "there are `u`, unmask at once, and `t`, which changes nothing here";
                    self.bad_value(span, format!("`{letter}` is no attribute of a `pass intr`"), hint);
                    return None;
                }
            }
        }
        let at = Span { end: argument.span.start + controller.len(), ..argument.span };
        let span = if argument.span.end - argument.span.start == argument.text.len() { at } else { argument.span };
        let (name, known) = (Spanned { value: controller.to_owned(), span }, self.gic_name());
        self.controllers.push(Named { vdev: None, name, vdevs: self.spec.vdevs.len(), known });
        Some(PassIntr { controller: controller.to_owned(), line, host, unmasked, span: argument.span })
    }
}

/// What is before `=`, and what is behind it.
fn sides(word: &Word) -> (Spanned<&str>, Option<Spanned<&str>>) {
    match *word.split('=', 2) {
        [left, right] => (left, Some(right)),
        _ => (word.piece(), None),
    }
}

/// The pieces between commas.
fn pieces(whole: Spanned<&str>) -> Vec<Spanned<&str>> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for piece in whole.value.split(',') {
        let span = match is_verbatim(whole) {
            true => Span { start: whole.span.start + start, end: whole.span.start + start + piece.len(), ..whole.span },
            false => whole.span,
        };
        pieces.push(Spanned { value: piece, span });
        start += piece.len() + 1;
    }
    pieces
}

/// Where `end`, the last part of `whole`, stands.
fn tail(whole: Spanned<&str>, end: &str) -> Span {
    match is_verbatim(whole) {
        true => Span { start: whole.span.end - end.len(), ..whole.span },
        false => whole.span,
    }
}

/// Whether the text is in the file as it is, so that parts of it can be underlined.
fn is_verbatim(whole: Spanned<&str>) -> bool {
    whole.span.end - whole.span.start == whole.value.len()
}
