//! The local APIC (APM volume 2, chapter 16; SDM volume 3, chapter 11): memory, or with `x2apic` on the command line MSRs.
//!
//! A vector's upper four bits are its priority: a handler that lets interrupts in is interrupted by those of a higher one only.

use super::cpu::{self, out8};
use super::mmio::{read32, write32};
use crate::machine::Machine;
use crate::{Verdict, unmask_interrupts};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The vector of interrupts that were none. Its lower four bits are ones (of a P6 they had to be).
pub const SPURIOUS: u32 = 0xff;
/// The 8259s' vectors, which no test lets come: those of interrupts that were none.
const LEGACY: u8 = 0x20;

/// Registers by their offsets in memory.
pub mod register {
    #![allow(missing_docs, reason = "the manual's own names")]
    pub const ID: usize = 0x20;
    pub const VERSION: usize = 0x30;
    pub const TPR: usize = 0x80;
    pub const PPR: usize = 0xa0;
    pub const EOI: usize = 0xb0;
    pub const LDR: usize = 0xd0;
    pub const DFR: usize = 0xe0;
    pub const SVR: usize = 0xf0;
    pub const ISR: usize = 0x100;
    pub const TMR: usize = 0x180;
    pub const IRR: usize = 0x200;
    pub const ESR: usize = 0x280;
    pub const ICR: usize = 0x300;
    pub const ICR_HIGH: usize = 0x310;
    pub const LVT_TIMER: usize = 0x320;
    pub const LVT_LINT0: usize = 0x350;
    pub const LVT_LINT1: usize = 0x360;
    pub const LVT_ERROR: usize = 0x370;
    pub const INITIAL_COUNT: usize = 0x380;
    pub const CURRENT_COUNT: usize = 0x390;
    pub const DIVIDE: usize = 0x3e0;
}
use register::*;

/// APIC_BASE.
pub const BASE_MSR: u32 = 0x1b;
/// APIC_BASE: x2APIC mode, and the APIC enabled.
const EXTENDED: u64 = 1 << 10;
const ENABLED: u64 = 1 << 11;
/// CPUID 1, ECX: x2APIC.
const HAS_EXTENDED: u32 = 1 << 21;
/// SVR: the APIC is enabled by software.
const ACCEPTS: u32 = 1 << 8;
/// An LVT entry's mask.
pub const MASKED: u32 = 1 << 16;
/// ICR: the last interrupt is still being sent. Of xAPIC only.
const SENDING: u32 = 1 << 12;
/// ICR: asserted; INIT and start-up ignore or want it.
const ASSERT: u32 = 1 << 14;
/// ICR's delivery modes.
const NMI: u32 = 4 << 8;
const INIT: u32 = 5 << 8;
const STARTUP: u32 = 6 << 8;

static ADDRESS: AtomicUsize = AtomicUsize::new(0);
static IS_EXTENDED: AtomicBool = AtomicBool::new(false);

/// Whom an interrupt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One CPU, by its APIC ID.
    Cpu(u64),
    /// This one (by the shorthand).
    Itself,
    /// All CPUs but this one.
    Others,
    /// All CPUs.
    All,
}

pub(super) fn find(machine: &Machine) {
    ADDRESS.store(machine.local_apic, Relaxed);
    IS_EXTENDED.store(machine.has_word("x2apic") && cpu::cpuid(1, 0).ecx & HAS_EXTENDED != 0, Relaxed);
    // Firmware leaves them with its own vectors, which are exceptions' here.
    if machine.has_8259 {
        mask_8259();
    }
}

/// Whether this program uses x2APIC mode.
pub fn is_extended() -> bool {
    IS_EXTENDED.load(Relaxed)
}

/// Reads a register.
pub fn read(register: usize) -> u32 {
    if is_extended() {
        cpu::read_msr(0x800 + register as u32 / 16) as u32
    } else {
        read32(ADDRESS.load(Relaxed) + register)
    }
}

