//! The bytes of the instruction that left the guest, where the CPU does not bring them: by a walk of the guest's tables.
//!
//! The walks of the last pages are kept, with every entry that they read. As long as these are what they were, so is what they lead to;
//! to look costs a comparison a level. (A CPU's own TLB may not go on by entries that have changed once the guest has said so: what
//! is looked at is always newer.)

use model::PAGE_BYTES;

use super::Vcpu;
use crate::control::PAE;
use crate::decode::{self, Code, Instruction, Mode, Operand, Operation};
use crate::memory;
use crate::svm::exit_code;
use crate::svm::vmcb::State;
use crate::walk::{self, Fault, Wanted};

/// A page of code, and how it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodePage {
    cr3: u64,
    /// Its linear address; without one, what no address is near to.
    linear: u64,
    /// Where it is.
    host: u64,
    /// What led to it, by level: four times something, so that nobody has to count.
    entries: [Entry; 4],
}

/// Eight bytes of the guest's tables: an entry, or one of four bytes with its neighbour.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where they are.
    at: u64,
    /// What they were.
    value: u64,
}

impl Entry {
    /// What is there now.
    #[inline]
    fn load(at: u64) -> u64 {
        // SAFETY: eight bytes at a multiple of eight in the guest's memory, found by `Memory::find`: memory that a VM has it has
        // for good.
        unsafe { memory::load(at, 8) }
    }

    /// One that never changes.
    fn of(word: &'static u64) -> Entry {
        Entry { at: core::ptr::from_ref(word) as u64, value: *word }
    }

    /// The entry of `bytes` bytes at `at`, which was `value`; `None` if it is not any more.
    fn new(at: u64, value: u64, bytes: u8) -> Option<Entry> {
        let entry = Entry { at: at & !7, value: Entry::load(at & !7) };
        let now = if bytes == 8 { entry.value } else { entry.value >> ((at & 4) << 3) & 0xffff_ffff };
        (now == value).then_some(entry)
    }

    #[inline(always)]
    fn holds(&self) -> bool {
        Entry::load(self.at) == self.value
    }
}

impl CodePage {
    /// None is known.
    pub(super) const NONE: CodePage =
        CodePage { cr3: 0, linear: NOWHERE, host: 0, entries: [Entry { at: 0, value: 0 }; 4] };

    /// Where `bytes` at `linear` are, all in this page, if it is still where it was.
    #[inline(always)]
    pub(super) fn host_of(&self, linear: u64, bytes: u64, cr3: u64) -> Option<u64> {
        let offset = linear.wrapping_sub(self.linear);
        let [root, third, second, first] = &self.entries;
        let is_here = offset <= PAGE_BYTES.wrapping_sub(bytes)
            && self.cr3 == cr3
            && root.holds()
            && third.holds()
            && second.holds()
            && first.holds();
        is_here.then(|| self.host.wrapping_add(offset))
    }
}

/// Pages, by the low bits of their addresses.
pub(super) type CodePages = [CodePage; PAGES];

const PAGES: usize = 8;

/// None is known.
pub(super) const NO_PAGES: CodePages = [CodePage::NONE; PAGES];

/// Where the page of `linear` is kept.
#[inline]
const fn page_of(linear: u64) -> usize {
    (linear >> 12) as usize % PAGES
}

/// Far from all addresses of code: not canonical.
const NOWHERE: u64 = 1 << 63;

/// What stands for an entry where there are fewer than four.
static ALWAYS: u64 = 0;

/// Instructions that were taken apart, by the low bits of where they are. What is kept of one is right as long as its bytes are the
/// same, wherever they came from.
pub(super) type Decoded = [Option<Known>; SLOTS];

const SLOTS: usize = 16;

/// Bytes, and the instruction that they begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    bytes: u128,
    mode: Mode,
    instruction: Instruction,
    as_move: Option<Move>,
}

/// None is known.
pub(super) const NOTHING: Decoded = [None; SLOTS];

/// Where an instruction at `rip` is kept.
#[inline]
const fn slot_of(rip: u64) -> usize {
    (rip ^ rip >> 4) as usize % SLOTS
}

/// Bytes that are looked at: no instruction has more than 15.
const WINDOW: u64 = 16;

