//! The systems that are counted, from our own qvm files and from ones that are written here.

use std::path::{Path, PathBuf};

use config::Request;
use qemu_tests::Machine;

use crate::bench::board::{self, Said};
use crate::bench::linux;
use crate::bench::rows::{Column, Row};
use crate::bench::target::Target;
use crate::failure::{Failure, Result};
use crate::host::{files, paths};
use crate::image::{self, Image, Selection};

/// RAM of the board, but for guests that do not fit.
const MEMORY_BYTES: u64 = 1 << 30;

/// RAM of a VM that only sleeps.
pub(super) const NEIGHBOUR_BYTES: u64 = 4 << 20;

/// One system.
#[derive(Clone, Debug)]
pub(super) struct System {
    target: &'static Target,
    name: String,
    files: Vec<PathBuf>,
    memory_bytes: u64,
    /// Features of the hypervisor.
    features: &'static [&'static str],
}

impl System {
    /// The guest alone: every row that one vCPU can have.
    pub(super) fn alone(target: &'static Target) -> System {
        System::of(target, "alone", vec![target.own("bench")])
    }

    /// Two vCPUs and another VM, of lower priority, on one pCPU.
    pub(super) fn shared(target: &'static Target) -> System {
        System::of(target, "shared", vec![target.own("bench-shared"), target.own("bench-spin")])
    }

    /// The guest beside so many others that sleep, with so many vCPUs each.
    pub(super) fn crowded(target: &'static Target, neighbours: u32, vcpus: usize) -> Result<System> {
        let mut files = vec![target.own("bench")];
        for index in 1..=neighbours {
            let text = target.qvm(&format!("idle{index}"), vcpus, NEIGHBOUR_BYTES, "idle");
            files.push(target.write(&format!("idle{index}-{vcpus}"), &text)?);
        }
        Ok(System::of(target, &format!("crowded-{neighbours}-{vcpus}"), files))
    }

    /// The guest with this much RAM, which does nothing but start.
    pub(super) fn roomy(target: &'static Target, memory_bytes: u64) -> Result<System> {
        let name = format!("ram-{}m", memory_bytes >> 20);
        let file = target.write(&name, &target.qvm("bench", 1, memory_bytes, &target.least()))?;
        Ok(System { memory_bytes: MEMORY_BYTES * 2, ..System::of(target, &name, vec![file]) })
    }

    /// The guest in 64 MiB with this much of data to load beside itself, which does nothing but start.
    pub(super) fn laden(target: &'static Target, data_bytes: u64) -> Result<System> {
        let name = format!("data-{}m", data_bytes >> 20);
        let mut text = target.qvm("bench", 1, 64 << 20, &target.least());
        if data_bytes > 0 {
            let data = target.folder().join("systems").join(format!("{name}.bin"));
            files::write(&data, &vec![0x5a; usize::try_from(data_bytes).unwrap_or(0)])?;
            text += &format!("data load {:#x},{}\n", target.data, data.display());
        }
        Ok(System::of(target, &name, vec![target.write(&name, &text)?]))
    }

    /// The guest that counts few rounds of one row.
    pub(super) fn of_row(target: &'static Target, row: &Row) -> Result<System> {
        let name = format!("profile-{}", row.name);
        let words = format!("rounds=2 {}", row.name);
        let vcpus = if row.is_shared { 2 } else { 1 };
        let mut files = vec![target.write(&name, &target.qvm("bench", vcpus, 4 << 20, &words))?];
        if row.is_shared {
            files.push(target.own("bench-spin"));
        }
        Ok(System::of(target, &name, files))
    }

    /// Debian alone, on a machine that is laid out as the board.
    pub(super) fn of_linux(target: &'static Target, words: &str, quiet: bool) -> Result<System> {
        let folder = paths::guest("linux");
        let text = format!(
            "system linux\nram 0x40000000,{}M\ncpu\nguest load {}\ninitrd load {}\ncmdline \"{words}\"\n\
             vdev gic loc 0x08000000\nvdev pl011 loc 0x09000000 intr gic:33 hostdev -\n",
            linux::MEMORY_BYTES >> 20,
            folder.join("vmlinuz").display(),
            folder.join("initramfs.cpio.gz").display()
        );
        let name = if quiet { "linux-quiet" } else { "linux" };
        Ok(System::of(target, name, vec![target.write(name, &text)?]))
    }

    fn of(target: &'static Target, name: &str, files: Vec<PathBuf>) -> System {
        System { target, name: name.into(), files, memory_bytes: MEMORY_BYTES, features: &[] }
    }

    /// The same as an image of this kind.
    pub(super) fn of_kind(self, column: Column) -> System {
        let (name, features) = match column {
            Column::On => return self,
            Column::Off => (format!("{}-unrecorded", self.name), &["unrecorded"]),
        };
        System { name, features, ..self }
    }

    /// Builds its image; the machine to run it on comes with it.
    pub(super) fn build(&self) -> Result<(Image, Machine)> {
        let built = image::build_with(&self.request()?, self.features, &self.target.folder().join(&self.name))?;
        let machine = self.machine(&built.image)?;
        Ok((built, machine))
    }

    /// The machine that it runs on, with this image.
    pub(super) fn machine(&self, image: &Path) -> Result<Machine> {
        board::machine(&self.request()?, image)
    }

    /// The instructions of the board's firmware: all that is before the first of a program which it starts.
    fn firmware(&self, machine: &Machine) -> Result<u64> {
        if !self.target.guest.has_firmware {
            return Ok(0);
        }
        let mut extra = machine.extra.clone();
        extra.extend(["-append".into(), self.target.least()]);
        let said = board::run(&Machine { kernel: self.target.elf(), extra, ..machine.clone() })?;
        said.start.ok_or_else(|| Failure::new("the guest did not say when it started on the bare board"))
    }

    fn request(&self) -> Result<Request> {
        let (board, memory) = (Some(self.target.board.into()), Some(self.memory_bytes));
        let selection = Selection { board, smp: Some(1), memory, ..Selection::of(self.files.clone()) };
        selection.request(&mut image::Findings::default())
    }

    /// Builds and runs it, and asks for the memory that is left; the guest is not alone.
    pub(super) fn measure_with_memory(&self) -> Result<Said> {
        board::run_and_ask(&self.build()?.1)
    }

    /// Builds and runs it.
    pub(super) fn measure(&self) -> Result<(Image, Said)> {
        let (image, machine) = self.build()?;
        let mut said = board::run(&machine)?;
        if let Some(start) = &mut said.start {
            *start = start.saturating_sub(self.firmware(&machine)?);
        }
        Ok((image, said))
    }
}
