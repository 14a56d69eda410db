//! What a board has, from `boards/NAME/board.toml`, and how QEMU starts it.
//!
//! The board is an input of assembly: every configuration is checked against it here, and boot checks it against what the
//! firmware hands over: a device tree, or on x86 a memory map and ACPI's tables.

mod device;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{Controller, GicVersion, OnFailure, PAGE_BYTES};
use serde::{Deserialize, Deserializer};

pub use device::Device;

/// One board as its `board.toml` describes it. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Name of the folder under `boards/`.
    #[serde(skip)]
    pub name: String,
    /// SHA-256 of `board.toml`.
    #[serde(skip)]
    pub sha256: [u8; 32],
    /// One line for people.
    pub description: String,
    /// The CPUs' architecture.
    pub architecture: Architecture,
    /// On arm64, architectures of the GIC that it can be had with; the first one unless the request says otherwise. Empty on x86.
    #[serde(default, deserialize_with = "gics")]
    pub gic: Vec<GicVersion>,
    /// What it does after a failure of the hypervisor itself, unless the request says otherwise.
    #[serde(rename = "on-failure", deserialize_with = "on_failure")]
    pub on_failure: OnFailure,
    /// pCPUs.
    pub cpus: Cpus,
    /// RAM.
    pub memory: Memory,
    /// The UART that carries every console.
    pub console: Console,
    /// The file of its device tree beside `board.toml`, with `{gic}` for the interrupt controller's version: see
    /// [`Board::tree`].
    tree: Option<String>,
    /// What a board without a device tree has that can be passed, or that is Ostler's own. Of others nothing can be passed but `regions`.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// Named pieces of its RAM that Ostler leaves alone: to be passed, and `$asinfo_start{NAME}` and `$asinfo_length{NAME}` of a qvm file.
    #[serde(default)]
    pub regions: BTreeMap<String, Region>,
    /// How QEMU starts it, if QEMU can.
    pub qemu: Option<Qemu>,
}

/// A CPU architecture that Ostler runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// arm64 with EL2.
    Aarch64,
    /// x86-64 with AMD's SVM.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Architecture {
    /// All that there are.
    pub const BOTH: [Architecture; 2] = [Architecture::Aarch64, Architecture::X86_64];

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Architecture::Aarch64 => "arm64",
            Architecture::X86_64 => "x86",
        }
    }

    /// Whose programs its guests run.
    pub const fn cpu(self) -> loader::Cpu {
        match self {
            Architecture::Aarch64 => loader::Cpu::Aarch64,
            Architecture::X86_64 => loader::Cpu::X86_64,
        }
    }
}

/// How many pCPUs the board has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cpus {
    /// Unless the request says otherwise.
    pub default: u32,
    /// Fewest that the board can be had with.
    pub min: u32,
    /// Most that the board can be had with.
    pub max: u32,
    /// Sizes of pages that they translate by, in KiB; empty if that is not known.
    #[serde(rename = "pages-kib", default)]
    pub pages_kib: Vec<u32>,
}

/// The board's RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Host-physical address of the first byte.
    pub base: u64,
    /// Bytes of RAM, unless the request says otherwise.
    #[serde(deserialize_with = "size")]
    pub default: u64,
    /// Fewest bytes that the board can be had with.
    #[serde(deserialize_with = "size")]
    pub min: u64,
    /// Most bytes that the board can be had with.
    #[serde(deserialize_with = "size")]
    pub max: u64,
    /// What Ostler keeps for itself besides the bootable image.
    #[serde(deserialize_with = "size")]
    pub ostler: u64,
    /// Where a board with much RAM has none.
    pub hole: Option<Hole>,
}

/// Addresses between two pieces of RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hole {
    /// With so many bytes of RAM, or more, there is the hole.
    #[serde(rename = "if-memory", deserialize_with = "size")]
    pub if_memory: u64,
    /// Its first byte; RAM is below.
    pub start: u64,
    /// One past its last byte, where RAM goes on.
    pub end: u64,
}

