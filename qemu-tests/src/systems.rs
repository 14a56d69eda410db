//! The systems that the tests boot: which qvm files make one image. `cargo xtask test` builds each before the tests.

mod arm;
mod pc;

use std::path::{Path, PathBuf};

use config::assemble::{self, GicVersion, OnFailure};

use crate::{Board, COUNTED, Console, Machine, Result};

pub use arm::*;
pub use pc::*;

/// Set (to anything) by `cargo xtask test` when the images are there.
const ENABLED: &str = "OSTLER_QEMU_TESTS";
/// The board of most systems.
const ARM: &str = "qemu-aarch64";
/// The board of the others.
const PC: &str = "qemu-x86_64";

/// Set (to anything) by `cargo xtask test --long`.
const LONG: &str = "OSTLER_LONG_TESTS";

/// One bootable image of the tests.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Name of its folder under `.ostler/qemu-tests/`.
    pub name: &'static str,
    /// Its qvm files, relative to the project's root.
    pub files: &'static [&'static str],
    /// The board, as its folder is called.
    pub board: &'static str,
    /// CPUs of the board.
    pub cpus: u32,
    /// The board's interrupt controller, if it is a GIC.
    pub gic: Option<GicVersion>,
    /// What the board does after a failure of the hypervisor itself.
    pub on_failure: OnFailure,
    /// It walks all tables before its guests run.
    pub self_test: bool,
    /// Keys make its hypervisor fail.
    pub provoke: bool,
    /// The hypervisor counts which of its handlers are reached.
    pub counts_coverage: bool,
    /// There is a disc with its image, too.
    pub has_disc: bool,
    /// Its CPUs have a thread of QEMU's each, whatever the board's page says.
    pub has_threads: bool,
    /// Its clock counts instructions.
    pub is_counted: bool,
}

impl System {
    /// On the boards' default: four CPUs, a GICv3.
    const fn of(name: &'static str, files: &'static [&'static str]) -> System {
        System {
            name,
            files,
            board: ARM,
            cpus: 4,
            gic: Some(GicVersion::V3),
            on_failure: OnFailure::Reset,
            self_test: false,
            provoke: false,
            counts_coverage: false,
            has_disc: false,
            has_threads: false,
            is_counted: false,
        }
    }

    /// On x86's board, by default with four CPUs.
    const fn of_pc(name: &'static str, files: &'static [&'static str]) -> System {
        System { board: PC, gic: None, ..System::of(name, files) }
    }

    /// Whether it is for x86's board.
    pub(crate) fn is_pc(&self) -> bool {
        self.board == PC
    }

    /// On a board with so many CPUs.
    const fn with_cpus(self, cpus: u32) -> System {
        System { cpus, ..self }
    }

    /// On a board with this interrupt controller.
    const fn with_gic(self, gic: GicVersion) -> System {
        System { gic: Some(gic), ..self }
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

    /// With a disc, too.
    const fn with_disc(self) -> System {
        System { has_disc: true, ..self }
    }

    /// With a thread of QEMU's for each CPU: where guests are to run at once, or where one spins that does not even pause, and the others
    /// would wait for a tenth of a second for each turn. Its guests leave the first CPU alone, or its tests take seconds
    /// (boards/qemu-x86_64/board.toml says why).
    const fn with_threads(self) -> System {
        System { has_threads: true, ..self }
    }

    /// With a clock that counts instructions, so that QEMU's own threads have no part in what happens when.
    pub const fn counted(self) -> System {
        System { is_counted: true, ..self }
    }

    /// Where its image and symbols are.
    pub fn folder(&self) -> PathBuf {
        root().join(".ostler/qemu-tests").join(self.name)
    }

    /// The board that it was assembled for. Change it to make it another one.
    pub fn machine(&self) -> Machine {
        let board = assemble::Board::load(&root(), self.board).expect("the project's own board can be read");
        let variant = board.controller(self.gic).ok().and_then(|controller| board.qemu_machine(controller));
        let machine = Machine::of(&board, &self.folder().join("ostler.img")).zip(variant);
        let (default, machine) = machine.expect("the board's page says how QEMU is it");
        let accelerator = if self.has_threads { "tcg".into() } else { default.accelerator };
        let extra = if self.is_counted { COUNTED.map(String::from).to_vec() } else { default.extra };
        Machine { machine, cpus: self.cpus, accelerator, extra, ..default }
    }

    /// The same board, whose firmware starts the disc.
    pub fn machine_with_disc(&self) -> Machine {
        Machine { kernel: self.folder().join("ostler.iso"), starts_from_disc: true, ..self.machine() }
    }

    /// Boots it on its own board, whose clock counts instructions.
    pub fn boot_counted(&self) -> Result<(Board, Console)> {
        self.counted().boot()
    }

    /// Boots it on its own board.
    pub fn boot(&self) -> Result<(Board, Console)> {
        Board::with_console(&self.machine(), None)
    }
}

/// All systems, which `cargo xtask test` builds.
pub fn systems() -> impl Iterator<Item = &'static System> {
    arm::SYSTEMS.iter().chain(pc::SYSTEMS)
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
