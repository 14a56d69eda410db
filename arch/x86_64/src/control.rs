//! Control registers: what a guest may write, and what comes of it (APM volume 2, 3.1).
//!
//! The CPU would do most of this itself, but it allows what it has, and a guest has only what CPUID shows it. State that nobody
//! switches is behind some of the bits (PKRU, shadow stacks).
#![forbid(unsafe_code)]

/// CR0.PE: protected mode.
pub const PE: u64 = 1 << 0;
/// CR0.ET: always one.
pub const ET: u64 = 1 << 4;
/// CR0.WP: the kernel, too, heeds read-only pages.
pub const WP: u64 = 1 << 16;
/// CR0.NW.
const NW: u64 = 1 << 29;
/// CR0.CD.
const CD: u64 = 1 << 30;
/// CR0.PG: paging.
pub const PG: u64 = 1 << 31;
/// What is defined of CR0: MP, EM, TS, NE, AM besides. The other low bits are ignored.
const CR0_BITS: u64 = PE | 0b1110 | ET | 1 << 5 | WP | 1 << 18 | NW | CD | PG;

/// CR4.PSE: large pages in 32-bit tables.
pub const PSE: u64 = 1 << 4;
/// CR4.PAE: entries of 64 bits.
pub const PAE: u64 = 1 << 5;
/// CR4.PGE: global pages.
const PGE: u64 = 1 << 7;
/// CR4.LA57: five levels.
pub const LA57: u64 = 1 << 12;
/// CR4.PCIDE: CR3's low bits tag translations.
pub const PCIDE: u64 = 1 << 17;
/// CR4.OSXSAVE: XSAVE and XSETBV.
pub const OSXSAVE: u64 = 1 << 18;
/// CR4.SMEP: the kernel does not execute users' pages.
pub const SMEP: u64 = 1 << 20;
/// CR4.SMAP: the kernel does not touch users' pages but with AC.
pub const SMAP: u64 = 1 << 21;

/// EFER.SCE: SYSCALL.
const SCE: u64 = 1 << 0;
/// EFER.LME: paging is that of long mode.
pub const LME: u64 = 1 << 8;
/// EFER.LMA: it is on.
pub const LMA: u64 = 1 << 10;
/// EFER.NXE: no-execute pages.
pub const NXE: u64 = 1 << 11;
/// EFER.SVME. VMRUN wants it set in the guest's (15.5.1); a guest does not see it.
pub const SVME: u64 = 1 << 12;
/// What a guest may write to EFER. LMA is the CPU's.
const EFER_BITS: u64 = SCE | LME | LMA | NXE;

/// The guest's control registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// CR0.
    pub cr0: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: u64,
    /// EFER, without SVME.
    pub efer: u64,
    /// CS is a segment of 64-bit code.
    pub cs_is_long: bool,
}

