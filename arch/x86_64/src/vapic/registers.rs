//! Registers of a local APIC: the same in the page of memory and as x2APIC's MSRs (SDM volume 3, 11.4.1 and 11.12.1.2).

use super::{KickMask, LocalApic, Vapic, local::MASKED, timer::Mode};

/// Bits of ESR.
pub(super) mod error {
    pub(in super::super) const SENT_ILLEGAL_VECTOR: u32 = 1 << 5;
    pub(in super::super) const RECEIVED_ILLEGAL_VECTOR: u32 = 1 << 6;
    pub(in super::super) const ILLEGAL_REGISTER: u32 = 1 << 7;
}

/// Version 0x14, six LVT entries, no suppression of EOI broadcasts.
const VERSION: u32 = 0x0005_0014;
/// Offset of ICR's lower half in the page.
pub const COMMAND: u64 = 0x300;
/// SVR: software has enabled the APIC.
pub(super) const SVR_ENABLED: u32 = 1 << 8;
/// The vector, the enable bit, and focus checking, which does nothing.
pub(super) const SVR_BITS: u32 = 0x3ff;
/// ICR's low half: vector, modes, level, shorthand.
pub(super) const COMMAND_BITS: u32 = 0xc_cfff;
/// Divide configuration.
pub(super) const DIVIDE_BITS: u32 = 0xb;

/// Entries of the local vector table, in the order of their registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lvt {
    Timer,
    Thermal,
    Performance,
    Lint0,
    Lint1,
    Error,
}

impl Lvt {
    pub(super) const COUNT: usize = 6;

    /// The bits that can be written.
    pub(super) const fn bits(self) -> u32 {
        match self {
            Lvt::Timer => 0x7_00ff,
            Lvt::Thermal | Lvt::Performance => 0x1_07ff,
            Lvt::Lint0 | Lvt::Lint1 => 0x1_a7ff,
            Lvt::Error => 0x1_00ff,
        }
    }
}

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Register {
    Id,
    Version,
    TaskPriority,
    /// Only in memory.
    ArbitrationPriority,
    ProcessorPriority,
    End,
    Logical,
    /// Only in memory.
    Format,
    SpuriousVector,
    InService(u32),
    TriggerMode(u32),
    Requests(u32),
    Errors,
    Command,
    /// Only in memory.
    CommandHigh,
    Lvt(Lvt),
    InitialCount,
    CurrentCount,
    Divide,
    /// Only in x2APIC mode.
    SelfIpi,
}

impl Register {
    /// By the number of its 16 bytes in the page, which is that of its MSR from 0x800 on.
    #[inline]
    pub(super) fn from_number(number: u32) -> Option<Register> {
        Some(match number {
            0x02 => Register::Id,
            0x03 => Register::Version,
            0x08 => Register::TaskPriority,
            0x09 => Register::ArbitrationPriority,
            0x0a => Register::ProcessorPriority,
            0x0b => Register::End,
            0x0d => Register::Logical,
            0x0e => Register::Format,
            0x0f => Register::SpuriousVector,
            0x10..=0x17 => Register::InService(number & 7),
            0x18..=0x1f => Register::TriggerMode(number & 7),
            0x20..=0x27 => Register::Requests(number & 7),
            0x28 => Register::Errors,
            0x30 => Register::Command,
            0x31 => Register::CommandHigh,
            0x32 => Register::Lvt(Lvt::Timer),
            0x33 => Register::Lvt(Lvt::Thermal),
            0x34 => Register::Lvt(Lvt::Performance),
            0x35 => Register::Lvt(Lvt::Lint0),
            0x36 => Register::Lvt(Lvt::Lint1),
            0x37 => Register::Lvt(Lvt::Error),
            0x38 => Register::InitialCount,
            0x39 => Register::CurrentCount,
            0x3e => Register::Divide,
            0x3f => Register::SelfIpi,
            _ => return None,
        })
    }

    /// In the page of memory.
    #[inline]
    fn from_offset(offset: u64) -> Option<Register> {
        // Registers are in the first four of 16 bytes (SDM volume 3, 11.4.1).
        if offset & 0xf != 0 || offset >= 0x400 {
            return None;
        }
        Register::from_number((offset >> 4) as u32).filter(|&register| register != Register::SelfIpi)
    }
}

impl LocalApic {
    /// The page of registers in guest-physical memory, if they are there: not in x2APIC mode, and not of an APIC that is off.
    #[inline]
    pub fn page(&self) -> Option<model::Gpa> {
        let is_in_memory = self.is_enabled() && !self.is_x2apic();
        is_in_memory.then_some(model::Gpa(self.base & !0xfff))
    }

