//! This CPU's local APIC (APM volume 2, chapter 16; SDM volume 3, chapter 11): by its MSRs where the CPU has x2APIC, else by its
//! page of registers.

use core::sync::atomic::{AtomicU64, Ordering};

use model::Hpa;

use crate::board::NmiPin;
use crate::interrupts::{self, SPURIOUS_VECTOR};
use crate::registers::{cpuid, read_msr, write_msr};

/// Offsets of registers in the page; a sixteenth of it is the MSR's, from [`X2APIC`] on.
const VERSION: u32 = 0x30;
const TASK_PRIORITY: u32 = 0x80;
const END_OF_INTERRUPT: u32 = 0xb0;
const SPURIOUS: u32 = 0xf0;
const IN_SERVICE: u32 = 0x100;
const ERROR_STATUS: u32 = 0x280;
const COMMAND: u32 = 0x300;
const COMMAND_HIGH: u32 = 0x310;
const LVT_TIMER: u32 = 0x320;
const LVT_THERMAL: u32 = 0x330;
const LVT_PERFORMANCE: u32 = 0x340;
const LVT_LINT0: u32 = 0x350;
const LVT_LINT1: u32 = 0x360;
const LVT_ERROR: u32 = 0x370;
const TIMER_INITIAL: u32 = 0x380;
const TIMER_CURRENT: u32 = 0x390;
const TIMER_DIVIDE: u32 = 0x3e0;

const IA32_APIC_BASE: u32 = 0x1b;
const BASE_X2APIC: u64 = 1 << 10;
const BASE_ENABLE: u64 = 1 << 11;
const X2APIC: u32 = 0x800;
const MASKED: u32 = 1 << 16;
/// ICR: not a level de-assert.
const ASSERT: u32 = 1 << 14;
/// ICR, xAPIC only: the last command is still being sent.
const PENDING: u32 = 1 << 12;
/// ICR: to the sender itself, whatever the destination says.
const SELF: u32 = 0b01 << 18;
/// LVT: as an NMI, whose vector does not count.
const NMI: u32 = 0b100 << 8;
/// LVT: the pin is active low.
const LOW: u32 = 1 << 13;
/// Looks at [`PENDING`] before a command is sent all the same.
const PATIENCE: u32 = 1_000_000;

/// Where the registers are: the page's address, or zero for MSRs. All CPUs are alike.
static BASE: AtomicU64 = AtomicU64::new(0);

/// Chooses how local APICs are reached: by MSRs if the CPU can, else at `page`.
pub(super) fn choose(page: Hpa) {
    let has_x2apic = cpuid(1, 0)[2] & 1 << 21 != 0;
    BASE.store(if has_x2apic { 0 } else { page.0 }, Ordering::Relaxed);
}

/// The local APIC of the CPU that this runs on.
#[inline]
pub(crate) fn local() -> LocalApic {
    LocalApic { page: BASE.load(Ordering::Relaxed) }
}

/// Modes of the timer (APM volume 2, 16.4.1; SDM volume 3, 11.5.4).
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimerMode {
    /// Counts down once.
    OneShot = 0,
    /// Compares with the time-stamp counter.
    Deadline = 0b10 << 17,
}

/// A local APIC, reached as [`choose`] has chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalApic {
    page: u64,
}

impl LocalApic {
    fn read(self, register: u32) -> u32 {
        if self.page == 0 {
            return read_msr(X2APIC.wrapping_add(register >> 4)) as u32;
        }
        // SAFETY: `Board::pages` has the page, which is mapped as device memory for good; the register is one of this file's.
        unsafe { (self.page.wrapping_add(u64::from(register)) as *const u32).read_volatile() }
    }

    #[inline]
    fn write(self, register: u32, value: u32) {
        // SAFETY: a register of the local APIC that exists (as in `read`), with a value that is its own: it only ever concerns
        // interrupts.
        unsafe {
            if self.page == 0 {
                write_msr(X2APIC.wrapping_add(register >> 4), u64::from(value));
            } else {
                (self.page.wrapping_add(u64::from(register)) as *mut u32).write_volatile(value);
            }
        }
    }

