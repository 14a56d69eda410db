//! Programs of the developer's machine that come from the distribution.

use std::process::Command;

use config::assemble::Controller;

use crate::failure::{Failure, Result};
use crate::host::process;

/// A program and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// The program, as found by `PATH`; or another file, by its whole path.
    pub program: &'static str,
    /// The package of Debian and Ubuntu.
    pub package: &'static str,
}

/// Runs the boards.
pub(crate) const QEMU: Tool = Tool { program: "qemu-system-aarch64", package: "qemu-system-arm" };
/// Runs the x86 boards.
pub(crate) const QEMU_X86_64: Tool = Tool { program: "qemu-system-x86_64", package: "qemu-system-x86" };
/// What runs a board with this interrupt controller.
pub(crate) fn qemu(controller: Controller) -> Tool {
    match controller {
        Controller::Gic(_) => QEMU,
        Controller::Apic => QEMU_X86_64,
    }
}

/// Firmware of PCs with UEFI, for the tests.
pub(crate) const OVMF: Tool = Tool { program: "/usr/share/ovmf/OVMF.fd", package: "ovmf" };

/// Shows device trees as text.
pub(crate) const DTC: Tool = Tool { program: "dtc", package: "device-tree-compiler" };

/// Compiles libFuzzer, which is C++.
pub(crate) const CXX: Tool = Tool { program: "g++", package: "g++" };

/// Makes sure that the programs are there: asks nothing when they are, calls apt when not.
pub(crate) fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| process::find(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    install(&packages)?;
    match missing.iter().find(|tool| process::find(tool.program).is_none()) {
        None => Ok(()),
        Some(tool) => {
            Err(Failure::new(format!("`{}` is not in PATH although {} is installed", tool.program, tool.package)))
        }
    }
}

fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if process::find("apt-get").is_none() {
        return Err(Failure::new(format!("missing programs: those of Debian's packages {list}"))
            .hint("install your distribution's packages of QEMU for arm64 (qemu-system-aarch64) and x86 (qemu-system-x86_64), and the device tree compiler (dtc)"));
    }
    let root = rustix::process::geteuid().is_root();
    if !root && process::find("sudo").is_none() {
        return Err(Failure::new(format!("missing packages: {list}"))
            .hint(format!("as root: apt-get install --no-install-recommends {list}")));
    }
    eprintln!("installing {list} …");
    let apt = |arguments: &[&str]| {
        let mut command = if root {
            Command::new("apt-get")
        } else {
            let mut command = Command::new("sudo");
            // sudo drops the environment, so the variable goes by `env`.
            command.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            command
        };
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        process::status(&mut command)
    };
    // An index may be bad for a moment while the archive changes: one more try. If it stays bad, the installation says
    // whether that matters.
    if !apt(&["update"])?.success() {
        apt(&["update"])?;
    }
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    if apt(&arguments)?.success() {
        return Ok(());
    }
    Err(Failure::new(format!("apt could not install {list}"))
        .hint("its own message is above; it needs the network and free disk space"))
}
