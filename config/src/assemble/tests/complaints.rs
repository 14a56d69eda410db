//! What every complaint of assembly looks like: one case for each, one snapshot a case.
//!
//! `INSTA_UPDATE=always cargo test -p config` writes the snapshots anew; read the difference before you commit it.

use std::collections::BTreeSet;

use model::GicVersion;

use super::super::Images;
use super::super::tree::{Tree, strings};
use super::merge::with_trees;
use super::{Outcome, Project, elf, linux};
use crate::{VmSource, codes};

/// The good rest of a VM, so that each case shows its own mistake only.
const REST: &str = "ram 0x40000000,64M\nload Image\n";

fn with_rest(text: &str) -> String {
    format!("{text}\n{REST}")
}

/// One VM.
fn one(text: &str) -> Outcome {
    Project::new().run(&[text])
}

fn with(prepare: impl FnOnce(&mut Project), texts: &[&str]) -> Outcome {
    let mut project = Project::new();
    prepare(&mut project);
    project.run(texts)
}

/// One VM that loads `bytes` as its program.
fn program(bytes: &[u8]) -> Outcome {
    with(|project| project.file("program", bytes), &["ram 0x40000000,16M\nload program"])
}

/// One VM on a board with a GICv2.
fn on_gicv2(text: &str) -> Outcome {
    with(|project| project.request.gic = Some(GicVersion::V2), &[&with_rest(text)])
}

/// One VM that may load a kernel from before 4.6.
fn with_old(texts: &[&str]) -> Outcome {
    with(|project| project.file("old", &linux(0, 0x10_0000, 0b0010)), texts)
}

fn pl011(options: &str) -> Outcome {
    one(&with_rest(&format!("vdev pl011 {options}")))
}

/// What is said about a vCPU beside others that fill both pCPUs of a board.
fn on_full_pcpus(cpu: &str) -> Outcome {
    let cpus = "cpu runmask 0 cpu runmask 1 ".repeat(16);
    let others: Vec<String> = (0..4).map(|vm| format!("system vm{vm} {cpus} ram 0x40000000,2M load Image")).collect();
    let last = format!("system last\n{cpu}\nram 0x40000000,2M\nload Image");
    let texts: Vec<&str> = others.iter().chain([&last]).map(String::as_str).collect();
    with(|project| project.request.cpus = Some(2), &texts)
}

fn board_cases() -> Vec<(&'static str, Outcome)> {
    vec![
        ("board-unknown", with(|project| project.request.board = "pdp11".into(), &[REST])),
        ("board-cpus", with(|project| project.request.cpus = Some(99), &[REST])),
        ("board-memory", with(|project| project.request.memory_bytes = Some(1 << 20), &[REST])),
        (
            "memory-of-the-board",
            Project::new().run(&["ram 0x40000000,1G\nload Image", "system b\nram 0x40000000,1500M\nload Image"]),
        ),
        ("pcpu-missing", one(&with_rest("cpu runmask 1\ncpu runmask 7"))),
        ("siblings", one(&with_rest("cpu runmask 0\ncpu runmask 1\ncpu runmask 0"))),
        ("siblings-on-a-small-board", with(|project| project.request.cpus = Some(2), &[&with_rest("cpu cpu cpu cpu")])),
        ("pcpu-full", on_full_pcpus("cpu runmask 1")),
        ("pcpu-choice-full", on_full_pcpus("cpu runmask 0,1")),
        ("pcpus-full", on_full_pcpus("cpu")),
        ("shut-out", {
            let keeper =
                with_rest("set exit-on-halt off\ncpu sched 10f runmask 0\ncpu runmask 1\ncpu sched 9 runmask 2");
            let loser = with_rest("system loser\ncpu sched 10 runmask 0\ncpu sched 9 runmask 1\ncpu sched 9 runmask 2");
            Project::new().run(&[&keeper, &loser])
        }),
        ("restart-without-policy", one(&with_rest("set ostler-restart-delay 5\nset ostler-restart-limit 3"))),
        ("group-of-one", {
            let alone = with_rest("system a\nset ostler-restart always\nset ostler-restart-group pairs");
            let pair =
                |name| with_rest(&format!("system {name}\nset ostler-restart always\nset ostler-restart-group pair"));
            Project::new().run(&[&alone, &pair("b"), &pair("c")])
        }),
        ("group-of-nobody", {
            let pair = |name| with_rest(&format!("system {name}\nset ostler-restart-group pair"));
            Project::new().run(&[&pair("a"), &pair("b")])
        }),
        ("watched-and-hidden", one(&with_rest("set exit-on-halt off\nset ostler-progress-timeout 1000"))),
        ("vm-twice", Project::new().run(&[&format!("system a\n{REST}"), &format!("system a\n{REST}")])),
        ("vm-unnamed", {
            let mut project = Project::new();
            project.file("my guest.qvmconf", REST.as_bytes());
            project.request.vms.push(VmSource::File(project.path().join("my guest.qvmconf")));
            project.run(&[])
        }),
        ("vm-of-words-unnamed", {
            let mut project = Project::new();
            let folder = project.path().to_owned();
            project.request.vms.push(VmSource::Words { text: REST.into(), folder });
            project.run(&["$env{NO}"])
        }),
        ("board-and-file", with(|project| project.request.board = "pdp11".into(), &["ram $asinfo_start{a},1M\nram x"])),
    ]
}

