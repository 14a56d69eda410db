//! The bytes of the instruction that left the guest, where the CPU does not bring them: by a walk of the guest's tables.
//!
//! The walk of the last page is kept, with every entry that it read. As long as these are what they were, so is what they lead to; to
//! look costs a comparison a level. (A CPU's own TLB may not go on by entries that have changed once the guest has said so: what
//! is looked at is always newer.)

use model::PAGE_BYTES;

use super::Vcpu;
use crate::decode::{self, Code, Instruction, Mode};
use crate::memory;
use crate::svm::exit_code;
use crate::walk::{self, Fault, Wanted};

/// A page of code, and how it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodePage {
    cr3: u64,
    /// Its linear address; all ones without one.
    linear: u64,
    /// Where it is.
    host: u64,
    /// Where entries were read, and what they were.
    entries: [(u64, u64); 4],
    levels: u8,
    entry_bytes: u8,
}

impl CodePage {
    /// None is known.
    pub(super) const NONE: CodePage =
        CodePage { cr3: 0, linear: u64::MAX, host: 0, entries: [(0, 0); 4], levels: 0, entry_bytes: 8 };

    /// Whether the page at `linear` is still where it was.
    #[inline]
    fn is(&self, linear: u64, cr3: u64) -> bool {
        self.linear == linear
            && self.cr3 == cr3
            && self.entries.iter().take(self.levels.into()).all(|&(at, value)| {
                // SAFETY: a word of the guest's memory, found by `Memory::find`: memory that a VM has it has for good.
                unsafe { memory::load(at, self.entry_bytes) == value }
            })
    }
}

/// Instructions that were taken apart, by the low bits of where they are. What is kept of one is right as long as its bytes are the
/// same, wherever they came from.
pub(super) type Decoded = [Option<Known>; SLOTS];

const SLOTS: usize = 8;

/// Bytes, and the instruction that they begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    bytes: u128,
    mode: Mode,
    instruction: Instruction,
}

/// None is known.
pub(super) const NOTHING: Decoded = [None; SLOTS];

/// Bytes that are looked at: no instruction has more than 15.
const WINDOW: u64 = 16;

impl Vcpu {
    /// Where RIP is, as a linear address.
    #[inline]
    fn linear_rip(&self) -> u64 {
        let state = &self.vmcb.state;
        if self.is_64_bit() { state.rip } else { state.cs.base.wrapping_add(state.rip) & 0xffff_ffff }
    }

    /// Host address of the code at `linear`.
    #[inline]
    fn code_at(&mut self, linear: u64) -> Result<u64, Fault> {
        let offset = linear & (PAGE_BYTES - 1);
        let page = linear & !(PAGE_BYTES - 1);
        if !self.code.is(page, self.vmcb.state.cr3) {
            self.find_code(page)?;
        }
        Ok(self.code.host.wrapping_add(offset))
    }

    #[inline(never)]
    fn find_code(&mut self, page: u64) -> Result<(), Fault> {
        self.code = CodePage::NONE;
        let control = self.control();
        let memory = &self.guest.memory;
        // The CPU has fetched it: what allowed that is of no interest.
        let found = walk::walk(&control, page, Wanted { ac: true, ..Wanted::default() }, memory)?;
        let host = memory.find(found.gpa, false).ok_or(Fault::Nowhere(found.gpa))?;
        let mut code = CodePage { cr3: control.cr3, linear: page, host: host.0, ..CodePage::NONE };
        code.levels = found.levels;
        code.entry_bytes = if control.cr4 & crate::control::PAE != 0 { 8 } else { 4 };
        for (to, (gpa, value)) in code.entries.iter_mut().zip(found.entries).take(found.levels.into()) {
            *to = (memory.find(gpa, false).ok_or(Fault::Nowhere(gpa))?.0, value);
        }
        self.code = code;
        Ok(())
    }

    /// The bytes at RIP, as many as an instruction can have.
    #[inline]
    fn bytes(&mut self) -> Result<(u128, u8), Fault> {
        let linear = self.linear_rip();
        let at = self.code_at(linear)?;
        let left = PAGE_BYTES.wrapping_sub(linear & (PAGE_BYTES - 1));
        if left >= WINDOW {
            // SAFETY: in the page of the guest's memory that was found.
            let (low, high) = unsafe { (memory::load(at, 8), memory::load(at.wrapping_add(8), 8)) };
            return Ok((u128::from(high) << 64 | u128::from(low), WINDOW as u8));
        }
        Ok(self.bytes_of_two_pages(linear))
    }

    /// Bytes of the page that `linear` is in, and more of the next one if that is there.
    #[cold]
    fn bytes_of_two_pages(&mut self, linear: u64) -> (u128, u8) {
        let mut bytes = 0_u128;
        let mut count = 0_u8;
        for offset in 0..WINDOW {
            let next = linear.wrapping_add(offset);
            // The page before is not forgotten until the next one is found: at most two walks.
            let Ok(at) = self.code_at(if self.is_64_bit() { next } else { next & 0xffff_ffff }) else { break };
            // SAFETY: as in `bytes`.
            let byte = unsafe { memory::load(at, 1) };
            bytes |= u128::from(byte) << (offset << 3);
            count = count.wrapping_add(1);
        }
        (bytes, count)
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
        let slot = self.decoded.get_mut((self.vmcb.state.rip as usize >> 1) % SLOTS)?;
        match slot {
            Some(known) if known.bytes == bytes && known.mode == mode => Some(known.instruction),
            _ => {
                let instruction = decode::decode(Code::new(bytes, count), mode).ok()?;
                *slot = Some(Known { bytes, mode, instruction });
                Some(instruction)
            }
        }
    }

    /// How long the instruction is that left the guest, which is expected to be `expected`, `count` bytes, without prefixes.
    #[inline]
    pub(super) fn length(&mut self, expected: u32, count: u8) -> u8 {
        let control = &self.vmcb.control;
        if self.guest.features.next_rip && control.next_rip != 0 {
            return control.next_rip.wrapping_sub(self.vmcb.state.rip) as u8 & 0xf;
        }
        let Ok((bytes, fetched)) = self.bytes() else { return 0 };
        let others = 32_u32.wrapping_sub(u32::from(count) << 3);
        if (bytes as u32 ^ expected).wrapping_shl(others) == 0 && fetched >= count {
            return count;
        }
        // Prefixes. What cannot be read any more is executed once more, and then faults by itself.
        decode::decode(Code::new(bytes, fetched), self.mode()).map_or(0, |instruction| instruction.length)
    }
}
