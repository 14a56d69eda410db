//! The bitmap of model-specific registers: everything leaves the guest but the few that are its own (APM volume 2, 15.11).
//!
//! Ports have a bitmap of ones only (15.10.1), and so these two are the same for all guests.
#![forbid(unsafe_code)]

/// Words of the bitmap of registers: 8 KiB.
pub const MSR_WORDS: usize = 1024;
/// Words of the bitmap of ports: 12 KiB.
pub const IO_WORDS: usize = 1536;

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