impl Memory {
    /// Where `bytes` of RAM are: first byte and length of each piece.
    pub fn pieces(&self, bytes: u64) -> Vec<(u64, u64)> {
        match self.hole.filter(|hole| bytes >= hole.if_memory) {
            Some(hole) => {
                let low = hole.start.saturating_sub(self.base).min(bytes);
                vec![(self.base, low), (hole.end, bytes - low)]
            }
            None => vec![(self.base, bytes)],
        }
    }
}

/// A piece of the board's RAM, in whole pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Host-physical address of the first byte.
    pub start: u64,
    /// Length in bytes, not zero.
    #[serde(rename = "length", deserialize_with = "size")]
    pub length_bytes: u64,
}

/// The UART that carries every console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Its type.
    pub kind: Uart,
    /// Where the first register is: a host-physical address, or the port of a 16550.
    pub address: u64,
}

/// A UART that Ostler drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uart {
    /// Arm PrimeCell PL011.
    Pl011,
    /// 16550A, at x86's ports.
    #[serde(rename = "16550")]
    Ns16550,
}

/// How QEMU starts the board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qemu {
    /// The program.
    pub binary: String,
    /// Argument of `-machine`, with `{gic}` for the interrupt controller's version: see [`Board::qemu_machine`].
    machine: String,
    /// Argument of `-cpu`, unless the user says otherwise.
    pub cpu: String,
    /// Argument of `-accel`.
    #[serde(default = "Qemu::accelerator")]
    pub accelerator: String,
}

impl Qemu {
    fn accelerator() -> String {
        "tcg".into()
    }
}

impl Board {
    /// Reads `boards/NAME/board.toml` under `root`. The error names the boards that exist, or the place of the mistake.
    pub fn load(root: &Path, name: &str) -> Result<Board, String> {
        let path = Board::file(root, name);
        // A name is a folder's name, not a path: `../x` would leave `boards/`.
        let text = match name.contains(['/', '\\', '.']) {
            true => None,
            false => std::fs::read_to_string(&path).ok(),
        };
        let text = text.ok_or_else(|| {
            let names = Board::names(root);
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            format!("there is no board `{name}`; boards that exist: {names}")
        })?;
        let mut board: Board = toml::from_str(&text).map_err(|error| format!("boards/{name}/board.toml: {error}"))?;
        let checked = board.check_gic().and_then(|()| board.check_regions()).and_then(|()| board.check_devices());
        checked.map_err(|error| format!("boards/{name}/board.toml: {error}"))?;
        board.name = name.to_owned();
        board.sha256 = super::sha256(text.as_bytes());
        Ok(board)
    }

    /// The interrupt controller: the GIC that is `asked` for, or else the default. The error names those that there are.
    pub fn controller(&self, asked: Option<GicVersion>) -> Result<Controller, String> {
        match (self.architecture, asked) {
            (Architecture::Aarch64, asked) => self.gic(asked).map(Controller::Gic),
            (Architecture::X86_64, None) => Ok(Controller::Apic),
            (Architecture::X86_64, Some(_)) => {
                Err(format!("board `{}` is x86 and has no GIC: leave `--gic` out", self.name))
            }
        }
    }

    fn gic(&self, asked: Option<GicVersion>) -> Result<GicVersion, String> {
        let gic = asked.or(self.gic.first().copied()).filter(|gic| self.gic.contains(gic));
        gic.ok_or_else(|| {
            let has: Vec<String> = self.gic.iter().map(|gic| format!("a {gic}")).collect();
            let asked = asked.map_or("none".to_owned(), |asked| format!("a {asked}"));
            format!("board `{}` comes with {}, not with {asked}", self.name, has.join(" or "))
        })
    }

    /// A GIC is a thing of arm64 boards.
    fn check_gic(&self) -> Result<(), String> {
        match (self.architecture, self.gic.is_empty()) {
            (Architecture::Aarch64, true) => Err("`gic` is missing: write `gic = [3]`".into()),
            (Architecture::X86_64, false) => Err("an x86 board has no `gic`".into()),
            _ => Ok(()),
        }
    }

