//! On a CPU that has everything, on one that has nothing, and on any.

use proptest::prelude::*;

use super::*;

const MACHINE: Machine = Machine { vcpus: 4, tsc_hz: 2_000_000_123, gpa_bits: 40, switches_speculation_control: false };
const OWN: Own = Own { index: 3, os_xsave: false, xcr0: X87, apic_is_on: true };

/// All bits, and an AVX that lies where it does everywhere.
fn everything(leaf: u32, subleaf: u32) -> Words {
    match (leaf, subleaf) {
        (0, _) => [0x20, 0x6874_7541, 0x444d_4163, 0x6974_6e65],
        (EXTENDED_BASE, _) => [0x8000_0030, 0, 0, 0],
        (0xd, 2) => [256, 576, 0, 0],
        _ => [u32::MAX; 4],
    }
}

fn of(host: impl Fn(u32, u32) -> Words) -> Cpuid {
    Cpuid::new(host, &MACHINE)
}

#[test]
fn what_nobody_virtualises_is_hidden() {
    let cpuid = of(everything);
    let [_, _, ecx, edx] = cpuid.get(1, 0, &OWN);
    for hidden in [3, 5, 15, 18, 27] {
        assert_eq!(ecx & 1 << hidden, 0, "leaf 1 ECX bit {hidden}");
    }
    assert_eq!(edx & (1 << 18 | 1 << 21 | 1 << 22), 0);
    let [_, _, ecx, edx] = cpuid.get(0x8000_0001, 0, &OWN);
    for hidden in [2, 3, 9, 10, 12, 13, 15, 17, 23, 24, 28, 29] {
        assert_eq!(ecx & 1 << hidden, 0, "leaf 0x8000_0001 ECX bit {hidden}");
    }
    assert_eq!(edx & 1 << 25, 0, "FFXSR");
    let [_, ebx, ecx, edx] = cpuid.get(7, 0, &OWN);
    assert_eq!(ecx & (1 << 3 | 1 << 4 | 1 << 7 | 1 << 16), 0, "PKU, shadow stacks, LA57");
    assert_eq!(ebx & (1 << 4 | 1 << 11 | 1 << 16), 0, "HLE, RTM, AVX-512");
    assert_eq!(edx, 1 << 4);
    for leaf in [5, 0xa, 0xf, 0x10, 0x8000_000a, 0x8000_001b, 0x8000_001d, 0x8000_001f, 0x8000_0022, 0x4000_0001] {
        assert_eq!(cpuid.get(leaf, 0, &OWN), [0; 4], "leaf {leaf:#x}");
    }
    assert_eq!(cpuid.get(7, 1, &OWN), [0; 4]);
    assert_eq!(cpuid.get(0xffff_ffff, 0, &OWN), [0; 4]);
}

#[test]
fn what_is_ours_is_shown_whatever_the_cpu_has() {
    let cpuid = of(|_, _| [0; 4]);
    let [_, _, ecx, _] = cpuid.get(1, 0, &OWN);
    assert_eq!(ecx, 1 << 21 | 1 << 24 | 1 << 31);
    assert_eq!(cpuid.get(7, 0, &OWN), [0, 1 << 1, 0, 0]);
    assert_eq!(cpuid.get(0x8000_0007, 0, &OWN), [0, 0, 0, 1 << 8]);
    let [last, ebx, ecx, edx] = cpuid.get(0x4000_0000, 0, &OWN);
    let name: Vec<u8> = [ebx, ecx, edx].iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!((last, name.as_slice()), (0x4000_0010, b"OstlerOstler".as_slice()));
    assert_eq!(cpuid.get(0x4000_0010, 0, &OWN), [2_000_000, 2_000_000, 0, 0]);
    assert_eq!(cpuid.get(0x15, 0, &OWN), [1, 1, 2_000_000_123, 0]);
    let [last, ebx, ecx, edx] = cpuid.get(0x4000_0100, 0, &OWN);
    let name: Vec<u8> = [ebx, ecx, edx].iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!((last, name.as_slice()), (0x4000_0101, b"KVMKVMKVM\0\0\0".as_slice()));
    assert_eq!(cpuid.get(0x4000_0101, 0, &OWN), [1 << 1 | 1 << 3 | 1 << 5 | 1 << 24, 0, 0, 0]);
    assert_eq!(cpuid.get(0x4000_0102, 0, &OWN), [0; 4]);
    assert_eq!(cpuid.get(0x16, 0, &OWN), [2000, 2000, 100, 0]);
}

#[test]
fn a_fast_time_stamp_is_a_multiple_of_its_crystal() {
    let cpuid = Cpuid::new(everything, &Machine { tsc_hz: 5_000_000_000, ..MACHINE });
    assert_eq!(cpuid.get(0x15, 0, &OWN), [1, 2, 2_500_000_000, 0]);
}

