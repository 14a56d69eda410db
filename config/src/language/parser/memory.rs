//! What fills the guest's address space: `ram`, `rom`, `load` in all its forms, `reserve`.

use model::PAGE_BYTES;

use super::super::lexer::Word;
use super::super::number;
use super::super::vocabulary::{Entry, Status};
use super::{Context, Parser, join};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{LoadKind, LoadSpec, MemorySpec, ReserveSpec, Span, Spanned};

impl Parser<'_> {
    /// `ram [START,]LENGTH` and `rom`.
    pub(super) fn memory(&mut self, entry: &'static Entry, word: &Word) {
        self.memory_seen = true;
        let Some(argument) = self.argument(entry, word) else { return };
        let (start, size_bytes) = match *argument.split(',', 3) {
            [length] => (None, self.size(length)),
            [start, length] => (self.address(start), self.size(length)),
            _ => {
                let message = format!("`{}` takes no more than a start and a length", entry.word);
                return self.bad_value(argument.span, message, format!("write `{}`", entry.synopsis()));
            }
        };
        if let Some(start) = start {
            self.check_page(start);
        }
        let Some(size_bytes) = size_bytes else { return };
        self.check_length(size_bytes, true);
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

    /// What the writer of a length that is no number of pages most likely meant.
    fn length_hint(&self, length: Spanned<u64>) -> String {
        let text = self.source.text().get(length.span.start..length.span.end).unwrap_or("");
        let hexadecimal = format!("0x{text}");
        let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits_only && number::size(&hexadecimal).is_ok_and(|bytes| bytes.is_multiple_of(PAGE_BYTES)) {
            format!("lengths are decimal by default: for hexadecimal write `{hexadecimal}`")
        } else if digits_only && length.value < PAGE_BYTES {
            format!("without a suffix this is a number of bytes: for mebibytes write `{text}M`")
        } else {
            nearest(length.value)
        }
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
        self.at += 1;
        let span = join(word.span, next.span);
        match (next.text.as_str(), entry.status) {
            ("pass", _) => self.typed_pass(entry.word, span),
            (_, Status::Refused(instead)) => {
                self.not_supported(&format!("{} load", entry.word), span, instead);
                self.skip(&next, 1);
            }
            _ => {
                let kind = match entry.word {
                    "guest" => LoadKind::Guest,
                    "initrd" => LoadKind::Initrd,
                    "fdt" => LoadKind::Fdt,
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
                let hint = "write the line alone, as a raw INTID: SPI 5 is `37`";
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
        let Some(range) = self.memory_location("reserve loc", argument) else { return };
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

    /// A location without its `mem:`. Locations that are not memory are refused.
    pub(super) fn memory_location(&mut self, option: &str, argument: &Word) -> Option<Word> {
        if let Some(memory) = argument.strip_prefix("mem:") {
            return Some(memory);
        }
        match argument.text.split_once(':') {
            Some((kind @ ("io" | "pci"), _)) => {
                let instead = match kind {
                    "io" => "I/O ports are of x86 guests: an arm64 guest has memory only, `loc ADDRESS`",
                    _ => "there is no virtual PCI yet: leave it out",
                };
                self.not_supported(&format!("{option} {kind}:…"), argument.span, instead);
                None
            }
            Some((kind, _)) => {
                let message = format!("there is no kind of location `{kind}:`");
                self.bad_value(argument.span, message, "write the address alone, or `mem:` before it");
                None
            }
            None => Some(argument.clone()),
        }
    }
}

/// The multiples of a page on both sides of `value`, in words.
fn nearest(value: u64) -> String {
    let below = value - value % PAGE_BYTES;
    format!("the nearest multiples are {below:#x} and {:#x}", u128::from(below) + u128::from(PAGE_BYTES))
}
