//! What a `vdev` context says.

use super::{Span, Spanned};

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
    Ioapic {
        /// `hostvector`: the board's interrupt that line 0 stands for when interrupts are passed.
        hostvector: Option<Spanned<u32>>,
    },
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
    /// `vdev wdt-ib700`.
    WdtIb700 {
        /// `action [dump,]terminate`, which is the same with and without `dump`.
        action: Option<Spanned<String>>,
    },
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
            VdevSpecKind::Ioapic { .. } => "ioapic",
            VdevSpecKind::Pic8259 => "8259",
            VdevSpecKind::Timer8254 => "timer8254",
            VdevSpecKind::Hpet => "hpet",
            VdevSpecKind::Mc146818 { .. } => "mc146818",
            VdevSpecKind::PcKeyboard => "pckeyboard",
            VdevSpecKind::WdtIb700 { .. } => "wdt-ib700",
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
            "ioapic" => VdevSpecKind::Ioapic { hostvector: None },
            "8259" => VdevSpecKind::Pic8259,
            "timer8254" => VdevSpecKind::Timer8254,
            "hpet" => VdevSpecKind::Hpet,
            "mc146818" => VdevSpecKind::Mc146818 { presets: Vec::new() },
            "pckeyboard" => VdevSpecKind::PcKeyboard,
            "wdt-ib700" => VdevSpecKind::WdtIb700 { action: None },
            "ser8250" => VdevSpecKind::Ser8250 { hostdev: Vec::new() },
            "pci-dummy" => VdevSpecKind::PciDummy,
            _ => return None,
        })
    }

    /// Whether `intr` can name it.
    pub fn is_controller(&self) -> bool {
        matches!(self, VdevSpecKind::Gic { .. } | VdevSpecKind::Ioapic { .. } | VdevSpecKind::Pic8259)
    }

    /// Where the characters of a serial device come from and go to.
    pub fn hostdev_mut(&mut self) -> Option<&mut Vec<Spanned<String>>> {
        match self {
            VdevSpecKind::Pl011 { hostdev } | VdevSpecKind::Ser8250 { hostdev } => Some(hostdev),
            _ => None,
        }
    }
}
