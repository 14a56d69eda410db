//! The state in which a vCPU starts: of a start-up IPI, and of the protocols by which programs are loaded.
#![forbid(unsafe_code)]

use model::Start;

use crate::control::{ET, LMA, LME, PAE, PE, PG};
use crate::segment::{Segment, attributes};

/// RFLAGS out of reset: bit 1 is always one.
pub const RFLAGS_RESET: u64 = 1 << 1;
/// DR6 out of reset, and DR7 (APM volume 2, table 14-1).
pub const DR6_RESET: u64 = 0xffff_0ff0;
/// DR7 out of reset.
pub const DR7_RESET: u64 = 0x400;
/// The PAT out of reset (APM volume 2, 7.8.2).
pub const PAT_RESET: u64 = 0x0007_0406_0007_0406;

/// What a vCPU has when it starts. All other registers are zero, or as after INIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Code.
    pub cs: Segment,
    /// Data: DS, ES, FS, GS, SS.
    pub data: Segment,
    /// The task register.
    pub tr: Segment,
    /// The local descriptor table.
    pub ldtr: Segment,
    /// The global descriptor table.
    pub gdtr: Segment,
    /// The interrupt descriptor table.
    pub idtr: Segment,
    /// CR0. Caches are on: the first vCPU's were turned on by firmware, and INIT leaves them (APM volume 2, 14.1.2).
    pub cr0: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: u64,
    /// EFER, without SVME.
    pub efer: u64,
    /// First instruction.
    pub rip: u64,
    /// RAX.
    pub rax: u64,
    /// RBX.
    pub rbx: u64,
    /// RDX.
    pub rdx: u64,
    /// RSI.
    pub rsi: u64,
}

/// Bytes of the GDT of [`Start::gdt`], less one.
const GDT_LIMIT: u32 = 4 * 8 - 1;
/// Its selectors.
const CODE: u16 = 0x10;
const DATA: u16 = 0x18;

impl Started {
    /// As `start` says; `signature` is the CPU's family, model and stepping. `None` if that is another CPU's way to start.
    pub const fn new(start: Start, signature: u32) -> Option<Started> {
        let real = Started {
            cs: Segment::real(0, attributes::CODE),
            data: Segment::real(0, attributes::DATA),
            tr: Segment {
                selector: 0,
                attributes: attributes::BUSY_TSS_16 | attributes::PRESENT,
                limit: 0xffff,
                base: 0,
            },
            ldtr: Segment { selector: 0, attributes: attributes::LDT | attributes::PRESENT, limit: 0xffff, base: 0 },
            gdtr: Segment::table(0, 0xffff),
            idtr: Segment::table(0, 0xffff),
            cr0: ET,
            cr3: 0,
            cr4: 0,
            efer: 0,
            rip: 0,
            rax: 0,
            rbx: 0,
            rdx: signature as u64,
            rsi: 0,
        };
        let flat = Segment::flat(DATA, attributes::DATA | attributes::BIG);
        // The task register of protected mode is a 32-bit one (APM volume 2, 4.8.3).
        let tr = Segment { attributes: attributes::BUSY_TSS | attributes::PRESENT, ..real.tr };
        Some(match start {
            Start::Arm { .. } => return None,
            Start::Real { pc } => Started { cs: Segment::real((pc.0 >> 4) as u16, attributes::CODE), ..real },
            Start::Protected { pc, gdt, eax, ebx, esi } => Started {
                cs: Segment::flat(CODE, attributes::CODE | attributes::BIG),
                data: flat,
                tr,
                gdtr: match gdt {
                    Some(gdt) => Segment::table(gdt.0, GDT_LIMIT),
                    None => real.gdtr,
                },
                cr0: PE | ET,
                rip: pc.0,
                rax: eax as u64,
                rbx: ebx as u64,
                rdx: 0,
                rsi: esi as u64,
                ..real
            },
            Start::Long { pc, gdt, cr3, rsi } => Started {
                cs: Segment::flat(CODE, attributes::CODE | attributes::LONG),
                data: flat,
                tr,
                gdtr: Segment::table(gdt.0, GDT_LIMIT),
                cr0: PG | PE | ET,
                cr3: cr3.0,
                cr4: PAE,
                efer: LME | LMA,
                rip: pc.0,
                rdx: 0,
                rsi,
                ..real
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Gpa;

    #[test]
    fn a_start_up_ipi_starts_at_its_page() {
        let started = Started::new(Start::Real { pc: Gpa(0x9_f000) }, 0x800f12).unwrap();
        assert_eq!((started.cs.selector, started.cs.base, started.rip), (0x9f00, 0x9_f000, 0));
        assert_eq!((started.cr0, started.rdx), (ET, 0x800f12));
        assert_eq!((started.cs.attributes, started.data.attributes), (0x9b, 0x93));
    }

    #[test]
    fn protocols_start_with_the_segments_of_their_table() {
        let protected =
            Start::Protected { pc: Gpa(0x10_0000), gdt: Some(Gpa(0x1000)), eax: 0x2bad_b002, ebx: 5, esi: 6 };
        let started = Started::new(protected, 0).unwrap();
        // As the CPU would load them from the table.
        let [_, _, code, data] = Start::gdt(false);
        let loaded = |descriptor: u64| (descriptor >> 40 & 0xff | descriptor >> 44 & 0xf00) as u16;
        assert_eq!((started.cs.attributes, started.data.attributes), (loaded(code), loaded(data)));
        assert_eq!((started.gdtr.base, started.gdtr.limit, started.rax), (0x1000, 31, 0x2bad_b002));
        let long = Start::Long { pc: Gpa(0x20_0200), gdt: Gpa(0x1000), cr3: Gpa(0x2000), rsi: 0x9_0000 };
        let started = Started::new(long, 0).unwrap();
        let [_, _, code, _] = Start::gdt(true);
        assert_eq!(started.cs.attributes, loaded(code));
        assert!(started.cs.is_long() && !started.cs.is_big());
        assert_eq!(Started::new(Start::Arm { pc: Gpa(0), x0: 0 }, 0), None);
    }
}
