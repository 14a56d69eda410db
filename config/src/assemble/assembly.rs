//! What assembly yields: the owned twin of [`model::System`] and the bytes that go with it.

use std::path::PathBuf;

use model::{
    Counter, Cpu, ExitBudget, Gic, Gpa, Memory, Pass, PassedInterrupt, Region, Seed, Start, Unsupported, VdevKind,
    When, images::Kind,
};

/// A checked system, ready to be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    /// What was assumed of the board.
    pub board: Board,
    /// SHA-256 over the board, its variant, every qvm file and every environment value that was used.
    pub configuration: [u8; 32],
    /// The virtual machines, in the order of their files.
    pub vms: Vec<Vm>,
    /// The image table; equal blobs are stored once.
    pub blobs: Vec<Blob>,
    /// VM name and device tree, one a VM. Seeds are zero in these.
    pub trees: Vec<(String, Vec<u8>)>,
    /// Every file that was read: a change to one of them changes the assembly.
    pub inputs: Vec<PathBuf>,
    /// Every environment variable that a qvm file named.
    pub env: Vec<String>,
    /// `set fdt-dump-file`: where to and which of [`Assembly::trees`].
    pub fdt_dumps: Vec<(PathBuf, usize)>,
    /// `dryrun` in one of the files: nothing is to be run.
    pub dryrun: bool,
}

/// The owned twin of [`model::Board`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Name of the folder under `boards/`.
    pub name: String,
    /// The interrupt controller's architecture.
    pub gic: model::GicVersion,
    /// Number of pCPUs.
    pub cpus: u32,
    /// Bytes of RAM.
    pub memory_bytes: u64,
    /// What it does when the hypervisor itself has failed.
    pub on_failure: model::OnFailure,
    /// Pieces of RAM that Ostler leaves alone, by address.
    pub regions: Vec<Region>,
}

/// The owned twin of [`model::Vm`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vm {
    /// The name after `system`, or the file's stem.
    pub name: String,
    /// RAM and ROM, sorted by address.
    pub memory: Vec<Memory>,
    /// One entry a vCPU.
    pub cpus: Vec<Cpu>,
    /// What to copy where, in order.
    pub loads: Vec<Load>,
    /// Where the first vCPU starts.
    pub entry: Start,
    /// `cmdline`, which the guest finds in its device tree.
    pub cmdline: Option<String>,
    /// The interrupt controller that the guest sees.
    pub gic: Gic,
    /// Virtual devices, sorted by address.
    pub vdevs: Vec<Vdev>,
    /// What of the board's address space is its own, sorted by guest-physical address.
    pub passes: Vec<Pass>,
    /// Which of the board's interrupts are its own, sorted by the guest's line.
    pub interrupts: Vec<PassedInterrupt>,
    /// What to do when emulation cannot finish.
    pub unsupported: Unsupported,
    /// How the guest's counter relates to the host's.
    pub counter: Counter,
    /// `set exit-on-halt`.
    pub exit_on_halt: bool,
    /// `set ostler-exit-budget`.
    pub exit_budget: Option<ExitBudget>,
    /// See [`model::Vm::stolen_time`].
    pub stolen_time: Option<Gpa>,
    /// `set ostler-poweroff-timeout`.
    pub poweroff_timeout_s: u32,
    /// What its end leads to.
    pub restart: Restart,
    /// `set ostler-progress-timeout`.
    pub progress_timeout_ms: Option<u32>,
}

/// The owned twin of [`model::Restart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// When it starts again by itself.
    pub when: When,
    /// Before the first restart.
    pub delay_ms: u32,
    /// Most restarts in a row.
    pub limit: Option<u32>,
    /// Its restart group.
    pub group: Option<String>,
    /// The board ends with it.
    pub board_stop: bool,
}

/// The owned twin of [`model::Load`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Index into [`Assembly::blobs`].
    pub image: u16,
    /// First byte to copy, counted from the blob's start.
    pub offset: u64,
    /// Number of bytes.
    pub size_bytes: u64,
    /// Where the first byte goes.
    pub gpa: Gpa,
    /// Ranges that boot overwrites with random bytes.
    pub seeds: Vec<Seed>,
}

/// The owned twin of [`model::Vdev`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vdev {
    /// `name`, or the type and address.
    pub name: String,
    /// First register.
    pub gpa: Gpa,
    /// Length of the register frame.
    pub size_bytes: u64,
    /// Shared interrupt line as a raw INTID, if it has one.
    pub intid: Option<u32>,
    /// What it is.
    pub kind: VdevKind,
}

/// One entry of the image table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The file's name without its folder, cut to [`model::images::NAME_BYTES`].
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The bytes; a gzip-compressed kernel is stored unpacked.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}
