//! A VM without its hypervisor: its program, command line and RAM disk on the bare board.
//!
//! Whether a guest runs on the board at all is the first thing to know when it does not run in a VM. The board's own device
//! tree, or its firmware's ACPI tables, say what there is; what the qvm file gives the VM besides CPUs and memory stays behind.

use std::path::{Path, PathBuf};

use config::Request;
use config::assemble::{self, Architecture, Assembly, Blob, Load, Vm};
use loader::{Image, Protocol, Version};
use model::images::Kind;
use qemu_tests::Machine;

use crate::failure::{Failure, Result, status};
use crate::host::files;

/// What QEMU needs to start a VM's guest itself.
#[derive(Debug)]
pub(crate) struct Bare {
    program: PathBuf,
    initrd: Option<PathBuf>,
    cmdline: Option<String>,
    /// Files at addresses, as `data load` has them; a Multiboot program finds them as modules.
    data: Vec<(PathBuf, u64)>,
    takes_modules: bool,
    cpus: u32,
    memory_bytes: u64,
    /// The VM's devices, which stay behind.
    vdevs: Vec<String>,
}

impl Bare {
    /// Takes the only VM's images from `assembly` and writes them to `folder`, for QEMU to read.
    ///
    /// The board has the CPUs and the RAM that `request` asks for, or else as many and as much as the VM has.
    pub(crate) fn of(assembly: &Assembly, board: &assemble::Board, request: &Request, folder: &Path) -> Result<Bare> {
        let [vm] = assembly.vms.as_slice() else {
            let hint = "name one qvm file: the bare board runs one guest at a time";
            return Err(
                Failure::new(format!("{} VMs are too many without a hypervisor", assembly.vms.len())).hint(hint)
            );
        };
        let refused = |why: String| {
            let message = format!("VM `{}` can't run on the bare board: {why}", vm.name);
            Failure::new(message).status(status::CONFIGURATION)
        };
        let vcpus = u32::try_from(vm.cpus.len()).unwrap_or(u32::MAX);
        let cpus = request.cpus.unwrap_or(vcpus.clamp(board.cpus.min, board.cpus.max));
        let memory_bytes = request.memory_bytes.unwrap_or_else(|| {
            let bytes: u64 = vm.memory.iter().map(|memory| memory.size_bytes).sum();
            bytes.next_multiple_of(1 << 20).clamp(board.memory.min, board.memory.max)
        });
        let ram = board.memory.base..board.memory.base.saturating_add(memory_bytes);
        let where_ram_is =
            || format!("the board's RAM is {:#x} to {:#x}; `--memory SIZE` gives it more", ram.start, ram.end - 1);
        let blob = |load: &Load| assembly.blobs.get(usize::from(load.image));
        let program = program(vm).and_then(blob).ok_or_else(|| refused("it starts at no image".into()))?;
        let format = Format::of(&program.bytes, board).map_err(|why| refused(format!("`{}` {why}", program.name)))?;
        // QEMU puts a kernel with a place of its own choice where it likes to be.
        if format != Format::Kernel {
            let outside = vm.loads.iter().find(|load| blob(load) == Some(program) && !ram.contains(&load.gpa.0));
            if let Some(load) = outside {
                let why = format!("`{}` is linked at {:#x}, where the board has no RAM", program.name, load.gpa.0);
                return Err(refused(why).hint(where_ram_is()));
            }
        }
        let write = |blob: &Blob| {
            let file = folder.join(&blob.name);
            files::write(&file, &blob.bytes).map(|_| file)
        };
        let (mut initrd, mut data) = (None, Vec::new());
        for load in &vm.loads {
            match blob(load) {
                Some(blob) if blob.kind == Kind::Initrd => initrd = Some(write(blob)?),
                Some(blob) if !matches!(blob.kind, Kind::Tree | Kind::Firmware) && blob != program => {
                    if !ram.contains(&load.gpa.0) {
                        let why = format!("`{}` is to be at {:#x}, where the board has no RAM", blob.name, load.gpa.0);
                        return Err(refused(why).hint(where_ram_is()));
                    }
                    data.push((write(blob)?, load.gpa.0));
                }
                _ => {}
            }
        }
        let vdevs = vm.vdevs.iter().map(|vdev| format!("`{}`", vdev.name)).collect();
        Ok(Bare {
            takes_modules: format == Format::Multiboot,
            program: write(program)?,
            initrd,
            cmdline: vm.cmdline.clone(),
            data,
            cpus,
            memory_bytes,
            vdevs,
        })
    }

