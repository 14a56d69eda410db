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
    /// It takes two vCPUs and another VM.
    pub is_shared: bool,
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

/// In place of a round: everything that the hypervisor executes in a boot of Debian.
pub(crate) const LINUX: &str = "linux";
/// In place of a round: everything before the guest's first instruction.
pub(crate) const BOOT: &str = "boot";

/// The rows on arm64, in the order of the table.
pub(crate) const ARM64: [Row; 23] = [
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
    counted("vm_switch", "the same, another VM running on the pCPU meanwhile", "timer_asleep").shared(),
    counted("wake_sgi", "SGI and WFI, to another vCPU's handler on the pCPU", "wake_and_wait").shared(),
    counted("pl011_read", "read of a PL011's register", "load"),
    counted("pl011_write", "a character out by a PL011", "store"),
    counted("id_register", "read of ID_AA64PFR0_EL1", "id_register"),
    counted("unknown_smc", "SMC of an unknown function", "smc"),
    BOOT_ROW.bars(250_000, 250_000).peer("Bao", 325_709),
    counted("linux_el2", "Debian's boot with `quiet`: at EL2", LINUX),
    Row { round: None, ..counted("linux_exit", "Debian's boot: at EL2, an exception", "") }.peer("Bao, silicon", 188),
    parts("linux_quiet", "Debian's boot with `quiet`: more than without a hypervisor")
        .bars(2000, 2000)
        .peer("Xen, not quiet", 5900),
    parts("linux", "Debian's boot, not quiet: more than without a hypervisor"),
    // 131,072 is the bar of an image without vdevs, restart policies and diagnostics; this one has them.
    IMAGE.bars(196_608, 196_608).peer("Bao", 100_040),
    TEXT,
    DATA,
    BSS,
    VM_MEMORY,
    VCPU_MEMORY,
];

/// The rows on x86_64. Their bars are the recorded image's, and no others'.
pub(crate) const X86_64: [Row; 22] = [
    counted("vmmcall", "VMMCALL, and back", "vmmcall").bar_of_both(120),
    counted("cpuid", "CPUID of leaf 1", "cpuid").bar_of_both(200),
    counted("port_write", "OUT to the index of an MC146818", "port_write").bar_of_both(200),
    counted("rdmsr", "RDMSR of IA32_APIC_BASE", "msr_read").bar_of_both(200),
    counted("apic_read", "load of the local APIC's version", "load").bar_of_both(350),
    counted("ipi_self", "IPI to itself, to the handler's third instruction", "ipi_to_self").bar_of_both(300),
    counted("timer", "local APIC's timer, spinning, to the handler's third instruction", "timer_awake")
        .bar_of_both(250),
    counted("timer_hlt", "the same, waiting by HLT, alone on the pCPU", "timer_asleep"),
    counted("vm_switch", "the same, another VM running on the pCPU meanwhile", "timer_asleep").shared(),
    counted("wake_ipi", "IPI and HLT, to another vCPU's handler on the pCPU", "wake_and_wait").shared(),
    counted("wrmsr", "WRMSR of IA32_APIC_BASE", "msr_write"),
    counted("apic_write", "store to the local APIC's task priority", "store"),
    counted("ioapic_read", "load of a register of the I/O APIC", "load"),
    counted("port_read", "IN from a register of a 16550", "port_read"),
    counted("uart_write", "a character out by a 16550", "port_write"),
    BOOT_ROW,
    IMAGE.bar_of_both(196_608),
    TEXT,
    DATA,
    BSS,
    VM_MEMORY,
    VCPU_MEMORY,
];

const BOOT_ROW: Row = counted("boot", "reset to the guest's first instruction", BOOT);
const IMAGE: Row = bytes("image", "image without guests");
const TEXT: Row = bytes("text", "code");
const DATA: Row = bytes("data", "constants and data");
const BSS: Row = bytes("bss", "memory beside the image");
const VM_MEMORY: Row = bytes("vm_memory", "a VM of one vCPU, beside its RAM");
const VCPU_MEMORY: Row = bytes("vcpu_memory", "each further vCPU");

const fn counted(name: &'static str, title: &'static str, round: &'static str) -> Row {
    Row { name, title, unit: Unit::Instructions, bars: None, peer: None, is_shared: false, round: Some(round) }
}

const fn bytes(name: &'static str, title: &'static str) -> Row {
    Row { name, title, unit: Unit::Bytes, bars: None, peer: None, is_shared: false, round: None }
}

const fn parts(name: &'static str, title: &'static str) -> Row {
    Row { unit: Unit::Millionths, ..bytes(name, title) }
}

impl Row {
    const fn bars(self, off: u64, on: u64) -> Row {
        Row { bars: Some((off, on)), ..self }
    }

    const fn shared(self) -> Row {
        Row { is_shared: true, ..self }
    }

    const fn bar_of_both(self, bar: u64) -> Row {
        self.bars(bar, bar)
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
