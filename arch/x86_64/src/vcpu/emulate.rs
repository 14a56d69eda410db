//! Instructions that touch what is not memory: decoded, and done access by access.
//!
//! What an instruction has still to do lies in its vCPU, as its [`Hand`]. Each access goes to the local APIC, the I/O APIC or the 8259s at
//! once, and else to the loop; its answer brings the hand to the next access, or behind the instruction. Registers change with the
//! last answer. A string operation with REP goes back into the guest after each element, as after an interrupt: RIP is where
//! it was, and the counter says what is left.

use model::Gpa;

use super::{Done, Vcpu};
use crate::coverage::{self, Way};
use crate::decode::{self, Instruction, Operation, Segment};
use crate::exit::{Access, At, Exit, Unsupported};
use crate::inject::Event;
use crate::memory::crosses_page;
use crate::svm::event;
use crate::svm::exit_code::fault;

/// The instruction that is being emulated, by what its next answer is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hand {
    /// None is.
    Nothing,
    /// IN or OUT of this length.
    Port {
        /// Its bytes.
        length: u8,
    },
    /// The value of a load; then it may store at the same place.
    Load(Instruction, Gpa),
    /// A store has no effect on registers any more.
    Store(Instruction, After),
    /// What is to be stored as soon as the vCPU runs.
    Next(Instruction, Gpa, u64, After),
    /// An element of INS or OUTS; where INS stores it.
    PortElement(Instruction, Option<Gpa>),
    /// An element of MOVS; where it is stored.
    Moved(Instruction, Gpa),
}

/// What comes after a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The instruction is done.
    Behind,
    /// It is a string operation: the registers are moved on.
    Advance,
}

impl Vcpu {
    #[inline]
    pub(super) fn nested_page_fault(&mut self) -> Done {
        let control = &self.vmcb.control;
        let (info, gpa) = (control.exit_info_1, Gpa(control.exit_info_2));
        // What is touched while an event is delivered has nothing to do with the instruction at RIP.
        let in_delivery = control.exit_interrupt_info & event::VALID != 0;
        if in_delivery || info & (fault::TABLE_WALK | fault::FETCH | fault::PRESENT) != 0 {
            return self.refused(info, gpa, in_delivery);
        }
        let Some(instruction) = self.instruction() else { return self.undescribed(gpa, 0) };
        let Some(bytes) = instruction.memory_bytes() else { return self.undescribed(gpa, instruction.length) };
        match instruction.operation {
            Operation::StoreString | Operation::LoadString | Operation::MoveString => {
                return self.memory_string(&instruction);
            }
            _ => {}
        }
        // An operand that begins in the page before, or ends in the next one, is not all in one place.
        if crosses_page(gpa.0, bytes) || gpa.0 & 0xfff == 0 && self.begins_before(&instruction) {
            coverage::took(Way::Crosses);
            return self.undescribed(gpa, instruction.length);
        }
        let access = |store| Access { at: At::Memory(gpa), size_bytes: bytes, store, transfer: () };
        if instruction.reads_memory() {
            coverage::took(Way::Load);
            self.hand = Hand::Load(instruction, gpa);
            return self.settle(access(None));
        }
        coverage::took(Way::Store);
        // A plain store changes no register.
        let write = instruction.apply(self, 0).write;
        self.hand = Hand::Store(instruction, After::Behind);
        self.settle(access(write.or(Some(0))))
    }

    /// What the nested tables do not allow, and what the guest's own tables, fetches or events do not find.
    #[cold]
    fn refused(&mut self, info: u64, gpa: Gpa, in_delivery: bool) -> Done {
        let (on_table_walk, is_fetch) = (info & fault::TABLE_WALK != 0, info & fault::FETCH != 0);
        coverage::took(match (on_table_walk, is_fetch, in_delivery) {
            (true, ..) => Way::Walk,
            (_, true, _) => Way::Fetch,
            (_, _, true) => Way::Delivery,
            _ => Way::ReadOnly,
        });
        let is_skipped = !(on_table_walk || is_fetch || in_delivery);
        let length = if is_skipped { self.instruction().map_or(0, |found| found.length) } else { 0 };
        Done::Exit(Exit::Unsupported(Unsupported::Access { gpa, is_fetch, on_table_walk, in_delivery, length }))
    }

    #[cold]
    fn undescribed(&mut self, gpa: Gpa, length: u8) -> Done {
        coverage::took(Way::Undescribed);
        self.cannot(gpa, length)
    }

    /// Whether the operand, which was missed at a page's start, begins in the page before.
    #[cold]
    fn begins_before(&self, instruction: &Instruction) -> bool {
        let next = self.vmcb.state.rip.wrapping_add(instruction.length.into());
        match (instruction.memory, instruction.memory_offset(self, next)) {
            (Some(address), Some(offset)) => self.linear(address.segment, offset) & 0xfff != 0,
            _ => false,
        }
    }

