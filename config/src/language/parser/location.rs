//! Locations as they are written everywhere: `[mem:]ADDRESS…`, `io:PORT…`, `pci:…`.
//!
//! All forms are read, so that a mistake in one is told as such; an arm64 guest has memory only.

use super::super::lexer::Word;
use super::super::vocabulary::Refusal;
use super::Parser;
use crate::assemble::Architecture;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::Spanned;

/// Where something is for the guest.
pub(super) enum Location {
    /// Memory: what stands behind `mem:`, or without it the whole word.
    Memory(Word),
    /// A port of an x86 processor.
    Port(Spanned<u16>),
    /// A function on PCI bus 0, by its position.
    Pci { device: u8, function: u8 },
}

const PORTS: &str =
    "I/O ports are a thing of x86 processors: an arm64 guest has all its devices in memory, `loc ADDRESS`";
const NO_PCI: &str = "arm64 guests have no virtual PCI yet: leave it out";
const NO_PASS: &str = "PCI functions of the board cannot be passed yet: leave it out";

impl Parser<'_> {
    /// A location of what is passed or reserved, without its `mem:`. Locations that are not memory are refused.
    pub(super) fn memory_location(&mut self, option: &str, argument: &Word) -> Option<Word> {
        let kind = match self.location(option, argument)? {
            Location::Memory(memory) => return Some(memory),
            Location::Port(_) => "io",
            Location::Pci { .. } => "pci",
        };
        self.refuse(&format!("{option} {kind}:…"), argument.span, Refusal::not_yet(NO_PASS));
        None
    }

    /// Reads a location; of memory only the kind, because what follows the address differs. What a guest of this board cannot
    /// have is refused; `option` is what the location was written for.
    pub(super) fn location(&mut self, option: &str, argument: &Word) -> Option<Location> {
        if let Some(memory) = argument.strip_prefix("mem:") {
            return Some(Location::Memory(memory));
        }
        let (kind, location, refusal) = if let Some(ports) = argument.strip_prefix("io:") {
            ("io", self.ports(&ports)?, Refusal::only(Architecture::X86_64, PORTS))
        } else if let Some(pci) = argument.strip_prefix("pci:") {
            let place = self.pci(&pci)?;
            let refusal = match self.architecture() {
                Architecture::Aarch64 => Refusal::not_yet(NO_PCI),
                Architecture::X86_64 => Refusal::not_yet("write the place on bus 0: `pci:0:DEVICE.FUNCTION`"),
            };
            let Some((0, device, function)) = place else {
                self.refuse(&format!("{option} pci:…"), argument.span, refusal);
                return None;
            };
            ("pci", Location::Pci { device, function }, refusal)
        } else {
            let Some((kind, _)) = argument.text.split_once(':') else {
                return Some(Location::Memory(argument.clone()));
            };
            let message = format!("there is no kind of location `{kind}:`");
            self.bad_value(argument.span, message, "write the address alone, or `mem:` before it");
            return None;
        };
        if self.architecture() == Architecture::Aarch64 {
            self.refuse(&format!("{option} {kind}:…"), argument.span, refusal);
            return None;
        }
        Some(location)
    }

    /// `PORT[,LENGTH…]`: 65,536 of them. A port is an address, so hexadecimal.
    fn ports(&mut self, word: &Word) -> Option<Location> {
        let pieces = word.split(',', 3);
        let port = self.address(*pieces.first()?)?;
        let length = match pieces.get(1) {
            Some(length) => self.size(*length)?,
            None => Spanned { value: 1, span: port.span },
        };
        let first = u16::try_from(port.value).ok();
        let first = first.filter(|_| length.value != 0 && port.value.saturating_add(length.value) <= 0x1_0000);
        let Some(value) = first else {
            let diagnostic = Diagnostic::error(codes::OUT_OF_RANGE, "there are no such ports").at(word.span);
            self.diagnostics.push(diagnostic.hint("ports are from 0 to 0xffff"));
            return None;
        };
        Some(Location::Port(Spanned { value, span: word.span }))
    }

    /// `VENDOR/DEVICE[/INDEX]` or `BUS:DEVICE[.FUNCTION]`, of which it gives the numbers. Ids are hexadecimal, as they are
    /// everywhere; positions decimal.
    fn pci(&mut self, word: &Word) -> Option<Option<(u8, u8, u8)>> {
        // The other side of a pass, and what it may have behind a comma, is read where it means something.
        let end = word.text.find(['=', ',']).unwrap_or(word.text.len());
        let place = word.part(0, end);
        if let [ids, index @ ..] = place.value.split('/').collect::<Vec<_>>().as_slice()
            && let [device, index @ ..] = index
            && index.len() <= 1
        {
            self.pci_number(place, ids, "a vendor's id", 16, 0xffff)?;
            self.pci_number(place, device, "a device's id", 16, 0xffff)?;
            if let [index] = index {
                self.pci_number(place, index, "an index", 10, 0xffff)?;
            }
            return Some(None);
        }
        let Some((bus, rest)) = place.value.split_once(':') else {
            let hint = "write `pci:BUS:DEVICE.FUNCTION` or `pci:VENDOR/DEVICE/INDEX`";
            self.bad_value(word.span, format!("`{}` is no PCI device", place.value), hint);
            return None;
        };
        let (device, function) = rest.split_once('.').unwrap_or((rest, "0"));
        let byte = |number: u64| u8::try_from(number).ok();
        let bus = self.pci_number(place, bus, "a PCI bus", 10, 255)?;
        let device = self.pci_number(place, device, "a PCI device", 10, 31)?;
        let function = self.pci_number(place, function, "a PCI function", 10, 7)?;
        Some(Some((byte(bus)?, byte(device)?, byte(function)?)))
    }

    /// Reads `digits`, a part of `place`, as a number up to `most`, in this radix unless it says otherwise.
    fn pci_number(&mut self, place: Spanned<&str>, digits: &str, what: &str, radix: u32, most: u64) -> Option<u64> {
        let (digits, radix) = match digits.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (digits, radix),
        };
        let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        if let Some(number) = u64::from_str_radix(digits, radix).ok().filter(|&number| plain && number <= most) {
            return Some(number);
        }
        let diagnostic = match plain {
            true => Diagnostic::error(codes::OUT_OF_RANGE, format!("`{digits}` is not {what}")).hint(format!(
                "it must be from 0 to {}",
                if radix == 16 { format!("{most:#x}") } else { most.to_string() }
            )),
            false => Diagnostic::error(codes::BAD_NUMBER, format!("`{digits}` is not {what}"))
                .hint("write `pci:BUS:DEVICE.FUNCTION` or `pci:VENDOR/DEVICE/INDEX`"),
        };
        self.diagnostics.push(diagnostic.at(place.span));
        None
    }
}
