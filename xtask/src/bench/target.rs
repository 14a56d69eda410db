//! The boards that are counted on, and what is different between them.

use std::path::PathBuf;

use qemu_tests::Machine;

use crate::bench::board::Said;
use crate::bench::rows::{self, Row};
use crate::bench::xen;
use crate::failure::{Failure, Result, status};
use crate::host::packages::{QEMU, QEMU_X86_64, Tool};
use crate::host::{files, paths};

/// A board to count on.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its folder under `boards/`, and its part of the budgets.
    pub board: &'static str,
    /// What runs it.
    pub qemu: Tool,
    /// Its rows, in the order of the table.
    pub rows: &'static [Row],
    /// Those whose way through the hypervisor `docs/performance.md` shows.
    pub shown: &'static [&'static str],
    /// Where the hypervisor runs, for people.
    pub level: &'static str,
    /// Runs the guest under Xen on a machine that is otherwise the same.
    pub xen: fn(&Machine) -> Result<Said>,
    /// The hypervisor's code.
    pub code: Code,
    /// The guest's code.
    pub guest: Guest,
    /// What the names of its qvm files and the folders of its guests end with.
    suffix: &'static str,
    /// The words of qvm for so many bytes of RAM.
    ram: fn(u64) -> String,
    /// Where a VM with 64 MiB of RAM has 16 MiB of it that the guest is not in.
    pub data: u64,
    /// The words of qvm for all else that a VM has around the guest `bench`.
    vdevs: &'static str,
    /// How many VMs stand for few on the board, and how many for many.
    pub crowds: [u32; 2],
}

/// Where the hypervisor's code is (`linker/`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// It is linked from here on.
    pub linked: u64,
    /// It is loaded here, and executed until there are translation tables.
    pub loaded: u64,
    /// Part of the name of a function that is not followed: it does millions of instructions until a clock has gone on.
    pub waits: Option<&'static str>,
}

/// What is known of the guest `bench`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    /// The symbol of its first instruction.
    pub entry: &'static str,
    /// Where rounds end that an interrupt ends: behind these symbols by so many bytes.
    pub ends: &'static [(&'static str, u64)],
    /// What is before its first instruction besides the hypervisor is the board's firmware.
    pub has_firmware: bool,
}

/// QEMU's arm64 board.
pub(crate) const ARM64: Target = Target {
    board: "qemu-aarch64",
    qemu: QEMU,
    rows: &rows::ARM64,
    shown: &["psci_version", "gicd_typer", "pl011_read"],
    level: "at EL2",
    xen: xen::arm64::measure,
    // QEMU loads an `Image` whose `text_offset` is zero 2 MiB into the RAM.
    code: Code { linked: 0xc000_0000_0000, loaded: 0x4020_0000, waits: None },
    // The vector for IRQs, and its third instruction.
    guest: Guest { entry: "bench_start", ends: &[("bench_vectors", 0x280 + 8)], has_firmware: false },
    suffix: "",
    ram: |bytes| format!("ram 0x40000000,{}M\n", bytes >> 20),
    data: 0x4100_0000,
    vdevs: "set counter-offset 0\nvdev pl011 loc 0x1c090000 intr gic:37 hostdev -\n",
    crowds: [4, 16],
};

/// QEMU's x86 board.
pub(crate) const X86_64: Target = Target {
    board: "qemu-x86_64",
    qemu: QEMU_X86_64,
    rows: &rows::X86_64,
    shown: &["vmmcall", "apic_read"],
    level: "in the host",
    xen: xen::x86_64::measure,
    code: Code { linked: 0xffff_ffff_8000_0000, loaded: 0x20_0000, waits: Some("3tsc9calibrate") },
    // The third instructions of the handlers: behind one of 6 bytes and one of 4.
    guest: Guest { entry: "_start", ends: &[("bench_ipi", 10), ("bench_timer", 10)], has_firmware: true },
    suffix: "-x86_64",
    ram: |bytes| format!("ram 0,0xa0000\nrom 0xc0000,0x40000\nram 1M,{}M\n", (bytes >> 20) - 1),
    data: 0x100_0000,
    vdevs: "set counter-offset 0\nvdev ioapic\nvdev mc146818\nvdev ser8250 intr ioapic:4 hostdev -\n",
    // QEMU's SVM has 16 ASIDs, one of them the host's.
    crowds: [4, 15],
};

/// All of them.
pub(crate) const ALL: [&Target; 2] = [&ARM64, &X86_64];

impl Target {
    /// The one of this name.
    pub(crate) fn find(board: &str) -> Result<&'static Target> {
        ALL.into_iter().find(|target| target.board == board).ok_or_else(|| {
            let boards = ALL.map(|target| target.board).join(" and ");
            Failure::new(format!("nothing is counted on the board {board}: only on {boards}"))
                .status(status::CONFIGURATION)
        })
    }

    /// The row of this name.
    pub(crate) fn row(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// What tells the guest to do nearly nothing.
    pub(super) fn least(&self) -> String {
        let words = self.rows.first().map(|row| format!("rounds=1 {}", row.name));
        words.unwrap_or_default()
    }

    /// The guest `bench`.
    pub(super) fn elf(&self) -> PathBuf {
        paths::guest(&format!("bench{}", self.suffix)).join("bench.elf")
    }

    /// Where its systems are made.
    pub(super) fn folder(&self) -> PathBuf {
        paths::made().join("bench").join(self.board)
    }

    /// A qvm file of the project's.
    pub(super) fn own(&self, name: &str) -> PathBuf {
        paths::root().join(format!("qemu-tests/systems/{name}{}.qvmconf", self.suffix))
    }

    /// Makes a qvm file of this text.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder().join("systems").join(format!("{name}.qvmconf"));
        files::write(&path, text.as_bytes())?;
        Ok(path)
    }

    /// A VM with the guest `bench`.
    pub(super) fn qvm(&self, name: &str, vcpus: usize, memory_bytes: u64, words: &str) -> String {
        let (ram, cpus, vdevs) = ((self.ram)(memory_bytes), "cpu\n".repeat(vcpus), self.vdevs);
        format!("system {name}\n{ram}{cpus}load {}\ncmdline \"{words}\"\n{vdevs}", self.elf().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_boards() {
        for target in ALL {
            assert!(paths::root().join("boards").join(target.board).is_dir());
            assert_eq!(Target::find(target.board).unwrap().board, target.board);
            assert!(target.shown.iter().all(|row| target.row(row).is_some_and(|row| row.round.is_some())));
        }
        assert!(Target::find("qemu-sparc").is_err());
    }
}
