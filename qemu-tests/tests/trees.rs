//! The device trees beside `board.toml` are those of the QEMU that is installed: what is passed to a guest is what is there.
//!
//! `OSTLER_UPDATE_TREES=1 cargo nextest run -p qemu-tests trees` writes them anew; look at the difference (`dtc -O dts`) before you
//! commit it.

use std::process::Command;

use config::assemble::{Board, Controller, portable_tree};

/// Set (to anything) to write the files.
const UPDATE: &str = "OSTLER_UPDATE_TREES";

#[test]
fn the_stored_trees_are_qemus() {
    let root = qemu_tests::root();
    let board = Board::load(&root, "qemu-aarch64").expect("the project's own board can be read");
    let qemu = board.qemu.as_ref().expect("QEMU is this board");
    for gic in board.gic.iter().copied().map(Controller::Gic) {
        let dump = std::env::temp_dir().join(format!("ostler-tree-{}-{gic}.dtb", std::process::id()));
        let machine = board.qemu_machine(gic).expect("QEMU is this board") + ",dumpdtb=" + &dump.to_string_lossy();
        let mut command = Command::new(&qemu.binary);
        command.args(["-machine", &machine, "-cpu", &qemu.cpu, "-nodefaults", "-nic", "none", "-display", "none"]);
        let Ok(output) = command.output() else {
            return eprintln!("skipped: {} is not installed", qemu.binary);
        };
        let dumped = std::fs::read(&dump).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let _ = std::fs::remove_file(&dump);
        let found = portable_tree(&dumped).expect("QEMU's tree can be read");
        let stored = board.tree(&root, gic).expect("the board names its trees");
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(&stored, &found).expect("the tree can be written");
        }
        let expected = std::fs::read(&stored).expect("the stored tree");
        assert!(expected == found, "{} is not what this QEMU has: see the head of this file", stored.display());
    }
}
