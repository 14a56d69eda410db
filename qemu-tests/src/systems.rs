//! The systems that the tests boot: which qvm files make one image. `cargo xtask test` builds each before the tests.

mod all;

use std::path::{Path, PathBuf};

use config::assemble::{self, Controller, GicVersion, OnFailure};

use crate::{Board, COUNTED, Console, Machine, Result};

pub use all::*;

/// Set (to anything) by `cargo xtask test` when the images are there.
const ENABLED: &str = "OSTLER_QEMU_TESTS";
/// Every system of the tests is for this board.
const BOARD: &str = "qemu-aarch64";

/// Set (to anything) by `cargo xtask test --long`.
const LONG: &str = "OSTLER_LONG_TESTS";

/// One bootable image of the tests.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Name of its folder under `.ostler/qemu-tests/`.
    pub name: &'static str,
    /// Its qvm files, relative to the project's root.
    pub files: &'static [&'static str],
    /// CPUs of the board.
    pub cpus: u32,
    /// The board's interrupt controller.
    pub gic: GicVersion,
    /// What the board does after a failure of the hypervisor itself.
    pub on_failure: OnFailure,
    /// It walks all tables before its guests run.
    pub self_test: bool,
    /// Keys make its hypervisor fail.
    pub provoke: bool,
    /// The hypervisor counts which of its handlers are reached.
    pub counts_coverage: bool,
}

impl System {
    /// On the boards' default: four CPUs, a GICv3.
    const fn of(name: &'static str, files: &'static [&'static str]) -> System {
        System {
            name,
            files,
            cpus: 4,
            gic: GicVersion::V3,
            on_failure: OnFailure::Reset,
            self_test: false,
            provoke: false,
            counts_coverage: false,
        }
    }

    /// On a board with so many CPUs.
    const fn with_cpus(self, cpus: u32) -> System {
        System { cpus, ..self }
    }

    /// On a board with this interrupt controller.
    const fn with_gic(self, gic: GicVersion) -> System {
        System { gic, ..self }
    }

    /// With a walk through all tables before its guests run.
    const fn with_self_test(self) -> System {
        System { self_test: true, ..self }
    }

    /// With keys that make the hypervisor fail, after which the board does this.
    const fn with_failures(self, on_failure: OnFailure) -> System {
        System { provoke: true, on_failure, ..self }
    }

    /// With a hypervisor that counts which of its handlers are reached.
    const fn with_coverage(self) -> System {
        System { counts_coverage: true, ..self }
    }

    /// Where its image and symbols are.
    pub fn folder(&self) -> PathBuf {
        root().join(".ostler/qemu-tests").join(self.name)
    }

    /// The board that it was assembled for. Change it to make it another one.
    pub fn machine(&self) -> Machine {
        let board = assemble::Board::load(&root(), BOARD).expect("the project's own board can be read");
        let machine =
            Machine::of(&board, &self.folder().join("ostler.img")).zip(board.qemu_machine(Controller::Gic(self.gic)));
        let (default, machine) = machine.expect("the board's page says how QEMU is it");
        Machine { machine, cpus: self.cpus, ..default }
    }

    /// Boots it on its own board, whose clock counts instructions; for one CPU.
    pub fn boot_counted(&self) -> Result<(Board, Console)> {
        Board::with_console(&Machine { extra: COUNTED.map(String::from).to_vec(), ..self.machine() }, None)
    }

    /// Boots it on its own board.
    pub fn boot(&self) -> Result<(Board, Console)> {
        Board::with_console(&self.machine(), None)
    }
}

/// Whether the tests that need QEMU and images are to run. Says so if not, since a test that did nothing looks passed.
pub fn enabled() -> bool {
    let enabled = std::env::var_os(ENABLED).is_some();
    if !enabled {
        eprintln!("skipped: `cargo xtask test --qemu` prepares and runs this test");
    }
    enabled
}

/// Whether tests that take minutes are to run too. Says so if not.
pub fn long() -> bool {
    let long = enabled() && std::env::var_os(LONG).is_some();
    if !long {
        eprintln!("skipped: `cargo xtask test --long` runs this test");
    }
    long
}

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
