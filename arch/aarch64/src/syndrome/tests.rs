//! Syndromes as the manual has them, and that none makes the decoder panic.

use super::frequent::{HVC_0, LOAD_WORD, SGI1R};
use super::*;
use proptest::prelude::*;

fn data_abort(esr: u64) -> DataAbort {
    match Syndrome(esr).cause() {
        Cause::DataAbort(abort) => abort,
        other => panic!("{other:?}"),
    }
}

#[test]
fn classes_and_their_immediates() {
    assert_eq!(Syndrome(0x0200_0000).cause(), Cause::Unknown);
    assert_eq!(Syndrome(0x07e0_0000).cause(), Cause::Wait(Wait::Interrupt));
    assert_eq!(Syndrome(0x07e0_0001).cause(), Cause::Wait(Wait::Event));
    assert_eq!(Syndrome(0x5a00_0000).cause(), Cause::HypervisorCall(0));
    assert_eq!(Syndrome(0x5a00_1234).cause(), Cause::HypervisorCall(0x1234));
    assert_eq!(Syndrome(0x5e00_0000).cause(), Cause::SecureMonitorCall(0));
    assert_eq!(Syndrome(0xbe00_0000).cause(), Cause::SystemError);
    assert_eq!(Syndrome(0x6600_0000).cause(), Cause::Hidden);
    assert_eq!(Syndrome(0xf200_0000).cause(), Cause::Other(0x3c));
}

#[test]
fn a_load_of_a_uart_register() {
    // ldrh w1, [x19, #24] on unmapped memory, level 1.
    let abort = data_abort(0x9341_0005 | 1 << 22);
    assert_eq!(abort.abort.fault, Fault::Translation);
    assert!(!abort.is_write && !abort.abort.on_table_walk && abort.abort.far_is_valid && abort.abort.hpfar_is_valid());
    let transfer = abort.transfer.unwrap();
    assert_eq!((transfer.size_bytes, transfer.register), (2, 1));
    assert_eq!(Syndrome(0x9341_0005).instruction_bytes(), 4);
}

#[test]
fn a_store_to_read_only_memory_has_no_hpfar() {
    let abort = data_abort(0x9200_0000 | 1 << 6 | 0b1111);
    assert_eq!((abort.is_write, abort.transfer, abort.abort.fault), (true, None, Fault::Permission));
    assert!(!abort.abort.hpfar_is_valid());
    assert!(data_abort(0x9200_0000 | 1 << 7 | 0b1111).abort.hpfar_is_valid());
}

#[test]
fn system_registers_by_their_encoding() {
    // mrs x3, S3_0_C0_C4_1 (ID_AA64PFR1_EL1)
    let iss = 3 << 20 | 1 << 17 | 3 << 5 | 4 << 1 | 1;
    let register = SysReg::new(3, 0, 0, 4, 1);
    let access = SystemAccess { register, rt: 3, is_read: true };
    assert_eq!(Syndrome(0x6200_0000 | iss).cause(), Cause::SystemRegister(access));
    assert_eq!(register.to_string(), "S3_0_C0_C4_1");
}

#[test]
fn conditions_of_32_bit_instructions() {
    let trap = |iss: u64| match Syndrome(0x0c00_0000 | iss).cause() {
        Cause::Coprocessor(trap) => trap,
        other => panic!("{other:?}"),
    };
    let (z, it_ne) = (1 << 30, 0b0001_1000 << 8);
    let a32 = |condition: u64| trap(1 << 24 | condition << 20);
    assert!(a32(0xe).is_executed(0) && a32(0xf).is_executed(0));
    assert!(a32(0).is_executed(z) && !a32(0).is_executed(0) && !a32(1).is_executed(z));
    // GE and LT with N != V; HI needs C and not Z.
    assert!(!a32(10).is_executed(1 << 31) && a32(11).is_executed(1 << 31));
    assert!(a32(8).is_executed(1 << 29) && !a32(8).is_executed(1 << 29 | z));
    assert!(trap(0).is_executed(0) && trap(0).is_executed(it_ne) && !trap(0).is_executed(it_ne | z));
}

