//! What is measured, by name: what it means, the bar that it is to beat, and who holds it.
//!
//! The bars are counts of other hypervisors on the same emulated machine (`docs/performance.md` says how they were taken).

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// As the guest, the budgets file and `--profile` call it.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is to cost at most, without and with the flight recorder.
    bars: Option<(u64, u64)>,
    /// The best other hypervisor and its count.
    pub peer: Option<(&'static str, u64)>,
    /// The guest's function that makes a round of it, for a profile.
    pub round: Option<&'static str>,
}

/// A column of the budgets: a kind of image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// The image as it is.
    On,
    /// One without the flight recorder, made for the comparison.
    Off,
}

impl Column {
    /// Both, in the order of the file.
    pub(crate) const ALL: [Column; 2] = [Column::On, Column::Off];

    /// Its name in the file of budgets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Column::On => "on",
            Column::Off => "off",
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Instructions that the board's CPU executes.
    Instructions,
    /// Bytes.
    Bytes,
    /// Millionths of something else. They have no budget: Debian's clock at power-off moves by a whole tick (4 ms) when it
    /// just misses or just meets one, however little it does otherwise.
    Millionths,
}

impl Unit {
    /// Its name for programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Unit::Instructions => "instructions",
            Unit::Bytes => "bytes",
            Unit::Millionths => "ppm",
        }
    }

    /// What is said behind a title: nothing of the usual unit.
    pub(crate) const fn note(self) -> &'static str {
        match self {
            Unit::Instructions => "",
            Unit::Bytes => ", bytes",
            Unit::Millionths => ", ppm",
        }
    }
}

/// In place of a round: everything at EL2 in a boot of Debian.
pub(crate) const LINUX: &str = "linux";
/// In place of a round: everything before the guest's first instruction.
pub(crate) const BOOT: &str = "boot";

/// All rows, in the order of the table.
pub(crate) const ROWS: [Row; 23] = [
    counted("psci_version", "PSCI_VERSION by HVC, and back", "hvc").bars(90, 110).peer("hvisor", 127),
    counted("gicd_typer", "read of GICD_TYPER", "load").bars(150, 170).peer("Bao", 224),
    counted("gicd_isenabler1", "read of GICD_ISENABLER1", "load").bars(250, 270).peer("Xen", 675),
    counted("sgi_self", "SGI to itself, to the handler's third instruction", "sgi_to_self")
        .bars(220, 240)
        .peer("hvisor", 336),
    counted("timer", "virtual timer, spinning, to the handler's third instruction", "timer_awake")
        .bars(130, 150)
        .peer("Bao", 192),
    counted("timer_wfi", "the same, waiting by WFI, alone on the pCPU", "timer_asleep"),
    counted("vm_switch", "the same, another VM running on the pCPU meanwhile", "timer_asleep"),
    counted("wake_sgi", "SGI and WFI, to another vCPU's handler on the pCPU", "wake_and_wait"),
    counted("pl011_read", "read of a PL011's register", "load"),
    counted("pl011_write", "a character out by a PL011", "store"),
    counted("id_register", "read of ID_AA64PFR0_EL1", "id_register"),
    counted("unknown_smc", "SMC of an unknown function", "smc"),
    counted("boot", "reset to the guest's first instruction", BOOT).bars(250_000, 250_000).peer("Bao", 325_709),
    counted("linux_el2", "Debian's boot with `quiet`: at EL2", LINUX),
    Row { round: None, ..counted("linux_exit", "Debian's boot: at EL2, an exception", "") }.peer("Bao, silicon", 188),
    parts("linux_quiet", "Debian's boot with `quiet`: more than without a hypervisor")
        .bars(2000, 2000)
        .peer("Xen, not quiet", 5900),
    parts("linux", "Debian's boot, not quiet: more than without a hypervisor"),
    // 131,072 is the bar of an image without vdevs, restart policies and diagnostics; this one has them.
    bytes("image", "image without guests").bars(196_608, 196_608).peer("Bao", 100_040),
    bytes("text", "code"),
    bytes("data", "constants and data"),
    bytes("bss", "memory beside the image"),
    bytes("vm_memory", "a VM of one vCPU, beside its RAM"),
    bytes("vcpu_memory", "each further vCPU"),
];

/// The row of this name.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

const fn counted(name: &'static str, title: &'static str, round: &'static str) -> Row {
    Row { name, title, unit: Unit::Instructions, bars: None, peer: None, round: Some(round) }
}

const fn bytes(name: &'static str, title: &'static str) -> Row {
    Row { name, title, unit: Unit::Bytes, bars: None, peer: None, round: None }
}

const fn parts(name: &'static str, title: &'static str) -> Row {
    Row { unit: Unit::Millionths, ..bytes(name, title) }
}

impl Row {
    const fn bars(self, off: u64, on: u64) -> Row {
        Row { bars: Some((off, on)), ..self }
    }

    /// What it is to cost at most in an image of this kind.
    pub(crate) fn bar(&self, column: Column) -> Option<u64> {
        self.bars.map(|(off, on)| match column {
            Column::On => on,
            Column::Off => off,
        })
    }

    const fn peer(self, who: &'static str, count: u64) -> Row {
        Row { peer: Some((who, count)), ..self }
    }
}
