//! A real Debian for x86 on the bare board and in its VM. Needs QEMU and the guest's files, which `cargo xtask test` prepares.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Debian alone, which powers off by itself.
const FILE: &str = "qemu-tests/systems/linux-compare-x86_64.qvmconf";

fn xtask(words: &[&str]) -> Option<Output> {
    if std::env::var_os("OSTLER_QEMU_TESTS").is_none() {
        eprintln!("skipped: `cargo xtask test` runs this");
        return None;
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(words).args(["--board", "qemu-x86_64"]).arg(file).output().unwrap();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    Some(output)
}

#[test]
fn debian_runs_on_the_bare_pc() {
    let Some(output) = xtask(&["run", "--bare", "--headless", "--timeout", "300"]) else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("reboot: Power down") && !said.contains("[ostler]"), "{said}");
}

#[test]
fn long_debian_compares_with_itself() {
    if std::env::var_os("OSTLER_LONG_TESTS").is_none() {
        return eprintln!("skipped: `cargo xtask test --long` runs this test");
    }
    let Some(output) = xtask(&["compare", "--json", "--quiet", "30"]) else { return };
    assert!(output.status.success());
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for side in ["bare", "vm"] {
        assert_eq!(said[side]["milestones"].as_array().unwrap().last().unwrap()["name"], "power-off", "{side}");
    }
    let device = |side: &str, kind: &str| {
        let list = said[side]["devices"].as_array().unwrap();
        let found = list.iter().find(|it| it["kind"] == kind)?;
        Some((found["interrupts"].to_string(), found["drivers"].to_string()))
    };
    for side in ["bare", "vm"] {
        assert_eq!(device(side, "PNP0501"), Some(("[4]".into(), "[\"serial\"]".into())), "{side}");
        assert!(device(side, "PNP0b00").is_some(), "{side}: the clock");
    }
    assert!(device("bare", "PNP0303").is_some(), "the board has a keyboard controller");
    assert_eq!(device("vm", "PNP0303"), None);
}
