//! What a VM has besides memory and images.

use model::{Action, Console, Controller, Counter, Direction, Gic, GicVersion, Gpa, Machine};

use super::Project;
use crate::assemble::VdevKind;

const REST: &str = "ram 0x40000000,64M load Image";

#[test]
fn the_gic_is_there_unasked_and_can_be_moved() {
    let project = Project::new();
    let gic = |distributor, redistributors| {
        Machine::Arm(Gic { version: GicVersion::V3, distributor: Gpa(distributor), cpus: Gpa(redistributors) })
    };
    assert_eq!(project.vm(REST).machine, gic(0x2f00_0000, 0x2f10_0000));
    let moved =
        format!("vdev gic version 3 loc 0x8000000 name pic vdev pl011 loc 0x9000000 intr pic:33 hostdev - {REST}");
    let vm = project.vm(&moved);
    assert_eq!(vm.machine, gic(0x800_0000, 0x810_0000));
    assert_eq!(vm.vdevs[0].line(), Some(33));
}

#[test]
fn on_a_gicv2_board_a_guest_has_a_gicv2() {
    let mut project = Project::new();
    project.request.gic = Some(GicVersion::V2);
    let gic = |distributor, cpus| {
        Machine::Arm(Gic { version: GicVersion::V2, distributor: Gpa(distributor), cpus: Gpa(cpus) })
    };
    assert_eq!(project.vm(REST).machine, gic(0x2f00_0000, 0x2f01_0000));
    assert_eq!(project.vm(&format!("vdev gic version 2 loc 0x8000000 {REST}")).machine, gic(0x800_0000, 0x801_0000));
    // What a GICv3 would have there is free; what is in the way is the next tests' matter.
    let beside = "vdev pl011 loc 0x2f001000 intr gic:37 hostdev - vdev pl011 loc 0x2f012000 intr gic:38 hostdev -";
    assert_eq!(project.vm(&format!("{beside} vdev pl011 loc 0x2f100000 intr gic:39 hostdev - {REST}")).vdevs.len(), 3);
    assert_eq!(project.good(&[REST]).board.controller, Controller::Gic(GicVersion::V2));
}

#[test]
fn a_gic_serves_so_many_vcpus_and_no_more() {
    for (gic, most) in [(GicVersion::V2, 8), (GicVersion::V3, 32)] {
        let mut project = Project::new();
        project.request.gic = Some(gic);
        let vm = |vcpus| format!("{} {REST}", "cpu ".repeat(vcpus));
        assert_eq!(project.vm(&vm(most)).cpus.len(), most);
        assert!(project.run(&[&vm(most + 1)]).codes.contains(&crate::codes::TOO_MANY_VCPUS));
    }
}

#[test]
fn consoles_go_the_way_that_hostdev_says() {
    let console = |hostdev: &str| {
        let text = format!("vdev pl011 loc 0x1c090000 intr gic:37 {hostdev} {REST}");
        match Project::new().vm(&text).vdevs[0].kind {
            VdevKind::Pl011 { console } => console,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(console("hostdev -"), Console::Board(Direction::Both));
    assert_eq!(console("hostdev >-"), Console::Board(Direction::Output));
    assert_eq!(console("hostdev <-"), Console::Board(Direction::Input));
    assert_eq!(console("hostdev <- hostdev >-"), Console::Board(Direction::Both));
    assert_eq!(console(""), Console::Nowhere);
}

#[test]
fn vdevs_are_sorted_and_named() {
    let first = "vdev pl011 loc 0x1c0a0000 intr gic:38 hostdev - name second";
    let vm = Project::new().vm(&format!("{first} vdev pl011 loc 0x1c090000 intr gic:37 hostdev - {REST}"));
    let names: Vec<_> = vm.vdevs.iter().map(|vdev| vdev.name.as_str()).collect();
    assert_eq!(names, ["pl011@1c090000", "second"]);
}

#[test]
fn a_watchdog_has_qvms_defaults() {
    let watchdog = |options: &str| {
        let vm = Project::new().vm(&format!("vdev wdt-sp805 intr gic:39 {options} {REST}"));
        (Gpa(vm.vdevs[0].address()), vm.vdevs[0].line(), vm.vdevs[0].kind.clone())
    };
    let sp805 = |frequency_hz| VdevKind::Sp805 { frequency_hz };
    assert_eq!(watchdog(""), (Gpa(0x1c0f_0000), Some(39), sp805(25_000_000)));
    assert_eq!(watchdog("loc 0x10000 frequency 1000 action dump,terminate"), (Gpa(0x1_0000), Some(39), sp805(1000)));
}

#[test]
fn a_power_key_and_its_patience() {
    let vm = Project::new().vm(&format!("vdev pl061 loc 0x1c1d0000 intr gic:38 {REST}"));
    assert_eq!((&vm.vdevs[0].kind, vm.vdevs[0].name.as_str()), (&VdevKind::Pl061, "pl061@1c1d0000"));
    assert_eq!(vm.poweroff_timeout_s, 60);
    assert_eq!(Project::new().vm(&format!("set ostler-poweroff-timeout 5 {REST}")).poweroff_timeout_s, 5);
}

#[test]
fn defaults_are_those_of_qvm() {
    let vm = Project::new().vm(REST);
    assert_eq!((vm.unsupported, vm.counter), (model::Unsupported::default(), Counter::StartsAtZero));
    let text = format!("unsupported register ignore unsupported instruction abort set counter-offset 0 {REST}");
    let vm = Project::new().vm(&text);
    assert_eq!((vm.unsupported.register, vm.unsupported.instruction), (Action::Ignore, Action::Abort));
    assert_eq!((vm.unsupported.reference, vm.counter), (Action::Ignore, Counter::Offset(0)));
    let all_ones = format!("set counter-offset 18446744073709551615 {REST}");
    assert_eq!(Project::new().vm(&all_ones).counter, Counter::StartsAtZero);
}

#[test]
fn a_vm_without_a_name_is_called_by_its_file() {
    assert_eq!(Project::new().vm(REST).name, "1");
    assert_eq!(Project::new().vm(&format!("system night {REST}")).name, "night");
}
