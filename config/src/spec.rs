//! What one qvm file says, word for word but typed: the parser's result and the checker's input.
//!
//! Nothing here is checked against the board, the images or other VMs. Every value carries the [`Span`] it was
//! read from, so that a later complaint can underline it.

mod vdev;

use std::path::PathBuf;

use model::ExitBudget;

pub use model::{Action, Policy, When};
pub use vdev::{Line, Loc, VdevSpec, VdevSpecKind};

/// Index of a source text in a run's set of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub usize);

/// A run of bytes in a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// One VM as its file says.
#[derive(Clone, Debug)]
pub struct VmSpec {
    /// The file.
    pub file: FileId,
    /// `system NAME`.
    pub system: Option<Spanned<String>>,
    /// `ram` and `rom`, in order.
    pub memory: Vec<MemorySpec>,
    /// `cpu` contexts, in order; empty means one vCPU with defaults.
    pub cpus: Vec<CpuSpec>,
    /// `load` in all its forms, in order.
    pub loads: Vec<LoadSpec>,
    /// `cmdline`; the last one.
    pub cmdline: Option<Spanned<String>>,
    /// `reserve` contexts, in order.
    pub reserves: Vec<ReserveSpec>,
    /// `pass` contexts, in order.
    pub passes: Vec<PassSpec>,
    /// `vdev` contexts, in order.
    pub vdevs: Vec<VdevSpec>,
    /// `set counter-offset`.
    pub counter_offset: Option<Spanned<u64>>,
    /// `set fdt-dump-file`, resolved against the qvm file's folder.
    pub fdt_dump_file: Option<Spanned<PathBuf>>,
    /// `dryrun`.
    pub dryrun: bool,
    /// `set exit-on-halt`.
    pub exit_on_halt: Option<Spanned<bool>>,
    /// `set ostler-exit-budget`.
    pub exit_budget: Option<Spanned<ExitBudget>>,
    /// `set ostler-poweroff-timeout`, in seconds.
    pub poweroff_timeout: Option<Spanned<u64>>,
    /// What its end leads to, and what ends it.
    pub life: LifeSpec,
    /// `unsupported instruction`.
    pub unsupported_instruction: Option<Spanned<Action>>,
    /// `unsupported reference`.
    pub unsupported_reference: Option<Spanned<Action>>,
    /// `unsupported register`.
    pub unsupported_register: Option<Spanned<Action>>,
}

/// The variables that are about a VM's end.
#[derive(Clone, Debug, Default)]
pub struct LifeSpec {
    /// `set ostler-restart`.
    pub restart: Option<Spanned<When>>,
    /// `set ostler-restart-delay`, in milliseconds.
    pub delay: Option<Spanned<u32>>,
    /// `set ostler-restart-limit`.
    pub limit: Option<Spanned<u32>>,
    /// `set ostler-restart-group`.
    pub group: Option<Spanned<String>>,
    /// `set ostler-board-stop`.
    pub board_stop: Option<Spanned<bool>>,
    /// `set ostler-progress-timeout`, in milliseconds.
    pub progress_timeout: Option<Spanned<u32>>,
}

/// `ram [start,]length` or `rom [start,]length`.
#[derive(Clone, Debug)]
pub struct MemorySpec {
    /// `rom`.
    pub read_only: bool,
    /// Guest-physical start, if given.
    pub start: Option<Spanned<u64>>,
    /// Length in bytes.
    pub size_bytes: Spanned<u64>,
    /// Option and argument.
    pub span: Span,
}

/// One `cpu` context.
#[derive(Clone, Debug)]
pub struct CpuSpec {
    /// `sched PRIO[r|f|o]`.
    pub sched: Option<Spanned<(u8, Policy)>>,
    /// `runmask N[,N…]`.
    pub runmask: Option<Spanned<Vec<u32>>>,
    /// The word `cpu`.
    pub span: Span,
}

