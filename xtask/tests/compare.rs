//! A real Debian on the bare board and in its VM. Needs QEMU and the guest's files, which `cargo xtask test` prepares.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Debian alone, which powers off by itself.
const FILE: &str = "qemu-tests/systems/linux-compare.qvmconf";

fn xtask(words: &[&str]) -> Option<Output> {
    if std::env::var_os("OSTLER_QEMU_TESTS").is_none() {
        eprintln!("skipped: `cargo xtask test` runs this");
        return None;
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).arg(file).output().unwrap();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    Some(output)
}

#[test]
fn debian_runs_on_the_bare_board() {
    let Some(output) = xtask(&["run", "--bare", "--headless", "--timeout", "120"]) else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("reboot: Power down") && !said.contains("[ostler]"), "{said}");
}

#[test]
fn debian_compares_with_itself() {
    let Some(output) = xtask(&["compare", "--json"]) else { return };
    assert!(output.status.success());
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let milestones = |side: &str| {
        let list = said[side]["milestones"].as_array().unwrap().iter();
        list.map(|it| (it["name"].as_str().unwrap().to_owned(), it["micros"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    let (bare, vm) = (milestones("bare"), milestones("vm"));
    assert_eq!(bare.last().unwrap().0, "power-off");
    assert_eq!(vm.last().unwrap().0, "power-off");
    // The board has devices that the VM lacks; still it is one kernel that does the same.
    let (bare, vm) = (bare.last().unwrap().1, vm.last().unwrap().1);
    assert!(vm.abs_diff(bare) < bare / 10, "{bare} µs on the bare board, {vm} in the VM");
    let device = |side: &str, kind: &str| {
        let list = said[side]["devices"].as_array().unwrap();
        list.iter()
            .find(|it| it["kind"] == kind)
            .map(|it| (it["names"].to_string(), it["interrupts"].to_string(), it["drivers"].to_string()))
    };
    let uart = |name: &str, interrupt: &str| {
        Some((format!("[\"{name}\"]"), format!("[{interrupt}]"), "[\"uart-pl011\"]".into()))
    };
    assert_eq!(device("bare", "pl011"), uart("9000000.pl011", "33"));
    assert_eq!(device("vm", "pl011"), uart("1c090000.pl011", "37"));
    assert!(device("bare", "pl031").is_some(), "the board has a clock");
    assert_eq!(device("vm", "pl031"), None);
}
