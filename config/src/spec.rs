//! What one qvm file says, word for word but typed: the parser's result and the checker's input.
//!
//! Nothing here is checked against the board, the images or other VMs. Every value carries the [`Span`] it was
//! read from, so that a later complaint can underline it.

use std::path::PathBuf;

use model::ExitBudget;

pub use model::{Action, Policy, When};

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
    /// The guest's line as a raw INTID.
    pub line: Spanned<u32>,
    /// The board's interrupt as a raw INTID; by the controller's `hostvector` if it is not given.
    pub host: Option<Spanned<u32>>,
    /// `u`, if it is there.
    pub unmasked: Option<Span>,
    /// The argument.
    pub span: Span,
}

/// One `vdev` context.
#[derive(Clone, Debug)]
pub struct VdevSpec {
    /// What it is and what only that type takes.
    pub kind: VdevSpecKind,
    /// `loc`.
    pub loc: Option<Spanned<Loc>>,
    /// `intr PIC:LINE[,PIC:LINE…]`; not empty.
    pub intr: Option<Spanned<Vec<Line>>>,
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `vdev NAME`.
    pub span: Span,
}

impl VdevSpec {
    /// The address in memory that `loc` says.
    pub fn address(&self) -> Option<Spanned<u64>> {
        match self.loc {
            Some(Spanned { value: Loc::Memory(value), span }) => Some(Spanned { value, span }),
            _ => None,
        }
    }
}

/// Where a vdev is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loc {
    /// At a guest-physical address.
    Memory(u64),
    /// At x86's ports from this one on.
    Port(u16),
    /// On PCI bus 0.
    Pci {
        /// 0 to 31.
        device: u8,
        /// 0 to 7.
        function: u8,
    },
}

/// A line of an interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What the controller is called.
    pub controller: String,
    /// Its line: of a GIC the raw INTID.
    pub line: Spanned<u32>,
}

/// A vdev's type.
#[derive(Clone, Debug)]
pub enum VdevSpecKind {
    /// `vdev gic`.
    Gic {
        /// `version 2|3`.
        version: Option<Spanned<u32>>,
        /// `hostvector`: the board's interrupt that line 0 stands for when interrupts are passed.
        hostvector: Option<Spanned<u32>>,
    },
    /// `vdev pl011`.
    Pl011 {
        /// `hostdev`, in order: `-`, `>-` or `<-`.
        hostdev: Vec<Spanned<String>>,
    },
    /// `vdev pl061`.
    Pl061,
    /// `vdev wdt-sp805`.
    WdtSp805 {
        /// `frequency HERTZ`.
        frequency: Option<Spanned<u64>>,
        /// `action [dump,]terminate`, which is the same with and without `dump`.
        action: Option<Spanned<String>>,
    },
    /// `vdev ioapic`.
    Ioapic,
    /// `vdev 8259`.
    Pic8259,
    /// `vdev timer8254`.
    Timer8254,
    /// `vdev hpet`.
    Hpet,
    /// `vdev mc146818`.
    Mc146818 {
        /// `reg OFFSET,VALUE`, in order.
        presets: Vec<(u8, u8)>,
    },
    /// `vdev pckeyboard`.
    PcKeyboard,
    /// `vdev ser8250`.
    Ser8250 {
        /// `hostdev`, in order: `-`, `>-` or `<-`.
        hostdev: Vec<Spanned<String>>,
    },
    /// `vdev pci-dummy`.
    PciDummy,
}

impl VdevSpecKind {
    /// The word behind `vdev`.
    pub fn word(&self) -> &'static str {
        match self {
            VdevSpecKind::Gic { .. } => "gic",
            VdevSpecKind::Pl011 { .. } => "pl011",
            VdevSpecKind::Pl061 => "pl061",
            VdevSpecKind::WdtSp805 { .. } => "wdt-sp805",
            VdevSpecKind::Ioapic => "ioapic",
            VdevSpecKind::Pic8259 => "8259",
            VdevSpecKind::Timer8254 => "timer8254",
            VdevSpecKind::Hpet => "hpet",
            VdevSpecKind::Mc146818 { .. } => "mc146818",
            VdevSpecKind::PcKeyboard => "pckeyboard",
            VdevSpecKind::Ser8250 { .. } => "ser8250",
            VdevSpecKind::PciDummy => "pci-dummy",
        }
    }

    /// What `vdev WORD` begins with; `None` if there is no such vdev.
    pub fn from_word(word: &str) -> Option<VdevSpecKind> {
        Some(match word {
            "gic" => VdevSpecKind::Gic { version: None, hostvector: None },
            "pl011" => VdevSpecKind::Pl011 { hostdev: Vec::new() },
            "pl061" => VdevSpecKind::Pl061,
            "wdt-sp805" => VdevSpecKind::WdtSp805 { frequency: None, action: None },
            "ioapic" => VdevSpecKind::Ioapic,
            "8259" => VdevSpecKind::Pic8259,
            "timer8254" => VdevSpecKind::Timer8254,
            "hpet" => VdevSpecKind::Hpet,
            "mc146818" => VdevSpecKind::Mc146818 { presets: Vec::new() },
            "pckeyboard" => VdevSpecKind::PcKeyboard,
            "ser8250" => VdevSpecKind::Ser8250 { hostdev: Vec::new() },
            "pci-dummy" => VdevSpecKind::PciDummy,
            _ => return None,
        })
    }

    /// Whether `intr` can name it.
    pub fn is_controller(&self) -> bool {
        matches!(self, VdevSpecKind::Gic { .. } | VdevSpecKind::Ioapic | VdevSpecKind::Pic8259)
    }

    /// Where the characters of a serial device come from and go to.
    pub fn hostdev_mut(&mut self) -> Option<&mut Vec<Spanned<String>>> {
        match self {
            VdevSpecKind::Pl011 { hostdev } | VdevSpecKind::Ser8250 { hostdev } => Some(hostdev),
            _ => None,
        }
    }
}
