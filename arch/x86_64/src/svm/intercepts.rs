//! What leaves a guest: each bit with its reason. What is not here is the guest's own (APM volume 2, 15.9 and 15.13).
#![forbid(unsafe_code)]

use super::vmcb::Control;

/// What of a CPU matters to that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// ASIDs, the host's zero included.
    pub asids: u32,
    /// One ASID's translations can be forgotten.
    pub flush_by_asid: bool,
    /// The address of the next instruction is saved.
    pub next_rip: bool,
    /// A nested page fault brings the instruction's bytes.
    pub decode_assists: bool,
    /// PAUSE can be counted.
    pub pause_filter: bool,
    /// Pauses that are far apart do not count.
    pub pause_threshold: bool,
    /// SPEC_CTRL is switched by the CPU.
    pub speculation_control: bool,
}

impl Features {
    /// By CPUID 0x8000_000a: EBX and EDX.
    pub const fn of(ebx: u32, edx: u32) -> Features {
        Features {
            asids: ebx,
            flush_by_asid: edx & 1 << 6 != 0,
            next_rip: edx & 1 << 3 != 0,
            decode_assists: edx & 1 << 7 != 0,
            pause_filter: edx & 1 << 10 != 0,
            pause_threshold: edx & 1 << 12 != 0,
            speculation_control: edx & 1 << 20 != 0,
        }
    }
}

/// Bit of CPUID 0x8000_000a EDX: nested paging. Without it there are no guests.
pub const NESTED_PAGING: u32 = 1 << 0;
/// Bit of CPUID 0x8000_000a EDX: VM_CR.SVMDIS is locked by firmware if it is set.
pub const LOCK: u32 = 1 << 2;

/// A #DB or #AC whose delivery causes the next one keeps a CPU for ever, interrupts or not (CVE-2015-5307, CVE-2015-8104). A
/// machine check is the board's.
const EXCEPTIONS: u32 = 1 << 1 | 1 << 17 | 1 << 18;

/// CR0: reserved bits are refused, which not every CPU does by itself (nor has every one the intercept of those writes alone that change
/// more than TS and MP: TCG's has not). CR4: bits that are hidden would be allowed where the CPU has them.
const CR_WRITES: u32 = 1 << 16 | 1 << (16 + 4);

/// CR8: the task priority, while something waits for a lower one.
pub const CR8_WRITES: u32 = 1 << (16 + 8);

/// The word at 00ch.
const FIRST: u32 = 1 << 0 // INTR: the board's.
    | 1 << 1 // NMI: the board's.
    | 1 << 3 // INIT: the board's.
    | 1 << 15 // RDPMC: the counters are the board's.
    | 1 << 18 // CPUID: a table.
    | 1 << 19 // RSM: #UD outside of system management, in guests, too.
    | 1 << 22 // INVD: would undo stores of others.
    | 1 << 24 // HLT: a guest that was woken and left in VMRUN would go on behind it without an interrupt (15.9).
    | 1 << 26 // INVLPGA: hidden.
    | 1 << 27 // Ports, by the bitmap.
    | 1 << 28 // Model-specific registers, by the bitmap.
    | 1 << 30 // FERR: the legacy signal of x87 errors would be the board's.
    | 1 << 31; // A triple fault would be the board's reset.
/// PAUSE.
const PAUSE: u32 = 1 << 23;
/// IRET: the end of an NMI's handler, while there is one.
pub const IRET: u32 = 1 << 20;
/// A virtual interrupt could be taken.
pub const WINDOW: u32 = 1 << 4;

/// The word at 010h.
const SECOND: u32 = 1 << 0 // VMRUN. It and its likes are hidden: #UD.
    | 1 << 1 // VMMCALL.
    | 1 << 2 // VMLOAD
    | 1 << 3 // VMSAVE
    | 1 << 4 // STGI
    | 1 << 5 // CLGI
    | 1 << 6 // SKINIT
    | 1 << 9 // WBINVD, WBNOINVD: slow for all; memory is coherent without.
    | 1 << 10 // MONITOR: hidden.
    | 1 << 11 // MWAIT: would sleep through what another vCPU here has to do.
    | 1 << 12 // The same.
    | 1 << 13 // XSETBV: state that nobody switches.
    | 1 << 14; // RDPRU: hidden.

/// The word at 014h: INVLPGB (forgets in other ASIDs), its illegal form, MCOMMIT, TLBSYNC. INVPCID is the guest's own.
const THIRD: u32 = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4;

/// Pauses in a row that are a spinner on a pCPU that is shared.
const SPINNER: u16 = 3000;
/// Cycles between two of them.
const SPINNER_CYCLES: u16 = 128;

/// Sets what leaves a guest on a CPU with `features`; with `gives_way` it does when it spins.
pub const fn set(control: &mut Control, features: Features, gives_way: bool) {
    control.cr_intercepts = CR_WRITES;
    control.exception_intercepts = EXCEPTIONS;
    let pause = if gives_way && features.pause_filter { PAUSE } else { 0 };
    control.intercepts = [FIRST | pause, SECOND, THIRD];
    control.pause_count = if pause != 0 { SPINNER } else { 0 };
    control.pause_threshold = if pause != 0 && features.pause_threshold { SPINNER_CYCLES } else { 0 };
}

#[cfg(test)]
mod tests {
    use super::super::vmcb::Vmcb;
    use super::*;

    #[test]
    fn only_a_vcpu_that_shares_leaves_when_it_spins() {
        let filters = Features::of(16, 1 << 10);
        for (features, gives_way, leaves) in
            [(filters, true, true), (filters, false, false), (Features::default(), true, false)]
        {
            let mut vmcb = Vmcb::ZERO;
            set(&mut vmcb.control, features, gives_way);
            assert_eq!(vmcb.control.intercepts[0] & PAUSE != 0, leaves);
            assert_eq!(vmcb.control.pause_count != 0, leaves);
            assert_eq!(vmcb.control.pause_threshold, 0);
            assert_eq!(vmcb.control.intercepts[1] & 1, 1, "VMRUN must (15.5.1)");
        }
    }

    #[test]
    fn capabilities_are_by_their_bits() {
        let features = Features::of(0x8000, 0x0010_14c9);
        assert_eq!(
            features,
            Features {
                asids: 0x8000,
                flush_by_asid: true,
                next_rip: true,
                decode_assists: true,
                pause_filter: true,
                pause_threshold: true,
                speculation_control: true,
            }
        );
        assert_eq!(Features::of(16, 1), Features { asids: 16, ..Features::default() });
    }
}
