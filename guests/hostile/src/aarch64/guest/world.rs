//! Where things are: by the device tree, by the qvm files of the hostile guests, and by page tables of this program's own.
//!
//! | virtual | what |
//! |---|---|
//! | the first 256 GiB | as it is, as a device's memory; the GiB of this program as Normal memory |
//! | 3 GiB | this program's GiB once more, for EL0 |
//! | from 256 GiB | everything once more, as Normal memory |

use crate::aarch64::attack::World;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::{Machine, read_register, write_register};

/// A table of 512 descriptors, each for 1 GiB (DDI 0487, D8.3: 4 KiB granule, level 1).
#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

static TABLE: Table = Table([const { AtomicU64::new(0) }; 512]);

/// A block: valid, access flag, inner shareable.
const BLOCK: u64 = 1 | 1 << 10 | 0b11 << 8;
/// Attribute 1.
const NORMAL: u64 = 1 << 2;
/// EL0 too.
const USER: u64 = 1 << 6;
/// MAIR_EL1: attribute 0 is Device-nGnRE, attribute 1 Normal, write-back.
const MAIR: u64 = 0xff << 8 | 0x04;
/// TCR_EL1: 39 bits of address in both halves, 4 KiB granules, walks cacheable and shareable, 40 bits of physical address.
pub(super) const TCR: u64 = 25 | 25 << 16 | 0b10 << 30 | 0b010 << 32 | 0x3500 | 0x3500 << 16;
/// The window of Normal memory.
pub(super) const WINDOW: u64 = 1 << 38;
/// The GiB that this program is in.
const HOME: u64 = 1 << 30;

unsafe extern "C" {
    /// Never called from Rust: guest-runtime's first instruction of another CPU.
    fn secondary_start();
}

/// What there is to attack.
pub(super) fn of(machine: &Machine) -> Result<World, &'static str> {
    let scratch = *machine.memory.get(1).ok_or("a second range of memory to spoil is missing")?;
    if scratch.base >> 30 != 2 {
        return Err("the memory to spoil is to be in the third GiB");
    }
    let is_gic_v2 = machine.gic_version == 2;
    let distributor = (machine.distributor as u64, if is_gic_v2 { 0x1000 } else { 0x1_0000 });
    let gic_cpus = (machine.gic_cpus as u64, if is_gic_v2 { 0x2000 } else { machine.cpus.len() as u64 * 0x2_0000 });
    let uart = (machine.uart.base as u64, 0x1000);
    Ok(World {
        regions: [
            (scratch.base, scratch.bytes),
            // ROM (the qvm file's), which holds zeros.
            (0xa000_0000, 0x1000),
            // Devices of any board's: its UART, flash, interrupt controller.
            (0x900_0000, 0x1000),
            (0x800_0000, 0x2_0000),
            // Devices of ours, as far as they are there, and their neighbours.
            uart,
            (0x1c0a_0000, 0x1_0000),
            (0x1c0f_0000, 0x1_0000),
            distributor,
            gic_cpus,
            // Nothing, near and far: behind the memory, behind 4 GiB, at the end of what the second stage translates.
            (0x4040_0000, 0x1_0000),
            (0x1_0000_0000, 0x1_0000_0000),
            (0x3f_ffff_0000, 0x8000),
        ],
        distributor,
        gic_cpus,
        is_gic_v2,
        has_32_bit: read_register!("id_aa64pfr0_el1") & 0xf == 2,
        has_atomics: read_register!("id_aa64isar0_el1") >> 20 & 0xf != 0,
        normal: WINDOW,
        cpus: [0, machine.cpus.get(1).copied().unwrap_or(0)],
        entry: secondary_start as *const () as u64,
    })
}

/// Where EL0 finds what this program has at `address`.
pub(super) fn at_el0(address: u64) -> u64 {
    address + 2 * HOME
}

/// Turns the MMU on, with caches.
pub(super) fn map() {
    for (gib, descriptor) in (0..256_u64).zip(&TABLE.0) {
        descriptor.store(gib << 30 | if gib == 1 { BLOCK | NORMAL } else { BLOCK | USER }, Relaxed);
    }
    TABLE.0[3].store(HOME | BLOCK | NORMAL | USER, Relaxed);
    for (gib, descriptor) in (0..256_u64).zip(&TABLE.0[256..]) {
        descriptor.store(gib << 30 | BLOCK | NORMAL, Relaxed);
    }
    let table = TABLE.0.as_ptr() as u64;
    write_register!("mair_el1", MAIR);
    write_register!("tcr_el1", TCR);
    write_register!("ttbr0_el1", table);
    write_register!("ttbr1_el1", table);
    forget();
    // M, C, I; SPAN: exceptions leave PAN alone; the rest as out of reset (RES1), and EL0's use of barriers and caches.
    let bits = 1 | 1 << 2 | 1 << 12 | 1 << 23 | 1 << 5 | 1 << 14 | 1 << 15 | 1 << 26;
    write_register!("sctlr_el1", read_register!("sctlr_el1") | bits);
}

/// What the CPU remembers of tables is read again.
pub(super) fn forget() {
    // SAFETY: invalidates what the CPU remembers of tables, which it can read again.
    unsafe { asm!("dsb sy", "tlbi vmalle1", "dsb sy", "isb", options(nostack, preserves_flags)) };
}
