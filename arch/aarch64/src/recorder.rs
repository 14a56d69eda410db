//! The flight recorder: what each pCPU's last exits from guests were, kept by the exit vectors themselves.
//!
//! A ring of [`RECORDS`] records for each pCPU, written with plain stores on every exit, always on, and read only when something
//! went wrong. A record has the counter, the guest's PC, the cause with the vCPU's tag, and the guest-physical address.
//!
//! The same step counts the exit against the credit of the vCPU that is loaded. One that has used it up makes EL2's own timer
//! go off at once: the exit is answered as always, and then the loop has the word.
//!
//! The vectors (`entry`) know the layout. The feature `unrecorded` leaves the step out, so that its cost can be measured.

use core::fmt;
use core::mem::offset_of;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::syndrome::Syndrome;

/// Records of one pCPU.
pub const RECORDS: usize = 256;
/// Size of a ring. It lies at a multiple of twice this, so that the bit of this value is clear in all of its addresses: to clear
/// it takes the address behind the last record back to the first.
pub const RING_BYTES: u64 = (RECORDS * RECORD_BYTES) as u64;

const RECORD_BYTES: usize = 32;
/// Bits of ESR_EL2 in a record's cause: no more are defined, of ISS2 only the lower ones (DDI 0487 D24.2).
pub(crate) const CAUSE_BITS: u32 = 47;
/// In a record's cause: an interrupt, not a syndrome.
pub(crate) const INTERRUPT: u64 = 1 << CAUSE_BITS;
/// Lowest bit of the tag in a record's cause.
const TAG_SHIFT: u32 = CAUSE_BITS + 1;

/// One pCPU's recorder, in its [`crate::cpu::PerCpu`]. The vectors load and store both words by one instruction.
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
    pub(crate) const fn word(self) -> u64 {
        (self.0 as u64) << TAG_SHIFT
    }

    /// The tag in a word as [`Tag::word`] makes it, or in a record's cause.
    pub(crate) const fn of(word: u64) -> Tag {
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

/// One exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, by the physical counter.
    pub time: u64,
    /// Where the guest was.
    pub pc: u64,
    /// Whose exit.
    pub tag: Tag,
    /// Why.
    pub cause: Recorded,
    /// The guest-physical address at fault; only that of an abort means anything.
    pub gpa: u64,
}

/// Why a guest was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// An exception of its own.
    Exception(Syndrome),
    /// An interrupt of the pCPU.
    Interrupt,
}

impl Record {
    /// A record as its four words in memory.
    pub const fn of([time, pc, cause, gpa]: [u64; 4]) -> Record {
        let tag = Tag::of(cause);
        let cause = match cause & INTERRUPT {
            0 => Recorded::Exception(Syndrome(cause & (INTERRUPT - 1))),
            _ => Recorded::Interrupt,
        };
        Record { time, pc, tag, cause, gpa }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Recorded::Interrupt => write!(f, "pc {:#x} interrupt", self.pc),
            Recorded::Exception(syndrome) => {
                write!(f, "pc {:#x} {}, syndrome {:#x}", self.pc, syndrome.class_name(), syndrome.0)?;
                if syndrome.is_abort() { write!(f, ", at {:#x}", self.gpa) } else { Ok(()) }
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
    pub fn records(&self) -> impl Iterator<Item = Record> {
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

    #[test]
    fn the_newest_come_first_and_what_was_never_written_does_not() {
        let mut ring = Box::new(Ring([[0; 4]; RECORDS]));
        for (index, record) in ring.0.iter_mut().take(3).enumerate() {
            *record = [index as u64 + 1, 0x1000, Tag::new(2, 5).word() | 0x5a00_0000, 0];
        }
        let start = ring.0.as_ptr().expose_provenance() as u64;
        // SAFETY: the ring lives longer than the recorder, and nobody writes it meanwhile.
        let recorder = unsafe { Recorder::new(start + 3 * RECORD_BYTES as u64) };
        let times: Vec<u64> = recorder.records().map(|record| record.time).collect();
        assert_eq!(times, [3, 2, 1]);
        // Full, and in the middle.
        for (index, record) in ring.0.iter_mut().enumerate() {
            record[0] = 100 + ((index + RECORDS - 3) % RECORDS) as u64;
        }
        let times: Vec<u64> = recorder.records().map(|record| record.time).collect();
        assert_eq!(times, (100..100 + RECORDS as u64).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_record_says_who_and_why() {
        let words = [9, 0x4008_0000, Tag::new(3, 1).word() | 0x9300_0047, 0x0904_0000];
        let record = Record::of(words);
        assert!(record.tag.is_of_same_vm(Tag::new(3, 7)) && !record.tag.is_of_same_vm(Tag::new(2, 1)));
        assert_eq!(record.tag.vcpu(), 1);
        assert_eq!(record.to_string(), "pc 0x40080000 store, syndrome 0x93000047, at 0x9040000");
        let record = Record::of([9, 0x10, Tag::new(3, 1).word() | INTERRUPT, 0]);
        assert_eq!((record.cause, record.tag), (Recorded::Interrupt, Tag::new(3, 1)));
        assert_eq!(record.to_string(), "pc 0x10 interrupt");
    }
}