/// The word before `load`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadKind {
    /// No word: the type is sniffed.
    Sniffed,
    /// `guest`: the image of the operating system.
    Guest,
    /// `initrd`.
    Initrd,
    /// `data`.
    Data,
    /// `fdt`: merged over the generated device tree.
    Fdt,
    /// `acpi`: one more ACPI table.
    Acpi,
}

/// `[type] load [addr,]path`.
#[derive(Clone, Debug)]
pub struct LoadSpec {
    /// The word before `load`.
    pub kind: LoadKind,
    /// Guest-physical address, if given.
    pub address: Option<Spanned<u64>>,
    /// The file, resolved against the qvm file's folder.
    pub path: Spanned<PathBuf>,
    /// From the type word to the argument.
    pub span: Span,
}

/// `reserve loc SPEC` or `reserve intr N`.
#[derive(Clone, Debug)]
pub enum ReserveSpec {
    /// A guest-physical range that automatic placement keeps off.
    Memory {
        /// First byte.
        start: Spanned<u64>,
        /// Length in bytes.
        size_bytes: Spanned<u64>,
    },
    /// An interrupt line (as in `intr`) that automatic assignment keeps off.
    Interrupt(Spanned<u32>),
    /// A device on PCI bus 0 that automatic assignment keeps off.
    Pci(u8),
}

/// One `pass` context.
#[derive(Clone, Debug)]
pub struct PassSpec {
    /// `initrd pass`: what lies there is the RAM disk. (`data pass` says no more than `pass`.)
    pub initrd: bool,
    /// `loc`, in order.
    pub locs: Vec<PassLoc>,
    /// `intr`, in order.
    pub intrs: Vec<PassIntr>,
    /// The word `pass`, with the type word before it.
    pub span: Span,
}

/// `loc PLACE[,ATTRIBUTES]` of a `pass`.
#[derive(Clone, Debug)]
pub struct PassLoc {
    /// What is passed, and where to.
    pub place: PassPlace,
    /// The attributes; `None` of a node, which has `rw` then.
    pub attributes: Option<Spanned<Attributes>>,
    /// The argument.
    pub span: Span,
}

/// What a `pass loc` names.
#[derive(Clone, Debug)]
pub enum PassPlace {
    /// `[mem:]GPA,LENGTH,…[=HPA]`.
    Memory {
        /// Guest-physical start.
        gpa: Spanned<u64>,
        /// Length in bytes.
        size_bytes: Spanned<u64>,
        /// Host-physical start; as `gpa` if it is not given.
        hpa: Option<Spanned<u64>>,
    },
    /// `io:PORT,LENGTH,…`: the same ports for the guest.
    Ports(model::Ports),
    /// `dt:/PATH…[=GPA]`.
    Node {
        /// The node's path in the board's device tree.
        path: Spanned<String>,
        /// Where its first registers are to be for the guest, if not where they are on the board.
        gpa: Option<Spanned<u64>>,
    },
}

/// The letters behind a `pass loc`, `+` and `-` applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `r`
    pub read: bool,
    /// `w`
    pub write: bool,
    /// `x`
    pub execute: bool,
    /// `c`
    pub cached: bool,
    /// `m`
    pub memory: bool,
    /// `d`
    pub dma: bool,
    /// `n`
    pub no_dma: bool,
}

/// `intr PIC:LINE[,ATTRIBUTES][=HOSTVECTOR]` of a `pass`.
#[derive(Clone, Debug)]
pub struct PassIntr {
    /// The controller's name as it was written; empty for the default one.
    pub controller: String,
    /// The guest's line: of a GIC a raw INTID.
    pub line: Spanned<u32>,
    /// The board's interrupt: a raw INTID, or ACPI's number on x86; by the controller's `hostvector` if it is not given.
    pub host: Option<Spanned<u32>>,
    /// `u`, if it is there.
    pub unmasked: Option<Span>,
    /// The argument.
    pub span: Span,
}
