//! What QEMU's CPUs have, what their guests see, and that nothing hidden ever shows.

use super::*;
use crate::sysreg::id::*;
use proptest::prelude::*;

// The group as QEMU 7.2 has it at EL2, read by a program on `-M virt,virtualization=on`: CRm 1 to 7, eight each.
#[rustfmt::skip]
const CORTEX_A53: IdRegisters = IdRegisters::new([
    0x131, 0x10011001, 0x3010006, 0x0, 0x10101105, 0x40000000, 0x1260000, 0x2102211,
    0x2101110, 0x13112111, 0x21232042, 0x1112131, 0x11142, 0x11121, 0x0, 0x0,
    0x10110222, 0x12111111, 0x43, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x1000222, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x10305106, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x11120, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x1122, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
]);
#[rustfmt::skip]
const CORTEX_A72: IdRegisters = IdRegisters::new([
    0x131, 0x10011001, 0x3010006, 0x0, 0x10201105, 0x40000000, 0x1260000, 0x2102211,
    0x2101110, 0x13112111, 0x21232042, 0x1112131, 0x11142, 0x11121, 0x0, 0x0,
    0x10110222, 0x12111111, 0x43, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x1000222, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x10305106, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x11120, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x1124, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
]);
#[rustfmt::skip]
const MAX: IdRegisters = IdRegisters::new([
    0x11020131, 0x10011001, 0x6010009, 0x0, 0x10101105, 0x40000000, 0x1260000, 0x2122211,
    0x2101110, 0x13112111, 0x21232042, 0x1112131, 0x11142, 0x11011121, 0x11110, 0x1111111,
    0x10110222, 0x13211111, 0x43, 0x0, 0x11, 0x0, 0x1, 0x0,
    0x1201001121110222, 0x1000021, 0x0, 0x0, 0x110110100110021, 0x80f100fd00000000, 0x0, 0x0,
    0x10305609, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x1221111110212120, 0x11111101211012, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0,
    0x32310201126, 0x11010211122, 0x1021011010011011, 0x0, 0x0, 0x0, 0x0, 0x0,
]);

fn id(crm: u8, op2: u8) -> SysReg {
    SysReg::new(3, 0, 0, crm, op2)
}

/// The registers of a guest that are not zero, without the AArch32 ones.
fn seen(host: &IdRegisters) -> Vec<(u8, u8, u64)> {
    let guest = host.guest(40);
    let all = (4..8).flat_map(|crm| (0..8).map(move |op2| (crm, op2)));
    all.map(|(crm, op2)| (crm, op2, guest.get(id(crm, op2)).unwrap())).filter(|&(.., value)| value != 0).collect()
}

#[test]
fn a_guest_on_a_cortex_a53() {
    let expected = [
        (4, 0, 0x0000_0000_0100_0012), // PFR0: 32-bit EL0, FP, SIMD, GIC; no EL2, no EL3
        (5, 0, 0x0000_0000_1030_5006), // DFR0: no PMU
        (6, 0, 0x0000_0000_0001_1120), // ISAR0
        (7, 0, 0x0000_0000_0000_0122), // MMFR0: 40 bits, one security state
    ];
    assert_eq!(seen(&CORTEX_A53), expected);
}

#[test]
fn a_guest_on_a_cortex_a72_has_40_bits_of_address() {
    let guest = CORTEX_A72.guest(40);
    assert_eq!(CORTEX_A72.field(ID_AA64MMFR0_EL1, 0), 4);
    assert_eq!(guest.get(ID_AA64MMFR0_EL1), Some(0x122));
    assert_eq!(CORTEX_A72.guest(36).field(ID_AA64MMFR0_EL1, 0), 1);
    assert_eq!(CORTEX_A72.guest(32).field(ID_AA64MMFR0_EL1, 0), 0);
}

#[test]
fn a_guest_on_max() {
    let expected = [
        (4, 0, 0x1101_0000_0111_0012), // PFR0: without SVE, RAS, SEL2, EL2, EL3
        (4, 1, 0x0000_0000_0000_0021), // PFR1: BTI, SSBS; without MTE, SME
        (5, 0, 0x0000_0000_1030_5009), // DFR0
        (6, 0, 0x1221_1111_1021_2120), // ISAR0
        (6, 1, 0x0011_1111_0121_1012), // ISAR1: with pointer authentication
        (7, 0, 0x0000_0000_0010_0122), // MMFR0: without 52-bit addresses
        (7, 1, 0x0000_0010_0020_1002), // MMFR1
        (7, 2, 0x1021_0010_1001_0011), // MMFR2
    ];
    assert_eq!(seen(&MAX), expected);
}