    /// Turns it on, with nothing pending or in service that firmware has left, and only our own interrupts enabled.
    pub(super) fn init(self) {
        let base = read_msr(IA32_APIC_BASE);
        // From xAPIC to x2APIC mode at most, and never back, which only a reset does (SDM volume 3, 11.12.1).
        let mode = BASE_ENABLE | if self.page == 0 { BASE_X2APIC } else { 0 };
        // SAFETY: the mode is one that the CPU has; the address stays.
        unsafe { write_msr(IA32_APIC_BASE, base | mode) };
        self.write(SPURIOUS, 1 << 8 | u32::from(SPURIOUS_VECTOR));
        // How many there are (Max LVT Entry, less one): timer, LINT0, LINT1, error, performance, thermal.
        let last = (self.read(VERSION) >> 16) & 0xff;
        for (least, register) in [(0, LVT_LINT0), (0, LVT_LINT1), (4, LVT_PERFORMANCE), (5, LVT_THERMAL)] {
            if last >= least {
                self.write(register, MASKED);
            }
        }
        self.write(TIMER_INITIAL, 0);
        self.write(TASK_PRIORITY, 0);
        // Each end of interrupt ends one that is in service: at most as many as there are vectors.
        for _ in 0..=u8::MAX {
            if (0..8).all(|word: u32| self.read(IN_SERVICE.wrapping_add(word << 4)) == 0) {
                break;
            }
            self.end_of_interrupt();
        }
        self.clear_errors();
        self.write(LVT_ERROR, u32::from(interrupts::vector(interrupts::ERROR).unwrap_or(SPURIOUS_VECTOR)));
        crate::alarm::init_cpu(self);
    }

    #[inline]
    pub(super) fn end_of_interrupt(self) {
        self.write(END_OF_INTERRUPT, 0);
    }

    /// The register has the errors since the write before last, and a second write clears it (APM volume 2, 16.4.6).
    pub(super) fn clear_errors(self) {
        self.write(ERROR_STATUS, 0);
        self.write(ERROR_STATUS, 0);
    }

    /// Writes the command register: `command` (delivery mode and vector) to the CPU with this APIC ID.
    #[inline]
    pub(crate) fn send(self, id: u32, command: u32) {
        let command = command | ASSERT;
        if self.page == 0 {
            // SAFETY: an interrupt of ours to a CPU of ours.
            unsafe { write_msr(X2APIC | COMMAND >> 4, u64::from(id) << 32 | u64::from(command)) };
            return;
        }
        let _ = (0..PATIENCE).find(|_| self.read(COMMAND) & PENDING == 0);
        self.write(COMMAND_HIGH, id << 24);
        self.write(COMMAND, command);
    }

    /// Sends `vector` to this CPU itself. An NMI may do so anywhere, in the middle of [`LocalApic::send`] too: the destination is left as
    /// it is, and the register is idle again, as who was about to write it had found it.
    pub(super) fn send_to_self(self, vector: u8) {
        self.write(COMMAND, u32::from(vector) | ASSERT | SELF);
        if self.page != 0 {
            let _ = (0..PATIENCE).find(|_| self.read(COMMAND) & PENDING == 0);
        }
    }

    /// Takes the board's NMIs from `pin`.
    pub(super) fn listen(self, pin: NmiPin) {
        let register = if pin.is_second { LVT_LINT1 } else { LVT_LINT0 };
        self.write(register, NMI | if pin.is_low { LOW } else { 0 });
    }

    /// Sets the timer up in `mode`, stopped, to count every tick of its clock.
    pub(crate) fn set_timer_mode(self, mode: TimerMode) {
        self.write(TIMER_DIVIDE, 0b1011);
        self.write(
            LVT_TIMER,
            mode as u32 | u32::from(interrupts::vector(interrupts::ALARM).unwrap_or(SPURIOUS_VECTOR)),
        );
        // Before the first deadline is written (SDM volume 3, 11.5.4.1).
        crate::cpu::publish();
    }

    /// Counts down from `ticks`; stops at zero, and at once if that is what it is.
    #[inline]
    pub(crate) fn set_timer(self, ticks: u32) {
        self.write(TIMER_INITIAL, ticks);
    }

    /// What is left to count.
    pub(crate) fn timer(self) -> u32 {
        self.read(TIMER_CURRENT)
    }
}
