//! The bitmaps of ports and of model-specific registers: everything leaves the guest but what is its own (APM volume 2, 15.10.1
//! and 15.11). Registers are the same few for all guests; ports are those that were passed to it.
#![forbid(unsafe_code)]

use model::Ports;

/// Words of the bitmap of registers: 8 KiB.
pub const MSR_WORDS: usize = 1024;
/// Words of the bitmap of ports: 12 KiB.
pub const IO_WORDS: usize = 1536;

/// Word number `word` of the bitmap of ports, of which `own` are the guest's. An access leaves if any of its ports does, so beyond the
/// last port there are ones (15.10.1).
pub fn io_word(word: usize, own: &[Ports]) -> u64 {
    let first = (word as u32).saturating_mul(64);
    let is_own = |port: u32| u16::try_from(port).is_ok_and(|port| own.iter().any(|ports| ports.contains(port)));
    (0..64).filter(|&bit| is_own(first.saturating_add(bit))).fold(u64::MAX, |bits, bit| bits & !(1 << bit))
}

/// Registers that are read and written without us: the VMCB's (15.5), and what VMLOAD and VMSAVE move.
const OWN: &[u32] = &[
    0x174,       // SYSENTER_CS
    0x175,       // SYSENTER_ESP
    0x176,       // SYSENTER_EIP
    0x277,       // PAT: the guest's own with nested paging (15.25.9).
    0xc000_0081, // STAR
    0xc000_0082, // LSTAR
    0xc000_0083, // CSTAR
    0xc000_0084, // SFMASK
    0xc000_0100, // FS.base
    0xc000_0101, // GS.base
    0xc000_0102, // KernelGSbase
    0xc000_0103, // TSC_AUX: changes hands with the pCPU.
];
/// SPEC_CTRL, the guest's own where the CPU switches it.
const SPECULATION_CONTROL: u32 = 0x48;

/// The word and the bit of a register's read; that of the write is the next one.
fn place(register: u32) -> Option<(usize, u32)> {
    let index = match register {
        0..=0x1fff => register,
        0xc000_0000..=0xc000_1fff => register.wrapping_sub(0xc000_0000).wrapping_add(0x2000),
        0xc001_0000..=0xc001_1fff => register.wrapping_sub(0xc001_0000).wrapping_add(0x4000),
        _ => return None,
    };
    // Two bits each.
    Some((usize::try_from(index / 32).ok()?, (index % 32) << 1))
}

/// Word number `word` of the bitmap of registers.
pub fn msr_word(word: usize, switches_speculation_control: bool) -> u64 {
    let more = if switches_speculation_control { &[SPECULATION_CONTROL][..] } else { &[] };
    OWN.iter()
        .chain(more)
        .filter_map(|&register| place(register))
        .filter(|(at, _)| *at == word)
        .fold(u64::MAX, |bits, (_, bit)| bits & !(0b11 << bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(register: u32, is_write: bool, switches: bool) -> bool {
        // The manual's arithmetic, by bytes.
        let (base, first) = match register {
            0..=0x1fff => (0, 0),
            0xc000_0000..=0xc000_1fff => (0x800, 0xc000_0000),
            _ => (0x1000, 0xc001_0000),
        };
        let bit = (register - first) * 2 + u32::from(is_write);
        let byte = base + bit as usize / 8;
        msr_word(byte / 8, switches).to_le_bytes()[byte % 8] & 1 << (bit % 8) != 0
    }

    #[test]
    fn only_ports_that_were_passed_are_the_guests_own() {
        let own = [Ports::new(0x2f8, 8), Ports::new(0x70, 2), Ports::new(0xffff, 1)];
        for port in 0..IO_WORDS as u32 * 64 {
            // The manual's arithmetic, by bytes.
            let (byte, bit) = (port as usize / 8, port % 8);
            let leaves = io_word(byte / 8, &own).to_le_bytes()[byte % 8] & 1 << bit != 0;
            let is_own = matches!(port, 0x2f8..=0x2ff | 0x70 | 0x71 | 0xffff);
            assert_eq!(leaves, !is_own, "{port:#x}");
        }
        assert!((0..IO_WORDS).all(|word| io_word(word, &[]) == u64::MAX));
    }

    #[test]
    fn only_what_is_switched_is_the_guests_own() {
        let ranges = [0..=0x1fff, 0xc000_0000..=0xc000_1fff, 0xc001_0000..=0xc001_1fff];
        for register in ranges.into_iter().flatten() {
            for is_write in [false, true] {
                assert_eq!(leaves(register, is_write, false), !OWN.contains(&register), "{register:#x}");
            }
        }
        assert!(!leaves(0x48, true, true) && leaves(0x49, true, true));
        assert!(leaves(0xc000_0080, false, true), "EFER");
        assert_eq!(place(0x4000_0000), None);
    }
}
