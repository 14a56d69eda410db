//! The flight recorder: what each pCPU's last exits from guests were, kept by the exit vectors themselves.
//!
//! A ring of [`RECORDS`] records for each pCPU, written with plain stores on every exit, always on, and read only when something
//! went wrong. A record has the counter, the guest's PC, the cause with the vCPU's tag, and the guest-physical address.
//!
//! The same step counts the exit against the credit of the vCPU that is loaded. One that has used it up makes the hypervisor's own
//! timer go off at once: the exit is answered as always, and then the loop has the word.
//!
//! The CPU's exit vectors know the layout. Their feature `unrecorded` leaves the step out, so that its cost can be measured.

use core::fmt;
use core::mem::offset_of;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Records of one pCPU.
pub const RECORDS: usize = 256;
/// Size of a ring. It lies at a multiple of twice this, so that the bit of this value is clear in all of its addresses: to clear
/// it takes the address behind the last record back to the first.
pub const RING_BYTES: u64 = (RECORDS * RECORD_BYTES) as u64;

const RECORD_BYTES: usize = 32;
/// Bits that a CPU has for what it says of an exit, in a record's cause.
pub const CAUSE_BITS: u32 = 47;
/// In a record's cause: an interrupt.
pub const INTERRUPT: u64 = 1 << CAUSE_BITS;
/// Lowest bit of the tag in a record's cause.
const TAG_SHIFT: u32 = CAUSE_BITS + 1;

/// One pCPU's recorder, in its `PerCpu`. The vectors load and store both words by one instruction.
#[repr(C, align(16))]
#[derive(Debug)]
pub struct Recorder {
    /// Address of the next record.
    next: AtomicU64,
    /// Exits that the vCPU that is loaded has left before it is to be looked at.
    credit: AtomicI64,
}

const _: () = assert!(offset_of!(Recorder, next) == 0 && offset_of!(Recorder, credit) == 8);

/// Who a record is about: a VM's number and a vCPU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(u16);

impl Tag {
    /// vCPU `vcpu` of VM `vm`. Of numbers that are too large (1023, 63) only the low bits count.
    pub const fn new(vm: u32, vcpu: u32) -> Tag {
        Tag(((vm & 0x3ff) << 6 | vcpu & 0x3f) as u16)
    }

    /// As the vectors find it beside the general registers.
    pub const fn word(self) -> u64 {
        (self.0 as u64) << TAG_SHIFT
    }

    /// The tag in a word as [`Tag::word`] makes it, or in a record's cause.
    pub const fn of(word: u64) -> Tag {
        Tag((word >> TAG_SHIFT) as u16)
    }

    /// The vCPU's number.
    pub const fn vcpu(self) -> u32 {
        self.0 as u32 & 0x3f
    }

    /// Whether both are vCPUs of one VM.
    pub const fn is_of_same_vm(self, other: Tag) -> bool {
        self.0 >> 6 == other.0 >> 6
    }
}

/// What a CPU says of an exit, in [`CAUSE_BITS`] bits.
pub trait Cause: Copy {
    /// From the bits.
    fn of(bits: u64) -> Self;
    /// Whether it is about the guest-physical address that was recorded with it.
    fn is_of_address(&self) -> bool;
    /// In words.
    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// One exit, of a CPU that says `C` of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<C> {
    /// When, by the physical counter.
    pub time: u64,
    /// Where the guest was.
    pub pc: u64,
    /// Whose exit.
    pub tag: Tag,
    /// Why; `None` if it was an interrupt of the pCPU.
    pub cause: Option<C>,
    gpa: u64,
}

impl<C: Cause> Record<C> {
    /// A record as its four words in memory.
    pub fn of([time, pc, cause, gpa]: [u64; 4]) -> Record<C> {
        let why = (cause & INTERRUPT == 0).then(|| C::of(cause & (INTERRUPT - 1)));
        Record { time, pc, tag: Tag::of(cause), cause: why, gpa }
    }

    /// The guest-physical address that the guest was left for, if it was for one.
    pub fn gpa(&self) -> Option<u64> {
        self.cause.filter(Cause::is_of_address).map(|_| self.gpa)
    }
}

impl<C: Cause> fmt::Display for Record<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc {:#x} ", self.pc)?;
        match self.cause {
            None => f.write_str("interrupt"),
            Some(cause) => {
                cause.tell(f)?;
                self.gpa().map_or(Ok(()), |gpa| write!(f, ", at {gpa:#x}"))
            }
        }
    }
}

