//! The systems that are counted, from our own qvm files and from ones that are written here.

use std::path::{Path, PathBuf};

use config::Request;
use qemu_tests::Machine;

use crate::bench::board::{self, Said};
use crate::bench::linux;
use crate::bench::rows::Column;
use crate::failure::Result;
use crate::host::{files, paths};
use crate::image::{self, Image, Selection};

/// RAM of the board, but for guests that do not fit.
const MEMORY_BYTES: u64 = 1 << 30;

/// RAM of a VM that only sleeps.
pub(super) const NEIGHBOUR_BYTES: u64 = 4 << 20;

/// One system.
#[derive(Clone, Debug)]
pub(super) struct System {
    name: String,
    files: Vec<PathBuf>,
    memory_bytes: u64,
    /// Features of the hypervisor.
    features: &'static [&'static str],
}

impl System {
    /// The guest alone: every row that one vCPU can have.
    pub(super) fn alone() -> System {
        System::of("alone", vec![own("bench")])
    }

    /// Two vCPUs and another VM, of lower priority, on one pCPU.
    pub(super) fn shared() -> System {
        System::of("shared", vec![own("bench-shared"), own("bench-spin")])
    }

    /// The guest beside so many others that sleep, with so many vCPUs each.
    pub(super) fn crowded(neighbours: u32, vcpus: usize) -> Result<System> {
        let mut files = vec![own("bench")];
        for index in 1..=neighbours {
            let text = qvm(&format!("idle{index}"), NEIGHBOUR_BYTES, "idle")
                .replace("\ncpu\n", &("\n".to_owned() + &"cpu\n".repeat(vcpus)));
            files.push(write(&format!("idle{index}-{vcpus}"), &text)?);
        }
        Ok(System::of(&format!("crowded-{neighbours}-{vcpus}"), files))
    }

    /// The guest with this much RAM, which does nothing but start.
    pub(super) fn roomy(memory_bytes: u64) -> Result<System> {
        let name = format!("ram-{}m", memory_bytes >> 20);
        let file = write(&name, &qvm("bench", memory_bytes, "rounds=1 psci_version"))?;
        Ok(System { memory_bytes: MEMORY_BYTES * 2, ..System::of(&name, vec![file]) })
    }

    /// The guest in 64 MiB with this much of data to load beside itself, which does nothing but start.
    pub(super) fn laden(data_bytes: u64) -> Result<System> {
        let name = format!("data-{}m", data_bytes >> 20);
        let mut text = qvm("bench", 64 << 20, "rounds=1 psci_version");
        if data_bytes > 0 {
            let data = folder().join("systems").join(format!("{name}.bin"));
            files::write(&data, &vec![0x5a; usize::try_from(data_bytes).unwrap_or(0)])?;
            text += &format!("data load 0x41000000,{}\n", data.display());
        }
        Ok(System::of(&name, vec![write(&name, &text)?]))
    }

    /// The guest that counts few rounds of one row.
    pub(super) fn of_row(row: &str) -> Result<System> {
        let name = format!("profile-{row}");
        let words = format!("rounds=2 {row}");
        let mut files = vec![];
        match row {
            "vm_switch" | "wake_sgi" => {
                let text = qvm("bench", 4 << 20, &words).replace("\ncpu\n", "\ncpu\ncpu\n");
                files.extend([write(&name, &text)?, own("bench-spin")]);
            }
            _ => files.push(write(&name, &qvm("bench", 4 << 20, &words))?),
        }
        Ok(System::of(&name, files))
    }

    /// Debian alone, on a machine that is laid out as the board.
    pub(super) fn of_linux(words: &str, quiet: bool) -> Result<System> {
        let folder = paths::guest("linux");
        let text = format!(
            "system linux\nram 0x40000000,{}M\ncpu\nguest load {}\ninitrd load {}\ncmdline \"{words}\"\n\
             vdev gic loc 0x08000000\nvdev pl011 loc 0x09000000 intr gic:33 hostdev -\n",
            linux::MEMORY_BYTES >> 20,
            folder.join("vmlinuz").display(),
            folder.join("initramfs.cpio.gz").display()
        );
        let name = if quiet { "linux-quiet" } else { "linux" };
        Ok(System::of(name, vec![write(name, &text)?]))
    }

    fn of(name: &str, files: Vec<PathBuf>) -> System {
        System { name: name.into(), files, memory_bytes: MEMORY_BYTES, features: &[] }
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
        let built = image::build_with(&self.request()?, self.features, &folder().join(&self.name))?;
        let machine = self.machine(&built.image)?;
        Ok((built, machine))
    }

    /// The machine that it runs on, with this image.
    pub(super) fn machine(&self, image: &Path) -> Result<Machine> {
        board::machine(&self.request()?, image)
    }

    fn request(&self) -> Result<Request> {
        let memory = Some(self.memory_bytes);
        Selection { smp: Some(1), memory, ..Selection::of(self.files.clone()) }.request(&mut image::Findings::default())
    }

    /// Builds and runs it, and asks for the memory that is left; the guest is not alone.
    pub(super) fn measure_with_memory(&self) -> Result<Said> {
        board::run_and_ask(&self.build()?.1)
    }

    /// Builds and runs it.
    pub(super) fn measure(&self) -> Result<(Image, Said)> {
        let (image, machine) = self.build()?;
        let said = board::run(&machine)?;
        Ok((image, said))
    }
}

/// Where all of it is.
pub(super) fn folder() -> PathBuf {
    paths::made().join("bench")
}

fn own(name: &str) -> PathBuf {
    paths::root().join(format!("qemu-tests/systems/{name}.qvmconf"))
}

fn write(name: &str, text: &str) -> Result<PathBuf> {
    let path = folder().join("systems").join(format!("{name}.qvmconf"));
    files::write(&path, text.as_bytes())?;
    Ok(path)
}

/// A VM of one vCPU with the guest `bench`.
fn qvm(name: &str, memory_bytes: u64, words: &str) -> String {
    let elf = paths::guest("bench").join("bench.elf");
    format!(
        "system {name}\nram 0x40000000,{}M\ncpu\nload {}\ncmdline \"{words}\"\nset counter-offset 0\n\
         vdev pl011 loc 0x1c090000 intr gic:37 hostdev -\n",
        memory_bytes >> 20,
        elf.display()
    )
}
