//! What boot has found out about the CPU's surroundings, for the drivers here: interrupt controllers, power, clocks.

use arrayvec::ArrayVec;
use model::Hpa;
use spin::Once;

/// Most I/O APICs.
pub const MAX_IO_APICS: usize = 8;
/// Most pages that [`Board::pages`] gives.
pub const MAX_PAGES: usize = MAX_IO_APICS + 2;
/// ISA's interrupts, all of which may be connected otherwise than by their number.
pub const ISA_INTERRUPTS: usize = 16;

/// The interrupt controllers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// Where each CPU finds its own local APIC, unless it is in x2APIC mode.
    pub local_apic: Hpa,
    /// The I/O APICs, in the order of the source.
    pub io_apics: ArrayVec<IoApic, MAX_IO_APICS>,
    /// How ISA's interrupts are connected, by their number.
    pub isa: [Isa; ISA_INTERRUPTS],
    /// Where the board's NMIs come in; `None` if it has none.
    pub nmi: Option<NmiPin>,
}

/// A pin of the local APICs that carries NMIs. The boot CPU listens, for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NmiPin {
    /// LINT1, not LINT0.
    pub is_second: bool,
    /// Active low, not high.
    pub is_low: bool,
}

impl Default for Controller {
    fn default() -> Controller {
        // SDM volume 3, 11.4.1; ISA's interrupts are as ACPI 5.2.12.5 says when nothing overrides them.
        let isa = core::array::from_fn(|irq| Isa { line: irq as u32, is_level: false, is_low: false });
        Controller { local_apic: Hpa(0xfee0_0000), io_apics: ArrayVec::new(), isa, nmi: None }
    }
}

impl Controller {
    /// How `line` signals if nothing more is known of it: as ISA's overrides say, or as PCI's INTx do (PCI 3.0, 2.2.6).
    pub fn mode(&self, line: u32) -> Isa {
        let isa = self.isa.iter().find(|isa| isa.line == line);
        isa.copied().unwrap_or(Isa { line, is_level: true, is_low: true })
    }
}

/// An I/O APIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApic {
    /// Its registers.
    pub registers: Hpa,
    /// The global system interrupt that its first input is.
    pub first_line: u32,
}

/// How an interrupt is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa {
    /// Its global system interrupt.
    pub line: u32,
    /// Level-triggered, not edge.
    pub is_level: bool,
    /// Active low, not high.
    pub is_low: bool,
}

/// How the board is powered off and reset (ACPI 4.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// PM1a_CNT, a port of 16 bits.
    pub pm1a_control: Option<u16>,
    /// PM1b_CNT, where the functions are in two blocks.
    pub pm1b_control: Option<u16>,
    /// SLP_TYPa and SLP_TYPb of S5, from `\_S5`.
    pub soft_off: Option<(u8, u8)>,
    /// SMI_CMD and what to write there to get from legacy mode to ACPI mode.
    pub enable: Option<(u16, u8)>,
    /// RESET_REG, a port, and what to write there.
    pub reset: Option<(u16, u8)>,
}

/// The power management timer: it counts up at [`PmTimer::HZ`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PmTimer {
    /// A port of 32 bits.
    pub port: u16,
    /// Its counter has 32 bits, not 24.
    pub is_wide: bool,
}

impl PmTimer {
    /// ACPI 4.8.3.3.
    pub const HZ: u64 = 3_579_545;

    /// The bits that its counter has.
    pub const fn mask(self) -> u32 {
        if self.is_wide { u32::MAX } else { 0xff_ffff }
    }
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// The interrupt controllers.
    pub controller: Controller,
    /// Power-off and reset.
    pub power: Power,
    /// A clock of known speed.
    pub pm_timer: Option<PmTimer>,
    /// A page below 1 MiB that is Ostler's, for CPUs that start in real mode.
    pub trampoline: Option<Hpa>,
}

impl Board {
    /// The pages that the hypervisor reaches at their physical address, as device memory: [`MAX_PAGES`] at most.
    pub fn pages(&self) -> impl Iterator<Item = Hpa> + '_ {
        let io_apics = self.controller.io_apics.iter().map(|io_apic| io_apic.registers);
        io_apics.chain([self.controller.local_apic]).chain(self.trampoline)
    }
}

static BOARD: Once<Board> = Once::new();

/// Keeps `board` for good; the first one counts.
pub fn set(board: Board) {
    BOARD.call_once(|| board);
}

/// The board; `None` before [`set`].
pub fn get() -> Option<&'static Board> {
    BOARD.get()
}
