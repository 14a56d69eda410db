//! What a system is, on one page: memory, devices, interrupts, CPUs, images, who owns what, what is shared, and which ways are left for
//! one VM to feel another.
//!
//! ```text
//! Assembly, Board ─ gather ─▶ Report ─┬─ text
//!                                     ├─ serde (JSON, in xtask)
//!                                     └─ html (picture, svg)
//! ```
//! Nothing here depends on the machine that it is made on: one configuration has one report.

mod channels;
mod gather;
mod html;
mod picture;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;

/// The whole page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The board.
    pub board: Board,
    /// SHA-256 of the configuration, in hexadecimal.
    pub configuration: String,
    /// The virtual machines, in the order of their files.
    pub vms: Vec<Vm>,
    /// What the VMs load; equal files once. Empty if they were not read.
    pub images: Vec<Image>,
    /// Everything of the board that has an owner.
    pub resources: Vec<Resource>,
    /// What several VMs use.
    pub shared: Vec<Shared>,
    /// How one VM can still slow another down, or learn something about it.
    pub channels: Vec<Channel>,
}

/// The board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Board {
    /// Name of the folder under `boards/`.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The interrupt controller, as `GICv3` or `APIC`.
    pub controller: String,
    /// `reset` or `halt`: after a failure of the hypervisor itself.
    pub on_failure: &'static str,
    /// Host-physical address of its RAM.
    pub memory_base: u64,
    /// Bytes of RAM.
    pub memory_bytes: u64,
    /// Who has how much of the RAM; the sum is [`Board::memory_bytes`].
    pub memory: Vec<Share>,
    /// The pCPUs, with who runs there.
    pub cpus: Vec<Pcpu>,
}

/// A part of the board's RAM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// A VM's name, or what it is for.
    pub owner: String,
    /// Index of the VM, if it is a VM's.
    pub vm: Option<usize>,
    /// How much.
    pub bytes: u64,
}

/// A pCPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pcpu {
    /// Its number.
    pub pcpu: u32,
    /// The vCPUs on it, the highest priority first.
    pub vcpus: Vec<Seat>,
}

/// A vCPU and its pCPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seat {
    /// The VM's name.
    pub vm: String,
    /// Index of the VM.
    pub vm_index: usize,
    /// Number of the vCPU in its VM.
    pub vcpu: usize,
    /// The pCPU.
    pub pcpu: u32,
    /// 1 is lowest, 255 highest.
    pub priority: u8,
    /// `round robin` or `FIFO`.
    pub policy: &'static str,
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vm {
    /// Its name.
    pub name: String,
    /// Bytes of RAM and ROM.
    pub memory_bytes: u64,
    /// What is where in its address space, by address; what lies in memory follows that memory.
    pub map: Vec<Area>,
    /// x86's ports that something answers, by number.
    pub ports: Vec<Ports>,
    /// Its interrupts.
    pub interrupts: Vec<Interrupt>,
    /// Its vCPUs.
    pub vcpus: Vec<Seat>,
    /// Address of the first instruction; `None` if its images were not read.
    pub entry: Option<u64>,
    /// What its end leads to, in words.
    pub life: String,
}

/// A range of guest-physical addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Area {
    /// First byte.
    pub start: u64,
    /// Length.
    pub bytes: u64,
    /// What it is.
    pub kind: AreaKind,
    /// Its name, as `linux.dtb` or `pl011@1c090000`.
    pub name: String,
    /// What the guest may do there, as `rw` or `r`; empty for what lies in memory.
    pub access: &'static str,
    /// It lies in memory that is listed before it.
    pub inside: bool,
}

/// What a range of addresses is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AreaKind {
    /// `ram`.
    Ram,
    /// `rom`.
    Rom,
    /// The guest's program.
    Image,
    /// The RAM disk.
    Initrd,
    /// The device tree.
    DeviceTree,
    /// Data that is loaded.
    Data,
    /// What a PC's firmware and boot loader leave: ACPI tables, boot information.
    Firmware,
    /// The interrupt controller.
    Controller,
    /// A virtual device.
    Vdev,
    /// What of the board is passed.
    Passed,
    /// The stolen-time records.
    StolenTime,
}

impl AreaKind {
    /// The word for it; also its class in HTML.
    pub fn word(self) -> &'static str {
        match self {
            AreaKind::Ram => "ram",
            AreaKind::Rom => "rom",
            AreaKind::Image => "image",
            AreaKind::Initrd => "initrd",
            AreaKind::DeviceTree => "device-tree",
            AreaKind::Data => "data",
            AreaKind::Firmware => "firmware",
            AreaKind::Controller => "controller",
            AreaKind::Vdev => "vdev",
            AreaKind::Passed => "passed",
            AreaKind::StolenTime => "stolen-time",
        }
    }
}

/// Ports of a device, or of the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ports {
    /// The first one.
    pub first: u16,
    /// How many.
    pub count: u16,
    /// The device's name.
    pub name: String,
    /// They are the board's, and passed.
    pub passed: bool,
}

impl Ports {
    pub(super) fn new(range: &model::Ports, name: &str, passed: bool) -> Ports {
        Ports { first: range.first, count: range.count, name: name.to_owned(), passed }
    }

    /// The range for people, as `0x3f8-0x3ff`.
    pub(super) fn words(&self) -> String {
        let last = u32::from(self.first) + u32::from(self.count.max(1)) - 1;
        match self.count {
            0 | 1 => format!("{:#x}", self.first),
            _ => format!("{:#x}-{last:#x}", self.first),
        }
    }
}

/// An interrupt that a guest can get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interrupt {
    /// The line: of a GIC the raw INTID, of a PC the global system interrupt.
    pub line: u32,
    /// Who raises it.
    pub from: String,
}

/// A file that VMs load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Its name without the folder.
    pub name: String,
    /// `guest`, `initrd`, `tree`, `data` or `firmware`.
    pub kind: String,
    /// Length in the bootable image.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Names of the VMs that load it.
    pub vms: Vec<String>,
}

/// Something of the board and who can touch it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// What it is, with its address if it has one that is known before boot.
    pub what: String,
    /// `Ostler`, or a VM's name.
    pub owner: String,
    /// Who else can reach it, and how; empty for nobody.
    pub others: String,
}

/// Something that several VMs use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// What it is.
    pub what: String,
    /// Names of the VMs.
    pub vms: Vec<String>,
    /// How it is shared.
    pub how: String,
}

/// A way for VMs to feel each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Channel {
    /// What it is.
    pub what: String,
    /// What can happen, and what bounds it.
    pub effect: String,
}

/// Bytes for people: exact, in the largest unit that leaves a small number.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(shift, _)| bytes >= 1 << shift) {
        None => format!("{bytes} B"),
        Some((shift, unit)) if bytes.trailing_zeros() >= shift => format!("{} {unit}", bytes >> shift),
        // Tenths, rounded up: what takes memory is not made smaller.
        Some((shift, unit)) => {
            let tenths = (u128::from(bytes) * 10).div_ceil(1 << shift);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
    }
}
