//! System registers and instructions: `mrs`, `msr`, `sys`, `sysl` of every encoding.

use super::{Code, Random, World};

/// op0, op1, CRn, CRm, op2, as an instruction has them in bits 20:5.
const fn encoding(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2
}

/// What the guest itself stands on: written with what is in it.
const VITAL: &[u32] = &[
    encoding(3, 0, 1, 0, 0),  // SCTLR_EL1
    encoding(3, 0, 2, 0, 0),  // TTBR0_EL1
    encoding(3, 0, 2, 0, 2),  // TCR_EL1
    encoding(3, 0, 4, 2, 0),  // SPSel
    encoding(3, 0, 4, 2, 3),  // PAN
    encoding(3, 0, 10, 2, 0), // MAIR_EL1
    encoding(3, 0, 12, 0, 0), // VBAR_EL1
    encoding(3, 3, 4, 2, 1),  // DAIF
];

/// Registers with the bits that a write may set. Others make QEMU 7.2 end itself by an assertion (`icv_gprio_mask`) or hang
/// (`gt_recalc_timer`: a deadline beyond 2^64 by the physical counter), whatever the hypervisor does.
const LIMITED: &[(u32, u64)] = &[
    (encoding(3, 0, 12, 8, 3), 7),             // ICC_BPR0_EL1
    (encoding(3, 0, 12, 12, 3), 7),            // ICC_BPR1_EL1
    (encoding(3, 3, 14, 3, 0), 0x7fff_ffff),   // CNTV_TVAL_EL0
    (encoding(3, 3, 14, 3, 2), u64::MAX >> 2), // CNTV_CVAL_EL0
    (encoding(3, 0, 14, 1, 0), 0xff),          // CNTKCTL_EL1: no timers for EL0, which would be one more way to them
];

/// The bits that a write of this register may set.
pub(super) fn limit(encoding: u32) -> u64 {
    LIMITED.iter().find(|limited| limited.0 == encoding).map_or(u64::MAX, |limited| limited.1)
}

/// Registers that a guest is likely to meet, or that matter to the hypervisor: CRn with its CRm, of op0 3 and op1 0 or 3.
const LIKELY: &[(u32, u32)] = &[
    (0, 0),
    (0, 4),
    (0, 5),
    (1, 0),
    (1, 2),
    (2, 0),
    (4, 0),
    (4, 2),
    (4, 6),
    (5, 1),
    (5, 3),
    (5, 4),
    (6, 0),
    (7, 4),
    (9, 12),
    (9, 14),
    (10, 2),
    (10, 3),
    (10, 4),
    (12, 0),
    (12, 8),
    (12, 11),
    (12, 12),
    (13, 0),
    (14, 1),
    (14, 2),
    (14, 3),
    (14, 8),
];

fn put(random: &mut Random, world: &World, code: &mut Code, encoding: u32, is_read: bool) {
    let register = random.below(8) as u32;
    let instruction = 0xd500_0000 | encoding << 5 | register;
    let read = instruction | 1 << 21;
    let is_instruction = encoding >> 14 < 2;
    if is_read {
        code.constant(register, 0);
        return code.put(read);
    }
    if VITAL.contains(&encoding) {
        code.put(read);
    } else if is_instruction {
        // Maintenance by address, of which some write there.
        code.constant(register, world.address(random) | world.normal);
    } else {
        code.constant(register, random.value() & limit(encoding));
    }
    code.put(instruction);
}

pub(super) fn at_random(random: &mut Random, world: &World, code: &mut Code) {
    let any = random.next() as u32;
    let encoding = match random.below(8) {
        0..=2 => {
            let (crn, crm) = random.one_of(LIKELY);
            encoding(3, if any & 1 == 0 { 0 } else { 3 }, crn, crm, any >> 1 & 7)
        }
        // Maintenance of caches and TLBs, and address translation.
        3 => encoding(1, any & 7, 7 + (any >> 3 & 1), any >> 4 & 15, any >> 8 & 7),
        // Debug and trace.
        4 => encoding(2, any & 7, any >> 3 & 15, any >> 7 & 15, any >> 11 & 7),
        // Op0 1 to 3; 0 holds hints, barriers and PSTATE, which are not ours to break.
        _ => 1 << 14 | any & 0xffff,
    };
    put(random, world, code, encoding, random_bit(any));
}

fn random_bit(any: u32) -> bool {
    any >> 31 != 0
}

/// All encodings with op0 1 to 3, each read and written.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    let encoding = (index / 2) as u32 + (1 << 14);
    if encoding >> 16 != 0 {
        return false;
    }
    put(&mut Random::new(index), world, code, encoding, index.is_multiple_of(2));
    true
}
