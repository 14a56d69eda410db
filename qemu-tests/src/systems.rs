//! The systems that the tests boot: which qvm files make one image. `cargo xtask test` builds each before the tests.

use std::path::{Path, PathBuf};

use config::assemble;

use crate::{Board, Console, Machine, Result};

/// Set (to anything) by `cargo xtask test` when the images are there.
const ENABLED: &str = "OSTLER_QEMU_TESTS";
/// Every system of the tests is for this board.
const BOARD: &str = "qemu-aarch64";

/// One bootable image of the tests.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Name of its folder under `.ostler/qemu-tests/`.
    pub name: &'static str,
    /// Its qvm files, relative to the project's root.
    pub files: &'static [&'static str],
}

/// The demo, as `cargo xtask run` starts it.
pub const DEMO: System = System { name: "demo", files: &["guests/linux/linux.qvmconf", "guests/hello/hello.qvmconf"] };
/// Debian alone; it powers off by itself.
pub const LINUX: System = System { name: "linux", files: &["qemu-tests/systems/linux-poweroff.qvmconf"] };
/// The bare-metal guest alone; it powers off by itself.
pub const HELLO: System = System { name: "hello", files: &["qemu-tests/systems/hello-beats.qvmconf"] };
/// Three times Debian, each reading what it does not own, with three policies.
pub const LINUX_TRESPASS: System = System {
    name: "linux-trespass",
    files: &[
        "qemu-tests/systems/linux-ignore.qvmconf",
        "qemu-tests/systems/linux-fail.qvmconf",
        "qemu-tests/systems/linux-abort.qvmconf",
    ],
};
/// The guest that does what it must not, with qvm's default policies.
pub const TRESPASS: System = System { name: "trespass", files: &["guests/trespass/trespass.qvmconf"] };
/// The same guest four times, with policies that are not the defaults.
pub const POLICIES: System = System {
    name: "policies",
    files: &[
        "qemu-tests/systems/abort-reference.qvmconf",
        "qemu-tests/systems/abort-instruction.qvmconf",
        "qemu-tests/systems/fail-reference.qvmconf",
        "qemu-tests/systems/ignore-instruction.qvmconf",
    ],
};
/// A guest that never gives its pCPU back, beside one that works.
pub const SPIN: System =
    System { name: "spin", files: &["qemu-tests/systems/spin.qvmconf", "qemu-tests/systems/hello-beats.qvmconf"] };

/// A VM that resets itself for ever, beside one that looks at its own memory.
pub const RESTART: System = System {
    name: "restart",
    files: &["qemu-tests/systems/restart-noise.qvmconf", "qemu-tests/systems/restart-hello.qvmconf"],
};
/// Debian that reboots for ever.
pub const REBOOT: System = System { name: "reboot", files: &["qemu-tests/systems/linux-reboots.qvmconf"] };

/// All of them.
pub const SYSTEMS: &[System] = &[DEMO, LINUX, HELLO, LINUX_TRESPASS, TRESPASS, POLICIES, SPIN, RESTART, REBOOT];

impl System {
    /// Where its image and symbols are.
    pub fn folder(&self) -> PathBuf {
        root().join(".ostler/qemu-tests").join(self.name)
    }

    /// The board that it was assembled for. Change it to make it another one.
    pub fn machine(&self) -> Machine {
        let board = assemble::Board::load(&root(), BOARD).expect("the project's own board can be read");
        Machine::of(&board, &self.folder().join("ostler.img")).expect("the board's page says how QEMU is it")
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

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