#[test]
fn thirty_two_bit_programs_see_the_instructions_and_not_the_system() {
    let guest = CORTEX_A53.guest(40);
    assert_eq!(guest.get(id(1, 0)), Some(0x131)); // ID_PFR0
    assert_eq!(guest.get(id(1, 1)), Some(0x1_0000)); // ID_PFR1: the timer
    assert_eq!(guest.get(id(1, 2)), Some(0x6)); // ID_DFR0: no PMU
    assert_eq!(guest.get(id(2, 5)), Some(0x11121)); // ID_ISAR5: AES and friends
    assert_eq!(guest.get(id(3, 0)), Some(0x1011_0222)); // MVFR0

    // Without 32-bit EL0 they are UNKNOWN on the host and zero for guests.
    let mut values = [u64::MAX; 56];
    values[24] = 0x11;
    let guest = IdRegisters::new(values).guest(40);
    assert!((1..4).all(|crm| (0..8).all(|op2| guest.get(id(crm, op2)) == Some(0))));
}

#[test]
fn reads_and_writes_by_the_table() {
    let ids = CORTEX_A53.guest(40);
    let sgi1r = SysReg::new(3, 0, 12, 11, 5);
    assert_eq!((write(sgi1r), read(sgi1r, &ids)), (Answer::Sgi, Answer::Undefined));
    assert_eq!(write(SysReg::new(3, 0, 12, 11, 6)), Answer::Sgi0);
    assert_eq!(write(SysReg::new(3, 0, 12, 11, 7)), Answer::Sgi0);
    assert_eq!(write(SysReg::new(3, 0, 12, 11, 1)), Answer::Deactivate);

    let actlr = SysReg::new(3, 0, 1, 0, 1);
    assert_eq!((read(actlr, &ids), write(actlr)), (Answer::Value(0), Answer::Ignore));
    assert_eq!(write(SysReg::new(1, 0, 7, 14, 2)), Answer::SetWay); // DC CISW
    for (crn, crm, op2) in
        [(1, 0, 0), (2, 0, 0), (2, 0, 1), (2, 0, 2), (5, 1, 0), (5, 1, 1), (5, 2, 0), (6, 0, 0), (10, 2, 0), (10, 3, 0)]
    {
        assert_eq!(write(SysReg::new(3, 0, crn, crm, op2)), Answer::Translation);
    }
    assert_eq!(write(SysReg::new(3, 0, 13, 0, 1)), Answer::Translation); // CONTEXTIDR_EL1
    assert_eq!(write(SysReg::new(1, 0, 7, 14, 6)), Answer::Undefined); // DC CIGDSW

    assert_eq!(read(id(4, 0), &ids), Answer::Value(0x0100_0012));
    assert_eq!(read(id(4, 7), &ids), Answer::Value(0));
    assert_eq!(write(id(4, 0)), Answer::Undefined);
    assert_eq!(read(SysReg::new(3, 0, 0, 0, 6), &ids), Answer::Value(0)); // REVIDR_EL1

    for pmu in [(9, 12, 0), (9, 12, 7), (9, 13, 2), (9, 14, 3), (14, 8, 0), (14, 11, 7), (14, 15, 7)] {
        let register = SysReg::new(3, 3, pmu.0, pmu.1, pmu.2);
        assert_eq!((read(register, &ids), write(register)), (Answer::Undefined, Answer::Undefined), "{register}");
    }
    // Cortex-A53's CPUECTLR_EL1: nobody's.
    let cpuectlr = SysReg::new(3, 1, 15, 2, 1);
    assert_eq!((read(cpuectlr, &ids), write(cpuectlr)), (Answer::Unlisted, Answer::Unlisted));
    // MIDR_EL1 and MPIDR_EL1 do not trap, CTR_EL0 neither.
    assert_eq!(read(SysReg::new(3, 0, 0, 0, 0), &ids), Answer::Unlisted);
}

#[test]
fn no_row_hides_another() {
    for (index, row) in ROWS.iter().enumerate() {
        assert!(row.0 <= row.1);
        assert!(ROWS[..index].iter().all(|other| other.1 < row.0 || row.1 < other.0), "{} twice", row.0);
    }
}

#[test]
fn control_registers_follow_the_features() {
    // VM SWIO FMO IMO AMO TID1 TID3 TSC TIDCP TACR TSW RW
    let base = 0x807d_003b;
    let a53 = Features::new(&CORTEX_A53);
    assert_eq!((a53.hcr_el2(), a53.cptr_el2()), (base, 0x33ff));
    assert!(!a53.pointer_authentication && !a53.pan && !a53.ssbs && !a53.hcrx && !a53.fine_grained_traps);
    let max = Features::new(&MAX);
    // LOR, RAS, pointer authentication; MTE as `-M virt,mte=on` would have it.
    assert_eq!(max.hcr_el2(), base | 1 << 35 | 1 << 36 | 0b11 << 40);
    let mut tagged = MAX;
    tagged.set_field(ID_AA64PFR1_EL1, 8, 3);
    assert_eq!(Features::new(&tagged).hcr_el2(), max.hcr_el2() | 1 << 58);
    assert!(max.pointer_authentication && max.pan && max.ssbs && max.hcrx && !max.fine_grained_traps);
    // Four or six counters: HPMN, TPMCR, TPM, TDRA; HPMD from PMUv3p1 on.
    assert_eq!(a53.mdcr_el2(0x4103_3000), 0x866);
    assert_eq!(max.mdcr_el2(0x4101_3000), 0x2_0866);
    // A CPU with none of it, and PMCR_EL0 garbage.
    assert_eq!(Features::default().mdcr_el2(u64::MAX), 0x800);
}

