//! Assembly as a whole, from files on disk to the assembly or the complaints.

mod agreement;
mod complaints;
mod cpus;
mod explanations;
mod guests;
mod hardware;
mod merge;
mod output;
mod passes;
mod placement;
mod protocol;
mod size;
mod trees;
mod x86;
mod x86_images;
mod x86_passes;
mod x86_starts;

use std::path::Path;

use tempfile::TempDir;

use super::{Assembly, Images, Vm, check};
use crate::{Request, VmSource};

/// A folder with images that the qvm files of a test load, and the request that a test may vary.
pub(crate) struct Project {
    folder: TempDir,
    pub(crate) request: Request,
    pub(crate) images: Images,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) assembly: Option<Assembly>,
    /// All diagnostics, with paths as if the folder were the root.
    pub(crate) text: String,
    pub(crate) codes: Vec<&'static str>,
}

impl Project {
    pub(crate) fn new() -> Project {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project").to_owned();
        let board = "qemu-aarch64".into();
        let request = Request {
            root,
            board,
            cpus: None,
            memory_bytes: None,
            gic: None,
            on_failure: None,
            regions: Default::default(),
            consoles: Vec::new(),
            vms: Vec::new(),
        };
        let project = Project { folder: TempDir::new().unwrap(), request, images: Images::Read };
        project.file("Image", &linux(0, 0x10_0000, 0b1010));
        project.file("ramdisk", &[b"070701", [b'i'; 0x1802].as_slice()].concat());
        project.file("hello.elf", &elf(0x4008_0000));
        project.file("raw.bin", &[0x14; 0x300]);
        project
    }

    /// The same on an x86 board, with images for that.
    pub(crate) fn x86() -> Project {
        let mut project = Project::new();
        project.request.board = "qemu-x86_64".into();
        project.file("bzImage", &x86::bzimage());
        project.file("kernel.elf", &x86::elf64(0x10_0000));
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that qvm files can load by its name.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Assembles VMs from these texts, in files `1.qvmconf` and so on.
    pub(crate) fn run(&self, texts: &[&str]) -> Outcome {
        let mut request = self.request.clone();
        for (index, text) in texts.iter().enumerate() {
            let name = format!("{}.qvmconf", index + 1);
            self.file(&name, text.as_bytes());
            request.vms.push(VmSource::File(self.folder.path().join(name)));
        }
        let env = |name: &str| (name == "NAME").then(|| "value".to_owned());
        let (assembly, diagnostics, sources) = check(&request, self.images, &env);
        assert_eq!(assembly.is_none(), diagnostics.has_errors());
        let folder = format!("{}/", self.folder.path().display());
        let text = diagnostics.render(&sources, false).replace(&folder, "");
        Outcome { assembly, text, codes: diagnostics.iter().map(|diagnostic| diagnostic.code).collect() }
    }

    /// The assembly of these texts, which must be good.
    pub(crate) fn good(&self, texts: &[&str]) -> Assembly {
        let outcome = self.run(texts);
        outcome.assembly.unwrap_or_else(|| panic!("{}", outcome.text))
    }

    /// The only VM that this text makes.
    pub(crate) fn vm(&self, text: &str) -> Vm {
        self.good(&[text]).vms.remove(0)
    }
}

/// An arm64 `Image` of one page.
pub(super) fn linux(text_offset: u64, image_size: u64, flags: u64) -> Vec<u8> {
    let mut bytes = vec![0x5a; 0x1000];
    bytes[8..16].copy_from_slice(&text_offset.to_le_bytes());
    bytes[16..24].copy_from_slice(&image_size.to_le_bytes());
    bytes[24..32].copy_from_slice(&flags.to_le_bytes());
    bytes[56..64].copy_from_slice(b"ARM\x64\0\0\0\0");
    bytes
}

/// An ELF program at `base`: 0x40 bytes of code, and on the next page 0x20 bytes of data in 0x3000 of memory.
pub(super) fn elf(base: u64) -> Vec<u8> {
    let mut bytes = vec![0xc0; 0x200];
    bytes[..0xb0].fill(0);
    let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
    put(0, b"\x7fELF\x02\x01\x01");
    for (offset, value) in [(16, 2), (18, 183), (20, 1), (52, 64), (54, 56), (56, 2)] {
        put(offset, &u16::to_le_bytes(value));
    }
    put(24, &(base + 4).to_le_bytes());
    put(32, &0x40_u64.to_le_bytes());
    for (header, segment) in
        [(0x40, [0x100, base, base, 0x40, 0x40]), (0x78, [0x140, base + 0x1000, base + 0x1000, 0x20, 0x3000])]
    {
        put(header, &1_u32.to_le_bytes());
        for (index, value) in segment.into_iter().enumerate() {
            put(header + 8 + index * 8, &u64::to_le_bytes(value));
        }
    }
    bytes
}
