//! The rows: what is counted, by name.

use super::clock::{self, IPI};
use super::{pair, round};
use crate::guest::counts::{Counts, Row, special, usual};
use guest_runtime::apic::{BASE_MSR, register};
use guest_runtime::cpu::{hypervisor, in8, out8};
use guest_runtime::{Machine, attempt, say, uart};

/// The 16550's registers.
const UART_DATA: u16 = 0;
const UART_STATUS: u16 = 5;
const UART_EMPTY: u8 = 1 << 5;
/// The index of the MC146818's registers.
const CMOS_INDEX: u16 = 0x70;
/// `__HYPERVISOR_xen_version`, of which 0 is XENVER_version (Xen's public/xen.h, public/version.h).
const XEN_VERSION: u32 = 17;
/// ICR: to this CPU, by the shorthand.
const ITSELF: u32 = 1 << 18;
/// Instructions that a timer runs before it expires.
const AHEAD: u64 = 4096;

/// All rows.
pub(in crate::guest) const ROWS: [Row; 15] = [
    // A call that the hypervisor answers by a constant: the version of its interface.
    usual("vmmcall", |_, rounds| {
        let function = if hypervisor() == Some(*b"XenVMMXenVMM") { XEN_VERSION } else { 0 };
        if attempt!("vmmcall", inout("eax") function => _, in("rdi") 0).is_err() {
            say!("vmmcall is undefined here: there is no hypervisor");
            return Ok(Counts { rounds: 0, least: 0, total: 0, most: 0 });
        }
        Counts::of(rounds, || round::vmmcall(function))
    }),
    usual("cpuid", |_, rounds| Counts::of(rounds, round::cpuid)),
    // An index that nobody uses before it is written anew; a register of a vdev's that means nothing to it.
    usual("port_write", |_, rounds| Counts::of(rounds, || round::port_write(CMOS_INDEX, 0))),
    usual("port_read", |machine, rounds| Counts::of(rounds, || round::port_read(machine.uart.port + uart::SCRATCH))),
    usual("rdmsr", |_, rounds| Counts::of(rounds, || round::msr_read(BASE_MSR))),
    usual("wrmsr", |_, rounds| {
        let value = guest_runtime::cpu::read_msr(BASE_MSR);
        Counts::of(rounds, || round::msr_write(BASE_MSR, value))
    }),
    // A nested page fault, an instruction to decode, and a register that never changes; one that is stored to.
    usual("apic_read", |machine, rounds| Counts::of(rounds, || round::load(machine.local_apic + register::VERSION))),
    usual("apic_write", |machine, rounds| Counts::of(rounds, || round::store(machine.local_apic + register::TPR, 0))),
    // The same on the way to a vdev.
    usual("ioapic_read", |machine, rounds| Counts::of(rounds, || round::load(machine.io_apic))),
    usual("ipi_self", |machine, rounds| {
        let register = command_register(machine);
        Counts::of(rounds, || round::ipi_to_self(register, ITSELF | IPI))
    }),
    usual("timer", |_, rounds| timed(rounds, round::timer_awake)),
    usual("uart_write", |machine, rounds| {
        let counts = Counts::of(rounds, || {
            while in8(machine.uart.port + UART_STATUS) & UART_EMPTY == 0 {}
            round::port_write(machine.uart.port + UART_DATA, b'.')
        });
        b"\r\n".iter().for_each(|&byte| out8(machine.uart.port + UART_DATA, byte));
        counts
    }),
    // As `timer`, but asleep: for the case that nobody else has the pCPU.
    usual("timer_hlt", |_, rounds| timed(rounds, round::timer_asleep)),
    // The same while a VM of lower priority spins on the pCPU: from one VM to another.
    special("vm_switch", |_, rounds| timed(rounds, round::timer_asleep)),
    // From one vCPU's interrupt and HLT to the handler on another of the same pCPU.
    special("wake_ipi", pair::count),
];

/// Counts rounds that the timer ends.
fn timed(rounds: u64, round: fn(u64) -> Result<u64, &'static str>) -> Result<Counts, &'static str> {
    clock::check_timer()?;
    Counts::of(rounds, || round(round::deadline(AHEAD)))
}

/// Where the lower half of ICR is, which sends.
pub(super) fn command_register(machine: &Machine) -> usize {
    machine.local_apic + register::ICR
}
