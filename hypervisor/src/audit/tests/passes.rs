//! What VMs have of the board.

use super::*;

#[test]
fn what_is_passed_has_one_owner_and_its_rights() {
    // To the wrong VM; and as memory what is a device.
    let mut system = System::new();
    system.reach(0, RTC, Stage2Attributes::DEVICE);
    system.breaks("VM a: 0x2000000 leads to 0x9010000, which is not its own: it belongs to VM b");
    let mut system = System::new();
    replace(&mut system.guest_memory, RTC | 1 << 54 | 0x4c7, RTC | 1 << 54 | 0x7ff);
    system.breaks("VM b: 0x1800000 leads to 0x9010000, which is not its own: it belongs to VM b");
    // More than was given.
    let mut system = System::new();
    replace(&mut system.guest_memory, CARVED.start | 1 << 54 | 0x7ff, CARVED.start | 0x7ff);
    system.breaks("VM b: 0x1900000 leads to 0x48000000, which it may not execute: it belongs to VM b");
    let two = "a part of the board that has two owners";
    for (at, owner) in
        [(UART.start, "a device"), (DATA.start, "the hypervisor's image"), (A, "the hypervisor's memory")]
    {
        let mut system = System::new();
        system.passes.push(device(40 * MIB, at));
        system.breaks(&format!("VM b: {at:#x} is {two}: it belongs to {owner} too"));
    }
    let mut system = System::new();
    system.passes.push(device(40 * MIB, RTC));
    system.breaks(&format!("VM b: 0x9010000 is {two}: it belongs to VM b too"));
}