/// An instruction of 64-bit code, of at most eight bytes, that moves four between a register and memory: what drivers access
/// registers by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) length: u8,
    pub(super) is_store: bool,
    pub(super) operand: Moved,
}

/// What is moved to memory, or from there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moved {
    /// The general register of this number.
    Register(u8),
    /// This value.
    Immediate(u32),
}

impl Move {
    /// `instruction` in `mode`, if that is one.
    fn of(instruction: &Instruction, mode: Mode) -> Option<Move> {
        let (is_store, other) = match (instruction.destination, instruction.source) {
            (Operand::Memory, other) => (true, other),
            (other, Operand::Memory) => (false, other),
            _ => return None,
        };
        let operand = match other {
            Operand::Register(register) if !register.is_high() => Moved::Register(register.number()),
            Operand::Immediate => Moved::Immediate(instruction.immediate as u32),
            _ => return None,
        };
        let is_one = mode == Mode::Bits64
            && instruction.operation == Operation::Move
            && instruction.operand_bytes == 4
            && instruction.length <= 8;
        is_one.then_some(Move { length: instruction.length, is_store, operand })
    }
}

impl Vcpu {
    /// Where RIP is, as a linear address.
    #[inline]
    fn linear_rip(&self) -> u64 {
        let state = &self.vmcb.state;
        if self.is_64_bit() { state.rip } else { state.cs.base.wrapping_add(state.rip) & 0xffff_ffff }
    }

    /// Host address of the code at `linear`, of which `bytes` are in its page.
    #[inline]
    fn code_at(&mut self, linear: u64, bytes: u64) -> Result<u64, Fault> {
        match known_code(&self.code, linear, bytes, self.vmcb.state.cr3) {
            Some(host) => Ok(host),
            None => self.find_code(linear),
        }
    }

    /// The same by a walk.
    #[inline(never)]
    fn find_code(&mut self, linear: u64) -> Result<u64, Fault> {
        let control = self.control();
        let memory = &self.guest.memory;
        // The CPU has fetched it: what allowed that is of no interest.
        let found = walk::walk(&control, linear, Wanted { ac: true, ..Wanted::default() }, memory)?;
        let offset = linear & (PAGE_BYTES - 1);
        let host = memory.find(found.gpa, false).ok_or(Fault::Nowhere(found.gpa))?.0;
        let bytes = if control.cr4 & PAE != 0 { 8 } else { 4 };
        let mut entries = [Entry::of(&ALWAYS); 4];
        for (to, (gpa, value)) in entries.iter_mut().zip(found.entries).take(found.levels.into()) {
            let at = memory.find(gpa, false).ok_or(Fault::Nowhere(gpa))?.0;
            match Entry::new(at, value, bytes) {
                Some(entry) => *to = entry,
                // Another CPU changes it right now: found, but not to be kept.
                None => return Ok(host),
            }
        }
        let (linear, start) = (linear.wrapping_sub(offset), host.wrapping_sub(offset));
        if let Some(page) = self.code.get_mut(page_of(linear)) {
            *page = CodePage { cr3: control.cr3, linear, host: start, entries };
        }
        Ok(host)
    }

