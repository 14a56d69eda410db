//! Where the registers are: offsets of the distributor's frame and of a redistributor's two frames, with the access
//! widths that each allows (IHI 0069 sections 12.1.3, 12.8, 12.10).
//!
//! An access that is not allowed, and every reserved offset, is RAZ/WI: section 12.1.3 leaves the former to the
//! implementation, section 12.1.1 asks it for the latter.

use super::bits::{BANKS, IntId, PER_BANK};
use super::fields::Field;
use model::GicVersion;

/// A register that the distributor and a redistributor's SGI_base frame have at the same offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BankRegister {
    /// One bit an interrupt.
    Bits { word: u32, field: Field },
    /// IPRIORITYR: `count` bytes from interrupt `first` of the word.
    Priorities { word: u32, first: u32, count: u32 },
    /// ICFGR: half a word.
    Config { word: u32, upper: bool },
}

/// Offset of the first [`BankRegister`], IGROUPR<0>.
pub(super) const FIRST_OF_BANKS: u64 = 0x80;

impl BankRegister {
    /// The register at `offset`, if there is one that may be accessed with `width_bytes`.
    #[inline]
    pub(super) fn decode(offset: u64, width_bytes: u8) -> Option<BankRegister> {
        let offset = u32::try_from(offset).ok()?;
        if width_bytes == 1 && (0x400..0x800).contains(&offset) {
            let intid = IntId::new(offset & 0x3ff)?;
            return Some(BankRegister::Priorities { word: intid.word(), first: intid.index(), count: 1 });
        }
        if width_bytes != 4 || !offset.is_multiple_of(4) {
            return None;
        }
        let field = match offset & !0x7f {
            0x080 => Field::Group,
            0x100 => Field::SetEnable,
            0x180 => Field::ClearEnable,
            0x200 => Field::SetPending,
            0x280 => Field::ClearPending,
            0x300 => Field::SetActive,
            0x380 => Field::ClearActive,
            _ => return Self::decode_wide(offset),
        };
        let word = (offset & 0x7f) / 4;
        (word < BANKS).then_some(BankRegister::Bits { word, field })
    }

    fn decode_wide(offset: u32) -> Option<BankRegister> {
        match offset {
            0x400..0x800 => {
                let intid = IntId::new(offset & 0x3ff)?;
                Some(BankRegister::Priorities { word: intid.word(), first: intid.index(), count: 4 })
            }
            0xc00..0xd00 => {
                let (half, halves) = ((offset & 0xff) / 4, BANKS * 2);
                (half < halves).then_some(BankRegister::Config { word: half / 2, upper: half & 1 != 0 })
            }
            _ => None,
        }
    }

    /// Index of its word: 0 is the private one.
    pub(super) const fn word(self) -> u32 {
        match self {
            BankRegister::Bits { word, .. }
            | BankRegister::Priorities { word, .. }
            | BankRegister::Config { word, .. } => word,
        }
    }
}

/// Whether the register at `offset` of the distributor's frame or of a redistributor's shows or changes what is in list
/// registers: the pending and active ones. Before an access to such a register the vCPU syncs.
#[inline]
pub const fn shows_list_registers(offset: u64) -> bool {
    matches!(offset & 0xffff, 0x200..0x400)
}

/// A part of a 64-bit register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Lower,
    Upper,
}

impl Part {
    /// The part that an aligned access of `width_bytes` at `offset` takes.
    pub(super) const fn of(offset: u64, width_bytes: u8) -> Option<Part> {
        match (width_bytes, offset % 8) {
            (8, 0) => Some(Part::Whole),
            (4, 0) => Some(Part::Lower),
            (4, 4) => Some(Part::Upper),
            _ => None,
        }
    }

    pub(super) const fn read(self, whole: u64) -> u64 {
        match self {
            Part::Whole => whole,
            Part::Lower => whole & 0xffff_ffff,
            Part::Upper => whole >> 32,
        }
    }

    /// `whole` with this part replaced.
    pub(super) const fn write(self, whole: u64, value: u64) -> u64 {
        match self {
            Part::Whole => value,
            Part::Lower => whole & !0xffff_ffff | value & 0xffff_ffff,
            Part::Upper => whole & 0xffff_ffff | value << 32,
        }
    }
}

/// Distributor registers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DistributorRegister {
    Control,
    Type,
    Implementer,
    Route(IntId, Part),
    Identification(u32),
}

impl DistributorRegister {
    pub(super) fn decode(offset: u64, width_bytes: u8) -> Option<DistributorRegister> {
        match offset {
            0x6000..0x8000 => {
                let intid = IntId::new(u32::try_from((offset & 0x1fff) / 8).ok()?)?;
                let part = Part::of(offset, width_bytes)?;
                (!intid.is_private()).then_some(DistributorRegister::Route(intid, part))
            }
            _ if width_bytes != 4 => None,
            0x0000 => Some(DistributorRegister::Control),
            0x0004 => Some(DistributorRegister::Type),
            0x0008 => Some(DistributorRegister::Implementer),
            0xffd0..=0xfffc => identification(offset, 0x92, GicVersion::V3).map(DistributorRegister::Identification),
            _ => None,
        }
    }
}

/// Redistributor registers of its own, all in the RD_base frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RedistributorRegister {
    Control,
    Implementer,
    Type(Part),
    Waker,
    Identification(u32),
}

impl RedistributorRegister {
    pub(super) fn decode(offset: u64, width_bytes: u8) -> Option<RedistributorRegister> {
        match offset {
            0x0008 | 0x000c => Part::of(offset, width_bytes).map(RedistributorRegister::Type),
            _ if width_bytes != 4 => None,
            0x0000 => Some(RedistributorRegister::Control),
            0x0004 => Some(RedistributorRegister::Implementer),
            0x0014 => Some(RedistributorRegister::Waker),
            0xffd0..=0xfffc => identification(offset, 0x93, GicVersion::V3).map(RedistributorRegister::Identification),
            _ => None,
        }
    }
}

/// Peripheral and component identification in the last registers of a frame, as Arm's own controllers have them (IHI 0069
/// section 12.1.2, IHI 0048 section 4.3.18): PIDR0 is `part_low`, PIDR2.ArchRev the GIC's `version`.
pub(super) const fn identification(offset: u64, part_low: u32, version: GicVersion) -> Option<u32> {
    let (version, frame_size) = match version {
        GicVersion::V2 => (2, 0),
        GicVersion::V3 => (3, 4),
    };
    match offset & 0xfff {
        0xfd0 => Some(frame_size << 4 | 0x4),
        0xfe0 => Some(part_low),
        0xfe4 => Some(0xb4),
        0xfe8 => Some(version << 4 | 0xb),
        0xff0 => Some(0x0d),
        0xff4 => Some(0xf0),
        0xff8 => Some(0x05),
        0xffc => Some(0xb1),
        _ => None,
    }
}

/// GICD_IIDR and GICR_IIDR: Arm's JEP106 code, whose register model this is, product `O`.
pub(super) const IIDR: u64 = 0x4f00_043b;
/// Interrupts of the private word as a redistributor's SGI_base frame names them.
pub(super) const PRIVATE_WORD: u32 = 0;

const _: () = assert!(BANKS == 16 && PER_BANK == 32, "a hint has 16 word bits and GICD_TYPER says 16 words");
