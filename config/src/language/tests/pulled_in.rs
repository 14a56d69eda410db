//! `@FILE` and words of a command line: what several texts mean together.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use super::{Host, Outcome};
use crate::VmSource;
use crate::codes::{TOO_MUCH_TEXT, VARIABLE_NOT_SET};
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::spec::VmSpec;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn parse(sources: &mut Sources, diagnostics: &mut Diagnostics, vm: &VmSource) -> Option<VmSpec> {
    let host =
        Host { env: &|_| None, architecture: crate::assemble::Architecture::Aarch64, regions: None, consoles: &[] };
    super::super::parse(sources, Path::new("/"), vm, &host, diagnostics, &mut BTreeMap::new())
}

fn read(vm: &VmSource) -> Outcome {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let spec = parse(&mut sources, &mut diagnostics, vm);
    Outcome { spec, sources, diagnostics, used_env: BTreeMap::new() }
}

/// What the first of these files says.
fn file(files: &[(&str, &str)]) -> Outcome {
    let folder = folder(files);
    read(&VmSource::File(folder.path().join(files[0].0)))
}

fn good(outcome: &Outcome) -> &VmSpec {
    let rendered = outcome.diagnostics.render(&outcome.sources, false);
    outcome.spec.as_ref().unwrap_or_else(|| panic!("{rendered}"))
}

fn codes(outcome: &Outcome) -> Vec<&'static str> {
    outcome.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn a_file_stands_where_it_is_pulled_in() {
    let outcome = file(&[
        ("a", "@parts/name\nram 1M @parts/pl011 name tty cpu sched 8 @parts/ram runmask 1"),
        ("parts/name", "system a # first of all entries"),
        ("parts/pl011", "vdev pl011"),
        ("parts/ram", "ram 2M"),
    ]);
    let spec = good(&outcome);
    assert_eq!(spec.system.as_ref().unwrap().value, "a");
    assert_eq!(spec.memory.iter().map(|memory| memory.size_bytes.value >> 20).collect::<Vec<_>>(), [1, 2]);
    // Contexts go over the borders of files.
    assert_eq!(spec.vdevs[0].name.as_ref().unwrap().value, "tty");
    assert_eq!(spec.cpus[0].runmask.as_ref().unwrap().value, [1]);
    assert_eq!(outcome.sources.iter().count(), 4);
    assert_eq!(codes(&outcome), [""; 0]);
}

#[test]
fn paths_count_from_the_folder_of_the_file_that_they_stand_in() {
    let folder = folder(&[
        ("a", "ram 1M @\"sub folder/b\" load Image"),
        ("sub folder/b", "load Image @c"),
        ("sub folder/c", "set fdt-dump-file out.dtb"),
    ]);
    let outcome = read(&VmSource::File(folder.path().join("a")));
    let spec = good(&outcome);
    let relative = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
    let loads: Vec<_> = spec.loads.iter().map(|load| relative(&load.path.value)).collect();
    assert_eq!(loads, ["sub folder/Image", "Image"]);
    assert_eq!(relative(&spec.fdt_dump_file.as_ref().unwrap().value), "sub folder/out.dtb");
}

#[test]
fn a_file_may_be_pulled_in_twice_and_is_read_once() {
    let outcome = file(&[("a", "@b @c ram 1M"), ("b", "@c"), ("c", "cpu ram 1M"), ("d", "")]);
    assert_eq!(good(&outcome).cpus.len(), 2);
    assert_eq!(outcome.sources.iter().count(), 3);
}

#[test]
fn words_of_a_command_line_count_from_their_folder() {
    let folder = folder(&[("base.qvmconf", "system a ram 1M"), ("d/more.qvmconf", "load ./Image")]);
    let text = "@base.qvmconf @d/more.qvmconf load x set fdt-dump-file x.dtb".to_owned();
    let outcome = read(&VmSource::Words { text, folder: folder.path().to_owned() });
    let spec = good(&outcome);
    assert_eq!(spec.loads[0].path.value, folder.path().join("d/./Image"));
    assert_eq!(spec.loads[1].path.value, folder.path().join("x"));
    assert_eq!(spec.fdt_dump_file.as_ref().unwrap().value, folder.path().join("x.dtb"));

    let outcome = read(&VmSource::Words { text: "ram 1M ram 5".into(), folder: folder.path().to_owned() });
    insta::assert_snapshot!(outcome.diagnostics.render(&outcome.sources, false), @"
    error[Q0018]: the length, 5 bytes, is not a multiple of 4 KiB
     --> <command line>:1:12
      |
    1 | ram 1M ram 5
      |            ^
      |
      = help: without a suffix this is a number of bytes: for mebibytes write `5M`
    ");
}

#[test]
fn a_mistake_in_a_file_of_two_vms_is_told_once() {
    let folder = folder(&[("a", "@c ram 5"), ("b", "@c @c ram 5"), ("c", "ram 1M load $env{NO}")]);
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    for name in ["a", "b"] {
        assert!(parse(&mut sources, &mut diagnostics, &VmSource::File(folder.path().join(name))).is_none());
    }
    let count = diagnostics.iter().filter(|diagnostic| diagnostic.code == VARIABLE_NOT_SET).count();
    assert_eq!((count, diagnostics.errors()), (1, 3));
}

#[test]
fn depth_and_amount_are_bounded() {
    let names: Vec<String> = (0..20).map(|depth| format!("f{depth}")).collect();
    let texts: Vec<String> = (1..21).map(|depth| format!("@f{depth}")).collect();
    let chain: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    assert_eq!(codes(&file(&chain)), [TOO_MUCH_TEXT]);

    // Each of these pulls in the next one ten times: a thousand million times the last one, if nobody stopped it.
    let texts: Vec<String> = (1..10).map(|depth| format!("@f{depth} ").repeat(10)).chain(["#".repeat(1000)]).collect();
    let chain: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    assert_eq!(codes(&file(&chain)), [TOO_MUCH_TEXT]);
}
