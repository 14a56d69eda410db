//! A vCPU's NMIs. The CPU tracks nothing of them for a guest here: from the delivery of one to the IRET after it, others wait. (APM
//! volume 2, 15.21.5 describes one that does.)
//!
//! The end of that IRET, and of the shadow behind STI or a load of SS, is found by a single step (TF) of ours.
#![forbid(unsafe_code)]

use crate::inject::{DR6_STEP, TF};

/// NMIs of a vCPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nmi {
    is_pending: bool,
    /// One was delivered, and its handler has not executed IRET.
    is_masked: bool,
    /// The guest executes a single instruction, at whose end an NMI can be taken.
    step: Option<Step>,
}

/// A single step of ours.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// IRET: the flags are the guest's own afterwards.
    is_iret: bool,
    /// The guest steps, too.
    is_guests: bool,
}

impl Nmi {
    /// One was sent, if `is_sent`. Of several that wait there is one.
    #[inline]
    pub fn send(&mut self, is_sent: bool) {
        self.is_pending |= is_sent;
    }

    /// One was sent and not delivered.
    #[inline]
    pub fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// One was delivered, and its handler has not executed IRET.
    pub fn is_masked(&self) -> bool {
        self.is_masked
    }

    /// One could be delivered, as far as NMIs before it are concerned.
    pub fn is_due(&self) -> bool {
        self.is_pending && !self.is_masked
    }

    /// The guest is stepping for us.
    pub fn is_stepping(&self) -> bool {
        self.step.is_some()
    }

    /// It is delivered, to a guest with these flags.
    pub fn deliver(&mut self, rflags: &mut u64) {
        self.end_step(rflags);
        (self.is_pending, self.is_masked) = (false, true);
    }

    /// The guest's next instruction is the last one that others wait for: IRET, or the one in a shadow.
    pub fn step(&mut self, is_iret: bool, rflags: &mut u64) {
        self.step = Some(Step { is_iret, is_guests: *rflags & TF != 0 });
        *rflags |= TF;
    }

    /// An instruction with TF set has ended, and DR6 says so. True if the step was ours alone, so that the guest is to know nothing
    /// of it.
    pub fn stepped(&mut self, rflags: &mut u64, dr6: &mut u64) -> bool {
        let Some(step) = self.step else { return false };
        self.end_step(rflags);
        self.is_masked &= !step.is_iret;
        if step.is_guests {
            return false;
        }
        *dr6 &= !DR6_STEP;
        // Breakpoints may have been hit meanwhile.
        *dr6 & 0xf == 0
    }

    fn end_step(&mut self, rflags: &mut u64) {
        if let Some(Step { is_iret: false, is_guests: false }) = self.step.take() {
            *rflags &= !TF;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: u64 = 0x202;
    const DR6: u64 = 0xffff_0ff0;

    #[test]
    fn a_second_one_waits_for_the_end_of_the_firsts_iret() {
        let (mut nmi, mut rflags, mut dr6) = (Nmi::default(), FLAGS, DR6 | DR6_STEP);
        nmi.send(true);
        assert!(nmi.is_due());
        nmi.deliver(&mut rflags);
        nmi.send(true);
        nmi.send(false);
        assert!(nmi.is_pending() && !nmi.is_due());
        nmi.step(true, &mut rflags);
        assert_eq!(rflags, FLAGS | TF);
        // IRET has loaded the flags of what it returns to.
        rflags = FLAGS;
        assert!(nmi.stepped(&mut rflags, &mut dr6));
        assert_eq!((rflags, dr6), (FLAGS, DR6));
        assert!(nmi.is_due());
    }

    #[test]
    fn the_step_through_a_shadow_is_not_the_guests_to_see() {
        let (mut nmi, mut rflags, mut dr6) = (Nmi::default(), FLAGS, DR6 | DR6_STEP);
        nmi.send(true);
        nmi.step(false, &mut rflags);
        assert!(nmi.is_stepping());
        assert!(nmi.stepped(&mut rflags, &mut dr6));
        assert_eq!((rflags, dr6), (FLAGS, DR6));
        assert!(!nmi.stepped(&mut rflags, &mut dr6), "only once");
    }

    #[test]
    fn a_guest_that_steps_too_takes_its_debug_exception() {
        let (mut nmi, mut rflags, mut dr6) = (Nmi::default(), FLAGS | TF, DR6 | DR6_STEP);
        nmi.step(false, &mut rflags);
        assert!(!nmi.stepped(&mut rflags, &mut dr6));
        assert_eq!((rflags, dr6), (FLAGS | TF, DR6 | DR6_STEP));
    }

    #[test]
    fn a_breakpoint_in_the_shadow_is_the_guests() {
        let (mut nmi, mut rflags, mut dr6) = (Nmi::default(), FLAGS, DR6 | DR6_STEP | 1);
        nmi.step(false, &mut rflags);
        assert!(!nmi.stepped(&mut rflags, &mut dr6));
        assert_eq!((rflags, dr6), (FLAGS, DR6 | 1));
    }

    #[test]
    fn a_shadow_that_ended_otherwise_leaves_no_step_behind() {
        let (mut nmi, mut rflags) = (Nmi::default(), FLAGS);
        nmi.send(true);
        nmi.step(false, &mut rflags);
        nmi.deliver(&mut rflags);
        assert_eq!(rflags, FLAGS);
        assert!(!nmi.is_stepping());
    }
}
