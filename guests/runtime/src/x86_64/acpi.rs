//! ACPI tables (ACPI 6.5, chapter 5): as much of the MADT, the FADT and the DSDT as guests need.
//!
//! A table is believed when its length and its checksum are right; what is in it is read by offsets that may be behind its
//! end, where there is zero.

use crate::machine::{Line, Polarity, Trigger};

/// A table whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table(&'static [u8]);

/// The longest table that is believed.
const LONGEST: usize = 1 << 20;
/// Header of all tables but the RSDP.
const HEADER: usize = 36;

/// Bytes of memory at a physical address, which the page tables have below 4 GiB.
pub(super) fn memory(address: u64, bytes: usize) -> Option<&'static [u8]> {
    let end = address.checked_add(bytes as u64)?;
    if address == 0 || end > 1 << 32 {
        return None;
    }
    // SAFETY: memory in which the loader left tables, which nobody writes while the guest runs.
    Some(unsafe { core::slice::from_raw_parts(address as *const u8, bytes) })
}

fn sums_to_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)) == 0
}

fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let bytes = bytes.iter().skip(offset).take(width);
    bytes.rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl Table {
    fn at(address: u64) -> Option<Table> {
        let length = number(memory(address, HEADER)?, 4, 4) as usize;
        let bytes = memory(address, length).filter(|_| (HEADER..=LONGEST).contains(&length))?;
        sums_to_zero(bytes).then_some(Table(bytes))
    }

    fn number(&self, offset: usize, width: usize) -> u64 {
        number(self.0, offset, width)
    }

    /// The table of this signature that the RSDP at `root` leads to.
    pub(super) fn find(root: u64, signature: &[u8; 4]) -> Option<Table> {
        let pointer = memory(root, 36)?;
        if !pointer.starts_with(b"RSD PTR ") || !sums_to_zero(&pointer[..20]) {
            return None;
        }
        // Revision 2 has the XSDT beside the RSDT.
        let (list, width) = match (pointer[15], number(pointer, 24, 8)) {
            (2.., address @ 1..) => (address, 8),
            _ => (number(pointer, 16, 4), 4),
        };
        let list = Table::at(list)?;
        let tables = list.0[HEADER..].chunks_exact(width).map(|entry| number(entry, 0, width));
        tables.filter_map(Table::at).find(|table| table.0.starts_with(signature))
    }

    /// Entries of a MADT: type, and all bytes.
    fn entries(self) -> impl Iterator<Item = (u8, &'static [u8])> {
        let mut rest = self.0.get(HEADER + 8..).unwrap_or(&[]);
        core::iter::from_fn(move || {
            let (&kind, &length) = (rest.first()?, rest.get(1)?);
            let entry = rest.get(..usize::from(length)).filter(|entry| entry.len() >= 2)?;
            rest = &rest[entry.len()..];
            Some((kind, entry))
        })
    }
}

/// The MADT (ACPI 6.5, 5.2.12).
#[derive(Clone, Copy, Debug)]
pub(super) struct Interrupts(Table);

impl Interrupts {
    pub(super) fn of(root: u64) -> Option<Interrupts> {
        Table::find(root, b"APIC").map(Interrupts)
    }

    pub(super) fn local_apic(self) -> u64 {
        self.0.number(HEADER, 4)
    }

    /// PCAT_COMPAT: there is a pair of 8259s.
    pub(super) fn has_8259(self) -> bool {
        self.0.number(HEADER + 4, 4) & 1 != 0
    }

    /// APIC IDs of the CPUs that can be started: local APICs and local x2APICs.
    pub(super) fn cpus(self) -> impl Iterator<Item = u64> {
        self.0.entries().filter_map(|(kind, entry)| match kind {
            0 if number(entry, 4, 4) & 1 != 0 => Some(number(entry, 3, 1)),
            9 if number(entry, 8, 4) & 1 != 0 => Some(number(entry, 4, 4)),
            _ => None,
        })
    }

    /// Address of the I/O APIC that has the first line.
    pub(super) fn io_apic(self) -> Option<u64> {
        let mut entries = self.0.entries();
        entries.find_map(|(kind, entry)| (kind == 1 && number(entry, 8, 4) == 0).then(|| number(entry, 4, 4)))
    }

    /// The line of an ISA interrupt: by an override, or the same number, rising edge.
    pub(super) fn line(self, isa: u32) -> Line {
        let mut entries = self.0.entries();
        let told = entries.find(|(kind, entry)| *kind == 2 && number(entry, 3, 1) == u64::from(isa));
        let Some((_, entry)) = told else {
            return Line { number: isa, trigger: Trigger::Edge, polarity: Polarity::High };
        };
        // MPS INTI flags: polarity in bits 1:0, trigger in bits 3:2; 0 is the bus's own.
        let flags = number(entry, 8, 2);
        Line {
            number: number(entry, 4, 4) as u32,
            trigger: if flags >> 2 & 3 == 3 { Trigger::Level } else { Trigger::Edge },
            polarity: if flags & 3 == 3 { Polarity::Low } else { Polarity::High },
        }
    }
}

/// The FADT (ACPI 6.5, 5.2.9), with what the DSDT says of S5.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    /// SMI_CMD and ACPI_ENABLE.
    pub(super) command: u16,
    pub(super) enable: u8,
    /// SCI_INT.
    pub(super) interrupt: u32,
    /// PM1a_EVT and PM1_EVT_LEN.
    pub(super) events: (u16, u16),
    /// PM1a_CNT.
    pub(super) control: u16,
    /// PM_TMR; 0: there is none.
    pub(super) timer: u16,
    /// RESET_REG, if it is a port, and RESET_VALUE.
    pub(super) reset: Option<(u16, u8)>,
    /// SLP_TYPa of S5.
    pub(super) sleep_type: u8,
}

impl Fixed {
    pub(super) fn of(root: u64) -> Option<Fixed> {
        let table = Table::find(root, b"FACP")?;
        let definition = Table::at(table.number(140, 8)).or_else(|| Table::at(table.number(40, 4)))?;
        // Flags: RESET_REG_SUP. A generic address of space 1 is a port.
        let has_reset = table.number(112, 4) & 1 << 10 != 0 && table.number(116, 1) == 1;
        Some(Fixed {
            command: table.number(48, 4) as u16,
            enable: table.number(52, 1) as u8,
            interrupt: table.number(46, 2) as u32,
            events: (table.number(56, 4) as u16, table.number(88, 1) as u16),
            control: table.number(64, 4) as u16,
            timer: table.number(76, 4) as u16,
            reset: has_reset.then(|| (table.number(120, 8) as u16, table.number(128, 1) as u8)),
            sleep_type: sleep_type(definition.0)?,
        })
    }
}

/// The first element of `_S5_`, which every firmware writes as `Name (_S5, Package { SLP_TYPa, … })` with small constants (ACPI
/// 6.5, 7.4.2 and 20.2): the name, PackageOp, a PkgLength of one byte, NumElements, then ZeroOp, OneOp, or BytePrefix.
fn sleep_type(aml: &[u8]) -> Option<u8> {
    let name = aml.windows(4).position(|name| name == b"_S5_")?;
    match aml.get(name + 4..name + 9)? {
        [0x12, _, _, 0x0a, value] => Some(*value),
        [0x12, _, _, value @ (0 | 1), _] => Some(*value),
        _ => None,
    }
}