    /// A load at `offset` of [`LocalApic::page`], `width_bytes` wide. Registers are read with 4 bytes; all else reads as zero. `now` is
    /// asked for the guest's TSC if that matters.
    #[inline]
    pub fn read(&mut self, vapic: &Vapic<'_>, offset: u64, width_bytes: u8, now: impl FnOnce() -> u64) -> u32 {
        let Some(register) = Register::from_offset(offset).filter(|_| width_bytes == 4) else {
            self.illegal_access(offset);
            return 0;
        };
        match register {
            Register::Id => self.vcpu << 24,
            // Of what Pentiums did with it nothing is left.
            Register::ArbitrationPriority => self.processor_priority().into(),
            Register::End => 0,
            Register::Command => self.command as u32,
            Register::CommandHigh => (self.command >> 32) as u32,
            _ => self.read_common(vapic, register, now),
        }
    }

    /// A store at `offset` of [`LocalApic::page`], `width_bytes` wide. Registers are written with 4 bytes; all else is ignored.
    #[inline]
    pub fn write(
        &mut self,
        vapic: &Vapic<'_>,
        offset: u64,
        width_bytes: u8,
        value: u32,
        now: impl FnOnce() -> u64,
    ) -> KickMask {
        let Some(register) = Register::from_offset(offset).filter(|_| width_bytes == 4) else {
            self.illegal_access(offset);
            return KickMask::NONE;
        };
        match register {
            Register::Logical => {
                self.logical = value & 0xff00_0000;
                self.publish_to(vapic);
                KickMask::NONE
            }
            Register::Format => {
                self.format = value | 0x0fff_ffff;
                self.publish_to(vapic);
                KickMask::NONE
            }
            Register::Command => {
                self.command = self.command & !0xffff_ffff | u64::from(value & COMMAND_BITS);
                self.send_command(vapic)
            }
            Register::CommandHigh => {
                self.command = self.command & 0xffff_ffff | u64::from(value & 0xff00_0000) << 32;
                KickMask::NONE
            }
            _ => self.write_common(vapic, register, value, now),
        }
    }

    /// Where there is no register, or not at that offset.
    #[cold]
    fn illegal_access(&mut self, offset: u64) {
        // Between registers an access means nothing at all.
        if offset & 0xf == 0 {
            self.report_error(error::ILLEGAL_REGISTER);
        }
    }

    pub(super) fn publish_to(&mut self, vapic: &Vapic<'_>) {
        if let Some(posted) = vapic.posted(self.vcpu) {
            self.publish(posted);
        }
    }

    /// What reads the same in memory and as an MSR.
    pub(super) fn read_common(&mut self, vapic: &Vapic<'_>, register: Register, now: impl FnOnce() -> u64) -> u32 {
        match register {
            Register::Id => self.vcpu,
            Register::Version => VERSION,
            Register::TaskPriority => self.task_priority.into(),
            Register::ProcessorPriority => self.processor_priority().into(),
            Register::Logical => self.logical,
            Register::Format => self.format,
            Register::SpuriousVector => self.svr,
            Register::InService(index) => self.in_service.word(index),
            Register::TriggerMode(index) => {
                self.collect(vapic);
                self.levels.word(index)
            }
            Register::Requests(index) => {
                self.collect(vapic);
                self.requests.word(index)
            }
            Register::Errors => self.errors,
            Register::Lvt(lvt) => self.entry(lvt),
            Register::InitialCount => self.timer.initial_count(),
            Register::CurrentCount => self.timer.count(now()),
            Register::Divide => self.timer.divide(),
            // Each of these is the caller's.
            Register::ArbitrationPriority
            | Register::End
            | Register::Command
            | Register::CommandHigh
            | Register::SelfIpi => 0,
        }
    }

    /// What does the same when written in memory and as an MSR. Others are ignored.
    #[inline]
    pub(super) fn write_common(
        &mut self,
        vapic: &Vapic<'_>,
        register: Register,
        value: u32,
        now: impl FnOnce() -> u64,
    ) -> KickMask {
        match register {
            Register::End => return self.end().map_or(KickMask::NONE, |vector| vapic.end_of_interrupt(vector)),
            Register::TaskPriority => self.task_priority = value as u8,
            Register::InitialCount => self.timer.set_initial_count(value, now()),
            Register::Divide => self.timer.set_divide(value, now()),
            Register::Errors => self.errors = core::mem::take(&mut self.new_errors),
            Register::SpuriousVector => self.write_spurious_vector(vapic, value),
            Register::Lvt(lvt) => self.write_entry(vapic, lvt, value, now),
            _ => {}
        }
        KickMask::NONE
    }

    fn write_spurious_vector(&mut self, vapic: &Vapic<'_>, value: u32) {
        self.svr = value & SVR_BITS;
        if !self.is_software_enabled() {
            // SDM volume 3, 11.4.7.2.
            self.lvt.iter_mut().for_each(|entry| *entry |= MASKED);
        }
        self.publish_to(vapic);
    }

    fn write_entry(&mut self, vapic: &Vapic<'_>, lvt: Lvt, value: u32, now: impl FnOnce() -> u64) {
        let forced = if self.is_software_enabled() { 0 } else { MASKED };
        self.set_entry(lvt, value & lvt.bits() | forced);
        match lvt {
            Lvt::Timer => self.timer.set_mode(Mode::from_entry(value), now()),
            Lvt::Lint0 => self.publish_to(vapic),
            _ => {}
        }
    }
}
