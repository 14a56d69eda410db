//! CPUID, model-specific registers, XSETBV: what the tables say, done.

use x86_64::registers::xcontrol::XCr0;

use super::{Done, Vcpu, code_of};
use crate::control::{LMA, OSXSAVE, SVME};
use crate::coverage::{self, Way};
use crate::cpuid::{self, Own as Asks};
use crate::decode::Registers;
use crate::exit::{Exit, Unsupported};
use crate::inject::Event;
use crate::msr::{self, Answer, Has, Own};
use crate::{pvclock, svm, vapic};

/// Numbers of general registers.
const RAX: u8 = 0;
const RCX: u8 = 1;
const RDX: u8 = 2;

/// A register's answer that is #GP(0).
struct Refused;

impl Vcpu {
    /// Answers CPUID; the code for a return from a quick handler that does no more. RBX is the one that it changes of those that
    /// functions keep.
    pub(super) fn cpuid(&mut self) -> u64 {
        let asks = Asks {
            index: self.index,
            os_xsave: self.vmcb.state.cr4 & OSXSAVE != 0,
            // The CPU's own, not what was written last: QEMU's TCG sets it without an exit.
            xcr0: if self.get(RAX) as u32 == 0xd && self.guest.components != 0 { XCr0::read_raw() } else { 0 },
            apic_is_on: self.apic.is_enabled(),
        };
        let [eax, ebx, ecx, edx] = self.guest.cpuid.get(self.get(RAX) as u32, self.get(RCX) as u32, &asks);
        self.set(RAX, eax.into());
        self.set(RCX, ecx.into());
        self.set(RDX, edx.into());
        let [_, _, _, rbx, ..] = &mut self.context.general;
        *rbx = ebx.into();
        code_of::RESUME_ALL
    }

    #[inline]
    pub(super) fn model_specific_register(&mut self) -> Done {
        let register = self.get(RCX) as u32;
        let is_write = self.vmcb.control.exit_info_1 & 1 != 0;
        let value = self.pair();
        let answer = if is_write {
            msr::write(register, Has { barrier: self.guest.cpuid.has_barrier() })
        } else {
            msr::read(register)
        };
        coverage::answer(answer);
        let done = match answer {
            Answer::Value(value) => Ok(value),
            Answer::Ignore => Ok(0),
            Answer::Refused => Err(Refused),
            Answer::Own(own) if is_write => self.write_own(own, register, value).map(|()| 0),
            Answer::Own(own) => self.read_own(own, register),
            Answer::Unlisted => return Done::Exit(Exit::Unsupported(Unsupported::Register { register, is_write })),
        };
        match done {
            Ok(_) if is_write => self.skip(0x300f, 2),
            Ok(value) => self.finish_register(value),
            Err(Refused) => self.inject(Event::PROTECTION),
        }
        Done::Yes
    }

    /// EDX and EAX.
    #[inline]
    pub(super) fn pair(&self) -> u64 {
        self.get(RDX) << 32 | self.get(RAX) & 0xffff_ffff
    }

    /// Sets them.
    #[inline]
    pub(super) fn set_pair(&mut self, value: u64) {
        self.set(RAX, value & 0xffff_ffff);
        self.set(RDX, value >> 32);
    }

    /// RDMSR gives `value`.
    #[inline]
    pub(super) fn finish_register(&mut self, value: u64) {
        self.set_pair(value);
        self.skip(0x320f, 2);
    }

    #[inline]
    fn read_own(&mut self, own: Own, register: u32) -> Result<u64, Refused> {
        let now = self.now();
        Ok(match own {
            Own::LocalApic => {
                return self
                    .apic
                    .read_msr(&self.guest.vapic, register, || now)
                    .map_err(|vapic::GeneralProtection| Refused);
            }
            Own::Tsc => now,
            Own::TscAdjust => self.tsc_adjust,
            Own::Efer => self.vmcb.state.efer & !SVME,
            Own::Mtrr(register) => self.mtrrs.read(register),
            Own::Barrier => return Err(Refused),
            Own::Clock => self.read_clock(register),
        })
    }

    #[inline]
    fn write_own(&mut self, own: Own, register: u32, value: u64) -> Result<(), Refused> {
        let now = self.now();
        match own {
            Own::LocalApic => {
                let vapic = &self.guest.vapic;
                let kick =
                    self.apic.write_msr(vapic, register, value, || now).map_err(|vapic::GeneralProtection| Refused)?;
                self.kick(kick);
                self.look_for_start_up();
            }
            Own::Tsc => self.adjust(self.tsc_adjust.wrapping_add(value).wrapping_sub(now)),
            Own::TscAdjust => self.adjust(value),
            Own::Efer => {
                let mut control = self.control();
                let forgets = control.write_efer(value, self.guest.cpuid.has_nx()).map_err(|_| Refused)?;
                self.take_control(&control, forgets);
            }
            Own::Mtrr(register) => {
                let is_valid = self.mtrrs.write(register, value, svm::gpa_bits());
                return if is_valid { Ok(()) } else { Err(Refused) };
            }
            Own::Clock => self.write_clock(register, value).map_err(|pvclock::Refused| Refused)?,
            Own::Barrier if value & !1 != 0 => return Err(Refused),
            Own::Barrier => {
                if value != 0 {
                    svm::barrier();
                }
            }
        }
        Ok(())
    }

    /// The guest's time stamp is `adjust` ahead of its VM's. Its deadlines stay where they are on it.
    fn adjust(&mut self, adjust: u64) {
        self.tsc_adjust = adjust;
        self.set_time_stamp();
        self.tell_time();
        self.arm();
    }

    /// Tells the CPU of the guest's time stamp.
    pub(super) fn set_time_stamp(&mut self) {
        self.vmcb.control.tsc_offset = self.tsc_adjust.wrapping_sub(self.guest.counter_offset());
    }

    pub(super) fn xsetbv(&mut self) {
        let value = self.pair();
        let is_valid = self.vmcb.state.cpl == 0
            && self.get(RCX) as u32 == 0
            && cpuid::is_valid_xcr0(value, self.guest.cpuid.allowed_xcr0());
        if !is_valid {
            coverage::took(Way::XsetbvRefused);
            return self.inject(Event::PROTECTION);
        }
        coverage::took(Way::Xsetbv);
        self.saved.extended.xcr0 = value;
        // SAFETY: the guest's own, and valid: it is part of what this CPU has.
        unsafe { XCr0::write_raw(value) };
        self.skip(0x00d1_010f, 3);
    }

    /// The guest has these control registers from now on.
    pub(super) fn take_control(&mut self, control: &crate::control::Control, forgets: bool) {
        let state = &mut self.vmcb.state;
        state.cr0 = control.cr0;
        state.cr4 = control.cr4;
        state.efer = control.efer | SVME;
        // 64-bit code begins with a load of CS: LMA alone changes nothing here.
        debug_assert!(control.efer & LMA == 0 || control.cr0 & crate::control::PG != 0);
        self.forgets |= forgets;
        self.code = super::code::NO_PAGES;
    }
}
