//! x86_64's tests, in order.

mod absent;
mod fp;
mod identity;
mod itself;
mod lines;
mod pvclock;
mod refusals;
mod second;
mod time;

pub(super) use second::main as second;

use super::keys;
use guest_runtime::apic::{self, Target};
use guest_runtime::{Machine, Verdict, fail, io_apic, say, timer};

/// Vectors of the lines.
mod vector {
    pub(super) const UART: u32 = 0x40;
    pub(super) const PIT: u32 = 0x50;
    /// Of the 8254 by way of the 8259s.
    pub(super) const LEGACY: u32 = 0x20;
}

/// Where it is, and on what.
pub(super) fn introduce(machine: &Machine) {
    say!("in 64-bit mode, boot information at {:#x}", machine.description);
    say!(
        "{} vCPU, local APIC at {:#x}, I/O APIC at {:#x}, 16550 at port {:#x} line {}",
        machine.cpus.len(),
        machine.local_apic,
        machine.io_apic,
        machine.uart.port,
        machine.uart.line.number
    );
}

/// Every test; each says what it saw.
pub(super) fn test(machine: &Machine) -> Verdict {
    identity::is_consistent()?;
    fp::computes()?;
    refusals::test()?;
    absent::ports_read_as_ones()?;
    if machine.is_ostler {
        identity::hides()?;
        refusals::of_reserved_bits()?;
        absent::memory_reads_as_ones()?;
    }
    apic::open(machine)?;
    interrupt_controllers(machine)?;
    timer::open(machine)?;
    timer::ticks()?;
    let registers = fp::Registers::fill(1);
    let ticks = timer::tick_for(10)?;
    registers.check()?;
    say!("{ticks} timer interrupts, floating-point registers survived them");
    time::agree(machine)?;
    time::apic_timer(machine)?;
    pvclock::test()?;
    lines::test(machine)?;
    itself::test()?;
    second::test(machine)
}

/// What they say about themselves.
fn interrupt_controllers(machine: &Machine) -> Verdict {
    let ((version, entries), (_, io_version, inputs)) = (apic::version(), io_apic::identity());
    if version & 0xf0 != 0x10 || entries < 4 || machine.uart.line.number >= inputs {
        return Err("the version of the local or the I/O APIC");
    }
    if u64::from(apic::id()) != guest_runtime::machine::own_id() {
        return Err("the local APIC's ID is not the one of CPUID");
    }
    let mode = if apic::is_extended() { "x2APIC" } else { "xAPIC" };
    say!("{mode} version {version:#x} of {entries} entries, I/O APIC version {io_version:#x} of {inputs} inputs");
    Ok(())
}

/// Lets the UART's interrupt through.
pub(super) fn enable_uart(machine: &Machine) -> Verdict {
    machine.uart.line.route(vector::UART, guest_runtime::machine::own_id());
    Ok(())
}

/// Says how late it is.
pub(super) fn tell_time() {
    say!("q powers me off, it is {} ms here", timer::now() / (timer::frequency() / 1000));
}

pub(super) fn on_interrupt(vector: u32) {
    match vector {
        vector::UART if keys::is_listening() => keys::on_interrupt(),
        vector::UART => lines::on_uart(),
        time::PERIODIC_VECTOR => time::on_interrupt(),
        vector::PIT | vector::LEGACY => lines::on_pit(vector),
        _ if second::VECTORS.contains(&vector) => second::on_interrupt(vector),
        _ if itself::VECTORS.contains(&vector) => itself::on_interrupt(vector),
        _ => {
            say!("interrupt {vector}");
            fail("an interrupt that nobody asked for");
        }
    }
}

/// Sends an interrupt to this CPU.
fn send_to_self(vector: u32) {
    apic::send(vector, Target::Itself);
}