fn machine_cases() -> Vec<(&'static str, Outcome)> {
    vec![
        ("memory-overlaps-memory", one("ram 0x40000000,2M\nrom 0x40100000,4K\nload Image")),
        ("memory-overlaps-default-gic", one("ram 1G\nload Image")),
        ("memory-overlaps-gic", one("ram 0x40000000,64M\nvdev gic loc 0x41000000\nload Image")),
        ("memory-off-large-pages", one("ram 0x40100000,63M\nrom 0x50000000,3M\nram 0x60100000,4M\nload Image")),
        ("memory-beyond", one("ram 0x40000000,64M\nram 0xff_ffff_f000,8K\nload Image".replace('_', "").as_str())),
        ("vdev-overlaps-memory", pl011("loc 0x40001000 intr gic:37 hostdev -")),
        ("vdev-overlaps-vdev", {
            let first = "vdev pl011 loc 0x1c090000 intr gic:37 hostdev -";
            one(&with_rest(&format!("{first}\nvdev pl011 name second loc 0x1c090000 intr gic:38 hostdev -")))
        }),
        ("vdev-without-loc", pl011("intr gic:37 hostdev -")),
        ("vdev-without-intr", pl011("loc 0x1c090000 hostdev -")),
        ("vdev-pl061-without-both", one(&with_rest("vdev pl061"))),
        ("vdev-watchdog-without-intr", one(&with_rest("vdev wdt-sp805"))),
        ("vdev-second", {
            let first = "vdev pl061 loc 0x1c1d0000 intr gic:38\nvdev wdt-sp805 intr gic:39";
            one(&with_rest(&format!(
                "{first}\nvdev wdt-sp805 loc 0x1c100000 intr gic:40\nvdev pl061 loc 0x1c1e0000 intr gic:41"
            )))
        }),
        ("vdev-without-hostdev", pl011("loc 0x1c090000 intr gic:37")),
        ("vdev-name-twice", {
            let first = "vdev pl011 name con loc 0x1c090000 intr gic:37 hostdev -";
            one(&with_rest(&format!("{first}\nvdev pl011 name con loc 0x1c0a0000 intr gic:38 hostdev -")))
        }),
        ("intr-private", pl011("loc 0x1c090000 intr gic:5 hostdev -")),
        ("intr-too-high", pl011("loc 0x1c090000 intr gic:512 hostdev -")),
        ("intr-reserved", one(&with_rest("reserve intr 40 intr 600"))),
        ("intr-taken", {
            let first = "vdev pl011 loc 0x1c090000 intr gic:37 hostdev -";
            one(&with_rest(&format!("{first}\nvdev pl011 loc 0x1c0a0000 intr gic:37 hostdev -\nreserve intr 39")))
        }),
        ("vcpus-too-many", one(&with_rest(&format!("{}\ncpu sched 20\ncpu", "cpu ".repeat(32))))),
        ("no-room-for-stolen-time", {
            let everything = "ram 0x40000000,4M\nload Image\nreserve loc 0,0x40000000 loc 0x40400000,0xffbfc00000";
            with(|project| project.request.cpus = Some(1), &[everything, &with_rest("system b")])
        }),
        ("gic-version", one(&with_rest("vdev gic version 2"))),
        ("gicv2-version", on_gicv2("vdev gic version 3")),
        ("gicv2-vcpus-too-many", on_gicv2("cpu cpu cpu cpu\ncpu cpu cpu cpu\ncpu runmask 0")),
        ("gicv2-overlaps-memory", on_gicv2("rom 0x2f011000,4K")),
        ("gicv2-overlaps-vdev", on_gicv2("vdev pl011 loc 0x2f010000 intr gic:37 hostdev -")),
    ]
}