    /// The bytes at RIP, as many as an instruction can have.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<(u128, u8), Fault> {
        let linear = self.linear_rip();
        if linear & (PAGE_BYTES - 1) > PAGE_BYTES - WINDOW {
            return Ok(self.bytes_of_two_pages(linear));
        }
        let at = self.code_at(linear, WINDOW)?;
        // SAFETY: in the page of the guest's memory that was found.
        let (low, high) = unsafe { (memory::load(at, 8), memory::load(at.wrapping_add(8), 8)) };
        Ok((u128::from(high) << 64 | u128::from(low), WINDOW as u8))
    }

    /// Bytes of the page that `linear` is in, and more of the next one if that is there.
    #[cold]
    fn bytes_of_two_pages(&mut self, linear: u64) -> (u128, u8) {
        let mut bytes = 0_u128;
        let mut count = 0_u8;
        for offset in 0..WINDOW {
            let next = linear.wrapping_add(offset);
            // The page before is not forgotten until the next one is found: at most two walks.
            let Ok(at) = self.code_at(if self.is_64_bit() { next } else { next & 0xffff_ffff }, 1) else { break };
            // SAFETY: as in `bytes`.
            let byte = unsafe { memory::load(at, 1) };
            bytes |= u128::from(byte) << (offset << 3);
            count = count.wrapping_add(1);
        }
        (bytes, count)
    }

    /// The instruction at RIP in 64-bit code, if it is a move that was taken apart before.
    #[inline(always)]
    pub(super) fn known_move(&self) -> Option<Move> {
        let bytes = eight_bytes(&self.code, &self.vmcb.state)?;
        let known = self.decoded.get(slot_of(self.vmcb.state.rip))?.as_ref()?;
        if known.bytes as u64 == bytes { known.as_move } else { None }
    }

    /// The mode that the guest's code is in.
    #[inline]
    fn mode(&self) -> Mode {
        if self.is_64_bit() {
            Mode::Bits64
        } else if self.vmcb.state.cs.is_big() {
            Mode::Bits32
        } else {
            Mode::Bits16
        }
    }

    /// The instruction at RIP; `None` if it cannot be read, or is none.
    #[inline]
    pub(super) fn instruction(&mut self) -> Option<Instruction> {
        let control = &self.vmcb.control;
        let is_fault = control.exit_code == exit_code::NESTED_PAGE_FAULT;
        let (bytes, count) = match control.fetched {
            // Decode assists: of a nested page fault the CPU brings them (APM volume 2, 15.8.4).
            fetched @ 1..=15 if is_fault && self.guest.features.decode_assists => {
                (control.bytes.iter().rev().fold(0_u128, |bytes, &byte| bytes << 8 | u128::from(byte)), fetched)
            }
            _ => self.bytes().ok()?,
        };
        let mode = self.mode();
        let slot = self.decoded.get_mut(slot_of(self.vmcb.state.rip))?;
        match slot {
            Some(known) if known.bytes == bytes && known.mode == mode => Some(known.instruction),
            _ => {
                let instruction = decode::decode(Code::new(bytes, count), mode).ok()?;
                *slot = Some(Known { bytes, mode, instruction, as_move: Move::of(&instruction, mode) });
                Some(instruction)
            }
        }
    }

    /// How long the instruction is that left the guest, which is expected to be `expected`, `count` bytes, without prefixes; `None` if
    /// it is not to be passed, as [`Vcpu::no_instruction`] has it.
    #[inline]
    pub(super) fn length(&mut self, expected: u32, count: u8) -> Option<u8> {
        let control = &self.vmcb.control;
        if self.guest.features.next_rip && control.next_rip != 0 {
            return Some(control.next_rip.wrapping_sub(self.vmcb.state.rip) as u8 & 0xf);
        }
        let (bytes, fetched) = self.bytes().ok()?;
        let others = 32_u32.wrapping_sub(u32::from(count) << 3);
        if (bytes as u32 ^ expected).wrapping_shl(others) == 0 && fetched >= count {
            return Some(count);
        }
        // Prefixes.
        match decode::decode(Code::new(bytes, fetched), self.mode()) {
            Ok(instruction) => Some(instruction.length),
            Err(_) => self.no_instruction(),
        }
    }

    /// What left the guest cannot be read any more, or is none, because it changes under our eyes, or because this CPU executes what it
    /// should refuse (TCG does CPUID with LOCK). What is none takes its exception; the other is executed once more, and faults by itself.
    #[cold]
    pub(super) fn no_instruction<T>(&mut self) -> Option<T> {
        let (bytes, fetched) = self.bytes().ok()?;
        let error = decode::decode(Code::new(bytes, fetched), self.mode()).err()?;
        self.inject(error.event()?);
        None
    }
}

/// Host address of the code at `linear`, of which `bytes` are in its page, if it is to be had without a walk.
#[inline(always)]
fn known_code(pages: &CodePages, linear: u64, bytes: u64, cr3: u64) -> Option<u64> {
    pages.get(page_of(linear))?.host_of(linear, bytes, cr3)
}

/// The eight bytes at RIP in 64-bit code, if they are to be had without a walk.
#[inline(always)]
pub(super) fn eight_bytes(pages: &CodePages, state: &State) -> Option<u64> {
    let at = known_code(pages, state.rip, 8, state.cr3)?;
    // SAFETY: in the page of the guest's memory that was found.
    Some(unsafe { memory::load(at, 8) })
}
