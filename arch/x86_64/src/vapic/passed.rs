//! Interrupts of the board that a guest has for itself (`pass`).
//!
//! The board's interrupt is taken by the hypervisor. At the guest's I/O APIC and at its 8259s it waits from then on, as an edge that is not
//! lost at a masked entry: whoever is asked first hands it to a CPU. The guest's EOI is its end, whichever way the guest has
//! the entry triggered, so [`super::message::Message::is_level`] is set in any case; and so are an EOI at the 8259s, and a
//! message that nobody ends, such as an NMI. Then the other controller forgets it, and the board's may come again ([`Ends`]): if its
//! line is still high, it does.
//!
//! A vector is all that an EOI tells. Where two entries have one vector, or a CPU takes one vector twice, an end may be
//! told early: the board's interrupt comes once more than needed, and none gets lost.

use super::atomic::SeqCst;
use super::{KickMask, Vapic};
use arch_common::bits::{bit, ones};
use arch_common::ends::Ends;

impl<'a> Vapic<'a> {
    /// The same controllers, of which some lines are the board's.
    pub fn with_ends(self, ends: &'a dyn Ends) -> Vapic<'a> {
        Vapic { ends: Some(ends), ..self }
    }

    /// The board's interrupt behind line `gsi` was taken. On any pCPU, one at a time for each line.
    pub fn passed_pending(&self, gsi: u32) -> KickMask {
        if gsi >= model::Pc::LINES {
            return KickMask::NONE;
        }
        self.passed.fetch_or(bit(gsi), SeqCst);
        // The 8259s first: an entry of the I/O APIC may announce their vector.
        let kick = self.with_pic(|pic| pic.arrive(gsi)).1;
        kick | self.with_io_apic(|io_apic| if io_apic.arrive(gsi) { bit(gsi) } else { 0 })
    }

    /// Of `lines`, which came to their end at a controller whose lock is held, those whose end nobody has told yet. They are the
    /// caller's to tell.
    pub(super) fn claim_over(&self, lines: u32) -> u32 {
        if lines == 0 { 0 } else { self.passed.fetch_and(!lines, SeqCst) & lines }
    }

    /// Tells the end of `lines`, after `withdraw` has made the other controller forget them.
    #[cold]
    pub(super) fn over(&self, lines: u32, withdraw: impl FnOnce()) {
        withdraw();
        if let Some(ends) = self.ends {
            ones(lines).for_each(|line| ends.over(line));
        }
    }

    /// A CPU has forgotten what it was sent, by an INIT. What of the board's was sent to others ends early by that.
    pub(super) fn forgotten(&self) {
        if self.passed.load(SeqCst) != 0 {
            let kick = self.with_io_apic(|io_apic| {
                io_apic.forget_sent();
                0
            });
            debug_assert!(kick.is_empty(), "nothing was sent");
        }
    }
}