    /// The linear address of `offset` in `segment` (APM volume 2, 4.5.3: in 64-bit code only FS and GS have a base).
    pub(super) fn linear(&self, segment: Segment, offset: u64) -> u64 {
        let state = &self.vmcb.state;
        let is_64_bit = self.is_64_bit();
        let base = match segment {
            Segment::Fs => state.fs.base,
            Segment::Gs => state.gs.base,
            _ if is_64_bit => 0,
            Segment::Es => state.es.base,
            Segment::Cs => state.cs.base,
            Segment::Ss => state.ss.base,
            Segment::Ds => state.ds.base,
        };
        let linear = base.wrapping_add(offset);
        if is_64_bit { linear } else { linear & 0xffff_ffff }
    }

    /// Answers `access`, and those that follow it, as far as that can be done here.
    #[inline]
    pub(super) fn settle(&mut self, mut access: Access) -> Done {
        loop {
            let Some(value) = self.controller(&access) else { return self.not_here(access) };
            self.finish(&access, value);
            match self.next_access() {
                Some(next) => access = next,
                None => return Done::Yes,
            }
        }
    }

    /// What the interrupt controllers answer, if one is meant; a store gets any value.
    #[inline]
    fn controller(&mut self, access: &Access) -> Option<u64> {
        let gpa = match access.at {
            At::Memory(gpa) => gpa,
            At::Port(port) => return self.pic(port, access.size_bytes, access.store),
        };
        let width = access.size_bytes;
        let guest = self.guest;
        if let Some(page) = self.apic.page()
            && gpa.0 & !0xfff == page.0
        {
            return Some(self.local_apic(gpa.0 & 0xfff, width, access.store.map(|value| value as u32)).into());
        }
        let offset = guest.io_apic_offset(gpa)?;
        Some(match access.store {
            None => {
                coverage::took(Way::IoApicRead);
                guest.vapic.io_apic_read(offset, width).into()
            }
            Some(value) => {
                coverage::took(Way::IoApicWrite);
                let kick = guest.vapic.io_apic_write(offset, width, value as u32);
                self.kick(kick);
                0
            }
        })
    }

    /// A load from the local APIC's page, or a store, which gets any value.
    #[inline(never)]
    pub(super) fn local_apic(&mut self, offset: u64, width: u8, store: Option<u32>) -> u32 {
        let (guest, adjust) = (self.guest, self.tsc_adjust);
        let now = || guest.counter().wrapping_add(adjust);
        let Some(value) = store else {
            coverage::took(Way::ApicRead);
            return self.apic.read(&guest.vapic, offset, width, now);
        };
        coverage::took(Way::ApicWrite);
        let kick = self.apic.write(&guest.vapic, offset, width, value, now);
        self.kick(kick);
        self.look_for_start_up();
        0
    }

    /// The answer to `access`: the value of a load, or anything for a store.
    #[inline]
    pub(super) fn finish(&mut self, access: &Access, value: u64) {
        match core::mem::replace(&mut self.hand, Hand::Nothing) {
            Hand::Load(instruction, gpa) => match instruction.apply(self, value).write {
                Some(write) => {
                    coverage::took(Way::Change);
                    self.hand = Hand::Next(instruction, gpa, write, After::Behind);
                }
                None if is_string(&instruction) => self.advanced(&instruction),
                None => self.step_over(instruction.length),
            },
            Hand::Store(instruction, After::Behind) => self.step_over(instruction.length),
            Hand::Store(instruction, After::Advance) => self.advance(&instruction),
            Hand::Port { length } => self.finish_port(access, value, length),
            Hand::PortElement(instruction, to) => self.finish_element(&instruction, to, value),
            Hand::Moved(instruction, to) => self.finish_moved(&instruction, to, value),
            // Not waiting for an answer.
            Hand::Next(..) | Hand::Nothing => {}
        }
    }

    /// The access that the hand has ready.
    #[inline]
    fn next_access(&mut self) -> Option<Access> {
        let Hand::Next(instruction, gpa, value, after) = self.hand else { return None };
        self.hand = Hand::Store(instruction, after);
        let size_bytes = instruction.memory_bytes().unwrap_or(1);
        Some(Access { at: At::Memory(gpa), size_bytes, store: Some(value), transfer: () })
    }

    /// Goes on with the instruction in hand before the guest runs.
    #[inline]
    pub(super) fn go_on(&mut self) -> Option<Exit> {
        let access = self.next_access()?;
        match self.settle(access) {
            Done::Yes => None,
            Done::Exit(exit) => Some(exit),
        }
    }

    /// The instruction in hand is given up: the guest takes #GP(0) in its place.
    pub(super) fn give_up(&mut self) {
        self.hand = Hand::Nothing;
        self.inject(Event::PROTECTION);
    }

    /// A string operation's element is done: its registers move on.
    pub(super) fn advance(&mut self, instruction: &Instruction) {
        instruction.advance(self);
        self.advanced(instruction);
    }

    /// Its registers have moved on.
    pub(super) fn advanced(&mut self, instruction: &Instruction) {
        let is_done = instruction.repeat == decode::Repeat::No || instruction.is_empty(self);
        if is_done {
            self.step_over(instruction.length);
        }
    }
}

/// Whether it is one of those that REP repeats.
pub(super) const fn is_string(instruction: &Instruction) -> bool {
    matches!(
        instruction.operation,
        Operation::StoreString
            | Operation::LoadString
            | Operation::MoveString
            | Operation::InString
            | Operation::OutString
    )
}
