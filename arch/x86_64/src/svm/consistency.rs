//! Why VMRUN refuses a VMCB: the rules of APM volume 2, 15.5.1, 15.20 and 15.25.3, by their order there.
//!
//! The CPU says no more than that one of them is broken. Nothing a guest does may lead there; if it does, its VM stops with the
//! name of the field.
#![forbid(unsafe_code)]

use super::vmcb::Vmcb;
use crate::control::{LMA, LME, PAE, PE, PG, SVME};
use crate::segment::attributes;

/// CR0.CD and CR0.NW.
const CD: u64 = 1 << 30;
const NW: u64 = 1 << 29;
const CR4_CET: u64 = 1 << 23;
const CR0_WP: u64 = 1 << 16;
/// What is defined of EFER, and of CR4, by the manual of March 2024.
const EFER_BITS: u64 = 0x0036_fd01;
const CR4_BITS: u64 = 0x00f7_1fff;

/// A rule, and what breaks it.
type Rule = (&'static str, fn(&Vmcb, u32) -> bool);

/// The second argument: bits of the CPU's physical addresses.
const RULES: &[Rule] = &[
    ("VMRUN: EFER.SVME is zero", |vmcb, _| vmcb.state.efer & SVME == 0),
    ("VMRUN: CR0.NW without CD", |vmcb, _| vmcb.state.cr0 & NW != 0 && vmcb.state.cr0 & CD == 0),
    ("VMRUN: upper half of CR0", |vmcb, _| vmcb.state.cr0 >> 32 != 0),
    ("VMRUN: reserved bits of CR3", |vmcb, bits| is_beyond(vmcb.state.cr3 & !CR3_NO_FLUSH, bits)),
    ("VMRUN: reserved bits of CR4", |vmcb, _| vmcb.state.cr4 & !CR4_BITS != 0),
    ("VMRUN: upper half of DR6", |vmcb, _| vmcb.state.dr6 >> 32 != 0),
    ("VMRUN: upper half of DR7", |vmcb, _| vmcb.state.dr7 >> 32 != 0),
    ("VMRUN: reserved bits of EFER", |vmcb, _| vmcb.state.efer & !EFER_BITS != 0),
    ("VMRUN: EFER.LMA without paging in long mode", |vmcb, _| {
        vmcb.state.efer & LMA != 0 && (vmcb.state.efer & LME == 0 || vmcb.state.cr0 & PG == 0)
    }),
    ("VMRUN: long mode without CR4.PAE", |vmcb, _| pages_long(vmcb) && vmcb.state.cr4 & PAE == 0),
    ("VMRUN: long mode without CR0.PE", |vmcb, _| pages_long(vmcb) && vmcb.state.cr0 & PE == 0),
    ("VMRUN: CS is both of 64 and of 32 bits", |vmcb, _| {
        let both = attributes::LONG | attributes::BIG;
        pages_long(vmcb) && vmcb.state.cr4 & PAE != 0 && vmcb.state.cs.attributes & both == both
    }),
    ("VMRUN: VMRUN is not intercepted", |vmcb, _| !intercepts_vmrun(vmcb)),
    ("VMRUN: address of the MSR bitmap", |vmcb, bits| is_beyond(vmcb.control.msr_bitmap, bits)),
    ("VMRUN: address of the I/O bitmap", |vmcb, bits| is_beyond(vmcb.control.io_bitmap, bits)),
    ("VMRUN: illegal event", |vmcb, _| is_illegal(vmcb.control.event)),
    ("VMRUN: ASID is zero", |vmcb, _| vmcb.control.asid == 0),
    ("VMRUN: CR4.CET without CR0.WP", |vmcb, _| vmcb.state.cr4 & CR4_CET != 0 && vmcb.state.cr0 & CR0_WP == 0),
    ("VMRUN: reserved bits of nCR3", |vmcb, bits| is_beyond(vmcb.control.nested_cr3, bits)),
    ("VMRUN: memory type in G_PAT", |vmcb, _| {
        vmcb.state.pat.to_le_bytes().iter().any(|kind| !matches!(kind, 0 | 1 | 4..=7))
    }),
];

/// Bit 63 of CR3, which a write with PCIDs takes for "do not flush".
const CR3_NO_FLUSH: u64 = 1 << 63;

const fn is_beyond(address: u64, bits: u32) -> bool {
    matches!(address.checked_shr(bits), Some(rest) if rest != 0)
}

const fn pages_long(vmcb: &Vmcb) -> bool {
    vmcb.state.efer & LME != 0 && vmcb.state.cr0 & PG != 0
}

const fn intercepts_vmrun(vmcb: &Vmcb) -> bool {
    let [_, second, _] = vmcb.control.intercepts;
    second & 1 != 0
}

/// 15.20: a type or a vector that is none.
const fn is_illegal(event: u64) -> bool {
    let (kind, vector) = (event >> 8 & 7, event & 0xff);
    event & super::event::VALID != 0
        && match kind {
            0 | 2 | 4 => false,
            3 => vector == 2 || vector > 31,
            _ => true,
        }
}

/// The first rule that `vmcb` breaks on a CPU with physical addresses of `physical_bits` bits; `None` if we know of none.
pub fn broken(vmcb: &Vmcb, physical_bits: u32) -> Option<&'static str> {
    RULES.iter().find(|(_, breaks)| breaks(vmcb, physical_bits)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Segment;

    fn valid() -> Vmcb {
        let mut vmcb = Vmcb::ZERO;
        vmcb.control.asid = 1;
        vmcb.control.intercepts[1] = 1;
        vmcb.state.efer = SVME | LME | LMA;
        vmcb.state.cr0 = PE | PG;
        vmcb.state.cr4 = PAE;
        vmcb.state.cs = Segment::flat(8, attributes::CODE | attributes::LONG);
        vmcb.state.pat = 0x0007_0406_0007_0406;
        vmcb.control.event = 0x8000_0b0e;
        vmcb
    }

    #[test]
    fn a_valid_one_breaks_no_rule() {
        assert_eq!(broken(&valid(), 40), None);
        let mut real = valid();
        (real.state.efer, real.state.cr0, real.state.cr4) = (SVME, 0x10, 0);
        assert_eq!(broken(&real, 40), None);
    }

    #[test]
    fn each_rule_is_found() {
        type Break = (&'static str, fn(&mut Vmcb));
        let breaks: &[Break] = &[
            ("EFER.SVME", |vmcb| vmcb.state.efer &= !SVME),
            ("CR0.NW", |vmcb| vmcb.state.cr0 |= NW),
            ("half of CR0", |vmcb| vmcb.state.cr0 |= 1 << 32),
            ("CR3", |vmcb| vmcb.state.cr3 = 1 << 40),
            ("bits of CR4", |vmcb| vmcb.state.cr4 |= 1 << 13),
            ("DR6", |vmcb| vmcb.state.dr6 = 1 << 32),
            ("DR7", |vmcb| vmcb.state.dr7 = 1 << 63),
            ("bits of EFER", |vmcb| vmcb.state.efer |= 1 << 9),
            ("LMA", |vmcb| vmcb.state.efer &= !LME),
            ("PAE", |vmcb| vmcb.state.cr4 = 0),
            ("PE", |vmcb| vmcb.state.cr0 = PG),
            ("CS", |vmcb| vmcb.state.cs.attributes |= attributes::BIG),
            ("intercepted", |vmcb| vmcb.control.intercepts[1] = 0),
            ("MSR", |vmcb| vmcb.control.msr_bitmap = 1 << 52),
            ("I/O", |vmcb| vmcb.control.io_bitmap = 1 << 52),
            ("event", |vmcb| vmcb.control.event = 0x8000_0302),
            ("event", |vmcb| vmcb.control.event = 0x8000_0100),
            ("ASID", |vmcb| vmcb.control.asid = 0),
            ("CET", |vmcb| vmcb.state.cr4 |= CR4_CET),
            ("nCR3", |vmcb| vmcb.control.nested_cr3 = 1 << 48),
            ("G_PAT", |vmcb| vmcb.state.pat = 0x0007_0406_0007_0402),
        ];
        for (name, break_it) in breaks {
            let mut vmcb = valid();
            break_it(&mut vmcb);
            let found = broken(&vmcb, 40).unwrap_or("nothing");
            assert!(found.contains(name), "{name}: {found}");
        }
    }
}
