//! The other CPUs: started by INIT and start-up interrupts (SDM volume 3, 9.4), and at rest again by a halt.

use super::{apic, boot, power};
use crate::machine::{MAX_CPUS, index, own_index};
use crate::{Verdict, program, timer};
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

pub use crate::machine::own_id;

/// Where the first instructions are copied: the page's number is the start-up interrupt's vector.
const PAGE: u32 = 8;
const ADDRESS: usize = (PAGE as usize) << 12;

/// What each CPU is given.
static CONTEXTS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

/// Starts the CPU `id` in the program's second part with `context`: whatever it does now, it is reset first. Nothing tells whether it is there.
pub fn start(id: u64, context: u64) -> Verdict {
    for (offset, &byte) in boot::trampoline_code().iter().enumerate() {
        // SAFETY: conventional memory, which the loader and the firmware are done with, and no Rust object is in.
        unsafe { &*((ADDRESS + offset) as *const AtomicU8) }.store(byte, Relaxed);
    }
    CONTEXTS[index(id)].store(context, Relaxed);
    apic::send_init(id);
    pause(10_000);
    apic::send_startup(id, PAGE);
    pause(200);
    // A CPU that has started ignores the second one.
    apic::send_startup(id, PAGE);
    Ok(())
}

fn pause(us: u64) {
    let end = timer::now() + timer::frequency() * us / 1_000_000;
    while timer::now() < end {
        core::hint::spin_loop();
    }
}

/// Ends this CPU, until it is started again.
pub fn rest() -> ! {
    power::for_ever()
}

/// Called by the boot code of every CPU but the first.
pub(super) fn begin() -> ! {
    program::begin_secondary(CONTEXTS[own_index()].load(Relaxed))
}
