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
fn without_files_each_board_has_its_demo() {
    for (board, devices) in [("qemu-aarch64", "pl011"), ("qemu-x86_64", "ser8250")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let output = command.args(["check", "--no-images", "--report", "--board", board]).output().unwrap();
        assert!(output.status.success(), "{board}: {}", said(&output));
        let report = String::from_utf8_lossy(&output.stdout);
        for words in ["linux", "hello", devices] {
            assert!(report.contains(words), "{board}: no {words} in {report}");
        }
    }
}

#[test]
fn every_command_has_help() {
    for command in ["setup", "run", "test", "build", "check", "fmt", "symbolize", "clean"] {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args([command, "--help"]).output().unwrap();
        assert!(output.status.success(), "{command}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("cargo xtask {command}")), "{command}");
    }
}

fn xtask(arguments: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).arg(file).output().unwrap()
}

#[test]
fn json_is_one_object_a_line_and_nothing_else_on_standard_output() {
    let folder = Folder::new("json");
    let file = folder.write("vm.qvmconf", "ram 80000000,1000\ncpu sched 300\nload missing\n");
    let output = xtask(&["check", "--format", "json"], &file);
    assert_eq!(output.status.code(), Some(65));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let codes: Vec<&str> = lines.iter().map(|line| line["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["Q0022", "Q0018", "Q0017"], "{lines:?}");
    let last = &lines[2];
    assert_eq!((&last["level"], &last["line"], &last["column"]), (&"error".into(), &2.into(), &11.into()));
    assert!(last["file"].as_str().unwrap().ends_with("vm.qvmconf") && last["hint"].is_string(), "{last}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: the configuration has 2 errors\n");
}

#[test]
fn without_images_they_need_not_be_there_and_that_is_said() {
    let folder = Folder::new("no-images");
    let text = "system vm\nram 0x40000000,4M\nload nowhere.bin\nvdev pl011 loc 0x1c090000 intr gic:37 hostdev -\n";
    let file = folder.write("vm.qvmconf", text);
    assert_eq!(xtask(&["check"], &file).status.code(), Some(65));
    let trees = folder.0.join("trees");
    let output = xtask(&["check", "--no-images", "--dump-fdt", trees.to_str().unwrap()], &file);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(said(&output).matches("note[Q0140]").count(), 1, "{}", said(&output));
    let tree = std::fs::read_to_string(trees.join("vm.dts")).unwrap();
    assert!(tree.starts_with("/dts-v1/;") && tree.contains("pl011@1c090000 {"), "{tree}");
}

#[test]
fn a_mistake_is_status_65_of_build_and_run_too() {
    let folder = Folder::new("status");
    let file = folder.write("vm.qvmconf", "ram 64M\nload missing.bin\n");
    let out = folder.0.join("out");
    for arguments in [&["build", "--out", out.to_str().unwrap()][..], &["run", "--headless"]] {
        let output = xtask(arguments, &file);
        assert_eq!(output.status.code(), Some(65), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("error[Q0116]"), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn a_report_is_a_page_of_text_json_or_html() {
    let folder = Folder::new("report");
    folder.write("program", "any bytes are a raw program");
    let file = folder.write("vm.qvmconf", "system vm\nram 0x40000000,4M\nload program\n");
    let report = |arguments: &[&str]| {
        let output = xtask(&[&["check", "--report"], arguments].concat(), &file);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(report(&[]).contains("\nVM vm: 1 vCPU, 4 MiB of memory, starts at 0x40000000"));
    let json: serde_json::Value = serde_json::from_str(&report(&["--format", "json"])).unwrap();
    assert_eq!(json["vms"][0]["name"], "vm");
    let page = folder.0.join("report.html");
    assert_eq!(report(&["--format", "html", "--out", page.to_str().unwrap()]), "");
    assert!(std::fs::read_to_string(page).unwrap().starts_with("<!doctype html>"));
    assert_eq!(xtask(&["check", "--format", "html"], &file).status.code(), Some(1));
}

#[test]
fn a_code_is_explained() {
    let explain =
        |code: &str| Command::new(env!("CARGO_BIN_EXE_xtask")).args(["check", "--explain", code]).output().unwrap();
    let output = explain("q0105");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).starts_with("Q0105: Two things claim"));
    assert_eq!(explain("Q9").status.code(), Some(1));
    assert!(said(&explain("Q9")).contains("there is no code `Q9`"));
}

#[test]
fn a_system_toml_stands_for_its_files_and_options_win() {
    let folder = Folder::new("system");
    folder
        .write("a.qvmconf", "ram 0x40000000,4M\nload a.bin\nvdev pl011 loc 0x1c090000 intr gic:37 hostdev /dev/ser1\n");
    let text = "consoles = [\"/dev/ser1\"]\n[board]\ncpus = 3\nmemory = \"1G\"\n[[vm]]\nfile = \"a.qvmconf\"\n\
                [[vm]]\nname = \"twin\"\nfile = \"a.qvmconf\"\n";
    let file = folder.write("system.toml", text);
    let output = xtask(&["check", "--no-images", "--memory", "512M"], &file);
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", said(&output));
    assert!(summary.contains("a: 1 vCPU") && summary.contains("twin: 1 vCPU"), "{summary}");
    assert!(summary.ends_with("3 CPUs and 512 MiB\n"), "{summary}");

    // Its own mistakes and those of its files are of one run.
    let file = folder.write("system.toml", &text.replace("\"1G\"", "\"1X\"").replace("/dev/ser1", "/dev/ser2"));
    let output = xtask(&["check", "--no-images"], &file);
    assert_eq!(output.status.code(), Some(65));
    assert!(said(&output).contains("error[Q0142]") && said(&output).contains("/dev/ser1"), "{}", said(&output));
    assert!(said(&output).ends_with("error: the configuration has 2 errors\n"), "{}", said(&output));
}

#[test]
fn a_file_is_formatted_once_and_left_alone_when_it_is_no_file_of_words() {
    let folder = Folder::new("fmt");
    let file = folder.write("vm.qvmconf", "system  vm # a guest\nram 4M cpu\n");
    let output = xtask(&["fmt", "--check"], &file);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains(":1:\n-system  vm # a guest\n+system vm  # a guest\n"));
    assert!(xtask(&["fmt"], &file).status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "system vm  # a guest\nram 4M\ncpu\n");
    assert!(xtask(&["fmt", "--check"], &file).status.success());
    let broken = folder.write("broken.qvmconf", "cmdline  \"a\n");
    let output = xtask(&["fmt"], &broken);
    assert_eq!(output.status.code(), Some(65));
    assert!(said(&output).contains("Q0004"), "{}", said(&output));
    assert_eq!(std::fs::read_to_string(&broken).unwrap(), "cmdline  \"a\n");
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
