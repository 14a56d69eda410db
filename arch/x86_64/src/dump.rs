//! What is known of a vCPU when its VM has failed: taken down once, told line by line.

use core::fmt;

use crate::control::SVME;
use crate::segment::Segment;
use crate::vcpu::Vcpu;

/// Lines of general registers, four each.
const ROWS: usize = 4;
/// Names of general registers, by number.
const NAMES: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
/// RBP's number.
const FRAME: usize = 5;

/// The state of a vCPU.
#[derive(Debug)]
pub struct State {
    rip: u64,
    rflags: u64,
    registers: [u64; 16],
    /// CR0, CR2, CR3, CR4, EFER.
    control: [u64; 5],
    /// CS, SS, DS, ES, TR, with their names.
    segments: [(&'static str, Segment); 5],
    /// GDTR, IDTR.
    tables: [Segment; 2],
    /// What stands at RIP, from the lowest address on; zero if it cannot be read.
    code: [u64; 2],
}

impl State {
    /// That of `vcpu`, which is loaded. `word` reads an aligned word at a virtual address of the guest's.
    pub fn of(vcpu: &Vcpu, word: impl Fn(u64) -> Option<u64>) -> State {
        let state = vcpu.state();
        let at = vcpu.linear_rip() & !7;
        State {
            rip: state.rip,
            rflags: state.rflags,
            registers: vcpu.registers(),
            control: [state.cr0, state.cr2, state.cr3, state.cr4, state.efer & !SVME],
            segments: [("cs", state.cs), ("ss", state.ss), ("ds", state.ds), ("es", state.es), ("tr", state.tr)],
            tables: [state.gdtr, state.idtr],
            code: [at, at.wrapping_add(8)].map(|at| word(at).unwrap_or(0)),
        }
    }

    /// The address of the innermost frame on the guest's stack (System V ABI, x86-64, 3.2.2), if the guest keeps frames.
    pub fn frame(&self) -> u64 {
        self.registers.get(FRAME).copied().unwrap_or(0)
    }

    /// Line `index` of what is known; `None` after the last one.
    pub fn line(&self, index: usize) -> Option<impl fmt::Display> {
        (index < ROWS.saturating_add(4)).then(|| fmt::from_fn(move |f| self.tell(index, f)))
    }

    fn tell(&self, index: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State {
            rip, rflags, registers, control: [cr0, cr2, cr3, cr4, efer], segments, tables: [gdtr, idtr], ..
        } = self;
        match index {
            0 => {
                write!(f, "rip {rip:#x} rflags {rflags:#x}, from {:#x}:", rip & !7)?;
                self.code.iter().flat_map(|word| word.to_le_bytes()).try_for_each(|byte| write!(f, " {byte:02x}"))
            }
            1..=ROWS => {
                let first = index.saturating_sub(1).saturating_mul(4);
                let row = NAMES.iter().zip(registers).skip(first).take(4);
                let mut separator = "";
                for (name, value) in row {
                    write!(f, "{separator}{name:<3} {value:016x}")?;
                    separator = " ";
                }
                Ok(())
            }
            5 => write!(f, "cr0 {cr0:#x} cr2 {cr2:#x} cr3 {cr3:#x} cr4 {cr4:#x} efer {efer:#x}"),
            6 => {
                let mut separator = "";
                for (name, Segment { selector, attributes, base, .. }) in segments {
                    write!(f, "{separator}{name} {selector:#x}:{attributes:x}@{base:x}")?;
                    separator = " ";
                }
                Ok(())
            }
            _ => write!(f, "gdtr {:#x}+{:#x} idtr {:#x}+{:#x}", gdtr.base, gdtr.limit, idtr.base, idtr.limit),
        }
    }
}