impl Recorder {
    /// A recorder with an empty ring, and credit for good.
    ///
    /// # Safety
    /// `ring` is the address of [`RING_BYTES`] zeroed bytes, a multiple of twice that, mapped for good and nobody else's.
    pub unsafe fn new(ring: u64) -> Recorder {
        Recorder { next: AtomicU64::new(ring), credit: AtomicI64::new(i64::MAX) }
    }

    /// The credit of the vCPU that is loaded. Negative if it is used up.
    pub fn credit(&self) -> i64 {
        self.credit.load(Ordering::Relaxed)
    }

    /// Gives the vCPU that is loaded `credit`: so many exits. This pCPU only.
    pub fn set_credit(&self, credit: i64) {
        self.credit.store(credit, Ordering::Relaxed);
    }

    /// The records, the newest first. By another CPU than the pCPU itself they may be caught half written.
    pub fn records<C: Cause>(&self) -> impl Iterator<Item = Record<C>> {
        let next = self.next.load(Ordering::Relaxed);
        let ring = next & !(RING_BYTES - 1);
        (1..=RECORDS as u64).map_while(move |back| {
            let offset = next.wrapping_sub(back.wrapping_mul(RECORD_BYTES as u64)) & (RING_BYTES - 1);
            let words = core::ptr::with_exposed_provenance::<[AtomicU64; 4]>((ring | offset) as usize);
            // SAFETY: `new`'s promise: the ring is memory of the recorder's own, and `offset` is a record in it. The vectors
            // write words; so they are read.
            let record = Record::of(unsafe { &*words }.each_ref().map(|word| word.load(Ordering::Relaxed)));
            // The counter is never zero when a guest runs: this one was never written.
            (record.time != 0).then_some(record)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C, align(16384))]
    struct Ring([[u64; 4]; RECORDS]);

    /// A CPU that says a number, and a one of an address.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Number(u64);

    impl Cause for Number {
        fn of(bits: u64) -> Number {
            Number(bits)
        }

        fn is_of_address(&self) -> bool {
            self.0 == 1
        }

        fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "cause {}", self.0)
        }
    }

    #[test]
    fn the_newest_come_first_and_what_was_never_written_does_not() {
        let mut ring = Box::new(Ring([[0; 4]; RECORDS]));
        for (index, record) in ring.0.iter_mut().take(3).enumerate() {
            *record = [index as u64 + 1, 0x1000, Tag::new(2, 5).word() | 0x5a00_0000, 0];
        }
        let start = ring.0.as_ptr().expose_provenance() as u64;
        // SAFETY: the ring lives longer than the recorder, and nobody writes it meanwhile.
        let recorder = unsafe { Recorder::new(start + 3 * RECORD_BYTES as u64) };
        let times: Vec<u64> = recorder.records::<Number>().map(|record| record.time).collect();
        assert_eq!(times, [3, 2, 1]);
        // Full, and in the middle.
        for (index, record) in ring.0.iter_mut().enumerate() {
            record[0] = 100 + ((index + RECORDS - 3) % RECORDS) as u64;
        }
        let times: Vec<u64> = recorder.records::<Number>().map(|record| record.time).collect();
        assert_eq!(times, (100..100 + RECORDS as u64).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_record_says_who_and_why() {
        let of = |cause| Record::<Number>::of([9, 0x10, Tag::new(3, 1).word() | cause, 0x0904_0000]);
        assert!(of(1).tag.is_of_same_vm(Tag::new(3, 7)) && !of(1).tag.is_of_same_vm(Tag::new(2, 1)));
        assert_eq!(of(1).tag.vcpu(), 1);
        assert_eq!((of(1).to_string(), of(1).gpa()), ("pc 0x10 cause 1, at 0x9040000".into(), Some(0x0904_0000)));
        assert_eq!((of(2).to_string(), of(2).gpa()), ("pc 0x10 cause 2".into(), None));
        let interrupt = of(INTERRUPT);
        assert_eq!((interrupt.cause, interrupt.tag), (None, Tag::new(3, 1)));
        assert_eq!((interrupt.to_string(), interrupt.gpa()), ("pc 0x10 interrupt".into(), None));
    }
}
