//! What QEMU is to be: a board with its variant, as a command line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use config::assemble;

use crate::{Error, Result};

/// What makes QEMU's clock count instructions: one takes 1 ns, and sleep takes no time of ours. CPUs take turns.
pub const COUNTED: [&str; 2] = ["-icount", "shift=0,sleep=off"];

/// A board for QEMU to be. Start from [`Machine::of`] and change what differs.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The program.
    pub binary: String,
    /// `-machine`.
    pub machine: String,
    /// `-cpu`.
    pub cpu: String,
    /// `-accel`.
    pub accelerator: String,
    /// Number of CPUs.
    pub cpus: u32,
    /// Bytes of RAM; a multiple of 1 MiB.
    pub memory_bytes: u64,
    /// The bootable image.
    pub kernel: PathBuf,
    /// The image is a disc: the board's firmware starts what is on it.
    pub starts_from_disc: bool,
    /// A reset of the board ends QEMU, so that it can be told from a power-off; if not, the board starts again.
    pub reset_ends: bool,
    /// Keep the CPUs stopped until a debugger or the monitor starts them.
    pub waits_for_debugger: bool,
    /// More arguments, after all others.
    pub extra: Vec<String>,
}

impl Machine {
    /// The board as `boards/NAME/board.toml` describes it, in its default variant; `None` if QEMU can't be it.
    pub fn of(board: &assemble::Board, kernel: &Path) -> Option<Machine> {
        let qemu = board.qemu.as_ref()?;
        Some(Machine {
            binary: qemu.binary.clone(),
            machine: board.qemu_machine(board.controller(None).ok()?)?,
            cpu: qemu.cpu.clone(),
            accelerator: qemu.accelerator.clone(),
            cpus: board.cpus.default,
            memory_bytes: board.memory.default,
            kernel: kernel.to_path_buf(),
            starts_from_disc: false,
            reset_ends: true,
            waits_for_debugger: false,
            extra: Vec::new(),
        })
    }

    /// The same without EL2: what it starts begins at EL1, as a guest does. On x86 there is nothing to take away.
    pub fn without_el2(self) -> Machine {
        Machine { machine: self.machine.replace("virtualization=on", "virtualization=off"), ..self }
    }

    /// Has QEMU write the device tree that it makes for this machine to `file`, and reads it.
    pub fn device_tree(&self, file: &Path) -> Result<Vec<u8>> {
        let machine = format!("{},dumpdtb={}", self.machine, file.display());
        let output = Machine { machine, ..self.clone() }.command().output();
        let output = output.map_err(|error| Error::NotStarted(format!("{}: {error}", self.binary)))?;
        std::fs::read(file).map_err(|_| Error::Refused(String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// QEMU's command line for this machine, without its console and its monitor.
    pub(crate) fn command(&self) -> Command {
        // `max` means emulated pointer authentication too, which costs half the speed unless it is cut short.
        let cpu = if self.cpu == "max" { "max,pauth-impdef=on" } else { &self.cpu };
        let mut command = Command::new(&self.binary);
        command.args(["-machine", &self.machine, "-accel", &self.accelerator, "-cpu", cpu]);
        command.args(["-smp", &self.cpus.to_string()]);
        command.arg("-m").arg(format!("{}M", self.memory_bytes >> 20));
        if self.reset_ends {
            command.arg("-no-reboot");
        }
        // No display, no network card and nothing else that the board's description does not name.
        command.args(["-nodefaults", "-nic", "none", "-display", "none"]);
        command.arg(if self.starts_from_disc { "-cdrom" } else { "-kernel" }).arg(&self.kernel);
        command
    }
}

/// QEMU's command line, as one could type it; the console and the monitor are added when it starts.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.binary)?;
        let command = self.command();
        for word in command.get_args().map(|word| word.to_string_lossy()).chain(self.extra.iter().map(Into::into)) {
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c));
            if plain && !word.is_empty() {
                write!(f, " {word}")?
            } else {
                write!(f, " '{}'", word.replace('\'', r"'\''"))?
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_becomes_a_command_line() {
        let board = assemble::Board::load(crate::root().as_path(), "qemu-aarch64").unwrap();
        let machine = Machine { cpu: "max".into(), ..Machine::of(&board, Path::new("/x/ostler.img")).unwrap() };
        let command = machine.command();
        let words: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        let after = |option| words[words.iter().position(|word| *word == option).unwrap() + 1];
        assert_eq!(after("-cpu"), "max,pauth-impdef=on");
        assert_eq!(after("-m"), format!("{}M", board.memory.default >> 20));
        assert_eq!(after("-kernel"), "/x/ostler.img");
        assert!(words.contains(&"-no-reboot"));
    }
}
