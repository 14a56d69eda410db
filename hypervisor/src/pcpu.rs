//! A pCPU and its loop: the one place that enters guests.
//!
//! A vCPU has one owner, the pCPU it sits on. Others never touch it: they leave something where the owner looks (a
//! start, a request to stop, a pending interrupt in the virtual GIC) and ring the pCPU by an SGI. The loop looks at all
//! of these on every way into the guest, and interrupts stay masked at EL2, so a ring between the look and the
//! `wfi` or `eret` is not lost: it is pending, and ends either at once.

use arch::{Vcpu, gic, intid};
use model::StopReason;

use crate::vm::Vm;
use crate::{exits, interrupts, lifecycle};

/// A vCPU on its pCPU.
pub struct Seat {
    /// The vCPU; nobody else has it.
    pub vcpu: &'static mut Vcpu,
    /// Its VM.
    pub vm: &'static Vm,
}

/// What a vCPU does next.
enum Next {
    /// It enters the guest.
    Run,
    /// It is off, until somebody leaves a start.
    Wait,
    /// The VM is over for it.
    Leave,
}

impl Seat {
    fn next(&mut self) -> Next {
        if self.vm.is_stopping() {
            return Next::Leave;
        }
        let start = self.vm.starts.get(self.vcpu.index() as usize).and_then(|start| start.lock().take());
        if let Some(start) = start {
            self.vcpu.start(start.entry, start.argument);
            self.vm.guest.psci().turned_on(self.vcpu.index());
        }
        if self.vcpu.is_loaded() { Next::Run } else { Next::Wait }
    }
}

/// Runs this pCPU for good: its vCPU, if it has one, and the board's interrupts.
pub fn run(seat: Option<Seat>) -> ! {
    if let Some(mut seat) = seat {
        loop {
            match seat.next() {
                Next::Run => {
                    let exit = seat.vcpu.run();
                    exits::handle(&mut seat, exit);
                }
                Next::Wait => idle(),
                Next::Leave => break,
            }
        }
        seat.vcpu.stop();
        if let Some(reason) = seat.vm.leave() {
            lifecycle::ended(seat.vm, reason);
        }
    }
    loop {
        idle();
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
