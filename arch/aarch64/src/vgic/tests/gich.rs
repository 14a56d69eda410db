//! List registers of both architectures say the same.

use super::super::gich;
use super::super::lr::ListRegister;
use proptest::prelude::*;

#[test]
fn every_field_is_where_the_manual_has_it() {
    let pending = ListRegister::pending(0x155, 0xa8, true);
    assert_eq!(gich::written(pending.0), 0x155 | 0x15 << 23 | 1 << 28 | 1 << 30);
    assert_eq!(gich::written(pending.with_eoi(true).0), 0x155 | 1 << 19 | 0x15 << 23 | 1 << 28 | 1 << 30);
    let timer = ListRegister::pending(27, 0, false).with_hardware();
    assert_eq!(gich::written(timer.0), 27 | 27 << 10 | 1 << 28 | 1 << 31);
    let sgi = ListRegister::pending(5, 0, false).with_sender(6);
    assert_eq!(gich::written(sgi.0), 5 | 6 << 10 | 1 << 28);
    assert!(ListRegister(gich::read(0b10 << 28)).is_active());
}

#[test]
fn an_end_that_is_told_stands_for_one_that_hardware_hands_on() {
    let timer = ListRegister::pending(27, 0xa0, true).with_hardware();
    assert!(gich::is_hardware(timer.0));
    let told = ListRegister(gich::told(timer.0));
    assert_eq!(told, ListRegister::pending(27, 0xa0, true).with_eoi(true));
    // What the guest makes of it is the same for both.
    for state in [told, told.with_pending(false)] {
        let read = ListRegister(gich::untold(gich::read(gich::written(state.0))));
        assert_eq!((read.is_pending(), read.is_hardware()), (state.is_pending(), true));
        assert_eq!(read.with_pending(true), timer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_reads_back(gich_lr: u32) {
        // Bits 22:20 are reserved.
        let exists = gich_lr & !(7 << 20);
        prop_assert_eq!(gich::written(gich::read(gich_lr)), exists);
    }
}
