//! Two CPUs that wake each other: one sends an interrupt and waits, the other takes it, sends one back and waits.
//!
//! They share a pCPU, so never more than one runs, and the time between is the hypervisor's.

use super::clock::IPI;
use super::round;
use super::rows::command_register;
use crate::guest::counts::Counts;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::apic::{self, register::ICR_HIGH};
use guest_runtime::machine::own_id;
use guest_runtime::mmio::read32;
use guest_runtime::{Machine, cpus, fail, mask_interrupts, system_off};

/// When the other CPU's handler came to its third instruction.
static WOKEN: AtomicU64 = AtomicU64::new(0);
/// Where ICR is.
static REGISTER: AtomicU64 = AtomicU64::new(0);

/// Counts `rounds` of being woken, on the machine's second CPU.
pub(super) fn count(machine: &Machine, rounds: u64) -> Result<Counts, &'static str> {
    let other = machine.second().ok_or("wake_ipi needs a second CPU")?;
    let register = command_register(machine);
    REGISTER.store(register as u64, Relaxed);
    // What it says when it is there is not taken before this CPU waits for it.
    mask_interrupts();
    cpus::start(other, own_id())?;
    round::wait()?;
    apic::write(ICR_HIGH, (other as u32) << 24);
    Counts::of(rounds, || {
        let written = round::wake_and_wait(register, IPI)?.written;
        Ok(WOKEN.load(Relaxed).saturating_sub(written) + 1)
    })
}

/// The other CPU; `id` is that of the first.
pub(in crate::guest) fn second(id: u64) -> ! {
    let register = REGISTER.load(Relaxed) as usize;
    let for_ever = || -> Result<(), &'static str> {
        apic::open_cpu()?;
        apic::write(ICR_HIGH, (id as u32) << 24);
        let _ = read32(register);
        loop {
            WOKEN.store(round::wake_and_wait(register, IPI)?.woken, Relaxed);
        }
    };
    match for_ever() {
        Ok(()) => system_off(),
        Err(what) => fail(what),
    }
}
