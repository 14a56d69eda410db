//! Going to the upper half of the address space and back: the MMU and the caches on, a call, and off again.

use super::area::World;
use super::granule::Granule;
use super::tables::{HIGH, MAIR};
use super::{cache, high, remap};
use core::arch::asm;
use guest_runtime::psci::{self, status};
use guest_runtime::wait::spin_for;
use guest_runtime::{Verdict, fail, read_register, write_register};

/// SCTLR_EL1: MMU, data cache, instruction cache.
const MMU_AND_CACHES: u64 = 1 | 1 << 2 | 1 << 12;
/// TCR_EL1 but granule and output size: 39 bits of address in both halves, walks write-back and inner shareable.
const TCR: u64 = (25 | 0b01 << 8 | 0b01 << 10 | 0b11 << 12) * (1 << 16 | 1);

/// Does in `world` what [`high`] does, with the second vCPU there too. `world` was written with the MMU off.
pub(super) fn visit(world: &World, second: Option<u64>) -> Verdict {
    cache::invalidate(world.low);
    cache::invalidate(world.all);
    on(world);
    if let Some(second) = second {
        // It reads `world` with its MMU off: from memory, where this vCPU wrote it likewise.
        let context = core::ptr::from_ref(world) as u64;
        if psci::start(second, context) != status::SUCCESS {
            return Err("CPU_ON of the second vCPU");
        }
    }
    call_high(if second.is_some() { high::main_with_partner } else { high::main }, world);
    if let Some(second) = second {
        spin_for("the second vCPU did not go off", || psci::affinity_info(second) == psci::OFF)?;
    }
    off(world);
    Ok(())
}

/// The second vCPU.
pub(super) fn second(context: u64) -> ! {
    // SAFETY: `visit` gives the address of a world that lives until this vCPU is off.
    let world = unsafe { &*(context as *const World) };
    on(world);
    call_high(remap::follow, world);
    psci::cpu_off();
    fail("CPU_OFF returned")
}

/// MMU and caches on.
fn on(world: &World) {
    // ID_AA64MMFR0_EL1.PARange has the numbers of TCR_EL1.IPS; 5 is 48 bits, above which descriptors look different.
    let output_size = (read_register!("id_aa64mmfr0_el1") & 0xf).min(5);
    write_register!("mair_el1", MAIR);
    write_register!("tcr_el1", TCR | world.tables.granule.control() | output_size << 32);
    write_register!("ttbr0_el1", world.tables.roots[0]);
    write_register!("ttbr1_el1", world.tables.roots[1]);
    // SAFETY: forgets translations and instructions, which are read again.
    unsafe { asm!("dsb sy", "tlbi vmalle1", "ic iallu", "dsb sy", "isb", options(nostack, preserves_flags)) };
    write_register!("sctlr_el1", read_register!("sctlr_el1") | MMU_AND_CACHES);
}

/// Writes all back to memory and switches MMU and caches off, without touching memory in between. With pages of 4 KiB it does as
/// firmware does, by set and way too: the hypervisor then watches these registers until the caches are on again.
fn off(world: &World) {
    let end = |range: guest_runtime::machine::Range| range.base + range.bytes;
    // SAFETY: the program is mapped where it is in memory, so it goes on with the next instruction. What was in caches is
    // in memory then, and nothing is stored between the two.
    unsafe {
        asm!(
            "dsb sy",
            "cbz {by_set}, 1f",
            "dc cisw, xzr",
            "1: dc civac, {low}",
            "add {low}, {low}, {line}",
            "cmp {low}, {low_end}",
            "b.lo 1b",
            "2: dc civac, {all}",
            "add {all}, {all}, {line}",
            "cmp {all}, {all_end}",
            "b.lo 2b",
            "dsb sy",
            "mrs {low}, sctlr_el1",
            "bic {low}, {low}, {bits}",
            "msr sctlr_el1, {low}",
            "isb",
            "tlbi vmalle1",
            "ic iallu",
            "dsb sy",
            "isb",
            low = inout(reg) world.low.base => _,
            low_end = in(reg) end(world.low),
            all = inout(reg) world.all.base => _,
            all_end = in(reg) end(world.all),
            line = in(reg) cache::line(),
            bits = in(reg) MMU_AND_CACHES,
            by_set = in(reg) u64::from(world.tables.granule == Granule::Kib4),
            options(nostack)
        );
    }
}

/// Calls `entry` where it is in the upper half, with its stack there too.
fn call_high(entry: extern "C" fn(&World), world: &World) {
    // SAFETY: the upper half has a copy of the program at the same distance from its beginning as the lower half has the
    // program, with room for all stacks; so a called function finds code, constants and statics of its own, and a stack
    // that nobody else uses. x20 is the called function's to keep.
    unsafe {
        asm!(
            "mov x20, sp",
            "orr x9, x20, {high}",
            "mov sp, x9",
            "blr {entry}",
            "mov sp, x20",
            high = in(reg) HIGH,
            entry = in(reg) entry as usize as u64 | HIGH,
            inout("x0") core::ptr::from_ref(world) => _,
            out("x20") _,
            clobber_abi("C")
        );
    }
}
