//! All vCPUs but the first: started by the first, each sleeps until it gets an order, does it, reports, and sleeps again.

use super::counters::Counters;
use super::{REPORT, WAKE, cpu, ping, ring};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::{MAX_CPUS, own_index};
use guest_runtime::wait::{wait_for, wait_unaided, wait_until};
use guest_runtime::{Machine, Verdict, cpus, fail, ipi, mask_interrupts, say, timer};

/// What a vCPU is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Task {
    /// Answers pings.
    Answer = 1,
    /// Passes the token on.
    PassOn = 2,
    /// What the CPU's own part has chosen.
    Own = 3,
    /// Goes off.
    GoOff = 4,
}

/// ID of the first vCPU, which alone stores it.
static FIRST: AtomicU64 = AtomicU64::new(0);
/// For each vCPU: the number of its latest order, and the task in the lowest byte. The first vCPU alone stores.
static ORDERS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];
/// The order that each has done last.
static DONE: Counters = Counters::new();
/// The context id of each, plus one.
static CONTEXT: Counters = Counters::new();
/// The counter's frequency, as each sees it.
static FREQUENCY: Counters = Counters::new();

/// Starts them all at once, and sees them come.
pub(super) fn muster(machine: &Machine) -> Verdict {
    FIRST.store(machine.cpus[0], Relaxed);
    // The ones of an earlier life.
    (1..machine.cpus.len()).for_each(|index| CONTEXT.clear(index));
    cpu::barrier();
    for (index, &cpu) in machine.cpus.iter().enumerate().skip(1) {
        cpus::start(cpu, context(index))?;
    }
    let others = 1..machine.cpus.len();
    wait_unaided("a vCPU did not come", || others.clone().all(|index| CONTEXT.get(index) != 0))?;
    for index in others {
        if CONTEXT.get(index) != context(index) + 1 {
            return Err("a vCPU got another context id");
        }
        if FREQUENCY.get(index) != timer::frequency() {
            return Err("the counter's frequency is not the same on all vCPUs");
        }
    }
    say!("all vCPUs came, their counters at {} Hz", timer::frequency());
    Ok(())
}

/// A context id that tells vCPUs apart, in all 64 bits.
const fn context(index: usize) -> u64 {
    (index as u64 + 1).wrapping_mul(0x0123_4567_89ab_cdef)
}

/// Gives vCPU `index` an order.
pub(super) fn order(machine: &Machine, index: usize, task: Task) {
    let number = ORDERS[index].load(Relaxed) >> 8;
    ORDERS[index].store((number + 1) << 8 | task as u64, Relaxed);
    ipi::send(WAKE, machine.cpus[index]);
}

/// Waits until vCPU `index` has done what it was ordered to.
pub(super) fn finish(index: usize) -> Verdict {
    wait_unaided("a vCPU did not do what it was ordered to", || DONE.get(index) == ORDERS[index].load(Relaxed))
}

/// Wakes the first vCPU, if this is another one.
pub(super) fn report() {
    if own_index() != 0 {
        ipi::send(REPORT, FIRST.load(Relaxed));
    }
}

/// Sends interrupt `number` to the first vCPU.
pub(super) fn send_to_first(number: u32) {
    ipi::send(number, FIRST.load(Relaxed));
}

/// All go off.
pub(super) fn dismiss(machine: &Machine) -> Verdict {
    (1..machine.cpus.len()).for_each(|index| order(machine, index, Task::GoOff));
    timer::start(1);
    let is_off = |(index, &id): (usize, &u64)| DONE.get(index) == ORDERS[index].load(Relaxed) && cpu::is_off(id);
    wait_for("a vCPU did not go off", || machine.cpus.iter().enumerate().skip(1).all(is_off))?;
    timer::stop();
    say!("all vCPUs but the first are off");
    Ok(())
}

/// Called by the boot code of each with the context id.
pub(super) fn main(context: u64) -> ! {
    if let Err(what) = ipi::open_cpu() {
        fail(what);
    }
    let order = &ORDERS[own_index()];
    FREQUENCY.store(timer::frequency());
    CONTEXT.store(context + 1);
    report();
    // The orders of an earlier life are done.
    let mut done = DONE.get(own_index());
    loop {
        wait_until(|| order.load(Relaxed) != done);
        done = order.load(Relaxed);
        match done as u8 {
            task if task == Task::Answer as u8 => ping::answer(),
            task if task == Task::PassOn as u8 => ring::pass_on(),
            task if task == Task::Own as u8 => cpu::act(),
            _ => {
                mask_interrupts();
                DONE.store(done);
                cpus::rest()
            }
        }
        DONE.store(done);
        report();
    }
}