/// A write that is not allowed: #GP(0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Control {
    /// The guest runs 64-bit code.
    #[inline]
    pub const fn is_64_bit(&self) -> bool {
        self.efer & LMA != 0 && self.cs_is_long
    }

    /// Writes CR0. True if translations are to be forgotten.
    pub fn write_cr0(&mut self, value: u64) -> Result<bool, Refused> {
        let value = if value >> 32 == 0 { value & CR0_BITS | ET } else { return Err(Refused) };
        let sets = value & !self.cr0;
        let clears = self.cr0 & !value;
        let is_wrong = value & PG != 0 && value & PE == 0
            || value & NW != 0 && value & CD == 0
            // Into long mode: with PAE, and from a segment that is not of 64 bits.
            || sets & PG != 0 && self.efer & LME != 0 && (self.cr4 & PAE == 0 || self.cs_is_long)
            || clears & PG != 0 && (self.is_64_bit() || self.cr4 & PCIDE != 0);
        if is_wrong {
            return Err(Refused);
        }
        if sets & PG != 0 && self.efer & LME != 0 {
            self.efer |= LMA;
        }
        if clears & PG != 0 {
            self.efer &= !LMA;
        }
        self.cr0 = value;
        Ok((sets | clears) & (PG | PE | WP) != 0)
    }

    /// Writes CR4, of which a guest has `allowed`. True if translations are to be forgotten.
    pub fn write_cr4(&mut self, value: u64, allowed: u64) -> Result<bool, Refused> {
        let sets = value & !self.cr4;
        let clears = self.cr4 & !value;
        let is_wrong = value & !allowed != 0
            || clears & PAE != 0 && self.efer & LMA != 0
            || sets & PCIDE != 0 && (self.efer & LMA == 0 || self.cr3 & 0xfff != 0);
        if is_wrong {
            return Err(Refused);
        }
        self.cr4 = value;
        Ok((sets | clears) & (PSE | PAE | PGE | PCIDE | SMEP | SMAP) != 0)
    }

    /// Writes EFER, of which a guest has NXE if `has_nx`. True if translations are to be forgotten.
    pub fn write_efer(&mut self, value: u64, has_nx: bool) -> Result<bool, Refused> {
        let allowed = if has_nx { EFER_BITS } else { EFER_BITS & !NXE };
        let changes = (value ^ self.efer) & !LMA;
        if value & !allowed != 0 || changes & LME != 0 && self.cr0 & PG != 0 {
            return Err(Refused);
        }
        self.efer = value & !LMA | self.efer & LMA;
        Ok(changes & NXE != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KERNEL: Control =
        Control { cr0: PE | ET | WP | PG, cr3: 0x1000, cr4: PAE, efer: LME | LMA, cs_is_long: true };
    const REAL: Control = Control { cr0: ET, cr3: 0, cr4: 0, efer: 0, cs_is_long: false };

    #[test]
    fn the_way_into_long_mode_and_back() {
        let mut control = REAL;
        assert_eq!(control.write_cr0(PE), Ok(true));
        assert_eq!(control.cr0, PE | ET);
        assert_eq!(control.write_efer(LME, true), Ok(false));
        assert_eq!(control.write_cr0(PE | PG), Err(Refused), "without PAE");
        assert_eq!(control.write_cr4(PAE, PAE), Ok(true));
        assert_eq!(control.write_cr0(PE | PG), Ok(true));
        assert_eq!(control.efer, LME | LMA);
        assert!(!control.is_64_bit());
        assert_eq!(control.write_efer(0, true), Err(Refused), "LME while paging");
        assert_eq!(control.write_cr4(0, PAE), Err(Refused), "PAE in long mode");
        let from_64_bit = &mut Control { cs_is_long: true, ..control };
        assert_eq!(from_64_bit.write_cr0(PE), Err(Refused), "out of 64-bit code");
        assert_eq!(control.write_cr0(PE), Ok(true));
        assert_eq!(control.efer, LME);
    }

    #[test]
    fn reserved_bits_are_refused_and_ignored_ones_are_not() {
        let mut control = KERNEL;
        assert_eq!(control.write_cr0(1 << 32 | PE | PG), Err(Refused));
        assert_eq!(control.write_cr0(PG), Err(Refused));
        assert_eq!(control.write_cr0(PE | PG | NW), Err(Refused));
        assert_eq!(control.write_cr0(KERNEL.cr0 | 1 << 17), Ok(false));
        assert_eq!(control, KERNEL);
        assert_eq!(control.write_cr4(PAE | 1 << 22, PAE | SMEP), Err(Refused));
        assert_eq!(control.write_cr4(PAE | LA57, PAE | SMEP), Err(Refused));
        for bit in [12, 13, 14, 15, 20, 21, 63] {
            assert_eq!(control.write_efer(KERNEL.efer | 1 << bit, true), Err(Refused));
        }
        assert_eq!(control.write_efer(KERNEL.efer | NXE, false), Err(Refused));
        assert_eq!(control.write_efer(KERNEL.efer | NXE, true), Ok(true));
    }

    #[test]
    fn tagged_translations_need_long_mode_and_a_tag_of_zero() {
        let allowed = PAE | PCIDE;
        let tagged = &mut Control { cr3: 0x1001, ..KERNEL };
        assert_eq!(tagged.write_cr4(allowed, allowed), Err(Refused));
        let control = &mut KERNEL.clone();
        assert_eq!(control.write_cr4(allowed, allowed), Ok(true));
        assert_eq!(control.write_cr0(PE), Err(Refused));
        let legacy = &mut Control { efer: 0, cs_is_long: false, ..KERNEL };
        assert_eq!(legacy.write_cr4(allowed, allowed), Err(Refused));
    }

    proptest! {
        /// Whatever is written, VMRUN takes what comes of it.
        #[test]
        fn no_write_makes_an_invalid_state(writes in prop::collection::vec((0..3, any::<u64>(), any::<u64>()), 1..40)) {
            let allowed = 0x7f | PAE | PGE | PCIDE | OSXSAVE | SMEP | SMAP;
            let mut control = REAL;
            for (register, value, few) in writes {
                // Plain bits, and now and then any.
                let value = if few % 8 == 0 { value } else { value & 0x8035_0fff };
                let before = control;
                let done = match register {
                    0 => control.write_cr0(value),
                    1 => control.write_cr4(value, allowed),
                    _ => control.write_efer(value, true),
                };
                prop_assert!(done.is_ok() || control == before);
                prop_assert!(control.cr0 >> 32 == 0 && control.cr4 & !allowed == 0 && control.efer & !EFER_BITS == 0);
                prop_assert_eq!(control.efer & LMA != 0, control.efer & LME != 0 && control.cr0 & PG != 0);
                prop_assert!(control.efer & LMA == 0 || control.cr4 & PAE != 0);
                prop_assert!(control.cr0 & PG == 0 || control.cr0 & PE != 0);
                prop_assert!(control.cr0 & NW == 0 || control.cr0 & CD != 0);
            }
        }
    }
}
