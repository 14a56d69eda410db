//! What is known of a vCPU when its VM has failed: taken down once, told line by line.

use core::fmt;

use crate::disassemble::Instruction;
use crate::el1::El1;
use crate::inject::AARCH32;
use crate::vcpu::Vcpu;

/// Lines of general registers.
const ROWS: usize = 8;

/// The state of a vCPU.
#[derive(Debug)]
pub struct State {
    pc: u64,
    pstate: u64,
    instruction: Option<Instruction>,
    registers: [u64; 31],
    el1: El1,
}

impl State {
    /// How many lines [`State::line`] has.
    pub const LINES: usize = ROWS.saturating_add(4);

    /// That of `vcpu`, which is loaded. `word` reads an aligned word at a virtual address of the guest's.
    pub fn of(vcpu: &Vcpu, word: impl Fn(u64) -> Option<u64>) -> State {
        let (pc, pstate) = (vcpu.pc(), vcpu.pstate());
        let shift = if pc & 4 == 0 { 0 } else { 32 };
        let is_readable = pstate & AARCH32 == 0 && pc.is_multiple_of(4);
        let instruction = word(pc & !7).filter(|_| is_readable);
        State {
            pc,
            pstate,
            instruction: instruction.map(|word| Instruction((word >> shift) as u32)),
            registers: *vcpu.registers(),
            el1: vcpu.el1(),
        }
    }

    /// The address of the innermost frame on the guest's stack (AAPCS64 section 6.4.6), if the guest keeps frames.
    pub fn frame(&self) -> u64 {
        let [.., frame, _] = self.registers;
        frame
    }

    /// Line `index` of what is known; `None` after the last one.
    pub fn line(&self, index: usize) -> Option<impl fmt::Display> {
        (index < State::LINES).then(|| fmt::from_fn(move |f| self.tell(index, f)))
    }

    fn tell(&self, index: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { pc, pstate, registers, el1, .. } = self;
        match index {
            0 => {
                write!(f, "pc {pc:#x} pstate {pstate:#x}")?;
                self.instruction.as_ref().map_or(Ok(()), |instruction| write!(f, ": {instruction}"))
            }
            1..=ROWS => {
                let row = index.saturating_sub(1);
                let values = registers.chunks(4).nth(row).unwrap_or_default();
                write!(f, "x{:<2} {values:016x?}", row.saturating_mul(4))
            }
            9 => write!(f, "sp_el1 {:#x} sp_el0 {:#x} elr {:#x} spsr {:#x}", el1.sp_el1, el1.sp_el0, el1.elr, el1.spsr),
            10 => write!(f, "esr {:#x} far {:#x} vbar {:#x} sctlr {:#x}", el1.esr, el1.far, el1.vbar, el1.sctlr),
            _ => write!(f, "ttbr0 {:#x} ttbr1 {:#x} tcr {:#x} mair {:#x}", el1.ttbr0, el1.ttbr1, el1.tcr, el1.mair),
        }
    }
}