fn image_cases() -> Vec<(&'static str, Outcome)> {
    let damaged = |offset: usize, value: u8| {
        let mut bytes = elf(0x4008_0000);
        bytes[offset] = value;
        bytes
    };
    vec![
        ("program-none", one("ram 64M\ninitrd load ramdisk")),
        ("program-twice", one("ram 0x40000000,64M\nguest load Image\nguest load hello.elf")),
        ("program-second", one("ram 0x40000000,64M\nload Image\nload hello.elf")),
        ("file-missing", one("ram 64M\nload images/Image")),
        ("file-empty", program(&[])),
        ("file-folder", with(|project| std::fs::create_dir(project.path().join("d")).unwrap(), &["ram 64M\nload d"])),
        ("image-truncated", program(&elf(0x4008_0000)[..0x150])),
        ("image-foreign", program(&[[0x27, 0x05, 0x19, 0x56].as_slice(), &[0; 60]].concat())),
        ("image-other-cpu", program(&damaged(18, 62))),
        ("image-malformed", program(&damaged(24, 0xff))),
        ("image-gzip-truncated", program(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1])),
        ("segment-outside", program(&elf(0x8008_0000))),
        ("segment-partly-outside", program(&elf(0x40ff_e000))),
        ("segment-overlaps-data", one("ram 0x40000000,64M\nload hello.elf\ndata load 0x40081000,raw.bin")),
        ("elf-at-another-address", one("ram 0x40000000,64M\nload 0x40000000,hello.elf")),
        ("kernel-off-alignment", one("ram 0x40000000,64M\nload 0x40010000,Image")),
        ("kernel-too-large", with(|p| p.file("big", &linux(0, 64 << 20, 0)), &["ram 0x40000000,32M\nload big"])),
        (
            "initrd-too-large",
            with(|p| p.file("big", &[b'0', b'7'].repeat(16 << 20)), &["ram 32M\nload Image\ninitrd load big"]),
        ),
        ("initrd-is-none", one("ram 64M\nload Image\ninitrd load raw.bin")),
        ("kernel-pages", with(|p| p.file("16k", &linux(0, 0x10_0000, 0b1100)), &["ram 64M\nload 16k"])),
        ("kernel-big-endian", program(&linux(0, 0x10_0000, 0b1011))),
        ("kernel-larger-than-ram", with(|p| p.file("big", &linux(0, 64 << 20, 8)), &["ram 32M\nload big"])),
        ("segments-overlap", {
            let mut bytes = elf(0x4008_0000);
            bytes[0x78 + 24..0x78 + 32].copy_from_slice(&0x4008_0020_u64.to_le_bytes());
            program(&bytes)
        }),
        ("segment-on-initrd", one("ram 0x40000000,64M\nload hello.elf\ninitrd load 0x40080000,ramdisk")),
        ("segment-on-tree", {
            let tree = super::trees::compiled("/ { };");
            with(|p| p.file("over.dtb", &tree), &["ram 0x40000000,64M\nload hello.elf\nfdt load 0x40080000,over.dtb"])
        }),
        ("segment-on-vdev", {
            let uart = "vdev pl011 loc 0x40081000 intr gic:37 hostdev -";
            one(&format!("ram 0x40080000,4K\n{uart}\nload hello.elf"))
        }),
        ("initrd-too-far", one("ram 64M\nram 0xb00000000,1M\nload Image\ninitrd load 0xb00000000,ramdisk")),
        ("kernel-in-rom", one("ram 1M\nrom 0x40000000,4M\nload 0x40000000,Image")),
        ("initrd-in-rom", one("ram 0x40000000,4M\nrom 0x50000000,8K\nload Image\ninitrd load 0x50000000,ramdisk")),
        ("old-kernel-above-ram", with_old(&["ram 0x40000000,64M\nram 0x80000000,64M\nload 0x80000000,old"])),
        ("old-kernel-after-small-ram", with_old(&["ram 0x40000000,512K\nram 0x80000000,64M\nload old"])),
        (
            "old-kernel-initrd-below",
            with_old(&["ram 0x40000000,64M\nload 0x40200000,old\ninitrd load 0x40000000,ramdisk"]),
        ),
        ("old-kernel-tree", {
            let tree = super::trees::compiled("/ { };");
            with(
                |project| {
                    project.file("over.dtb", &tree);
                    project.file("old", &linux(0, 0x10_0000, 0b0010));
                },
                &["ram 0x40000000,1G\nload old\nfdt load 0x60000000,over.dtb"],
            )
        }),
        ("initrd-twice", one("ram 64M\nload Image\ninitrd load ramdisk\ninitrd load raw.bin")),
        ("data-outside", one("ram 0x40000000,64M\nload Image\ndata load 0,raw.bin")),
        ("no-room-for-tree", one("ram 0x40080000,16K\nload hello.elf")),
        ("tree-off-alignment", {
            let tree = super::trees::compiled("/ { };");
            with(|p| p.file("over.dtb", &tree), &["ram 64M\nload Image\nfdt load 0x3fff004,over.dtb"])
        }),
        ("images-absent", {
            let text = "ram 0x40000000,64M\nguest load nowhere/Image\ninitrd load 0x41000000,nowhere/initrd";
            with(|project| project.images = Images::Absent, &[text])
        }),
        ("images-absent-and-misplaced", {
            let text = "ram 0x40000000,64M\nload Image\ndata load 0x80000000,data\ninitrd load a initrd load b";
            with(|project| project.images = Images::Absent, &[text])
        }),
        ("tree-malformed", one("ram 64M\nload Image\nfdt load raw.bin")),
    ]
}