/// Fields that no guest may see: register, lowest bit, name.
const HIDDEN: &[((u8, u8), u32, &str)] = &[
    ((4, 0), 8, "EL2"),
    ((4, 0), 12, "EL3"),
    ((4, 0), 28, "RAS"),
    ((4, 0), 32, "SVE"),
    ((4, 0), 36, "SEL2"),
    ((4, 0), 40, "MPAM"),
    ((4, 0), 44, "AMU"),
    ((4, 0), 52, "RME"),
    ((4, 1), 8, "MTE"),
    ((4, 1), 12, "RAS_frac"),
    ((4, 1), 16, "MPAM_frac"),
    ((4, 1), 24, "SME"),
    ((4, 1), 36, "NMI"),
    ((5, 0), 4, "TraceVer"),
    ((5, 0), 8, "PMUVer"),
    ((5, 0), 32, "PMSVer"),
    ((5, 0), 40, "TraceFilt"),
    ((5, 0), 44, "TraceBuffer"),
    ((5, 0), 52, "BRBE"),
    ((6, 0), 24, "TME"),
    ((6, 1), 60, "LS64"),
    ((6, 2), 16, "MOPS"),
    ((7, 0), 56, "FGT"),
    ((7, 0), 60, "ECV"),
    ((7, 1), 4, "VMIDBits"),
    ((7, 1), 8, "VH"),
    ((7, 1), 16, "LO"),
    ((7, 1), 28, "XNX"),
    ((7, 1), 40, "HCX"),
    ((7, 2), 12, "IESB"),
    ((7, 2), 24, "NV"),
    ((7, 2), 40, "FWB"),
    ((1, 0), 20, "AArch32 AMU"),
    ((1, 0), 28, "AArch32 RAS"),
    ((1, 1), 12, "AArch32 Virtualization"),
    ((1, 1), 28, "AArch32 GIC"),
    ((1, 2), 24, "AArch32 PerfMon"),
];
/// Whole registers that are zero: AA64PFR2, ZFR0, SMFR0, FPFR0, DFR1, DFR2, AFR0, AFR1, ISAR3, MMFR3, MMFR4, ID_AFR0, ID_DFR1.
const ZERO: &[(u8, u8)] =
    &[(4, 2), (4, 4), (4, 5), (4, 7), (5, 1), (5, 2), (5, 4), (5, 5), (6, 3), (7, 3), (7, 4), (1, 3), (3, 5)];

proptest! {
    #[test]
    fn whatever_the_host_has_nothing_hidden_shows(values: [[u64; 28]; 2], ipa_bits in 32u32..=40) {
        let mut all = [0; 56];
        all.copy_from_slice(&values.concat());
        // Half of the time with 32-bit EL0.
        if all[0] & 1 != 0 {
            all[24] = all[24] & !0xf | 2;
        }
        let host = IdRegisters::new(all);
        let guest = host.guest(ipa_bits);
        for &((crm, op2), shift, name) in HIDDEN {
            prop_assert_eq!(guest.field(id(crm, op2), shift), 0, "{} shows", name);
        }
        for &(crm, op2) in ZERO {
            prop_assert_eq!(guest.get(id(crm, op2)), Some(0));
        }
        prop_assert_eq!(guest.field(ID_AA64PFR0_EL1, 4), 1);
        prop_assert!(guest.field(ID_AA64PFR0_EL1, 24) <= 1);
        prop_assert!(guest.field(ID_AA64MMFR0_EL1, 0) <= 2 && guest.field(ID_AA64MMFR0_EL1, 28) != 1);
        prop_assert!((1..4).all(|crm| (0..8).all(|op2| guest.get(id(crm, op2)).unwrap() >> 32 == 0)));
        // A guest's view is its own view: nothing depends on what was hidden.
        prop_assert_eq!(guest.guest(ipa_bits), guest);
        // Pointer authentication shows exactly where it works.
        let shown = Features::new(&guest).pointer_authentication;
        prop_assert_eq!(shown, Features::new(&host).hcr_el2() >> 40 & 1 != 0);
    }

    #[test]
    fn any_register_has_an_answer(op0 in 0u8..4, op1 in 0u8..8, crn in 0u8..16, crm in 0u8..16, op2 in 0u8..8) {
        let register = SysReg::new(op0, op1, crn, crm, op2);
        let (read, write) = (read(register, &MAX.guest(40)), write(register));
        prop_assert!(matches!(read, Answer::Value(_) | Answer::Undefined | Answer::Unlisted));
        prop_assert!(!matches!(write, Answer::Value(_)));
        prop_assert_eq!(read == Answer::Unlisted, write == Answer::Unlisted);
    }
}
