//! A segment register with what the CPU keeps behind its selector (APM volume 2, 4.8).
#![forbid(unsafe_code)]

/// A segment register, or a descriptor table's register, which has base and limit only. The layout is the VMCB's.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The visible part.
    pub selector: u16,
    /// Bits 55:52 and 47:40 of the descriptor, next to one another: [`attributes`].
    pub attributes: u16,
    /// The last byte's offset.
    pub limit: u32,
    /// The first byte's linear address.
    pub base: u64,
}

/// Bits of [`Segment::attributes`].
pub mod attributes {
    /// Read, write, accessed: a data segment's type with the system bit's complement.
    pub const DATA: u16 = 0x13;
    /// Execute, read, accessed.
    pub const CODE: u16 = 0x1b;
    /// A task state segment that is in use, of 32 or 64 bits.
    pub const BUSY_TSS: u16 = 0x0b;
    /// A task state segment that is in use, of 16 bits: what TR has out of reset.
    pub const BUSY_TSS_16: u16 = 0x03;
    /// A local descriptor table.
    pub const LDT: u16 = 0x02;
    /// It is there.
    pub const PRESENT: u16 = 1 << 7;
    /// 64-bit code.
    pub const LONG: u16 = 1 << 9;
    /// 32-bit code, or a stack of 32 bits.
    pub const BIG: u16 = 1 << 10;
    /// The limit was in pages.
    pub const PAGES: u16 = 1 << 11;
}

impl Segment {
    /// A descriptor table's register.
    pub const fn table(base: u64, limit: u32) -> Segment {
        Segment { selector: 0, attributes: 0, limit, base }
    }

    /// As real mode has it: the base is the selector's, 64 KiB long (APM volume 2, 14.1.3).
    pub const fn real(selector: u16, kind: u16) -> Segment {
        let base = (selector as u64) << 4;
        Segment { selector, attributes: kind | attributes::PRESENT, limit: 0xffff, base }
    }

    /// 4 GiB from zero on.
    pub const fn flat(selector: u16, kind: u16) -> Segment {
        Segment { selector, attributes: kind | attributes::PRESENT | attributes::PAGES, limit: u32::MAX, base: 0 }
    }

    /// 64-bit code, if the CPU is in long mode.
    #[inline]
    pub const fn is_long(&self) -> bool {
        self.attributes & attributes::LONG != 0
    }

    /// Operands and addresses, or the stack pointer, have 32 bits, not 16.
    #[inline]
    pub const fn is_big(&self) -> bool {
        self.attributes & attributes::BIG != 0
    }

    /// The privilege level in its descriptor.
    pub const fn dpl(&self) -> u8 {
        (self.attributes >> 5 & 3) as u8
    }
}