fn tree_cases() -> Vec<(&'static str, Outcome)> {
    let over = |name| with_trees(&[name]);
    vec![
        ("tree-labels-unknown", over("labels-unknown")),
        ("tree-stub-unknown", over("stub-unknown")),
        ("tree-phandles-clash", with_trees(&["clash", "clash-unknown"])),
        ("tree-targets", over("targets")),
        ("tree-targets-none", over("targets-none")),
        ("tree-cells", over("cells-wrong")),
        ("tree-cells-odd", over("cells-odd")),
        ("tree-reserved-outside", over("reserved-outside")),
        ("nodes-of-nothing", over("nothing")),
        ("nodes-that-differ", over("differs")),
        ("node-twice", over("twice")),
    ]
}

/// Command lines that name UARTs that are not there.
fn console_cases() -> Vec<(&'static str, Outcome)> {
    let uart = "vdev pl011 name con loc 0x1c090000 intr gic:37 hostdev -";
    vec![
        ("console-without-uart", one(&with_rest("cmdline \"console=ttyAMA0 quiet\""))),
        ("console-out-of-range", one(&with_rest(&format!("cmdline \"quiet console=ttyAMA1,115200\"\n{uart}")))),
        (
            "console-of-other-boards",
            one(&with_rest(&format!(
                "{uart}\ncmdline \"a=\\\"b c\\\" console=ttyS0 \\\n  console=hvc0 console=tty0\""
            ))),
        ),
        ("console-from-the-environment", one(&with_rest(&format!("{uart}\ncmdline \"$env{{NAME}} console=ttyS0\"")))),
        ("earlycon-without-stdout-path", one(&with_rest("cmdline \"earlycon quiet\""))),
        (
            "earlycon-elsewhere",
            one(&with_rest(&format!(
                "{uart}\ncmdline \"earlycon=pl011,0x9000000 earlycon=uart8250,mmio32,0x1c090000\""
            ))),
        ),
        ("console-of-a-users-tree", {
            let mut tree = Tree::default();
            tree.root.child("chosen").set("bootargs", strings(&["console=ttyAMA1"]));
            let bytes = tree.write().unwrap().0;
            with(|p| p.file("over.dtb", &bytes), &[&format!("{REST}\n{uart}\nfdt load over.dtb")])
        }),
    ]
}

#[test]
fn every_complaint_looks_as_it_did() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("complaints");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut seen = BTreeSet::new();
    let trees = [tree_cases(), console_cases(), super::passes::cases()];
    for (name, outcome) in [board_cases(), machine_cases(), image_cases()].into_iter().chain(trees).flatten() {
        assert!(!outcome.text.is_empty(), "{name} is taken without complaint");
        seen.extend(outcome.codes);
        settings.bind(|| insta::assert_snapshot!(name, outcome.text.trim_end()));
    }
    // Those of `system.toml` have their cases beside its reader.
    seen.extend([codes::SYSTEM_FILE, codes::SYSTEM_VALUE, codes::SYSTEM_UNUSED]);
    let missing: Vec<_> =
        codes::ALL.iter().filter(|(code, _)| ("Q0100".."Q0230").contains(code) && !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}
