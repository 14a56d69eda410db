//! How the loop answers a slow exit: with a value, with an exception, or by going on as if nothing had been.

use model::{Gpa, Start};

use super::Vcpu;
use super::emulate::Hand;
use crate::exit::{Access, Outcome, StartUp, Unsupported};
use crate::inject::Event;

impl Vcpu {
    /// Ends a load with `value`.
    pub fn finish_load(&mut self, access: &Access, value: u64) {
        self.finish(access, value);
    }

    /// Ends a store.
    pub fn finish_store(&mut self, access: &Access) {
        self.finish(access, 0);
    }

    /// There is nothing where the guest wanted to load or store. Hardware has no exception for that; ours is #GP(0).
    pub fn refuse(&mut self, _access: &Access) {
        self.give_up();
    }

    /// Goes on as if `event` had no effect; a read gives all ones. `is_memory` says where the guest has memory.
    pub fn ignore(&mut self, event: &Unsupported, is_memory: impl Fn(Gpa) -> bool) {
        match *event {
            Unsupported::Instruction { length: length @ 1.., .. } => self.step_over(length),
            Unsupported::Register { is_write: true, .. } => self.skip(0x300f, 2),
            Unsupported::Register { .. } => self.finish_register(u64::MAX),
            // A store to memory that is not writable has no effect; a fetch, a walk of the guest's own tables or the delivery of an
            // event cannot go on without what it was after.
            Unsupported::Access {
                gpa,
                is_fetch: false,
                on_table_walk: false,
                in_delivery: false,
                length: length @ 1..,
            } if is_memory(gpa) => {
                self.step_over(length);
            }
            Unsupported::Instruction { .. } | Unsupported::Access { .. } => self.fail(event),
        }
    }

    /// Makes the guest take the exception that is `event`'s on a CPU that does not have what it asks for.
    pub fn fail(&mut self, event: &Unsupported) {
        self.hand = Hand::Nothing;
        self.inject(match event {
            Unsupported::Instruction { .. } => Event::UNDEFINED,
            Unsupported::Register { .. } | Unsupported::Access { .. } => Event::PROTECTION,
        });
    }

    /// What is to be done about a start-up IPI that this vCPU sent; INIT of the first vCPU is the machine's reset.
    pub fn answer(&mut self, call: StartUp, _stolen_time: Option<Gpa>, _is_memory: impl Fn(Gpa) -> bool) -> Outcome {
        if call.vcpu == 0 {
            return Outcome::Reset;
        }
        self.called = Some(call.vcpu);
        Outcome::TurnOn { vcpu: call.vcpu, start: Start::Real { pc: Gpa(u64::from(call.page) << 12) } }
    }

    /// How the start went that [`Vcpu::answer`] asked for. The IPI is sent in any case. It may have been to more than one.
    pub fn called(&mut self, started: bool) {
        if !started && let Some(vcpu) = self.called.take() {
            self.guest.not_started(vcpu);
        }
        self.look_for_start_up();
    }
}
