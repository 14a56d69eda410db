//! Systems that walk all of their translation tables before a guest runs, and find nothing.

use qemu_tests::{FAILURE_HALT, FULL_2, FULL_2_GICV2, PSCI_ENDS, Result, System, TRESPASS, enabled};

fn finds_nothing(system: System, vms: &[&str]) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    assert!(system.self_test);
    let (_board, mut console) = system.boot()?;
    console.expect("\x1e[ostler] self-test: the hypervisor: ")?;
    console.expect("nothing writable and executable, no guest's memory executable")?;
    for name in vms {
        let before = console.expect(&format!("\x1e[ostler] self-test: {name}: "))?;
        assert!(!before.contains("hello: "), "a guest ran before the self-test was over");
        console.expect(" leaves: its own memory and nothing else")?;
    }
    Ok(())
}

#[test]
fn one_vm_with_rom() -> Result<()> {
    finds_nothing(TRESPASS, &["trespass"])
}

#[test]
fn two_vms_on_shared_cpus() -> Result<()> {
    finds_nothing(PSCI_ENDS, &["psci-cpu-off", "psci-reset2"])
}

#[test]
fn a_full_house_with_gicv3() -> Result<()> {
    finds_nothing(FULL_2, &["linux1", "linux2", "hello", "beats"])
}

#[test]
fn a_full_house_with_gicv2_where_a_device_is_each_vms_own() -> Result<()> {
    finds_nothing(FULL_2_GICV2, &["linux1", "linux2", "hello", "beats"])
}

#[test]
fn a_board_that_halts() -> Result<()> {
    finds_nothing(FAILURE_HALT, &["spin", "beats"])
}
