//! The exits that matter to a guest's speed, each known by a few comparisons: of 64-bit code that does not step, with nothing that
//! was being delivered. Whatever is not quite so simple is left to the general way, which would do the same.
//!
//! What no handler here looks at is not fetched from the VMCB: the task priority is, by those that need it ([`Vcpu::take_priority`]).

use super::code::{self, CodePages, Moved};
use super::{Vcpu, code_of, port};
use crate::control::LMA;
use crate::coverage::{self, Way};
use crate::decode::Registers;
use crate::inject::{RF, TF};
use crate::msr::{self, Answer};
use crate::svm::event;
use crate::svm::exit_code::{self, fault};
use crate::svm::vmcb::{State, Vmcb, virtual_interrupt};
use crate::vapic;
use model::{Gpa, PAGE_BYTES};

/// What VMMCALL answers to 0: this interface's first version. Whatever else is asked gets minus one.
const VERSION: u64 = 1;

impl Vcpu {
    /// Answers an exit. VMMCALL needs no register that functions keep, and none is saved for it.
    #[inline(always)]
    pub(super) fn quick(&mut self) -> u64 {
        let Vcpu { vmcb, code, .. } = self;
        vmcb.control.event = 0;
        let is_left = vmcb.control.interrupt & virtual_interrupt::PENDING != 0;
        if is_left || vmcb.control.exit_interrupt_info & event::VALID != 0 {
            return self.general();
        }
        if vmcb.control.exit_code == exit_code::VMMCALL
            && let Some(length) = plain_length(vmcb, code, 0x00d9_010f, 3)
        {
            coverage::took(Way::Call);
            call(&mut vmcb.state);
            pass(vmcb, length);
            return code_of::RESUME;
        }
        self.frequent()
    }

    /// Nothing was being delivered.
    #[inline(never)]
    fn frequent(&mut self) -> u64 {
        match self.vmcb.control.exit_code {
            exit_code::CPUID => self.frequent_cpuid(),
            exit_code::MSR => self.frequent_register(),
            exit_code::NESTED_PAGE_FAULT => self.frequent_fault(),
            exit_code::PORT => self.frequent_port(),
            exit_code::INTERRUPT => {
                self.take_priority();
                self.interrupted()
            }
            _ => self.general(),
        }
    }

    #[inline(never)]
    fn frequent_cpuid(&mut self) -> u64 {
        let Some(length) = plain_length(self.vmcb, &self.code, 0xa20f, 2) else { return self.general() };
        coverage::took(Way::Cpuid);
        pass(self.vmcb, length);
        self.cpuid()
    }

    /// OUT of a byte to a register that only selects what the next access means.
    #[inline(never)]
    fn frequent_port(&mut self) -> u64 {
        let info = self.vmcb.control.exit_info_1;
        let is_out = info & (port::IN | port::STRING | port::BYTE) == port::BYTE;
        let answers =
            is_out && is_plain(&self.vmcb.state) && self.guest.latch((info >> 16) as u16, self.vmcb.state.rax as u8);
        if !answers {
            return self.general();
        }
        coverage::took(Way::Out);
        // Behind the instruction (APM volume 2, 15.10.2).
        self.vmcb.state.rip = self.vmcb.control.exit_info_2;
        self.vmcb.control.shadow = 0;
        code_of::RESUME
    }

    /// The local APIC's registers, and those that read as a constant.
    #[inline(never)]
    fn frequent_register(&mut self) -> u64 {
        let register = self.get(1) as u32;
        let is_write = self.vmcb.control.exit_info_1 & 1 != 0;
        let bytes = if is_write { 0x300f } else { 0x320f };
        let Some(length) = plain_length(self.vmcb, &self.code, bytes, 2) else { return self.general() };
        let value = match register {
            _ if is_write && vapic::is_apic(register) => return self.write_apic(register, length),
            _ if is_write => return self.general(),
            vapic::APIC_BASE => self.apic.base(),
            _ => match msr::read(register) {
                Answer::Value(value) => value,
                _ => return self.general(),
            },
        };
        coverage::took(Way::Value);
        self.set_pair(value);
        pass(self.vmcb, length);
        code_of::RESUME
    }

    /// WRMSR of one of the local APIC's.
    #[inline]
    fn write_apic(&mut self, register: u32, length: u64) -> u64 {
        self.take_priority();
        let (guest, adjust) = (self.guest, self.tsc_adjust);
        let now = || guest.counter().wrapping_add(adjust);
        // What is refused has changed nothing.
        let Ok(kick) = self.apic.write_msr(&guest.vapic, register, self.pair(), now) else { return self.general() };
        coverage::took(Way::Apic);
        self.kick(kick);
        self.look_for_start_up();
        pass(self.vmcb, length);
        self.resume()
    }

    /// Four bytes to or from a register of the local APIC, if that is what it is.
    #[inline(never)]
    fn frequent_fault(&mut self) -> u64 {
        let control = &self.vmcb.control;
        let (info, gpa) = (control.exit_info_1, Gpa(control.exit_info_2));
        let offset = self.apic.page().and_then(|page| gpa.offset_from(page)).unwrap_or(0);
        // In the page, and neither from the one before nor into the next.
        let is_whole = offset < PAGE_BYTES && offset & 0xf == 0 && offset != 0;
        if !is_whole || info & (fault::TABLE_WALK | fault::FETCH | fault::PRESENT) != 0 || !is_plain(&self.vmcb.state) {
            return self.general();
        }
        let Some(known) = self.known_move() else { return self.general() };
        self.take_priority();
        pass(self.vmcb, known.length.into());
        let value = match known.operand {
            Moved::Register(number) if !known.is_store => {
                let value = self.local_apic(offset, 4, None);
                self.set(number, value.into());
                return self.resume();
            }
            Moved::Register(number) => self.get(number) as u32,
            Moved::Immediate(value) => value,
        };
        if offset == vapic::COMMAND
            && let Some(vector) = self.apic.command_to_itself(value)
        {
            coverage::took(Way::ApicWrite);
            return self.resume_with(vector);
        }
        self.local_apic(offset, 4, Some(value));
        self.resume()
    }
}

/// The length of the instruction at RIP if that [`is_plain`] and is `bytes`, `count` of them, the first in the low bits.
#[inline(always)]
fn plain_length(vmcb: &Vmcb, pages: &CodePages, bytes: u32, count: u8) -> Option<u64> {
    if !is_plain(&vmcb.state) {
        return None;
    }
    // Zero where the CPU does not save it: there it is reserved, and we never write it (APM volume 2, table B-1).
    match vmcb.control.next_rip {
        0 => {
            let others = 32_u32.wrapping_sub(u32::from(count) << 3);
            let is_it = (code::eight_bytes(pages, &vmcb.state)? as u32 ^ bytes).wrapping_shl(others) == 0;
            is_it.then_some(count.into())
        }
        next => Some(next.wrapping_sub(vmcb.state.rip) & 0xf),
    }
}

/// 64-bit code, and nothing but RIP changes with an instruction that is passed.
#[inline(always)]
fn is_plain(state: &State) -> bool {
    state.efer & LMA != 0 && state.cs.is_long() && state.rflags & (TF | RF) == 0
}

/// Goes on behind an instruction of `length` bytes that [`is_plain`].
#[inline(always)]
fn pass(vmcb: &mut Vmcb, length: u64) {
    vmcb.state.rip = vmcb.state.rip.wrapping_add(length);
    vmcb.control.shadow = 0;
}

/// Answers VMMCALL.
#[inline]
pub(super) fn call(state: &mut State) {
    state.rax = if state.rax as u32 == 0 { VERSION } else { u64::MAX };
}
