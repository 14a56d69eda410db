//! What a guest is made to take, in which order, and where it goes on after an instruction that was emulated.
//!
//! Pure rules of the architecture; how a CPU is told is its own (`svm`).
#![forbid(unsafe_code)]

/// Something that a guest takes through its IDT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An external interrupt.
    Interrupt(u8),
    /// A non-maskable one.
    Nmi,
    /// An exception, with RIP where it stands now.
    Exception {
        /// Its vector, below 32.
        vector: u8,
        /// What is pushed after RIP, of those that push something.
        error: Option<u32>,
    },
}

impl Event {
    /// #DB: the cause is in DR6.
    pub const DEBUG: Event = Event::Exception { vector: 1, error: None };
    /// #UD.
    pub const UNDEFINED: Event = Event::Exception { vector: 6, error: None };
    /// #GP(0).
    pub const PROTECTION: Event = Event::Exception { vector: GENERAL_PROTECTION, error: Some(0) };
    /// #AC(0).
    pub const ALIGNMENT: Event = Event::Exception { vector: 17, error: Some(0) };
    const DOUBLE_FAULT: Event = Event::Exception { vector: DOUBLE, error: Some(0) };

    /// #PF: CR2 has the address.
    pub const fn page_fault(error: u32) -> Event {
        Event::Exception { vector: PAGE_FAULT, error: Some(error) }
    }
}

const DOUBLE: u8 = 8;
const GENERAL_PROTECTION: u8 = 13;
const PAGE_FAULT: u8 = 14;

/// How exceptions count when one comes while another is delivered (APM volume 2, 8.2.9, table 8-3).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Benign,
    Contributory,
    PageFault,
    DoubleFault,
}

const fn class(event: Event) -> Class {
    match event {
        Event::Exception { vector: 0 | 10..=13 | 21 | 29 | 30, .. } => Class::Contributory,
        Event::Exception { vector: PAGE_FAULT, .. } => Class::PageFault,
        Event::Exception { vector: DOUBLE, .. } => Class::DoubleFault,
        _ => Class::Benign,
    }
}

/// What becomes of `second`, an exception, when it comes while `first` is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// This one is delivered. The other is lost if it was an exception: it comes again by itself.
    One(Event),
    /// The CPU shuts down: a triple fault.
    Shutdown,
}

/// Combines two events.
pub const fn together(first: Option<Event>, second: Event) -> Together {
    let Some(first) = first else { return Together::One(second) };
    match (class(first), class(second)) {
        (Class::DoubleFault, Class::Contributory | Class::PageFault) => Together::Shutdown,
        (Class::Contributory, Class::Contributory) | (Class::PageFault, Class::Contributory | Class::PageFault) => {
            Together::One(Event::DOUBLE_FAULT)
        }
        _ => Together::One(second),
    }
}

/// RFLAGS.TF: a debug exception after every instruction.
pub const TF: u64 = 1 << 8;
/// RFLAGS.IF: interrupts are taken.
pub const IF: u64 = 1 << 9;
/// RFLAGS.RF: no debug exception by an instruction breakpoint at the next instruction.
pub const RF: u64 = 1 << 16;
/// DR6.BS: the debug exception is TF's.
pub const DR6_STEP: u64 = 1 << 14;

/// Where a guest goes on after an instruction that was emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// RIP.
    pub rip: u64,
    /// RFLAGS.
    pub rflags: u64,
    /// TF was set: it takes #DB with [`DR6_STEP`] (APM volume 2, 13.1.4).
    pub steps: bool,
}

/// Behind an instruction of `length` bytes at `rip`; outside of 64-bit code RIP has 32 bits.
#[inline]
pub const fn behind(rip: u64, length: u64, rflags: u64, is_64_bit: bool) -> Behind {
    let next = rip.wrapping_add(length);
    let rip = if is_64_bit { next } else { next & 0xffff_ffff };
    Behind { rip, rflags: rflags & !RF, steps: rflags & TF != 0 }
}

/// What stands between a guest and an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// RFLAGS.
    pub rflags: u64,
    /// Behind STI or a load of SS: not before the next instruction (APM volume 2, 8.1.1).
    pub in_shadow: bool,
    /// An event is to be delivered first.
    pub is_busy: bool,
    /// An NMI was delivered, and no IRET has been executed since.
    pub in_nmi: bool,
}

impl Gate {
    /// An external interrupt can be delivered at once.
    #[inline]
    pub const fn takes_interrupt(&self) -> bool {
        self.rflags & IF != 0 && !self.in_shadow && !self.is_busy
    }

    /// An NMI can be.
    #[inline]
    pub const fn takes_nmi(&self) -> bool {
        !self.in_nmi && !self.in_shadow && !self.is_busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(vector: u8) -> Event {
        Event::Exception { vector, error: None }
    }

    #[test]
    fn exceptions_that_meet_make_a_double_fault_where_the_manual_says_so() {
        const BENIGN: [u8; 11] = [1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19];
        const CONTRIBUTORY: [u8; 5] = [0, 10, 11, 12, 13];
        let double = Together::One(Event::DOUBLE_FAULT);
        for second in CONTRIBUTORY.map(exception) {
            for first in CONTRIBUTORY.map(exception) {
                assert_eq!(together(Some(first), second), double);
            }
            assert_eq!(together(Some(exception(14)), second), double);
            assert_eq!(together(Some(exception(8)), second), Together::Shutdown);
            // A page fault during the delivery of a contributory one is a page fault.
            assert_eq!(together(Some(second), exception(14)), Together::One(exception(14)));
            assert_eq!(together(Some(Event::Interrupt(0x20)), second), Together::One(second));
            assert_eq!(together(None, second), Together::One(second));
        }
        assert_eq!(together(Some(exception(14)), exception(14)), double);
        assert_eq!(together(Some(exception(8)), exception(14)), Together::Shutdown);
        for second in BENIGN.map(exception) {
            assert_eq!(together(Some(exception(8)), second), Together::One(second));
            assert_eq!(together(Some(exception(13)), second), Together::One(second));
        }
    }

    #[test]
    fn rip_wraps_where_it_has_32_bits() {
        let step = behind(0xffff_fffe, 3, TF | RF | 2, false);
        assert_eq!(step, Behind { rip: 1, rflags: TF | 2, steps: true });
        assert_eq!(behind(0xffff_fffe, 3, 2, true), Behind { rip: 0x1_0000_0001, rflags: 2, steps: false });
    }

    #[test]
    fn an_interrupt_waits_for_if_shadow_and_what_comes_first() {
        let open = Gate { rflags: IF | 2, in_shadow: false, is_busy: false, in_nmi: false };
        assert!(open.takes_interrupt() && open.takes_nmi());
        let masked = Gate { rflags: 2, ..open };
        assert!(!masked.takes_interrupt() && masked.takes_nmi());
        let shadow = Gate { in_shadow: true, ..open };
        assert!(!shadow.takes_interrupt() && !shadow.takes_nmi());
        let busy = Gate { is_busy: true, ..open };
        assert!(!busy.takes_interrupt() && !busy.takes_nmi());
        let in_nmi = Gate { in_nmi: true, ..open };
        assert!(in_nmi.takes_interrupt() && !in_nmi.takes_nmi());
    }
}
