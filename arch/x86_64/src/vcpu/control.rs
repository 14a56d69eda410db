//! Writes of CR0, CR4 and CR8. No CPU says in every exit which register the value is in: the instruction does.

use super::{Done, Vcpu};
use crate::control::PE;
use crate::coverage::{self, Way};
use crate::decode::{Operand, Operation, System};
use crate::exit::{Exit, Unsupported};
use crate::inject::Event;
use crate::walk::{Fault, Wanted};
use model::Gpa;

impl Vcpu {
    pub(super) fn write_control(&mut self) -> Done {
        let Some(instruction) = self.instruction().or_else(|| self.no_instruction()) else { return Done::Yes };
        let mut control = self.control();
        let source = match instruction.source {
            Operand::Register(register) => register.read(self, if self.is_64_bit() { 8 } else { 4 }),
            Operand::Memory => match self.load_operand(&instruction, 2) {
                Ok(value) => value,
                Err(done) => return done,
            },
            _ => 0,
        };
        let written = match instruction.operation {
            Operation::System(System::WriteControl(8)) if source > 0xf => Err(crate::control::Refused),
            Operation::System(System::WriteControl(8)) => {
                self.apic.set_cr8(source as u8);
                self.step_over(instruction.length);
                return Done::Yes;
            }
            Operation::System(System::WriteControl(0)) => control.write_cr0(source),
            Operation::System(System::WriteControl(4)) => control.write_cr4(source, self.guest.cpuid.allowed_cr4()),
            // PE, MP, EM, TS; PE is set only (APM volume 3, LMSW).
            Operation::System(System::Lmsw) => control.write_cr0(control.cr0 & !0xe | source & 0xf | control.cr0 & PE),
            Operation::System(System::Clts) => control.write_cr0(control.cr0 & !8),
            _ => return Done::Yes,
        };
        match written {
            Ok(forgets) => {
                coverage::took(if control.cr4 != self.vmcb.state.cr4 { Way::Cr4 } else { Way::Cr0 });
                self.take_control(&control, forgets);
                self.step_over(instruction.length);
            }
            Err(_) => {
                coverage::took(Way::ControlRefused);
                self.inject(Event::PROTECTION);
            }
        }
        Done::Yes
    }

    /// The value of an instruction's operand in memory; what comes of it if that is not to be had.
    pub(super) fn load_operand(&mut self, instruction: &crate::decode::Instruction, bytes: u8) -> Result<u64, Done> {
        let next = self.vmcb.state.rip.wrapping_add(instruction.length.into());
        let (Some(address), Some(offset)) = (instruction.memory, instruction.memory_offset(self, next)) else {
            return Err(Done::Yes);
        };
        let linear = self.linear(address.segment, offset);
        let gpa = self.find_operand(linear, bytes, false)?;
        self.guest.memory.load(gpa, bytes).ok_or_else(|| self.cannot(gpa, instruction.length))
    }

    /// Where `bytes` at `linear` are; the guest takes a page fault if it may not use them so. They do not cross a page, or it is an
    /// instruction that nobody emulates.
    pub(super) fn find_operand(&mut self, linear: u64, bytes: u8, write: bool) -> Result<Gpa, Done> {
        let state = &self.vmcb.state;
        let wanted = Wanted { write, user: state.cpl == 3, fetch: false, ac: state.rflags & 1 << 18 != 0 };
        match self.find(linear, wanted) {
            Ok(gpa) if crate::memory::crosses_page(linear, bytes) => Err(self.cannot(gpa, 0)),
            Ok(gpa) => Ok(gpa),
            Err(Fault::Page(error)) => {
                self.vmcb.state.cr2 = linear;
                self.inject(Event::page_fault(error));
                Err(Done::Yes)
            }
            Err(Fault::Nowhere(gpa)) => Err(self.cannot(gpa, 0)),
        }
    }

    /// Nobody emulates this.
    pub(super) fn cannot(&self, gpa: Gpa, length: u8) -> Done {
        Done::Exit(Exit::Unsupported(Unsupported::Instruction { gpa, length }))
    }
}
