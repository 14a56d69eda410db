//! Locations as they are written everywhere: `[mem:]ADDRESS…`, `io:PORT…`, `pci:…`.
//!
//! All forms are read, so that a mistake in one is told as such; an arm64 guest has memory only.

use super::super::lexer::Word;
use super::super::vocabulary::Refusal;
use super::Parser;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::Spanned;

/// Where something is for the guest.
enum Location {
    /// Memory: what stands behind `mem:`, or without it the whole word.
    Memory(Word),
    /// Ports of an x86 processor.
    Ports,
    /// A PCI device, by its position or by who made it.
    Pci,
}

const PORTS: &str =
    "I/O ports are a thing of x86 processors: an arm64 guest has all its devices in memory, `loc ADDRESS`";
const NO_PCI: &str = "there is no virtual PCI yet: leave it out";

impl Parser<'_> {
    /// A location without its `mem:`. Locations that are not memory are refused; `option` is what they were written for.
    pub(super) fn memory_location(&mut self, option: &str, argument: &Word) -> Option<Word> {
        let (kind, refusal) = match self.location(argument)? {
            Location::Memory(memory) => return Some(memory),
            Location::Ports => ("io", Refusal::x86(PORTS)),
            Location::Pci => ("pci", Refusal::not_yet(NO_PCI)),
        };
        self.refuse(&format!("{option} {kind}:…"), argument.span, refusal);
        None
    }

    /// Reads a location; of memory only the kind, because what follows the address differs.
    fn location(&mut self, argument: &Word) -> Option<Location> {
        if let Some(memory) = argument.strip_prefix("mem:") {
            return Some(Location::Memory(memory));
        }
        if let Some(ports) = argument.strip_prefix("io:") {
            return self.ports(&ports);
        }
        if let Some(pci) = argument.strip_prefix("pci:") {
            return self.pci(&pci);
        }
        let Some((kind, _)) = argument.text.split_once(':') else { return Some(Location::Memory(argument.clone())) };
        let message = format!("there is no kind of location `{kind}:`");
        self.bad_value(argument.span, message, "write the address alone, or `mem:` before it");
        None
    }

    /// `PORT[,LENGTH…]`: 65,536 of them. A port is an address, so hexadecimal.
    fn ports(&mut self, word: &Word) -> Option<Location> {
        let pieces = word.split(',', 3);
        let port = self.address(*pieces.first()?)?;
        let length = match pieces.get(1) {
            Some(length) => self.size(*length)?,
            None => Spanned { value: 1, span: port.span },
        };
        if port.value > 0xffff || length.value == 0 || port.value.saturating_add(length.value) > 0x1_0000 {
            let diagnostic = Diagnostic::error(codes::OUT_OF_RANGE, "there are no such ports").at(word.span);
            self.diagnostics.push(diagnostic.hint("ports are from 0 to 0xffff"));
            return None;
        }
        Some(Location::Ports)
    }

    /// `VENDOR/DEVICE[/INDEX]` or `BUS:DEVICE[.FUNCTION]`. Ids are hexadecimal, as they are everywhere; positions decimal.
    fn pci(&mut self, word: &Word) -> Option<Location> {
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
            return Some(Location::Pci);
        }
        let Some((bus, rest)) = place.value.split_once(':') else {
            let hint = "write `pci:BUS:DEVICE.FUNCTION` or `pci:VENDOR/DEVICE/INDEX`";
            self.bad_value(word.span, format!("`{}` is no PCI device", place.value), hint);
            return None;
        };
        let (device, function) = rest.split_once('.').unwrap_or((rest, "0"));
        self.pci_number(place, bus, "a PCI bus", 10, 255)?;
        self.pci_number(place, device, "a PCI device", 10, 31)?;
        self.pci_number(place, function, "a PCI function", 10, 7)?;
        Some(Location::Pci)
    }

    /// Checks that `digits`, a part of `place`, is a number up to `most`, in this radix unless it says otherwise.
    fn pci_number(&mut self, place: Spanned<&str>, digits: &str, what: &str, radix: u32, most: u64) -> Option<()> {
        let (digits, radix) = match digits.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (digits, radix),
        };
        let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        if plain && u64::from_str_radix(digits, radix).is_ok_and(|number| number <= most) {
            return Some(());
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