    /// Adds `words` to the command line.
    pub(crate) fn append(&mut self, words: &str) {
        let cmdline = self.cmdline.get_or_insert_default();
        cmdline.push(' ');
        cmdline.push_str(words);
    }

    /// What the guest has here and what it lacks, in a sentence for people.
    pub(crate) fn describe(&self) -> String {
        let has = format!("bare board: {} CPUs and {} MiB", self.cpus, self.memory_bytes >> 20);
        match self.vdevs.is_empty() {
            true => has,
            false => format!("{has}, with its own devices in place of {}", self.vdevs.join(", ")),
        }
    }

    /// The board `machine` with this guest, and without EL2, because a guest starts at EL1.
    pub(crate) fn machine(&self, machine: Machine) -> Machine {
        let mut extra: Vec<String> = Vec::new();
        let (modules, data): (Vec<_>, Vec<_>) = self.data.iter().partition(|_| self.takes_modules);
        let modules = self.initrd.iter().chain(modules.into_iter().map(|(file, _)| file));
        let modules: Vec<String> = modules.map(|file| file.display().to_string()).collect();
        if !modules.is_empty() {
            extra.extend(["-initrd".into(), modules.join(",")]);
        }
        if let Some(cmdline) = &self.cmdline {
            extra.extend(["-append".into(), cmdline.clone()]);
        }
        for (file, address) in data {
            let file = file.display();
            extra.extend(["-device".into(), format!("loader,file={file},addr={address:#x},force-raw=on")]);
        }
        extra.extend(machine.extra.iter().cloned());
        Machine {
            kernel: self.program.clone(),
            cpus: self.cpus,
            memory_bytes: self.memory_bytes,
            extra,
            ..machine.without_el2()
        }
    }
}

/// What a program is to QEMU's `-kernel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// A Linux kernel that goes where QEMU puts it: arm64's `Image`, or a `bzImage`.
    Kernel,
    /// An ELF file: for a PC one with a PVH note, as Linux's `vmlinux`.
    Elf,
    /// Multiboot of the first version.
    Multiboot,
}

impl Format {
    /// The error completes a sentence about the program.
    fn of(program: &[u8], board: &assemble::Board) -> std::result::Result<Format, &'static str> {
        let is_pc = board.architecture == Architecture::X86_64;
        match loader::inspect(program, board.architecture.cpu()) {
            Ok(Image::Linux(_) | Image::BzImage(_)) => Ok(Format::Kernel),
            Ok(Image::Elf(_)) if !is_pc => Ok(Format::Elf),
            Ok(Image::Elf(elf)) => match elf.protocol {
                Protocol::Pvh => Ok(Format::Elf),
                Protocol::Multiboot(multiboot) if multiboot.version == Version::One && !is_64_bit(program) => {
                    Ok(Format::Multiboot)
                }
                _ => Err("has neither a PVH note nor, of 32 bits, a Multiboot header: QEMU starts no other ELF file"),
            },
            Ok(Image::Multiboot(flat)) if flat.multiboot.version == Version::One => Ok(Format::Multiboot),
            _ if is_pc => {
                Err("is no `bzImage`, no ELF file with a PVH note, and no Multiboot program of the first version")
            }
            _ => Err("is neither ELF nor a Linux `Image`"),
        }
    }
}

/// Whether an ELF file is of the 64-bit class.
fn is_64_bit(elf: &[u8]) -> bool {
    elf.get(elf::abi::EI_CLASS) == Some(&elf::abi::ELFCLASS64)
}

