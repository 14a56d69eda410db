//! The rows: what is counted, by name.

use super::{clock, pair, round};
use crate::guest::counts::{Counts, Row, special, usual};
use guest_runtime::gic::Interrupt;
use guest_runtime::machine::own_affinity;
use guest_runtime::psci::function::PSCI_VERSION;
use guest_runtime::{Machine, Verdict, mmio, timer};

const GICD_TYPER: usize = 0x0004;
const GICD_ISENABLER1: usize = 0x0104;
const UART_DR: usize = 0x00;
const UART_FR: usize = 0x18;
const UART_FR_TXFF: u32 = 1 << 5;
/// A function identifier of a service that nobody has: a trusted application's (DEN 0028, 2.1).
const UNKNOWN: u64 = 0xb000_00ff;
/// The SGI that is sent.
pub(super) const SGI: u32 = 1;
/// Instructions that a timer runs before it expires.
const AHEAD: u64 = 4096;

/// All rows.
pub(in crate::guest) const ROWS: [Row; 12] = [
    // A call that the hypervisor answers by a constant.
    usual("psci_version", |_, rounds| Counts::of(rounds, || round::hvc(PSCI_VERSION.into()))),
    // A register of the distributor that never changes, and a bitmap.
    usual("gicd_typer", |machine, rounds| Counts::of(rounds, || round::load(machine.distributor + GICD_TYPER))),
    usual("gicd_isenabler1", |machine, rounds| {
        Counts::of(rounds, || round::load(machine.distributor + GICD_ISENABLER1))
    }),
    usual("sgi_self", |_, rounds| Counts::of(rounds, || round::sgi_to_self(sgi(own_affinity()), SGI))),
    usual("timer", |machine, rounds| {
        Interrupt(machine.virtual_timer).enable()?;
        Counts::of(rounds, || round::timer_awake(deadline(), machine.virtual_timer))
    }),
    // A second-stage fault on the way to a vdev that is not the interrupt controller.
    usual("pl011_read", |machine, rounds| Counts::of(rounds, || round::load(machine.uart.base + UART_FR))),
    usual("pl011_write", |machine, rounds| {
        let counts = Counts::of(rounds, || {
            while mmio::read32(machine.uart.base + UART_FR) & UART_FR_TXFF != 0 {}
            round::store(machine.uart.base + UART_DR)
        });
        b"\r\n".iter().for_each(|&byte| mmio::write32(machine.uart.base + UART_DR, byte.into()));
        counts
    }),
    usual("id_register", |_, rounds| Counts::of(rounds, round::id_register)),
    usual("unknown_smc", |_, rounds| Counts::of(rounds, || round::smc(UNKNOWN))),
    // As `timer`, but asleep: for the case that nobody else has the pCPU.
    usual("timer_wfi", timer_asleep),
    // The same while a VM of lower priority spins on the pCPU: from one VM to another.
    special("vm_switch", timer_asleep),
    // From one vCPU's SGI and WFI to the handler on another of the same pCPU.
    special("wake_sgi", pair::count),
];

/// Sleeps for a tenth of a second, in which others on the pCPU come to rest.
pub(super) fn settle(machine: &Machine) -> Verdict {
    Interrupt(machine.virtual_timer).enable()?;
    round::timer_asleep(timer::now() + timer::frequency() / 10, machine.virtual_timer).map(drop)
}

/// What sends the SGI to the CPU `affinity`, as ICC_SGI1R_EL1 has it (IHI 0069, 12.2.20).
pub(super) fn sgi(affinity: u64) -> u64 {
    let [aff0, aff1, aff2, _, aff3, ..] = affinity.to_le_bytes().map(u64::from);
    aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | u64::from(SGI) << 24 | aff1 << 16 | 1 << (aff0 & 0xf)
}

/// In ticks.
fn deadline() -> u64 {
    timer::now() + AHEAD / clock::PER_TICK
}

fn timer_asleep(machine: &Machine, rounds: u64) -> Result<Counts, &'static str> {
    Interrupt(machine.virtual_timer).enable()?;
    Counts::of(rounds, || round::timer_asleep(deadline(), machine.virtual_timer))
}
