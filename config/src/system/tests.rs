//! A `system.toml`, right and wrong.

use tempfile::TempDir;

use super::*;

struct Outcome {
    system: Option<System>,
    text: String,
    codes: Vec<&'static str>,
    folder: TempDir,
}

fn read(text: &str) -> Outcome {
    let folder = TempDir::new().unwrap();
    for name in ["a.qvmconf", "b \"$c.qvmconf", "disk.img"] {
        std::fs::write(folder.path().join(name), "ram 64M\n").unwrap();
    }
    let path = folder.path().join("system.toml");
    std::fs::write(&path, text).unwrap();
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let system = System::read(&path, &mut sources, &mut diagnostics);
    let text = diagnostics.render(&sources, false).replace(&format!("{}/", folder.path().display()), "");
    Outcome { system, text, codes: diagnostics.iter().map(|it| it.code).collect(), folder }
}

#[test]
fn a_whole_page() {
    let outcome = read(
        "consoles = [\"/dev/ser1\"]\n[board]\nname = \"qemu-aarch64\"\ngic = 2\ncpus = 2\nmemory = \"1G\"\non-failure = \"halt\"\n\
         [[vm]]\nfile = \"a.qvmconf\"\n[[vm]]\nname = \"other\"\nfile = 'b \"$c.qvmconf'\n\
         [regions.guest-mem]\nstart = 0x6000_0000\nlength = \"16M\"\n",
    );
    assert_eq!(outcome.text, "");
    let folder = outcome.folder.path();
    let request = outcome.system.unwrap().request("/project".into(), "none");
    assert_eq!(request.vms[0], VmSource::File(folder.join("a.qvmconf")));
    let words = "system \"other\" \"@b \\\"\\$c.qvmconf\"".to_owned();
    assert_eq!(request.vms[1], VmSource::Words { text: words, folder: folder.to_owned() });
    assert_eq!((request.board.as_str(), request.cpus, request.memory_bytes), ("qemu-aarch64", Some(2), Some(1 << 30)));
    assert_eq!((request.gic, request.on_failure), (Some(GicVersion::V2), Some(OnFailure::Halt)));
    assert_eq!(request.regions["guest-mem"], Region { start: 0x6000_0000, length_bytes: 16 << 20 });
    assert_eq!(request.consoles, ["/dev/ser1"]);
}

#[test]
fn the_example_and_the_document_are_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let system = System::read(&root.join("guests/system.toml"), &mut sources, &mut diagnostics).unwrap();
    assert_eq!((diagnostics.iter().count(), system.vms.len()), (0, 2));
    let document = include_str!("../../../docs/system.md");
    let example = document.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(toml::from_str::<Page>(example).is_ok());
    for key in
        ["name", "gic", "cpus", "memory", "on-failure", "file", "start", "length", "consoles", "disks", "uplinks"]
    {
        assert!(example.contains(key), "{key} is not in the example");
    }
}

#[test]
fn what_the_file_does_not_say_is_the_defaults() {
    let outcome = read("[[vm]]\nfile = \"a.qvmconf\"\n");
    let request = outcome.system.unwrap().request("/project".into(), "some-board");
    assert_eq!((request.board.as_str(), request.cpus, request.gic), ("some-board", None, None));
}

#[test]
fn all_wrong_values_are_said_at_once() {
    let outcome = read(
        "consoles = [\">x\"]\n[board]\ngic = 4\ncpus = 0\nmemory = \"2X\"\non-failure = \"smile\"\n[[vm]]\nfile = \"c.qvmconf\"\n\
         [[vm]]\nname = \"a b\"\nfile = \"a.qvmconf\"\n[regions.\"a b\"]\nstart = 1\nlength = \"1K\"\n[disks.root]\nfile = \"no.img\"\n",
    );
    insta::assert_snapshot!("wrong values", outcome.text.trim_end());
    assert_eq!(outcome.codes.iter().filter(|code| **code == codes::SYSTEM_VALUE).count(), 11);
}

#[test]
fn mistakes_of_toml_have_their_place() {
    let cases =
        ["[board]\nname = \n", "[board]\ngick = 3\n", "[board]\ncpus = \"two\"\n[[vm]]\n", "[[vm]]\nname = \"a\"\n"];
    let texts: Vec<String> = cases
        .into_iter()
        .map(|case| {
            let outcome = read(case);
            assert_eq!((outcome.system, outcome.codes), (None, vec![codes::SYSTEM_FILE]));
            outcome.text
        })
        .collect();
    insta::assert_snapshot!("mistakes of toml", texts.concat().trim_end());
}

#[test]
fn a_page_without_a_vm_is_one_mistake() {
    let outcome = read("");
    assert_eq!(outcome.codes, [codes::SYSTEM_VALUE]);
    assert!(outcome.text.contains("there is no VM in this file"), "{}", outcome.text);
}

#[test]
fn disks_and_uplinks_are_checked_and_unused() {
    let outcome = read(
        "[[vm]]\nfile = \"a.qvmconf\"\n[disks.root]\nfile = \"disk.img\"\n[disks.data]\nfile = \"disk.img\"\n[uplinks.lan]\n",
    );
    assert!(outcome.system.is_some());
    insta::assert_snapshot!("unused", outcome.text.trim_end());
}
