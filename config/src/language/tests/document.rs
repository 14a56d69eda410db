//! docs/qvm.md and the code say the same: every row of its tables is true, and every word has a row.

use std::collections::BTreeSet;

use super::super::vocabulary::{Entry, Place, Status, WORDS};
use super::{codes, good, read_for};
use crate::assemble::Architecture;
use crate::codes::{NO_MEANING, NOT_SUPPORTED};

const DOCUMENT: &str = include_str!("../../../../docs/qvm.md");

/// One row of a table of words.
#[derive(Debug)]
struct Row {
    section: &'static str,
    words: Vec<String>,
    status: &'static str,
    example: String,
}

/// What a row's example is told on a board of this architecture, where a file that it pulls in is the demo's.
fn said(example: &str, cpu: Architecture) -> Vec<&'static str> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/linux/vm.qvmconf");
    let outcome = read_for(cpu, path, example.as_bytes());
    outcome.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// What a row says of guests on `cpu`, and of those on the other one nothing but that they cannot have it.
fn status(row: &Row, cpu: Architecture) -> &'static str {
    match row.status.split_once(", ") {
        None => row.status,
        Some((status, only)) if only == cpu.name() => status,
        Some(_) => "refused",
    }
}

/// What is in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of all tables with an "In Ostler" column.
fn rows() -> Vec<Row> {
    let (mut section, mut rows, mut inside) = ("", Vec::new(), false);
    for line in DOCUMENT.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            section = title;
        }
        inside = line.starts_with("| Word | In Ostler |") || (inside && line.starts_with('|'));
        let cells: Vec<&str> = line.split(" | ").collect();
        if let (true, [words, status, example, ..]) = (inside && line.starts_with("| `"), cells.as_slice()) {
            let example = quoted(example).pop().unwrap_or_else(|| panic!("no example: {line}"));
            rows.push(Row { section, words: quoted(words), status, example });
        }
    }
    rows
}

/// Whether an entry is one of the section's.
fn is_in(section: &str, entry: &Entry) -> bool {
    match section {
        "Options" => entry.place == Place::Top,
        "`cpu`" => entry.place == Place::Cpu,
        "`reserve`" => entry.place == Place::Resource,
        "`pass`" => entry.place == Place::Pass,
        "Types of vdev" => entry.place == Place::VdevType,
        "Every vdev" => entry.place == Place::AnyVdev,
        "Options of refused vdevs" => {
            matches!((entry.place, entry.status(Architecture::X86_64)), (Place::Vdev(_), Status::Refused(_)))
        }
        "Variables" => entry.place == Place::Variable,
        "`unsupported`" => entry.place == Place::Top && entry.word == "unsupported",
        other if other.starts_with("`vdev ") => {
            let kind = other.trim_matches('`').trim_start_matches("vdev ");
            entry.fits_vdev(kind)
        }
        other => panic!("a section that the code does not know: {other}"),
    }
}

#[test]
fn every_row_is_true() {
    let rows = rows();
    assert!(rows.len() > 60, "the tables were not found");
    for row in &rows {
        for cpu in Architecture::BOTH {
            let said: BTreeSet<_> = said(&row.example, cpu).into_iter().collect();
            // What both have and write differently is some mistake where it is not written so.
            let same = |other: &&Row| (other.section, &other.words) == (row.section, &row.words);
            if status(row, cpu) == "refused" && rows.iter().filter(same).any(|other| status(other, cpu) != "refused") {
                assert!(!said.is_empty(), "on {}: {row:?}", cpu.name());
                continue;
            }
            let expected = match status(row, cpu) {
                "works" => BTreeSet::new(),
                "no meaning" => BTreeSet::from([NO_MEANING]),
                "refused" => BTreeSet::from([NOT_SUPPORTED]),
                other => panic!("no such status: {other}"),
            };
            assert_eq!(said, expected, "on {}: {row:?}", cpu.name());
        }
        for word in &row.words {
            assert!(row.example.contains(word.trim_end_matches("FILE")), "`{word}` is not in its example: {row:?}");
        }
    }
}

#[test]
fn every_word_has_a_row_of_its_status() {
    let rows = rows();
    let type_of = |kind: &str| WORDS.iter().find(|it| it.place == Place::VdevType && it.word == kind).unwrap();
    let is_refused = |entry: &Entry, cpu| matches!(entry.status(cpu), Status::Refused(_));
    for (entry, cpu) in WORDS.iter().flat_map(|entry| Architecture::BOTH.map(|cpu| (entry, cpu))) {
        // Options of vdevs that only guests on the other CPU have.
        if let Place::Vdev(kinds) = entry.place
            && kinds.iter().all(|kind| {
                is_refused(type_of(kind), cpu) && Architecture::BOTH.iter().any(|&cpu| !is_refused(type_of(kind), cpu))
            })
        {
            continue;
        }
        let said = match entry.status(cpu) {
            Status::Works => "works",
            Status::NoMeaning(_) => "no meaning",
            Status::Refused(_) => "refused",
        };
        let has_row = |row: &Row| {
            is_in(row.section, entry) && status(row, cpu) == said && row.words.iter().any(|word| word == entry.word)
        };
        assert!(rows.iter().any(has_row), "docs/qvm.md does not say that on {} this is {said}: {entry:?}", cpu.name());
    }
}

