//! A vCPU's place on its pCPU, with all that the loop knows of it.

use arch::Vcpu;
use model::StopReason;

use super::Next;
use crate::budget::Budget;
use crate::images::Fill;
use crate::life::Ticket;
use crate::progress::Watch;
use crate::vm::Vm;

/// A vCPU on its pCPU.
pub struct Seat {
    /// The vCPU; nobody else has it.
    pub vcpu: &'static mut Vcpu,
    /// Its VM.
    pub vm: &'static Vm,
    pub(super) ticket: Ticket,
    /// Another vCPU of the VM sits on this pCPU.
    pub(super) has_sibling: bool,
    /// What it may exit.
    pub(super) budget: Budget,
    /// What is to be done for it before it runs again, in its own time.
    pub(super) work: Option<Work>,
    /// Whether it makes progress, if that is watched.
    pub(super) watch: Option<Watch>,
    /// How often it needed the loop.
    pub(super) exits: u32,
}

/// What takes too long to be done at once.
pub(super) enum Work {
    /// The VM is made new, at the seat of its first vCPU.
    Renew(Fill),
    /// The vCPU's memory is cleaned for it.
    Clean(Fill),
    /// The VM failed, and the pCPU's report of this vCPU is told before it lets go.
    Tell,
}

impl Seat {
    /// The seat of `vcpu`, which is one of `vm`'s; `has_sibling` if another one of these sits on the same pCPU.
    pub fn new(vcpu: &'static mut Vcpu, vm: &'static Vm, has_sibling: bool) -> Seat {
        Seat {
            vcpu,
            vm,
            ticket: Ticket::default(),
            has_sibling,
            budget: Budget::new(vm.config.exit_budget, arch::cpu::counter_hz()),
            work: None,
            watch: vm.config.progress_timeout_ms.map(|_| Watch::default()),
            exits: 0,
        }
    }

    /// Starts the vCPU if it is off and somebody left a start for it. A start is left for who is off alone (PSCI CPU_ON).
    pub(super) fn take_start(&mut self) {
        if self.vcpu.is_on() {
            return;
        }
        let start = self.vm.starts.get(self.vcpu.index() as usize).and_then(|start| start.lock().take());
        if let Some(start) = start {
            self.vcpu.start(start);
            if self.vcpu.index() == 0 {
                self.vm.passed.begin();
            }
            self.vm.guest.turned_on(self.vcpu.index());
        }
    }

    /// The calling vCPU turns itself off (PSCI CPU_OFF). The last one of its VM ends the VM: nothing could start it again.
    pub fn turn_off(&mut self) -> Next {
        self.vcpu.stop();
        if self.vm.guest.turned_off(self.vcpu.index()) {
            self.vm.stop(StopReason::PowerOff);
        }
        Next::Off
    }
}
