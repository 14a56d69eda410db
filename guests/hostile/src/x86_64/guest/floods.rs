//! As much of one thing as there can be; and the ends of a CPU.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::apic::{self, Target, register::*};
use guest_runtime::exceptions::{self, vector::NON_MASKABLE};
use guest_runtime::machine::own_id;
use guest_runtime::wait::spin_for;
use guest_runtime::{clock, cpu, mask_interrupts, say, system_reset, unmask_interrupts};

use super::clocks;
use super::world::NOBODYS;
use crate::guest::PROGRESS;
use crate::x86_64::attack::{Random, World};

/// Vectors of interrupts to itself: sixteen from here on.
const FIRST: u32 = 0x30;

/// How many more interrupts the handler is to bring about: while it does, nothing else of this program runs.
static LEFT: AtomicU64 = AtomicU64::new(0);
/// Of so many.
static ALL: AtomicU64 = AtomicU64::new(0);

/// Exits without a pause: calls that are known and that are not; on a board, which knows none, CPUID.
pub(super) fn exits(count: u64, world: &World) -> u64 {
    for number in 0..count {
        if world.is_virtual {
            // SAFETY: a call that returns changes RAX.
            unsafe { asm!("vmmcall", inout("rax") number & 1 => _, options(nostack)) };
        } else {
            core::hint::black_box(cpu::cpuid(number as u32, 0));
        }
        if number % PROGRESS == PROGRESS - 1 {
            say!("{} operations", number + 1);
        }
    }
    count
}

/// Interrupts to itself, each sent by the handler of the one before.
pub(super) fn ipis(count: u64) -> Result<u64, &'static str> {
    stop_timer();
    begin(count);
    apic::send(FIRST, Target::Itself);
    take(count)
}

/// Non-maskable ones: each is sent while the one before is handled, and pending until its end.
pub(super) fn nmis(count: u64) -> Result<u64, &'static str> {
    stop_timer();
    begin(count);
    apic::send_non_maskable(Target::Cpu(own_id()));
    take(count)
}

/// Timer interrupts, the next due when one is taken.
pub(super) fn timer(count: u64) -> Result<u64, &'static str> {
    begin(count);
    apic::write(LVT_TIMER, clock::VECTOR);
    apic::write(INITIAL_COUNT, 1);
    take(count)
}

/// Interrupts of all other clocks, each at the highest rate that it has.
pub(super) fn clocks(count: u64, world: &World) -> Result<u64, &'static str> {
    stop_timer();
    begin(count);
    clocks::start(world.hpet);
    let done = take(count);
    clocks::stop();
    done
}

fn stop_timer() {
    apic::write(LVT_TIMER, apic::MASKED | clock::VECTOR);
    apic::write(INITIAL_COUNT, 0);
    // One that was on its way comes now, and is none of those that are counted.
    unmask_interrupts();
    mask_interrupts();
}

fn begin(count: u64) {
    ALL.store(count, Relaxed);
    LEFT.store(count, Relaxed);
}

/// Waits until the handler has brought about `count`; patience is for as long as none comes.
fn take(count: u64) -> Result<u64, &'static str> {
    unmask_interrupts();
    let mut verdict = Ok(());
    while verdict.is_ok() && LEFT.load(Relaxed) != 0 {
        let left = LEFT.load(Relaxed);
        verdict = spin_for("the interrupts stopped", || LEFT.load(Relaxed) != left);
    }
    mask_interrupts();
    stop_timer();
    verdict.map(|()| count)
}

/// Between an interrupt's beginning and its end.
pub(super) fn on_interrupt(vector: u32) {
    if LEFT.load(Relaxed) == 0 {
        return;
    }
    let left = LEFT.load(Relaxed) - 1;
    LEFT.store(left, Relaxed);
    let done = ALL.load(Relaxed) - left;
    if done.is_multiple_of(PROGRESS) {
        say!("{done} operations");
    }
    if left == 0 {
        return;
    }
    match vector {
        NON_MASKABLE => apic::send_non_maskable(Target::Cpu(own_id())),
        clock::VECTOR => apic::write(INITIAL_COUNT, 1),
        clocks::FIRST.. => clocks::acknowledge(vector),
        _ => apic::send(FIRST + (vector + 1) % 16, Target::Itself),
    }
}

/// The VM is reset, by one of the ways that a PC has: which, the time says.
pub(super) fn reset() -> ! {
    match Random::new(cpu::time_stamp()).below(4) {
        // The fast one of port 0x92, when its bit rises; the keyboard controller's pulse; the one that ACPI names.
        0 => [0, 1].into_iter().for_each(|bit| cpu::out8(0x92, bit)),
        1 => cpu::out8(0x64, 0xfe),
        2 => system_reset(),
        _ => init(),
    }
    spin()
}

/// An exception that cannot be taken, nor the double fault after it: the CPU shuts down (APM volume 2, 8.2.9). `way` says why: there are
/// no vectors, or they are where a device is, or nothing.
pub(super) fn triple_fault(way: u64, world: &World) -> ! {
    match way % 3 {
        0 => exceptions::load_table(0, 1),
        1 => exceptions::load_table(world.hpet, 0x1000),
        _ => exceptions::load_table(NOBODYS, 0x1000),
    }
    // SAFETY: never comes back.
    unsafe { asm!("ud2", options(noreturn)) }
}

/// INIT to itself.
pub(super) fn init() -> ! {
    apic::write(ICR_HIGH, (own_id() as u32) << 24);
    apic::write(ICR, 5 << 8 | 1 << 14);
    spin()
}

/// A loop that nothing but the hypervisor gets through.
pub(super) fn spin() -> ! {
    // SAFETY: masks interrupts, and stays here.
    unsafe { asm!("cli", "2: jmp 2b", options(noreturn)) }
}