/// The words of qvm's own tables, as the vendor's guide has them: top-level options, sub-options of `cpu`, variables, types
/// of `unsupported`, options of every vdev, and the vdevs with their options.
const GUIDE: &[(&str, &[&str])] = &[
    (
        "Options",
        &[
            "system",
            "ram",
            "rom",
            "cpu",
            "load",
            "initrd",
            "fdt",
            "acpi",
            "data",
            "guest",
            "cmdline",
            "pass",
            "reserve",
            "vdev",
            "dump",
            "logger",
            "set",
            "unsupported",
            "safety",
            "dryrun",
            "debug",
            "user",
            "generate",
        ],
    ),
    ("`cpu`", &["sched", "runmask", "cluster", "partition"]),
    ("`reserve`", &["loc", "intr"]),
    (
        "Variables",
        &[
            "counter-offset",
            "debug",
            "exit-on-halt",
            "fdt-dump-file",
            "grow-heap",
            "message-block-timeout",
            "vdev-message-block-timeout",
            "slog-buffer",
            "gic-hwassist",
            "host-paddr-gicd",
            "host-paddr-gich",
            "host-paddr-gicv",
        ],
    ),
    ("`unsupported`", &["instruction", "reference", "register", "abort", "fail", "ignore"]),
    ("Every vdev", &["loc", "name", "log"]),
    (
        "Types of vdev",
        &[
            "gic",
            "ioapic",
            "8259",
            "timer8254",
            "hpet",
            "mc146818",
            "pckeyboard",
            "ser8250",
            "pl011",
            "virtio-console",
            "virtio-blk",
            "virtio-net",
            "virtio-entropy",
            "shmem",
            "smmu",
            "wdt-sp805",
            "wdt-ib700",
            "pci-dummy",
            "progress",
            "trace",
            "vgpu-gvtg",
            "virtio-fs",
            "virtio-input",
            "virtio-gpu",
            "virtio-video",
            "virtio-snd",
            "virtio-vsock",
        ],
    ),
    ("`vdev gic`", &["version", "msi", "hostvector"]),
    ("`vdev pl011`", &["hostdev", "delayed", "batch", "sched", "intr"]),
    ("`vdev wdt-sp805`", &["loc", "frequency", "intr", "action"]),
    ("`vdev wdt-ib700`", &["action"]),
    ("`vdev ioapic`", &["loc", "intr", "name", "hostvector"]),
    ("`vdev timer8254`", &["intr"]),
    ("`vdev hpet`", &["loc", "intr"]),
    ("`vdev mc146818`", &["reg"]),
    ("`vdev ser8250`", &["hostdev", "delayed", "batch", "sched", "intr", "loc"]),
    ("`vdev pci-dummy`", &["clone"]),
    (
        "Options of refused vdevs",
        &[
            "intr",
            "hostdev",
            "delayed",
            "sched",
            "legacy",
            "threads",
            "dio",
            "mac",
            "peer",
            "peerfeats",
            "create",
            "allow",
            "deny",
            "subst",
            "host_path",
            "tag",
            "num_req_queues",
            "directio",
            "screen",
            "size",
            "display",
            "window",
            "protocol",
        ],
    ),
];

#[test]
fn every_word_of_the_guide_has_a_row() {
    let rows = rows();
    for (section, words) in GUIDE {
        for word in *words {
            let has_row = |row: &Row| row.section == *section && row.words.iter().any(|other| other == word);
            assert!(rows.iter().any(has_row), "docs/qvm.md has no row for `{word}` in {section}");
        }
    }
}

#[test]
fn every_word_of_the_documents_rows_is_known() {
    for row in rows() {
        for word in row.words.iter().filter(|word| !word.starts_with(['$', '@']) && row.section != "`unsupported`") {
            let word = word.strip_suffix("-safety").unwrap_or(word);
            let known = |entry: &Entry| match row.section {
                "Options of refused vdevs" => matches!(entry.place, Place::Vdev(_)),
                // What every vdev has, said once more where it has a default.
                section => is_in(section, entry),
            };
            assert!(WORDS.iter().any(|entry| entry.word == word && known(entry)), "the code has no `{word}`: {row:?}");
        }
    }
}

#[test]
fn every_refused_word_of_a_row_is_refused_by_its_own_name() {
    for row in rows().iter().filter(|row| row.section == "Types of vdev" && row.status == "refused") {
        for cpu in Architecture::BOTH {
            assert_eq!(said(&row.example, cpu).len(), row.words.len(), "on {}: {row:?}", cpu.name());
        }
    }
}

#[test]
fn the_whole_files_in_the_document_are_good() {
    let mut count = 0;
    for file in DOCUMENT.split("```qvm\n").skip(1) {
        good(file.split("```").next().expect("the end of the example"));
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn the_files_of_the_demo_say_nothing_to_complain_about() {
    for text in
        [include_str!("../../../../guests/hello/hello.qvmconf"), include_str!("../../../../guests/linux/linux.qvmconf")]
    {
        good(text);
        assert_eq!(codes(text), [""; 0]);
    }
    for text in [
        include_str!("../../../../guests/hello/hello-x86_64.qvmconf"),
        include_str!("../../../../guests/linux/linux-x86_64.qvmconf"),
    ] {
        assert_eq!(said(text, Architecture::X86_64), [""; 0]);
    }
}
