//! Which vCPU runs where, and what sharing a pCPU brings with it.

use model::{Access, Gpa, Memory};

use super::super::{Assembly, Vm};
use super::Project;
use crate::codes::SIBLINGS;

const REST: &str = "ram 0x40000000,16M load Image";

/// The VMs of these `cpu` options on a board of `pcpus`.
fn board(pcpus: u32, vms: &[&str]) -> Assembly {
    let mut project = Project::new();
    project.request.cpus = Some(pcpus);
    let texts: Vec<String> =
        vms.iter().enumerate().map(|(index, vm)| format!("system vm{index} {vm} {REST}")).collect();
    project.good(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The pCPUs of each VM's vCPUs.
fn pcpus(assembly: &Assembly) -> Vec<Vec<u32>> {
    assembly.vms.iter().map(|vm| vm.cpus.iter().map(|cpu| cpu.pcpu).collect()).collect()
}

#[test]
fn vcpus_get_what_they_name_and_the_rest_get_what_is_left() {
    let project = Project::new();
    let rest = "ram 16M load Image";
    let first = format!("system a cpu cpu runmask 0,1 sched 20f cpu runmask 0 {rest}");
    let assembly = project.good(&[&first, &format!("system b {rest}")]);
    let cpus = |index: usize| assembly.vms[index].cpus.iter().map(|cpu| cpu.pcpu).collect::<Vec<_>>();
    assert_eq!(cpus(0), [2, 1, 0]);
    assert_eq!(cpus(1), [3], "a VM without `cpu` has one vCPU");
    let second = assembly.vms[0].cpus[1];
    assert_eq!((second.priority, second.policy), (20, model::Policy::Fifo));
}

#[test]
fn more_vcpus_than_pcpus_spread_evenly() {
    assert_eq!(pcpus(&board(2, &["cpu cpu", "cpu cpu", "cpu"])), [vec![0, 1], vec![0, 1], vec![0]]);
    assert_eq!(pcpus(&board(3, &["cpu cpu", "cpu cpu"])), [[0, 1], [2, 0]]);
    assert_eq!(pcpus(&board(1, &["", ""])), [[0], [0]]);
    let eight = board(2, &[""; 8]);
    assert_eq!(pcpus(&eight).concat().iter().filter(|&&pcpu| pcpu == 0).count(), 4);
}

#[test]
fn a_runmask_of_one_is_obeyed_whoever_is_there() {
    assert_eq!(
        pcpus(&board(2, &["cpu runmask 1 cpu runmask 1", "cpu runmask 1", "cpu"])),
        [vec![1, 1], vec![1], vec![0]]
    );
}

#[test]
fn a_choice_is_for_the_pcpu_without_a_sibling_even_if_it_is_fuller() {
    let others = "cpu runmask 0";
    let vm = "cpu runmask 1 cpu runmask 0,1";
    assert_eq!(pcpus(&board(4, &[others, others, others, vm]))[3], [1, 0]);
}

#[test]
fn a_choice_is_for_the_emptier_then_the_unnamed_then_the_lowest() {
    assert_eq!(pcpus(&board(4, &["cpu runmask 0", "cpu runmask 0,3"]))[1], [3], "emptier");
    assert_eq!(pcpus(&board(4, &["cpu runmask 0,1", "cpu"])), [[0], [2]], "1 is as empty, but named");
    assert_eq!(pcpus(&board(2, &["cpu runmask 0", "cpu runmask 1", "cpu"]))[2], [0], "lowest");
}

#[test]
fn a_vm_shares_a_pcpu_with_itself_only_where_it_has_to_and_is_told() {
    let mut project = Project::new();
    let text = format!("cpu cpu cpu {REST}");
    assert_eq!(project.run(&[&text]).codes, [""; 0]);
    project.request.cpus = Some(2);
    let outcome = project.run(&[&text]);
    assert_eq!(outcome.codes, [SIBLINGS]);
    assert_eq!(pcpus(&outcome.assembly.unwrap()), [[0, 1, 0]]);
}

#[test]
fn a_vm_that_keeps_its_pcpu_shuts_nobody_of_its_priority_out() {
    let keeper = format!("set exit-on-halt off cpu runmask 0 {REST}");
    let other = format!("system b cpu sched 11 runmask 0 {REST}");
    let same = format!("system c cpu sched 10f runmask 0 {REST}");
    let outcome = Project::new().run(&[&keeper, &other, &same]);
    assert_eq!((outcome.codes, outcome.text), (vec![], String::new()));
    let exits: Vec<bool> = outcome.assembly.unwrap().vms.iter().map(|vm| vm.exit_on_halt).collect();
    assert_eq!(exits, [false, true, true]);
}

/// Where the stolen-time records are, which must be a range of memory of their own.
fn stolen(vm: &Vm) -> Option<u64> {
    let start = vm.stolen_time?;
    assert!(vm.memory.contains(&Memory { gpa: start, size_bytes: 0x1_0000, access: Access::ReadOnly }), "{vm:?}");
    assert!(vm.memory.is_sorted_by(|one, next| one.gpa.0 + one.size_bytes <= next.gpa.0), "{vm:?}");
    assert!(start.0.is_multiple_of(0x1_0000));
    Some(start.0)
}

#[test]
fn only_a_vm_that_shares_has_stolen_time_records() {
    let assembly = board(3, &["cpu runmask 0 cpu runmask 1", "cpu runmask 1", "cpu runmask 2"]);
    let starts: Vec<_> = assembly.vms.iter().map(stolen).collect();
    assert_eq!(starts, [Some(0x2eff_0000), Some(0x2eff_0000), None]);
    assert_eq!(assembly.vms[2].memory.len(), 1);
    assert_eq!(stolen(&board(1, &["cpu cpu"]).vms[0]), Some(0x2eff_0000), "siblings steal from each other");
    let tree = super::super::tree::read(&assembly.trees[0].1).unwrap();
    let memory = tree.root.children.iter().filter(|node| node.name.starts_with("memory")).count();
    assert_eq!(memory, 1, "the guest is not told of it as memory");
}

#[test]
fn stolen_time_records_keep_off_everything_else() {
    let start = |text: &str| {
        let mut project = Project::new();
        project.request.cpus = Some(1);
        project.request.memory_bytes = Some(4 << 30);
        stolen(&project.good(&[&format!("{text} load Image"), "system b ram 64M load Image"]).vms[0])
    };
    assert_eq!(
        start("ram 0x40000000,64M reserve loc 0x2effffff,1"),
        Some(0x1_0000),
        "reserved, and zero is no address"
    );
    assert_eq!(start("ram 0x20000000,64M rom 0x2e000000,0x1000000"), Some(0x1_0000), "memory");
    assert_eq!(start("ram 0,0x2f000000"), Some(0x2f01_0000), "memory, then the distributor");
    assert_eq!(start("ram 0x40000000,64M vdev gic loc 0x2eff8000"), Some(0x1_0000), "the GIC");
    let uart = "vdev pl011 loc 0x2eff4000 intr gic:37 hostdev - vdev pl011 loc 0x1f000 intr gic:38 hostdev -";
    assert_eq!(start(&format!("ram 0x40000000,64M {uart}")), Some(0x2_0000), "vdevs");
}

#[test]
fn a_rom_beside_the_stolen_time_records_stays_a_range_of_its_own() {
    let vm = board(1, &["rom 0x2efef000,4K", ""]).vms.remove(0);
    assert_eq!(stolen(&vm), Some(0x2eff_0000));
    assert_eq!(vm.memory[0], Memory { gpa: Gpa(0x2efe_f000), size_bytes: 0x1000, access: Access::ReadOnly });
}