/// The load that holds the first instruction.
fn program(vm: &Vm) -> Option<&Load> {
    let pc = vm.entry.pc().0;
    vm.loads.iter().find(|load| pc.checked_sub(load.gpa.0).is_some_and(|offset| offset < load.size_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::paths;
    use crate::image::Selection;

    /// An arm64 `Image` of 64 bytes (Linux, Documentation/arm64/booting.rst).
    fn kernel() -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[16..24].copy_from_slice(&0x20_0000_u64.to_le_bytes());
        bytes[24] = 0b1010;
        bytes[56..60].copy_from_slice(b"ARM\x64");
        bytes
    }

    fn bare(qvm: &str, program: &[u8]) -> std::result::Result<Vec<String>, String> {
        bare_on("qemu-aarch64", qvm, program)
    }

    fn bare_on(board: &str, qvm: &str, program: &[u8]) -> std::result::Result<Vec<String>, String> {
        let folder =
            std::env::temp_dir().join(format!("xtask-bare-{}-{}", std::process::id(), files::sha256(qvm.as_bytes())));
        for (name, bytes) in
            [("Image", program), ("disk", b"070701"), ("table", b"data"), ("vm.qvmconf", qvm.as_bytes())]
        {
            files::write(&folder.join(name), bytes).unwrap();
        }
        let selection = Selection { board: Some(board.into()), ..Selection::of(vec![folder.join("vm.qvmconf")]) };
        let request = selection.request(&mut crate::image::Findings::default()).unwrap();
        let (assembly, diagnostics, sources) = assemble::assemble(&request, &|_| None);
        let assembly = assembly.unwrap_or_else(|| panic!("{}", diagnostics.render(&sources, false)));
        let board = assemble::Board::load(&paths::root(), board).unwrap();
        let machine = Machine::of(&board, Path::new("ostler.img")).unwrap();
        let words = Bare::of(&assembly, &board, &request, &folder.join("bare"))
            .map(|bare| bare.machine(machine).to_string())
            .map_err(|failure| failure.to_string());
        let words =
            words.map(|words| words.replace(&folder.display().to_string(), "").split(' ').map(String::from).collect());
        files::remove(&folder).unwrap();
        words
    }

    #[test]
    fn the_board_gets_what_the_vm_has() {
        let qvm = "system vm ram 0x44000000,200M cpu cpu load Image initrd load disk data load 0x4a000000,table \
                   cmdline \"console=ttyAMA0 quiet\"";
        let words = bare(qvm, &kernel());
        let words = words.unwrap();
        let after = |option: &str| words[words.iter().position(|word| word == option).unwrap() + 1].clone();
        assert_eq!(after("-kernel"), "/bare/Image");
        assert_eq!(after("-initrd"), "/bare/disk");
        assert_eq!(after("-append"), "'console=ttyAMA0");
        assert_eq!(after("-smp"), "2");
        assert_eq!(after("-m"), "200M");
        assert_eq!(after("-device"), "loader,file=/bare/table,addr=0x4a000000,force-raw=on");
        assert!(after("-machine").contains("virtualization=off"), "{words:?}");
    }

    #[test]
    fn what_the_bare_board_cannot_run_is_told() {
        let raw = bare("system vm ram 0x40000000,128M load 0x40000000,Image", b"raw").unwrap_err();
        assert_eq!(raw, "error: VM `vm` can't run on the bare board: `Image` is neither ELF nor a Linux `Image`");
        let far = "system vm ram 0x40000000,128M ram 0x800000000,4M load Image data load 0x800000000,table";
        let far = bare(far, &kernel()).unwrap_err();
        let expected = "error: VM `vm` can't run on the bare board: `table` is to be at 0x800000000, where the board has no RAM\n\
                        hint: the board's RAM is 0x40000000 to 0x483fffff; `--memory SIZE` gives it more";
        assert_eq!(far, expected);
    }

    /// A program without a format but a Multiboot header with addresses (0.6.96, section 3.1).
    fn multiboot() -> Vec<u8> {
        let (magic, flags) = (0x1bad_b002_u32, 1 << 16);
        let header = [magic, flags, 0_u32.wrapping_sub(magic + flags), 0x10_0000, 0x10_0000, 0, 0, 0x10_0020];
        [header.map(u32::to_le_bytes).concat(), vec![0xf4; 32]].concat()
    }

    #[test]
    fn a_multiboot_program_finds_its_modules_on_a_bare_pc() {
        let qvm = "system vm ram 0,0xa0000 ram 1M,127M load Image initrd load disk data load table cmdline quiet";
        let words = bare_on("qemu-x86_64", qvm, &multiboot()).unwrap();
        let after = |option: &str| words[words.iter().position(|word| word == option).unwrap() + 1].clone();
        assert_eq!(after("-kernel"), "/bare/Image");
        assert_eq!(after("-initrd"), "/bare/disk,/bare/table");
        assert_eq!(after("-append"), "quiet");
        assert_eq!(after("-m"), "128M");
        assert!(
            !words.contains(&"-device".into()),
            "ACPI's tables and boot information are the board's own: {words:?}"
        );
    }

    #[test]
    fn what_a_bare_pc_cannot_run_is_told() {
        let raw = "system vm ram 0,0xa0000 ram 1M,127M load 0x200000,Image";
        let expected = "error: VM `vm` can't run on the bare board: `Image` is no `bzImage`, no ELF file with a PVH note, and no \
                        Multiboot program of the first version";
        assert_eq!(bare_on("qemu-x86_64", raw, b"raw").unwrap_err(), expected);
    }
}
