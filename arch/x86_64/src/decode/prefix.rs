//! Prefixes: the legacy ones in any order, then REX (APM volume 3, 1.2).

use super::{Segment, fetch::Fetch, table::Attributes};

/// What the code segment says of sizes (APM volume 2, 4.7.2 and 4.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 16 bits: real and virtual-8086 mode, and protected mode with CS.D = 0.
    Bits16,
    /// 32 bits: CS.D = 1.
    Bits32,
    /// 64-bit mode: CS.L = 1.
    Bits64,
}

/// The last of the REP prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// There is none.
    No,
    /// REP, REPE: 0xf3.
    WhileEqual,
    /// REPNE: 0xf2.
    WhileNotEqual,
}

/// All prefixes of an instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefixes {
    pub(super) mode: Mode,
    /// The whole REX byte right before the opcode, or zero.
    rex: u8,
    pub(super) has_operand_size: bool,
    has_address_size: bool,
    pub(super) is_locked: bool,
    pub(super) repeat: Repeat,
    /// An override that counts in this mode.
    segment: Option<Segment>,
}

impl Prefixes {
    /// Takes all prefixes and the opcode after them.
    #[inline]
    pub(super) fn fetch(fetch: &mut Fetch, mode: Mode) -> (Prefixes, u8, Attributes) {
        let mut prefixes = Prefixes {
            mode,
            rex: 0,
            has_operand_size: false,
            has_address_size: false,
            is_locked: false,
            repeat: Repeat::No,
            segment: None,
        };
        // At most as often as there are bytes: the zeros after them are no prefixes.
        loop {
            let byte = fetch.byte();
            if byte & 0xf0 == 0x40 && mode == Mode::Bits64 {
                prefixes.rex = byte;
                continue;
            }
            let attributes = Attributes::one_byte(byte);
            if !attributes.is_special() || !prefixes.add(byte) {
                return (prefixes, byte, attributes);
            }
        }
    }

    /// Adds a legacy prefix; false if `byte` is none.
    fn add(&mut self, byte: u8) -> bool {
        match byte {
            0x66 => self.has_operand_size = true,
            0x67 => self.has_address_size = true,
            0xf0 => self.is_locked = true,
            0xf2 => self.repeat = Repeat::WhileNotEqual,
            0xf3 => self.repeat = Repeat::WhileEqual,
            0x64 => self.segment = Some(Segment::Fs),
            0x65 => self.segment = Some(Segment::Gs),
            0x26 | 0x2e | 0x36 | 0x3e => self.add_segment(byte),
            _ => return false,
        }
        // Only a REX right before the opcode counts.
        self.rex = 0;
        true
    }

    fn add_segment(&mut self, byte: u8) {
        // Ignored in 64-bit mode (APM volume 3, 1.2.4).
        if self.mode != Mode::Bits64 {
            self.segment = Some(Segment::from_number(byte >> 3 & 3));
        }
    }

    /// The override, or `default`.
    #[inline]
    pub(super) fn segment_or(&self, default: Segment) -> Segment {
        self.segment.unwrap_or(default)
    }

    /// The effective operand size of most instructions: 2, 4 or 8.
    #[inline]
    pub(super) fn operand_bytes(&self) -> u8 {
        if self.rex & 8 != 0 {
            return 8;
        }
        4 >> u8::from(self.has_operand_size != (self.mode == Mode::Bits16))
    }

    /// 2, 4 or 8.
    #[inline]
    pub(super) fn address_bytes(&self) -> u8 {
        // Half of 64 bits, and the other one of 32 and 16.
        match (self.mode, self.has_address_size) {
            (Mode::Bits64, false) => 8,
            (mode, has_address_size) => 4 >> u8::from(has_address_size == (mode == Mode::Bits32)),
        }
    }

    #[inline]
    pub(super) fn is_64_bit(&self) -> bool {
        self.mode == Mode::Bits64
    }

    /// Any REX: then byte registers 4 to 7 are the low bytes of SP, BP, SI, DI.
    #[inline]
    pub(super) fn has_rex(&self) -> bool {
        self.rex != 0
    }

    /// REX.R as bit 3 of a register's number.
    #[inline]
    pub(super) fn rex_r(&self) -> u8 {
        self.rex << 1 & 8
    }

    /// REX.X likewise.
    #[inline]
    pub(super) fn rex_x(&self) -> u8 {
        self.rex << 2 & 8
    }

    /// REX.B likewise.
    #[inline]
    pub(super) fn rex_b(&self) -> u8 {
        self.rex << 3 & 8
    }

    /// Any of the prefixes that choose between instructions of one opcode.
    #[inline]
    pub(super) fn select(&self) -> bool {
        self.has_operand_size || self.repeat != Repeat::No
    }
}
