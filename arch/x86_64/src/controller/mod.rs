//! The board's own interrupt controllers, as this pCPU uses them: its local APIC, and the I/O APICs that all CPUs share.
//!
//! An interrupt is taken in two steps, as on arm64. The IDT's stub notes the vector in a window that [`take`] opens; the local APIC
//! gets its end of interrupt at once. A level-triggered line of an I/O APIC that is still high would come again at once: it
//! is masked first, and [`done`] unmasks it.

mod io_apic;
mod local_apic;

use core::sync::atomic::Ordering;

use crate::board;
use crate::cpu;
use crate::interrupts::{self, ALARM, ALARM_VECTOR, ERROR, KICK, SPURIOUS_VECTOR, STOP};

pub(crate) use local_apic::{LocalApic, TimerMode, local};

pub use io_apic::{
    clear_shared, configure_shared, disable_shared, done_shared, enable_shared, hold_shared, route_here,
};

/// Initialises what all CPUs share, all of it masked; on the boot CPU, whose number is `own`: it takes what comes from outside.
/// `None` if there is no I/O APIC.
pub fn init(board: &'static board::Controller, own: u64) -> Option<()> {
    local_apic::choose(board.local_apic);
    mask_8259s();
    io_apic::init(board, own)?;
    local().init();
    crate::alarm::init();
    Some(())
}

/// Initialises the own interrupts of this CPU, pCPU number `_pcpu` with APIC ID `_id`: nothing is taken over from firmware, and only
/// ours are enabled.
pub fn init_cpu(_id: u64, _pcpu: u32) {
    local().init();
    if let Some(pin) = board::get().and_then(|board| board.controller.nmi)
        && cpu::is_boot_cpu()
    {
        local().listen(pin);
    }
}

/// Masks both 8259s for good. They keep whatever vectors they have; no CPU listens to them (LINT0 is masked).
fn mask_8259s() {
    for port in [0x21, 0xa1] {
        // SAFETY: OCW1 of a PC's interrupt controllers, or of nothing; it reaches no memory (Intel 8259A, OCW1).
        unsafe { crate::registers::write_port(port, 0xff_u8) };
    }
}

/// Takes an interrupt that is pending, and lets it fire again unless it is level-triggered from outside: then it waits for
/// [`done`]. `None` if none is pending. Not before `cpu::set_local`.
#[inline]
pub fn take() -> Option<u32> {
    take_by(cpu::open_window)
}

/// The same, with a window of the caller's.
#[inline(always)]
pub(crate) fn take_by(open_window: impl FnOnce()) -> Option<u32> {
    let own = cpu::local()?;
    if own.taken.load(Ordering::Relaxed) == 0 {
        open_window();
    }
    let vector = own.taken.load(Ordering::Relaxed) as u8;
    if vector == 0 {
        return None;
    }
    own.taken.store(0, Ordering::Relaxed);
    if vector == ALARM_VECTOR {
        local().end_of_interrupt();
        return Some(ALARM);
    }
    take_other(vector)
}

/// Any but the most frequent one.
#[inline(never)]
fn take_other(vector: u8) -> Option<u32> {
    if vector == SPURIOUS_VECTOR {
        return None;
    }
    let number = interrupts::number(vector);
    if let Some(line) = number.filter(|&number| interrupts::is_shared(number)) {
        io_apic::hold(line);
    }
    let local = local();
    if number == Some(ERROR) {
        local.clear_errors();
    }
    local.end_of_interrupt();
    number
}

/// Lets interrupt `number`, which was taken, fire again.
#[inline]
pub fn done(number: u32) {
    if interrupts::is_shared(number) {
        io_apic::release(number);
    }
}

/// What [`send`] takes to ring the CPU with this number: that number.
pub const fn doorbell(_pcpu: u32, id: u64) -> u64 {
    id
}

/// Rings a CPU; `doorbell` is what [`doorbell`] gave for it.
#[inline]
pub fn send(doorbell: u64) {
    cpu::publish();
    send_to(doorbell, KICK);
}

/// Stops a CPU for good, as a failure of the hypervisor does; `doorbell` as for [`send`].
///
/// An interrupt like any other, not an NMI: it is taken where the hypervisor takes interrupts, so nothing has to be safe
/// against it, on a stack that an exception may be using, or between a guest's state and ours. Who does not come holds no guest, or
/// it would have come.
pub fn send_stop(doorbell: u64) {
    cpu::publish();
    send_to(doorbell, STOP);
}

/// Rings this CPU itself, from within an NMI.
pub(crate) fn kick_self() {
    if let Some(vector) = interrupts::vector(KICK) {
        local().send_to_self(vector);
    }
}

fn send_to(id: u64, number: u32) {
    if let Some(vector) = interrupts::vector(number) {
        local().send(id as u32, u32::from(vector));
    }
}
