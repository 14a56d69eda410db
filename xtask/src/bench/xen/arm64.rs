//! arm64: Xen starts the guest by itself (“dom0less”): the board's device tree, QEMU's own, says in `/chosen` where the guest is and what it gets (Xen, `docs/misc/arm/device-tree/booting.txt`). Xen's scheduler is the
//! one that the package has, and nobody else is there to be scheduled.

use std::process::Command;

use config::assemble::flatten_elf;
use qemu_tests::Machine;

use crate::bench::board::{self, Said};
use crate::bench::target::ARM64;
use crate::failure::{Failure, Result};
use crate::guests::debian;
use crate::host::{files, packages, process};

const PACKAGE: &str = "xen-hypervisor-4.17-arm64";
const FILE: &str = "boot/xen-4.17-arm64";

/// Where the guest's image waits: behind what QEMU loads.
const MODULE: u64 = 0x5000_0000;
/// Where the guest is linked (`guests/runtime/src/aarch64/guest.ld`), from the start of its RAM.
const LINKED_BYTES: u64 = 0x20_0000;
/// What is put before the program: the header, in a page of its own.
const HEADER_BYTES: usize = 0x1000;

/// Not `unknown_smc`: Xen tells each one on its console, which must be open for the guest's lines.
const ROWS: &str = "psci_version gicd_typer gicd_isenabler1 sgi_self timer pl011_read pl011_write id_register";

/// Runs the guest, which has been built, under Xen. `machine` is the one that it runs on under Ostler.
pub(in crate::bench) fn measure(machine: &Machine) -> Result<Said> {
    packages::ensure(&[packages::DTC])?;
    let folder = ARM64.folder().join("xen");
    let [xen, module, tree] = ["xen", "bench.image", "board.dtb"].map(|name| folder.join(name));
    files::write(&xen, &debian::file_of(&debian::ARM64, PACKAGE, FILE)?)?;
    let elf = files::read(&ARM64.elf())?;
    let image = image(&elf).ok_or_else(|| Failure::new("the guest `bench` is not an ELF file as expected"))?;
    files::write(&module, &image)?;

    let (bare, source) = (folder.join("qemu.dtb"), folder.join("board.dts"));
    let mut dump = Command::new(&machine.binary);
    dump.args(["-machine", &format!("{},dumpdtb={}", machine.machine, bare.display()), "-cpu", &machine.cpu]);
    dump.args(["-smp", &machine.cpus.to_string(), "-m", &format!("{}M", machine.memory_bytes >> 20)]);
    process::output(dump.args(["-nodefaults", "-nic", "none", "-display", "none"]))?;
    let text = process::output(Command::new("dtc").args(["-q", "-I", "dtb", "-O", "dts"]).arg(&bare))?;
    files::write(&source, (text + &chosen(image.len())).as_bytes())?;
    process::output(Command::new("dtc").args(["-q", "-I", "dts", "-O", "dtb", "-o"]).arg(&tree).arg(&source))?;

    let mut extra = machine.extra.clone();
    extra.extend(["-dtb".into(), tree.display().to_string(), "-device".into()]);
    extra.push(format!("loader,file={},addr={MODULE:#x},force-raw=on", module.display()));
    board::run(&Machine { kernel: xen, extra, ..machine.clone() })
}

/// The guest as an arm64 `Image`, which Xen takes (Linux, `Documentation/arm64/booting.rst`): the header with a branch
/// to the program's entry, then the program where it is linked.
fn image(elf: &[u8]) -> Option<Vec<u8>> {
    let flat = flatten_elf(elf).ok()?;
    let entry = u64::from_le_bytes(*elf.get(24..)?.first_chunk()?);
    let base = 0x4000_0000 + LINKED_BYTES - HEADER_BYTES as u64;
    let branch = 0x1400_0000 | u32::try_from(entry.checked_sub(base)? / 4).ok()?;
    let mut image = vec![0; HEADER_BYTES];
    image[..4].copy_from_slice(&branch.to_le_bytes());
    image[8..16].copy_from_slice(&(LINKED_BYTES - HEADER_BYTES as u64).to_le_bytes());
    image[16..24].copy_from_slice(&((HEADER_BYTES + flat.len()) as u64).to_le_bytes());
    image[56..60].copy_from_slice(b"ARM\x64");
    image.extend(flat);
    Some(image)
}

/// What `/chosen` says, as source to be merged with the board's.
fn chosen(image_bytes: usize) -> String {
    format!(
        r#"/ {{ chosen {{
    #address-cells = <2>;
    #size-cells = <2>;
    xen,xen-bootargs = "console=dtuart dtuart=/pl011@9000000 loglvl=all guest_loglvl=all";
    guest {{
        compatible = "xen,domain";
        #address-cells = <2>;
        #size-cells = <2>;
        memory = <0 0x2000>;
        cpus = <1>;
        vpl011;
        module@{MODULE:x} {{
            compatible = "multiboot,kernel", "multiboot,module";
            reg = <0 {MODULE:#x} 0 {image_bytes:#x}>;
            bootargs = "{ROWS}";
        }};
    }};
}}; }};
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_is_refused() {
        assert_eq!(image(b"\x7fELF"), None);
    }
}