#[test]
fn loads_extend_as_the_instruction_says() {
    let load = |size_bytes, is_signed, is_wide| Transfer { size_bytes, is_signed, is_wide, register: 0 };
    assert_eq!(load(1, false, false).loaded(0x1ff), 0xff);
    assert_eq!(load(1, true, false).loaded(0x80), 0xffff_ff80);
    assert_eq!(load(1, true, true).loaded(0x80), 0xffff_ffff_ffff_ff80);
    assert_eq!(load(4, true, true).loaded(0x8000_0000), 0xffff_ffff_8000_0000);
    assert_eq!(load(4, false, true).loaded(u64::MAX), 0xffff_ffff);
    assert_eq!(load(8, false, true).loaded(u64::MAX), u64::MAX);
    assert_eq!(load(2, false, false).stored(0x1234_5678), 0x5678);
    assert_eq!(load(8, false, true).stored(u64::MAX), u64::MAX);
}

#[test]
fn the_fault_address_is_page_and_offset() {
    assert_eq!(fault_address(0x9_0000, 0xffff_8000_1234_5018), Gpa(0x900_0018));
    assert_eq!(fault_address(1 << 63 | 0x9_0000, 0), Gpa(0x900_0000));
}

#[test]
fn frequent_exits_are_known_by_their_syndromes() {
    assert_eq!(Syndrome(0x5a00_0000).frequent(), Some(Frequent::HypervisorCall));
    assert_eq!(Syndrome(0x5a00_0001).frequent(), None);
    // `msr icc_sgi1r_el1, x7`, and a read of it.
    assert_eq!(Syndrome(0x623a_30f6).frequent(), Some(Frequent::Sgi { rt: 7 }));
    assert_eq!(Syndrome(0x623a_30f7).frequent(), None);
    // `ldr w3, [x1]`; as 64 bits, with sign, as a store, on a walk, of a byte, for a permission.
    assert_eq!(Syndrome(0x9383_0007).frequent(), Some(Frequent::LoadWord { rt: 3 }));
    for other in [0x9383_8007, 0x93a3_0007, 0x9383_0047, 0x9383_0087, 0x9303_0007, 0x9383_000f, 0x9383_0407] {
        assert_eq!(Syndrome(other).frequent(), None, "{other:#x}");
    }
}

proptest! {
    #[test]
    fn what_is_frequent_is_what_the_general_way_finds(base in prop::sample::select(vec![HVC_0, SGI1R, LOAD_WORD]),
        noise: u32, keep: u32) {
        let syndrome = Syndrome(base ^ u64::from(noise & keep & 0x03ff_ffff));
        match (syndrome.frequent(), syndrome.cause()) {
            (None, _) | (Some(Frequent::HypervisorCall), Cause::HypervisorCall(0)) => {}
            (Some(Frequent::Sgi { rt }), Cause::SystemRegister(access)) => {
                let sgi1r = SysReg::new(3, 0, 12, 11, 5);
                prop_assert_eq!(access, SystemAccess { register: sgi1r, rt, is_read: false });
            }
            (Some(Frequent::LoadWord { rt }), Cause::DataAbort(data)) => {
                let transfer = Transfer { size_bytes: 4, register: rt, is_signed: false, is_wide: false };
                prop_assert_eq!(data.transfer, Some(transfer));
                prop_assert!(!data.is_write && !data.is_cache_operation && !data.abort.on_table_walk);
                prop_assert!(data.abort.far_is_valid);
                prop_assert_eq!(data.abort.fault, Fault::Translation);
            }
            found => prop_assert!(false, "{:?}", found),
        }
    }

    #[test]
    fn any_value_decodes(esr: u64, value: u64, pstate: u64) {
        match Syndrome(esr).cause() {
            Cause::DataAbort(abort) => {
                if let Some(transfer) = abort.transfer {
                    prop_assert!(transfer.register < 32);
                    prop_assert_eq!(transfer.stored(transfer.loaded(value)), transfer.stored(value)
                        & if transfer.is_wide { u64::MAX } else { 0xffff_ffff });
                }
            }
            Cause::Coprocessor(trap) => { trap.is_executed(pstate); }
            _ => {}
        }
    }

    #[test]
    fn an_encoding_survives(op0 in 0u8..4, op1 in 0u8..8, crn in 0u8..16, crm in 0u8..16, op2 in 0u8..8) {
        prop_assert_eq!(SysReg::new(op0, op1, crn, crm, op2).fields(), (op0, op1, crn, crm, op2));
    }
}
