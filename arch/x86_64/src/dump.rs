//! What is known of a vCPU when its VM has failed: taken down once, told line by line.

use core::fmt;

use crate::segment::Segment;
use crate::vcpu::Vcpu;

/// Names of the general registers, by number.
const NAMES: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
/// General registers in a line.
const COLUMNS: usize = 4;
/// Lines of them.
const ROWS: usize = NAMES.len() / COLUMNS;

/// The state of a vCPU: what of it is told. (The VMCB's own is 3 KiB, most of it reserved, and a stack is not much longer.)
#[derive(Debug)]
pub struct State {
    general: [u64; 16],
    rip: u64,
    rflags: u64,
    cpl: u8,
    cr0: u64,
    cr2: u64,
    cr3: u64,
    cr4: u64,
    efer: u64,
    cs: Segment,
    ss: Segment,
    ds: Segment,
    es: Segment,
    gdtr: Segment,
    idtr: Segment,
    /// The instruction's first bytes, in words, and how many of the first word's are before it.
    code: Option<[u64; 2]>,
    skew: usize,
}

impl State {
    /// How many lines [`State::line`] has.
    pub const LINES: usize = ROWS.saturating_add(5);

    /// That of `vcpu`, which is loaded. `word` reads an aligned word at a virtual address of the guest's.
    pub fn of(vcpu: &Vcpu, word: impl Fn(u64) -> Option<u64>) -> State {
        let state = vcpu.state();
        // Where the segment has a base, outside of 64-bit mode, it counts.
        let at = state.cs.base.wrapping_add(state.rip);
        let code = word(at & !7).map(|first| [first, word((at & !7).wrapping_add(8)).unwrap_or(0)]);
        State {
            general: vcpu.registers(),
            rip: state.rip,
            rflags: state.rflags,
            cpl: state.cpl,
            cr0: state.cr0,
            cr2: state.cr2,
            cr3: state.cr3,
            cr4: state.cr4,
            efer: state.efer,
            cs: state.cs,
            ss: state.ss,
            ds: state.ds,
            es: state.es,
            gdtr: state.gdtr,
            idtr: state.idtr,
            code,
            skew: (at & 7) as usize,
        }
    }

    /// The address of the innermost frame on the guest's stack, if the guest keeps frames: RBP points to the caller's and, behind it,
    /// the address to return to (System V ABI for AMD64, 3.2.2).
    pub fn frame(&self) -> u64 {
        let [_, _, _, _, _, rbp, ..] = self.general;
        rbp
    }

    /// Line `index` of what is known; `None` after the last one.
    pub fn line(&self, index: usize) -> Option<impl fmt::Display> {
        (index < State::LINES).then(|| fmt::from_fn(move |f| self.tell(index, f)))
    }

    fn tell(&self, index: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { general, code, skew, .. } = self;
        let segment = |segment: &Segment| {
            let Segment { selector, attributes, limit, base } = *segment;
            fmt::from_fn(move |f| write!(f, "{selector:#x} {base:#x}+{limit:#x} ({attributes:#x})"))
        };
        match index {
            0 => {
                write!(f, "rip {:#x} rflags {:#x} cpl {}", self.rip, self.rflags, self.cpl)?;
                let Some([low, high]) = code else { return Ok(()) };
                f.write_str(": bytes")?;
                let bytes = low.to_le_bytes().into_iter().chain(high.to_le_bytes()).skip(*skew);
                bytes.take(8).try_for_each(|byte| write!(f, " {byte:02x}"))
            }
            1..=ROWS => {
                let first = index.saturating_sub(1).saturating_mul(COLUMNS);
                let row = NAMES.iter().zip(general).skip(first).take(COLUMNS);
                row.enumerate().try_for_each(|(column, (name, value))| {
                    write!(f, "{}{name} {value:016x}", if column == 0 { "" } else { " " })
                })
            }
            5 => write!(
                f,
                "cr0 {:#x} cr2 {:#x} cr3 {:#x} cr4 {:#x} efer {:#x}",
                self.cr0, self.cr2, self.cr3, self.cr4, self.efer
            ),
            6 => write!(f, "cs {} ss {}", segment(&self.cs), segment(&self.ss)),
            7 => write!(f, "ds {} es {}", segment(&self.ds), segment(&self.es)),
            _ => {
                let (gdt, idt) = (&self.gdtr, &self.idtr);
                write!(f, "gdt {:#x}+{:#x} idt {:#x}+{:#x}", gdt.base, gdt.limit, idt.base, idt.limit)
            }
        }
    }
}
