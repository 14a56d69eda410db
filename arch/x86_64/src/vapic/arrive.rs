//! How interrupts arrive at a local APIC: what others have sent, the 8259s' output, its own LVT.

use super::{
    LocalApic, Vapic,
    local::{ENTRY_EXTERNAL, MASKED},
    message::{Delivery, Message},
    posted::{EXTERNAL, ILLEGAL, INIT, LINT0, NMI, Posted, SIGNALS, START_UP, WORD_HINTS},
    registers::{Lvt, error},
};
use arch_common::bits::ones;

/// Among the signals: the 8259s' output may be high, and for this CPU.
const WATCHES_PIC: u32 = 1 << 16;
/// Among the signals: an I/O APIC's entry has announced it.
const ANNOUNCED: u32 = 1 << 17;
/// Both.
pub(super) const EXTERNAL_BITS: u32 = WATCHES_PIC | ANNOUNCED;

/// What is no interrupt of a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// INIT: the vCPU is reset and waits. Comes before what else there is. The local APIC has been initialised already.
    pub init: bool,
    /// A start-up IPI: a vCPU that waits since INIT, or since power-on, starts at this page (SDM volume 3, 9.4.2). Others ignore it.
    pub start_up: Option<u8>,
    /// An NMI.
    pub nmi: bool,
}

impl LocalApic {
    /// NMI, INIT and start-up IPIs that others sent, and takes them.
    pub fn take_signals(&mut self, vapic: &Vapic<'_>) -> Signals {
        self.collect(vapic);
        let signals = self.signals;
        self.signals &= EXTERNAL_BITS;
        Signals {
            init: signals & INIT != 0,
            start_up: (signals & START_UP != 0).then_some(signals as u8),
            nmi: signals & NMI != 0,
        }
    }

    /// Sees what others have sent.
    #[inline]
    pub(super) fn collect(&mut self, vapic: &Vapic<'_>) {
        if let Some(posted) = vapic.posted(self.vcpu)
            && posted.has_hints()
        {
            self.collect_hinted(vapic, posted);
        }
    }

    #[inline(never)]
    fn collect_hinted(&mut self, vapic: &Vapic<'_>, posted: &Posted) {
        let mut hints = posted.take_hints();
        if hints & SIGNALS != 0 {
            let signals = posted.take_signals();
            if signals & INIT != 0 {
                self.signals = 0;
                self.initialise(vapic, posted);
                // What else was sent before it is forgotten.
                posted.clear_vectors();
                hints = 0;
            }
            self.signals |= signals;
        }
        for index in ones(hints & WORD_HINTS) {
            let (sent, levels) = posted.take_word(index);
            // A level that is here already and whose EOI is still to come stays one, or the I/O APIC would wait for ever.
            let here = self.requests.word(index) | self.in_service.word(index);
            self.levels.remove_word(index, sent & !levels & !here);
            self.levels.insert_word(index, levels);
            self.requests.insert_word(index, sent);
        }
        if hints & EXTERNAL != 0 {
            self.signals |= EXTERNAL_BITS;
        }
        if hints & LINT0 != 0 {
            // With ExtINT it is the level that counts.
            self.watch_pic();
            let _ = self.deliver_entry(Lvt::Lint0);
        }
        if hints & ILLEGAL != 0 {
            self.report_error(error::RECEIVED_ILLEGAL_VECTOR);
        }
    }

    /// A vector for this CPU by itself: its timer, an IPI to itself.
    #[inline]
    pub fn request(&mut self, vector: u8) {
        // As in `collect_hinted`.
        if !self.requests.contains(vector) && !self.in_service.contains(vector) {
            self.levels.remove(vector);
        }
        self.requests.insert(vector);
    }

    /// What an LVT entry says happens. False if it is masked.
    pub(super) fn deliver_entry(&mut self, lvt: Lvt) -> bool {
        let entry = self.entry(lvt);
        if entry & MASKED != 0 {
            return false;
        }
        let message = Message::from_bits(entry);
        match message.delivery {
            Delivery::Fixed if message.vector < 16 => {
                // Not by way of `report_error`, which may come here.
                self.new_errors |= error::RECEIVED_ILLEGAL_VECTOR;
            }
            Delivery::Fixed => self.request(message.vector),
            Delivery::Nmi => self.signals |= NMI,
            _ => {}
        }
        true
    }

    /// Notes an error for ESR, and interrupts by LVT's entry for errors.
    pub(super) fn report_error(&mut self, error: u32) {
        if self.new_errors & error == 0 {
            self.new_errors |= error;
            self.deliver_entry(Lvt::Error);
        }
    }

    /// The 8259s' output reaches this CPU, and is high. An APIC that is off lets it through to vCPU 0.
    pub(super) fn has_external(&mut self, vapic: &Vapic<'_>) -> bool {
        if !vapic.pic_output() {
            // The next rise leaves a hint.
            self.signals &= !EXTERNAL_BITS;
            return false;
        }
        let reaches = if self.is_enabled() {
            self.signals & ANNOUNCED != 0 || self.entry(Lvt::Lint0) & (MASKED | 0x700) == ENTRY_EXTERNAL
        } else {
            self.vcpu == 0
        };
        if !reaches {
            // A change of the way is told.
            self.signals &= !WATCHES_PIC;
        }
        reaches
    }

    /// The way from the 8259s to this CPU has changed.
    pub(super) fn watch_pic(&mut self) {
        self.signals |= WATCHES_PIC;
    }

    /// The vector that [`Pending::External`] announced is taken.
    pub(super) fn external_taken(&mut self) {
        self.signals &= !ANNOUNCED;
    }
}
