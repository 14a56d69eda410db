//! How the loop answers a slow exit: with a value, with an exception, or by going on as if nothing had been.

use model::{Gpa, Start};

use super::Vcpu;
use crate::coverage;
use crate::exit::{Access, Outcome, Unsupported};
use crate::inject::Exception;
use crate::psci::{self, status};
use crate::registers::read;
use crate::smccc::{self, Reply};
use crate::syndrome::{Cause, DataAbort, Syndrome};

impl Vcpu {
    /// Ends a load with `value`.
    pub fn finish_load(&mut self, access: &Access, value: u64) {
        self.context.set(access.transfer.register, access.transfer.loaded(value));
        self.skip();
    }

    /// Ends a store.
    pub fn finish_store(&mut self, _access: &Access) {
        self.skip();
    }

    /// There is nothing where the guest wanted to load or store: as when nobody answers on a bus.
    pub fn refuse(&mut self, _access: &Access) {
        let far = self.fault_virtual_address();
        self.inject(Exception::DataAbort { far });
    }

    /// Goes on as if `event` had no effect; a read gives all ones. `is_memory` says where the guest has memory.
    pub fn ignore(&mut self, event: &Unsupported, is_memory: impl Fn(Gpa) -> bool) {
        match *event {
            Unsupported::Instruction(_) => self.skip(),
            Unsupported::Register { target, .. } => {
                if let Some(target) = target {
                    self.context.set(target, u64::MAX);
                }
                self.skip();
            }
            // A store that finds nobody, or memory that is not writable, has no effect; a fetch or a walk of the guest's own tables
            // cannot go on without what it was after, and neither can a load that nobody described.
            Unsupported::Access { gpa, is_fetch: false, on_table_walk: false, .. } if is_memory(gpa) => self.skip(),
            Unsupported::Access { .. } => self.fail(event),
        }
    }

    /// Makes the guest take the exception that is `event`'s on a CPU that does not have what it asks for.
    pub fn fail(&mut self, event: &Unsupported) {
        let far = self.fault_virtual_address();
        self.inject(match event {
            Unsupported::Instruction(_) | Unsupported::Register { .. } => Exception::Undefined,
            Unsupported::Access { is_fetch: true, .. } => Exception::InstructionAbort { far },
            Unsupported::Access { .. } => Exception::DataAbort { far },
        });
    }

    /// Answers the firmware call with x0 to x3 as in `call`, by HVC or SMC. Nothing of it reaches the board's firmware.
    /// `stolen_time` is where the VM's stolen-time records are, if it has any; `is_memory` says where it has memory.
    pub fn answer(&mut self, call: [u64; 4], stolen_time: Option<Gpa>, is_memory: impl Fn(Gpa) -> bool) -> Outcome {
        let reply = smccc::handle(&self.guest.psci(), self.index, call, stolen_time, is_memory);
        coverage::call(&reply);
        match reply {
            Reply::Registers(values) => {
                (0..4).zip(values).for_each(|(index, value)| self.context.set(index, value));
                Outcome::Done
            }
            Reply::Power(psci::Outcome::Return(value)) => {
                self.context.set(0, value);
                Outcome::Done
            }
            Reply::Power(psci::Outcome::TurnOn { vcpu, entry, context }) => {
                Outcome::TurnOn { vcpu, start: Start::Arm { pc: entry, x0: context } }
            }
            Reply::Power(psci::Outcome::TurnOff) => Outcome::TurnOff,
            // A standby state of any depth (DEN 0022 section 5.4.5): it waits as for WFI.
            Reply::Power(psci::Outcome::Suspend) => {
                self.context.set(0, status::SUCCESS);
                Outcome::Suspend
            }
            Reply::Power(psci::Outcome::SystemOff) => Outcome::PowerOff,
            Reply::Power(psci::Outcome::SystemReset) => Outcome::Reset,
        }
    }

    /// How the start went that [`Vcpu::answer`] asked for.
    pub fn called(&mut self, started: bool) {
        self.context.set(0, if started { status::SUCCESS } else { status::INTERNAL_FAILURE });
    }

    /// The virtual address that the guest used, for the abort to inject; `None` if the CPU does not know it.
    fn fault_virtual_address(&self) -> Option<u64> {
        let is_valid = match Syndrome(read!("ESR_EL2")).cause() {
            Cause::DataAbort(DataAbort { abort, .. }) | Cause::InstructionAbort(abort) => abort.far_is_valid,
            _ => false,
        };
        is_valid.then(|| read!("FAR_EL2"))
    }
}
