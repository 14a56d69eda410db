//! The tool as a user meets it: statuses and messages of its commands, without QEMU and without a network.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn check(file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("check").arg(file).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_good_file_is_status_0() {
    let folder = Folder::new("good");
    folder.write("program", "any bytes are a raw program");
    let file = folder.write("vm.qvmconf", "system vm\nram 0x40000000,4M\nload 0x40000000,program\n");
    let output = check(&file);
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("vm: 1 vCPU, 4096 KiB"), "{output:?}");
}

#[test]
fn a_mistake_is_status_65_and_named_with_its_line() {
    let folder = Folder::new("mistake");
    let file = folder.write("vm.qvmconf", "system vm\nram 0x40000000,4M\nload 0x40000000,missing.bin\n");
    let output = check(&file);
    assert_eq!(output.status.code(), Some(65), "{}", said(&output));
    let said = said(&output);
    assert!(said.contains("vm.qvmconf:3:") && said.contains("missing.bin"), "{said}");
    assert!(said.ends_with("error: the configuration has an error\n"), "{said}");
}

#[test]
fn an_unknown_board_is_status_65_and_the_boards_are_named() {
    let folder = Folder::new("board");
    let file = folder.write("vm.qvmconf", "system vm\nram 4M\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["check", "--board", "pdp11"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(65), "{}", said(&output));
    assert!(said(&output).contains("qemu-aarch64"), "{}", said(&output));
}

#[test]
fn every_command_has_help() {
    for command in ["setup", "run", "test", "build", "check", "clean"] {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args([command, "--help"]).output().unwrap();
        assert!(output.status.success(), "{command}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("cargo xtask {command}")), "{command}");
    }
}
