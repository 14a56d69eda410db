//! A power key on a PL061 (DDI 0190), watched and ignored.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use guest_runtime::gic::Interrupt;
use guest_runtime::machine::Device;
use guest_runtime::mmio::{read32, write32};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, say};

const IBE: usize = 0x408;
const IE: usize = 0x410;
const MIS: usize = 0x418;
const IC: usize = 0x41c;
/// The line of the key, and GPIODATA's address for it alone.
const KEY: u32 = 1 << 3;
const DATA: usize = (KEY as usize) << 2;

static BASE: AtomicUsize = AtomicUsize::new(0);
static INTID: AtomicU32 = AtomicU32::new(u32::MAX);
static EDGES: AtomicU32 = AtomicU32::new(0);

/// Says what the key does, for good.
pub(in crate::guest) fn ignore(machine: &Machine) -> Verdict {
    let Device { base, interrupt } = machine.gpio.ok_or("there is no GPIO")?;
    BASE.store(base, Relaxed);
    INTID.store(interrupt, Relaxed);
    Interrupt(interrupt).enable()?;
    if read32(base + DATA) != 0 {
        return Err("the key is down, and nobody pressed it");
    }
    write32(base + IBE, KEY);
    write32(base + IE, KEY);
    say!("watches the power key");
    for edge in 0.. {
        wait_until(|| EDGES.load(Relaxed) > edge);
        say!("the power key is {}", if read32(base + DATA) == 0 { "up" } else { "down" });
    }
    Ok(())
}

/// The GPIO's interrupt.
pub(in crate::guest) fn took(intid: u32) {
    if intid != INTID.load(Relaxed) {
        return;
    }
    let base = BASE.load(Relaxed);
    if read32(base + MIS) & KEY != 0 {
        EDGES.store(EDGES.load(Relaxed) + 1, Relaxed);
        write32(base + IC, KEY);
    }
}
