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
fn words_are_vms_beside_files_and_count_from_the_working_folder() {
    let folder = Folder::new("words");
    folder.write("program", "any bytes are a raw program");
    folder.write("base.qvmconf", "system words\nram 0x40000000,4M\n");
    let file = folder.write("vm.qvmconf", "ram 0x40000000,4M\nload 0x40000000,program\n");
    let run = |words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.current_dir(&folder.0).arg("check").arg(&file).args(["--vm", words]);
        command.args(["--vm", "system more @base.qvmconf load program"]).output().unwrap()
    };
    let output = run("@base.qvmconf load 0x40000000,program");
    assert_eq!(output.status.code(), Some(65), "`system` is not the first entry of the last VM");
    assert!(said(&output).contains("--> base.qvmconf:1:1"), "{}", said(&output));
    folder.write("base.qvmconf", "ram 0x40000000,4M\n");
    let output = run("system words @base.qvmconf load 0x40000000,program");
    assert!(output.status.success(), "{}", said(&output));
    let names: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(|line| line[..4].to_owned()).collect();
    assert_eq!(names, ["vm: ", "word", "more", "good"]);
    let output = run("system words @base.qvmconf load missing");
    assert!(said(&output).contains("--> <command line>:1:33"), "{}", said(&output));
}

#[test]
fn a_dry_run_builds_and_runs_nothing() {
    let folder = Folder::new("dry");
    folder.write("program", "any bytes are a raw program");
    let file = folder.write("vm.qvmconf", "ram 0x40000000,4M load program set fdt-dump-file out.dtb");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command
        .args(["run", "--headless"])
        .arg(&file)
        .args(["--vm", "system b @vm.qvmconf dryrun"])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("the dry run is complete"), "{}", said(&output));
    assert_eq!(std::fs::read(folder.0.join("out.dtb")).unwrap()[..4], [0xd0, 0x0d, 0xfe, 0xed]);
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
    for command in ["setup", "run", "test", "build", "check", "symbolize", "clean"] {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args([command, "--help"]).output().unwrap();
        assert!(output.status.success(), "{command}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("cargo xtask {command}")), "{command}");
    }
}

fn symbolize(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("symbolize").args(arguments).output().unwrap()
}

#[test]
fn a_log_gets_names_behind_its_addresses() {
    // The tool itself is an ELF file with symbols.
    let own = env!("CARGO_BIN_EXE_xtask");
    let bytes = std::fs::read(own).unwrap();
    let file = elf::ElfBytes::<elf::endian::LittleEndian>::minimal_parse(&bytes).unwrap();
    let (symbols, names) = file.symbol_table().unwrap().unwrap();
    let main = symbols
        .iter()
        .find(|symbol| names.get(symbol.st_name as usize).is_ok_and(|name| name == "main"))
        .unwrap()
        .st_value;
    let folder = Folder::new("symbolize");
    let text = format!("\x1e[ostler]   called from {:#x}\r\nno address: 0x10\nno line end", main + 4);
    let log = folder.write("log", &text);
    let output = symbolize(&["--elf", own, log.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let named = String::from_utf8(output.stdout).unwrap();
    let first = format!("\x1e[ostler]   called from {:#x} main+0x4", main + 4);
    assert!(named.starts_with(&first) && named.ends_with("\r\nno address: 0x10\nno line end"), "{named}");
}

#[test]
fn a_log_without_symbols_is_an_error_with_a_hint() {
    let output = symbolize(&["--elf", "/nowhere/ostler.elf"]);
    assert_eq!(output.status.code(), Some(1));
    let said_first = said(&output);
    assert!(said_first.contains("can't read symbols from /nowhere/ostler.elf: "), "{said_first}");
    assert!(said_first.contains("hint: name by --elf the `ostler.elf`"), "{said_first}");
    let output = symbolize(&["--elf", env!("CARGO_BIN_EXE_xtask"), "/nowhere/log"]);
    assert!(said(&output).contains("can't read /nowhere/log"), "{}", said(&output));
}

#[test]
fn an_action_after_failures_is_one_that_there_is() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["check", "--on-failure", "smile"]).output().unwrap();
    assert!(said(&output).contains("after a failure a board does `reset` or `halt`"), "{}", said(&output));
}
