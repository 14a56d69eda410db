//! What fills the guest's address space: `ram`, `rom`, `load` in all its forms, `reserve`.

use model::PAGE_BYTES;

use super::super::lexer::Word;
use super::super::number;
use super::super::vocabulary::{Entry, Status};
use super::location::Location;
use super::radix::nearest;
use super::{Context, Parser, join};
use crate::assemble::Architecture;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{LoadKind, LoadSpec, MemorySpec, ReserveSpec, Span, Spanned};

impl Parser<'_> {
    /// `ram [START,]LENGTH` and `rom`.
    pub(super) fn memory(&mut self, entry: &'static Entry, word: &Word) {
        self.memory_seen = true;
        let Some(argument) = self.argument(entry, word) else { return };
        let (start, length, starts) = match *argument.split(',', 3) {
            [length] => (None, length, false),
            [start, length] => (self.address(start), length, true),
            _ => {
                let message = format!("`{}` takes no more than a start and a length", entry.word);
                return self.bad_value(argument.span, message, format!("write `{}`", entry.synopsis()));
            }
        };
        if let Some(start) = start {
            self.check_page(start);
        }
        let Some(size_bytes) = self.size(length) else { return };
        self.check_length(size_bytes, true);
        self.tell_length_radix(entry.word, length.value, size_bytes, starts);
        self.check_end(start, size_bytes, argument.span);
        let (read_only, span) = (entry.word == "rom", join(word.span, argument.span));
        self.spec.memory.push(MemorySpec { read_only, start, size_bytes, span });
    }

    /// Checks that an address is a multiple of a page.
    pub(super) fn check_page(&mut self, address: Spanned<u64>) {
        if address.value.is_multiple_of(PAGE_BYTES) {
            return;
        }
        let message = format!("the address {:#x} is not a multiple of 4 KiB", address.value);
        let diagnostic = Diagnostic::error(codes::NOT_PAGES, message).at(address.span).hint(nearest(address.value));
        self.diagnostics.push(diagnostic);
    }

    /// Checks that a length is not zero and, if so asked, a multiple of a page.
    pub(super) fn check_length(&mut self, length: Spanned<u64>, whole_pages: bool) {
        if length.value != 0 && (!whole_pages || length.value.is_multiple_of(PAGE_BYTES)) {
            return;
        }
        let (message, hint) = match length.value {
            0 => ("a length cannot be zero".to_owned(), None),
            _ => (
                format!("the length, {} bytes, is not a multiple of 4 KiB", length.value),
                Some(self.length_hint(length)),
            ),
        };
        let mut diagnostic = Diagnostic::error(codes::NOT_PAGES, message).at(length.span);
        diagnostic.hint = hint;
        self.diagnostics.push(diagnostic);
    }

    /// Checks that a range ends inside of the address space.
    pub(super) fn check_end(&mut self, start: Option<Spanned<u64>>, length: Spanned<u64>, span: Span) {
        if start.is_some_and(|start| start.value.checked_add(length.value).is_none()) {
            let message = "the range runs past the end of the address space";
            self.diagnostics.push(Diagnostic::error(codes::PAST_END, message).at(span));
        }
    }

    /// A type word: `guest load …` or `initrd pass …`.
    pub(super) fn typed(&mut self, entry: &'static Entry, word: &Word) {
        let Some(next) = self.peek().filter(|next| matches!(next.text.as_str(), "load" | "pass")).cloned() else {
            let message = format!("`{}` must be followed by `load`", entry.word);
            let hint = format!("write `{}`", entry.synopsis());
            self.bad_value(word.span, message, hint);
            return self.skip_line(word);
        };
        self.pass_over();
        let span = join(word.span, next.span);
        match (next.text.as_str(), self.status(entry)) {
            ("pass", _) => self.typed_pass(entry.word, span),
            (_, Status::Refused(refusal)) => {
                self.refuse(&format!("{} load", entry.word), span, refusal);
                self.skip(&next, 1);
            }
            _ => {
                let kind = match entry.word {
                    "guest" => LoadKind::Guest,
                    "initrd" => LoadKind::Initrd,
                    "fdt" => LoadKind::Fdt,
                    "acpi" => LoadKind::Acpi,
                    _ => LoadKind::Data,
                };
                self.load(entry, &next, span, kind);
            }
        }
    }

    /// `load [ADDRESS,]FILE`, of which `option` is the word `load` and `span` goes from the type word to it.
    pub(super) fn load(&mut self, entry: &'static Entry, option: &Word, span: Span, kind: LoadKind) {
        if !self.memory_seen {
            let diagnostic = Diagnostic::error(codes::ORDER, "`load` stands before the guest's memory")
                .at(span)
                .hint("write the `ram` and `rom` lines first");
            self.diagnostics.push(diagnostic);
        }
        let Some(argument) = self.text_argument(entry, option) else { return };
        let (address, path) = match *argument.split(',', 2) {
            // A file may have a comma in its name, but what begins with a digit or reads as an address is one.
            [address, path]
                if address.value.starts_with(|c: char| c.is_ascii_digit())
                    || number::address(address.value).is_ok() =>
            {
                (self.address(address), path)
            }
            _ => (None, argument.piece()),
        };
        if path.value.is_empty() {
            return self.bad_value(path.span, "the file's name is missing here", "write `load [ADDRESS,]FILE`");
        }
        let path = Spanned { value: self.resolve(path.value), span: path.span };
        self.spec.loads.push(LoadSpec { kind, address, path, span: join(span, argument.span) });
    }

    /// `loc START,LENGTH` or `intr LINE` after `reserve`; each reserves one more.
    pub(super) fn reserve_option(&mut self, entry: &'static Entry, word: &Word) {
        if let Context::Reserve { filled, .. } = &mut self.context {
            *filled = true;
        }
        let Some(argument) = self.argument(entry, word) else { return };
        match entry.word {
            "loc" => self.reserve_memory(&argument),
            _ if argument.text.contains(':') => {
                let hint = match self.architecture() {
                    Architecture::Aarch64 => "write the line alone, as a raw INTID: SPI 5 is `37`",
                    Architecture::X86_64 => "write the line alone",
                };
                self.bad_value(argument.span, "`reserve intr` takes no controller", hint);
            }
            _ => {
                if let Some(line) = self.word32(argument.piece(), "an interrupt line") {
                    self.spec.reserves.push(ReserveSpec::Interrupt(line));
                }
            }
        }
    }

    fn reserve_memory(&mut self, argument: &Word) {
        let Some(location) = self.location("reserve loc", argument) else { return };
        let range = match location {
            Location::Memory(range) => range,
            // Nothing is put at ports by itself.
            Location::Port(_) => return,
            Location::Pci { device, .. } => return self.spec.reserves.push(ReserveSpec::Pci(device)),
        };
        let [start, length] = *range.split(',', 2) else {
            let hint = "write `reserve loc START,LENGTH`";
            return self.bad_value(range.span, "reserved memory needs a length", hint);
        };
        let (start, size_bytes) = (self.address(start), self.size(length));
        if let (Some(start), Some(size_bytes)) = (start, size_bytes) {
            self.check_length(size_bytes, false);
            self.check_end(Some(start), size_bytes, range.span);
            self.spec.reserves.push(ReserveSpec::Memory { start, size_bytes });
        }
    }
}
