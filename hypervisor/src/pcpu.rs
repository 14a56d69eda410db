//! A pCPU and its loop: the one place that enters guests.
//!
//! A vCPU has one owner, the pCPU it sits on. Others never touch it: they leave something where the owner looks (a
//! start, a request to stop, a pending interrupt in the virtual GIC) and ring the pCPU by an SGI. The loop looks at all
//! of these on every way into the guest, and interrupts stay masked at EL2, so a ring between the look and the
//! `wfi` or `eret` is not lost: it is pending, and ends either at once.

use arch::{Vcpu, gic, intid};
use model::StopReason;

use crate::attendance::{Look, Ticket};
use crate::vm::Vm;
use crate::{exits, interrupts, lifecycle};

/// A vCPU on its pCPU.
pub struct Seat {
    /// The vCPU; nobody else has it.
    pub vcpu: &'static mut Vcpu,
    /// Its VM.
    pub vm: &'static Vm,
    ticket: Ticket,
}

/// Runs this pCPU for good: its vCPU, if it has one, and the board's interrupts.
pub fn run(mut seat: Option<Seat>) -> ! {
    loop {
        match &mut seat {
            Some(seat) => step(seat),
            None => idle(),
        }
    }
}

/// One turn of the loop.
fn step(seat: &mut Seat) {
    match seat.vm.attendance.look(&mut seat.ticket) {
        Look::In => {
            seat.take_start();
            if seat.vcpu.is_loaded() {
                let exit = seat.vcpu.run();
                exits::handle(seat, exit);
            } else {
                idle();
            }
        }
        Look::Leave => {
            seat.vcpu.stop();
            if seat.vm.attendance.leave(&mut seat.ticket) {
                lifecycle::stopped(seat.vm);
            }
        }
        Look::Out => idle(),
    }
}

impl Seat {
    /// The seat of `vcpu`, which is one of `vm`'s.
    pub fn new(vcpu: &'static mut Vcpu, vm: &'static Vm) -> Seat {
        Seat { vcpu, vm, ticket: vm.attendance.ticket() }
    }

    /// Starts the vCPU if somebody left a start for it.
    fn take_start(&mut self) {
        let start = self.vm.starts.get(self.vcpu.index() as usize).and_then(|start| start.lock().take());
        if let Some(start) = start {
            self.vcpu.start(start.entry, start.argument);
            self.vm.guest.psci().turned_on(self.vcpu.index());
        }
    }
}

/// Waits for one interrupt and handles it.
fn idle() {
    arch::cpu::wait_for_interrupt();
    let intid = gic::acknowledge();
    if intid < intid::SPECIAL {
        gic::drop_priority(intid);
        interrupts::handle(intid);
    }
}

/// The calling vCPU turns itself off (PSCI CPU_OFF). The last one of its VM ends the VM: nothing could start it again.
pub fn turn_off(seat: &mut Seat) {
    seat.vcpu.stop();
    if seat.vm.guest.psci().turned_off(seat.vcpu.index()) {
        seat.vm.stop(StopReason::PowerOff);
    }
}