    /// Devices are in the tree or on the page.
    fn check_devices(&self) -> Result<(), String> {
        match self.tree.is_some() && !self.devices.is_empty() {
            true => Err("`devices` are for a board without a `tree`".into()),
            false => self.devices.iter().try_for_each(Device::check),
        }
    }

    /// Regions are whole pages of RAM that every variant has, and apart.
    fn check_regions(&self) -> Result<(), String> {
        let mut end = self.memory.base;
        let mut regions: Vec<_> = self.regions.iter().collect();
        regions.sort_by_key(|(_, region)| region.start);
        let least = self.memory.base.saturating_add(self.memory.min);
        for (name, region) in regions {
            let whole = |value: u64| value.is_multiple_of(PAGE_BYTES);
            if !whole(region.start) || !whole(region.length_bytes) || region.length_bytes == 0 {
                return Err(format!("region `{name}` is not a number of pages of 4 KiB"));
            }
            let after = region.start.checked_add(region.length_bytes).filter(|&after| after <= least);
            let Some(after) = after.filter(|_| region.start >= end) else {
                return Err(format!(
                    "region `{name}` is not in the RAM that every variant has, or overlaps another one"
                ));
            };
            end = after;
        }
        Ok(())
    }

    /// The file of the board's device tree for the variant with this interrupt controller, if it has one.
    pub fn tree(&self, root: &Path, controller: Controller) -> Option<PathBuf> {
        let name = variant(self.tree.as_ref()?, controller);
        Some(root.join("boards").join(&self.name).join(name))
    }

    /// QEMU's `-machine` for the variant with this interrupt controller; `None` if QEMU can't be this board.
    pub fn qemu_machine(&self, controller: Controller) -> Option<String> {
        Some(variant(&self.qemu.as_ref()?.machine, controller))
    }

    /// The page that describes board `name`.
    pub fn file(root: &Path, name: &str) -> PathBuf {
        root.join("boards").join(name).join("board.toml")
    }

    /// Every board under `root`, sorted.
    pub fn names(root: &Path) -> Vec<String> {
        let folders = std::fs::read_dir(root.join("boards")).into_iter().flatten().flatten();
        let mut names: Vec<String> = folders
            .filter(|folder| folder.path().join("board.toml").is_file())
            .filter_map(|folder| folder.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

/// `text` with the GIC's version in its place.
fn variant(text: &str, controller: Controller) -> String {
    match controller {
        Controller::Gic(version) => text.replace("{gic}", &version.number().to_string()),
        Controller::Apic => text.to_owned(),
    }
}

fn gics<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<GicVersion>, D::Error> {
    let numbers = Vec::<u32>::deserialize(input)?;
    let known = |&number: &u32| {
        GicVersion::from_number(number)
            .ok_or_else(|| serde::de::Error::custom(format!("a version in `gic` is 2 or 3, not {number}")))
    };
    match numbers.is_empty() {
        true => Err(serde::de::Error::custom("`gic` names no version: write `gic = [3]`")),
        false => numbers.iter().map(known).collect(),
    }
}

fn on_failure<'de, D: Deserializer<'de>>(input: D) -> Result<OnFailure, D::Error> {
    let word = String::deserialize(input)?;
    OnFailure::from_word(&word)
        .ok_or_else(|| serde::de::Error::custom(format!("`on-failure` is \"reset\" or \"halt\", not \"{word}\"")))
}

fn size<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let text = String::deserialize(input)?;
    parse_size(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no size: write 128M or 2G")))
}

/// Bytes in a decimal number with an optional suffix `K`, `M` or `G` (powers of 1024).
pub fn parse_size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.chars().last()?.to_ascii_uppercase() {
        'K' => (&text[..text.len() - 1], 10),
        'M' => (&text[..text.len() - 1], 20),
        'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests;