#[test]
fn what_changes_is_as_it_is_now() {
    let cpuid = of(everything);
    let on = Own { os_xsave: true, apic_is_on: false, ..OWN };
    assert_eq!(cpuid.get(1, 0, &on)[2] & masks::OSXSAVE, masks::OSXSAVE);
    assert_eq!(cpuid.get(1, 0, &on)[3] & masks::APIC, 0);
    assert_eq!(cpuid.get(1, 0, &OWN)[3] & masks::APIC, masks::APIC);
    assert_eq!(cpuid.get(0xd, 0, &OWN), [7, 576, 832, 0]);
    let avx = Own { xcr0: X87 | SSE | AVX, ..OWN };
    assert_eq!(cpuid.get(0xd, 0, &avx), [7, 832, 832, 0]);
    assert_eq!(cpuid.get(0xd, 1, &avx), [7, 832, 0, 0]);
    assert_eq!(cpuid.get(0xd, 2, &avx), [256, 576, 0, 0]);
    assert_eq!(cpuid.get(0xd, 9, &avx), [0; 4]);
}

#[test]
fn every_leaf_tells_the_same_topology() {
    let cpuid = of(everything);
    let [_, ebx, _, edx] = cpuid.get(1, 0, &OWN);
    assert_eq!((ebx >> 24, ebx >> 16 & 0xff, edx & masks::HTT != 0), (3, 4, true));
    assert_eq!(cpuid.get(0xb, 0, &OWN), [0, 1, 0x100, 3]);
    assert_eq!(cpuid.get(0xb, 1, &OWN), [2, 4, 0x201, 3]);
    assert_eq!(cpuid.get(0xb, 2, &OWN), [0, 0, 2, 3]);
    assert_eq!(cpuid.get(0x8000_0008, 0, &OWN)[2], 2 << 12 | 3);
    assert_eq!(cpuid.get(0x8000_0008, 0, &OWN)[0], 48 << 8 | 40);
    assert_eq!(cpuid.get(0x8000_001e, 0, &OWN), [3, 3, 0, 0]);
    let one = Cpuid::new(everything, &Machine { vcpus: 1, ..MACHINE });
    let own = Own { index: 0, ..OWN };
    assert_eq!(one.get(0xb, 1, &own), [0, 1, 0x201, 0]);
    assert_eq!(one.get(1, 0, &own)[3] & masks::HTT, 0);
    assert_eq!(one.get(0x8000_0001, 0, &own)[2] & masks::CMP_LEGACY, 0);
}

#[test]
fn speculation_is_shown_where_the_cpu_switches_it() {
    let ebx = |machine| Cpuid::new(everything, &machine).get(0x8000_0008, 0, &OWN)[1];
    assert_eq!(ebx(MACHINE) & (1 << 14 | 1 << 24 | 1 << 25), 0);
    assert_eq!(
        ebx(Machine { switches_speculation_control: true, ..MACHINE }) & (1 << 14 | 1 << 24 | 1 << 25),
        1 << 14 | 1 << 24
    );
    assert!(of(everything).has_barrier() && !of(|_, _| [0; 4]).has_barrier());
}

#[test]
fn cr4_has_the_bits_of_what_is_shown() {
    let all = 0x7ff | 1 << 11 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 20 | 1 << 21;
    assert_eq!(of(everything).allowed_cr4(), all);
    assert_eq!(of(|_, _| [0; 4]).allowed_cr4(), 1 << 8);
    assert_eq!(of(everything).allowed_xcr0(), 7);
    assert_eq!(of(|_, _| [0; 4]).allowed_xcr0(), 0);
}

#[test]
fn xcr0_has_no_avx_without_sse() {
    for (value, allowed, valid) in [
        (1, 7, true),
        (3, 7, true),
        (7, 7, true),
        (5, 7, false),
        (6, 7, false),
        (0, 7, false),
        (7, 3, false),
        (1 << 9 | 1, 7, false),
    ] {
        assert_eq!(is_valid_xcr0(value, allowed), valid, "{value:#x} of {allowed:#x}");
    }
}

#[test]
fn avx_elsewhere_is_no_avx() {
    let cpuid =
        of(|leaf, subleaf| if (leaf, subleaf) == (0xd, 2) { [256, 1024, 0, 0] } else { everything(leaf, subleaf) });
    assert_eq!(cpuid.get(0xd, 0, &OWN), [3, 576, 576, 0]);
    assert_eq!(cpuid.get(0xd, 2, &OWN), [0; 4]);
    assert_eq!(cpuid.get(1, 0, &OWN)[2] & masks::AVX, 0);
    assert_eq!(cpuid.get(7, 0, &OWN)[1] & 1 << 5, 0);
}

proptest! {
    /// No CPU makes us show a leaf that another vCPU, or a plain one, would not have; and sizes fit what we have room for.
    #[test]
    fn on_any_cpu_the_area_fits(seed: u32, xcr0: u64, leaf: u32, subleaf: u32) {
        let cpuid = of(|leaf, subleaf| {
            let word = seed.wrapping_mul(leaf.wrapping_mul(31).wrapping_add(subleaf) | 1);
            [word, word.rotate_left(7), word.rotate_left(13), word.rotate_left(21)]
        });
        let own = Own { xcr0, ..OWN };
        let [allowed, now, most, _] = cpuid.get(0xd, 0, &own);
        prop_assert!(now <= 832 && most <= 832 && u64::from(allowed) == cpuid.allowed_xcr0());
        let _ = cpuid.get(leaf, subleaf, &own);
    }
}