/// Writes a register.
pub fn write(register: usize, value: u32) {
    if is_extended() {
        cpu::write_msr(0x800 + register as u32 / 16, value.into());
    } else {
        write32(ADDRESS.load(Relaxed) + register, value);
    }
}

/// Opens this CPU's part. Interrupts are taken from here on.
pub fn open(_machine: &Machine) -> Verdict {
    open_cpu()
}

/// Enables this CPU's local APIC and lets interrupts through.
pub fn open_cpu() -> Verdict {
    let base = cpu::read_msr(BASE_MSR);
    let mode = if is_extended() { ENABLED | EXTENDED } else { ENABLED };
    if base & mode != mode {
        cpu::write_msr(BASE_MSR, base | mode);
    }
    for entry in [LVT_TIMER, LVT_LINT0, LVT_LINT1, LVT_ERROR] {
        write(entry, MASKED);
    }
    write(TPR, 0);
    write(SVR, ACCEPTS | SPURIOUS);
    // What was in service when this CPU was reset is not any more, but a loader may have left something.
    while (0..8).any(|word| read(ISR + 16 * word) != 0) {
        write(EOI, 0);
    }
    unmask_interrupts();
    Ok(())
}

/// ICW1 to ICW4, then all inputs masked (Intel 8259A).
fn mask_8259() {
    for (command, data, vector, wiring) in [(0x20, 0x21, LEGACY, 4), (0xa0, 0xa1, LEGACY + 8, 2)] {
        out8(command, 0x11);
        for word in [vector, wiring, 0x01, 0xff] {
            out8(data, word);
        }
    }
}

/// The local APIC's version and its number of LVT entries.
pub fn version() -> (u32, u32) {
    let version = read(VERSION);
    (version & 0xff, (version >> 16 & 0xff) + 1)
}

/// The ID as the register has it.
pub fn id() -> u32 {
    if is_extended() { read(ID) } else { read(ID) >> 24 }
}

/// Ends the handling of an interrupt; those of the 8259s are none of the local APIC's.
pub(crate) fn end(vector: u32) {
    if !(u32::from(LEGACY)..u32::from(LEGACY) + 16).contains(&vector) {
        write(EOI, 0);
    }
}

/// Whether a vector's bit is set in ISR, TMR or IRR.
pub fn is_set(register: usize, vector: u32) -> bool {
    read(register + vector as usize / 32 * 16) & 1 << (vector % 32) != 0
}

/// Sends an interrupt.
pub fn send(vector: u32, target: Target) {
    command(vector, target);
}

/// Sends a non-maskable interrupt.
pub fn send_non_maskable(target: Target) {
    command(NMI, target);
}

/// Resets a CPU, which then waits for [`send_startup`].
pub(super) fn send_init(id: u64) {
    command(INIT | ASSERT, Target::Cpu(id));
}

/// Starts a CPU at the page `page`.
pub(super) fn send_startup(id: u64, page: u32) {
    command(STARTUP | ASSERT | page, Target::Cpu(id));
}

/// Writes ICR, the upper half first: the lower one sends. What the interrupt is about is seen before it: stores are in order, but
/// WRMSR of an x2APIC's does not wait for them (SDM volume 3, 11.12.3).
fn command(low: u32, target: Target) {
    let (low, high) = match target {
        Target::Cpu(id) => (low, id),
        Target::Itself => (low | 1 << 18, 0),
        Target::All => (low | 2 << 18, 0),
        Target::Others => (low | 3 << 18, 0),
    };
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
    if is_extended() {
        return cpu::write_msr(0x800 + ICR as u32 / 16, high << 32 | u64::from(low));
    }
    // A handler that sends, too, would leave its own target.
    cpu::undisturbed(|| {
        while read(ICR) & SENDING != 0 {}
        write(ICR_HIGH, (high as u32) << 24);
        write(ICR, low);
    });
}
