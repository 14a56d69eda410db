//! x86_64's tests, in order.

mod second;

pub(super) use second::main as second;

use super::keys;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::{Machine, Verdict, apic, fail, io_apic, say, timer};

/// Where it is, and on what.
pub(super) fn introduce(machine: &Machine) {
    say!("in long mode, description at {:#x}, command line \"{}\"", machine.description, machine.command_line);
    say!(
        "{} vCPU, local APIC at {:#x}, I/O APIC at {:#x}, 16550 at {:#x} line {}",
        machine.cpus.len(),
        machine.local_apic,
        machine.io_apic,
        machine.uart.port,
        machine.uart.line.number
    );
    say!("{:?} {:?} {:?} {}", machine, io_apic::identity(), apic::version(), timer::frequency());
}

pub(super) fn test(machine: &Machine) -> Verdict {
    apic::open(machine)?;
    timer::open(machine)?;
    timer::ticks()?;
    let ticks = timer::tick_for(10)?;
    say!("{ticks} timer interrupts, floating-point registers survived them");
    Ok(())
}

pub(super) const UART: u32 = 0x40;
/// Lets the UART's interrupt through.
pub(super) fn enable_uart(machine: &Machine) -> Verdict {
    machine.uart.line.route(UART, machine.cpus[0]);
    Ok(())
}
pub(super) fn tell_time() {}

pub(super) fn on_interrupt(vector: u32) {
    match vector {
        UART if keys::is_listening() => keys::on_interrupt(),
        _ => {
            say!("interrupt {vector}");
            fail("an interrupt that nobody asked for");
        }
    }
}
