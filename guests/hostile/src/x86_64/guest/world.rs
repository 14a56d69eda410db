//! Where things are: by the machine's tables, and by page tables of this program's own.
//!
//! | virtual | what |
//! |---|---|
//! | the first 512 GiB | as it is; behind 4 GiB if there are pages of 1 GiB |
//! | from 512 GiB | for CPL 3: the memory to spoil, its code, and one region of nobody's |

use super::state;
use crate::x86_64::attack::{USER, World};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::cpu::cpuid;
use guest_runtime::{Machine, power, read_control};

/// A table of 512 entries.
#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

/// For CPL 3: the page-directory-pointer table, and the directories of its first and its fourth GiB.
static TABLES: [Table; 3] = [const { Table([const { AtomicU64::new(0) }; 512]) }; 3];

/// Present, writable, for CPL 3; a large page; uncached (APM volume 2, 5.4).
const TABLE: u64 = 7;
const LARGE: u64 = 1 << 7;
const UNCACHED: u64 = 0x18;

/// The memory to spoil.
const SCRATCH: (u64, u64) = (0x40_0000, 0x20_0000);
/// Memory for code at CPL 3.
pub(super) const CODE: u64 = 0x60_0000;
/// Where memory has to reach.
const END: u64 = 0x80_0000;
/// Nobody's addresses, on boards too.
pub(super) const NOBODYS: u64 = 0xd000_0000;

/// What there is to attack.
pub(super) fn of(machine: &Machine) -> Result<World, &'static str> {
    let mut ends = machine.memory.iter().map(|range| (range.base, range.base + range.bytes));
    let (_, end) = ends.find(|&(base, end)| base <= SCRATCH.0 && end >= END).ok_or("8 MiB of memory are needed")?;
    let (local_apic, io_apic) = (machine.local_apic as u64, machine.io_apic as u64);
    let is_virtual = machine.is_ostler;
    // What would end the guest: power, the keyboard controller's pulse, the fast reset. On a board also what would end QEMU's:
    // SMI, its configuration's DMA, PCI's registers, and more than a byte for its UART, by an assertion (`serial_ioport_write`).
    let hpet = if is_virtual { 0xf800_8000 } else { 0xfed0_0000 };
    let spared = [(power::control_port(), 2), (power::reset_port(), 1), (0x64, 1), (0x92, 1)];
    let of_board = if is_virtual { [(0, 0); 4] } else { [(0xb2, 2), (0x510, 12), (0xcf8, 8), (0x3f8, 8)] };
    let mut spared_ports = [(0, 0); 8];
    spared_ports.iter_mut().zip(spared.into_iter().chain(of_board)).for_each(|(slot, range)| *slot = range);
    Ok(World {
        regions: [
            SCRATCH,
            // Of both APICs what is not their commands, which are `attack::apic`'s.
            (local_apic + 0x30, 0x50),
            (io_apic + 0x20, 0x100),
            // Devices of ours or of a board's: HPET, TPM, video memory, flash, and their neighbours.
            (hpet, 0x400),
            (0xfed4_0000, 0x1000),
            (0xa_0000, 0x1_0000),
            (0xffff_0000, 0x1000),
            (0xfec1_0000, 0x1000),
            // Nothing, near and far: behind the memory, in a PC's hole, behind 4 GiB.
            (end, 0x1_0000),
            (NOBODYS, 0x1_0000),
            (0x1_0000_0000, 0x1_0000_0000),
            (0x3f_ffff_0000, 0x8000),
        ],
        empty: [7, 9, 10, 11],
        local_apic,
        io_apic,
        hpet,
        spared_ports,
        is_virtual,
        nowhere: 1 << 45,
        control: state::control(),
    })
}

/// Adds what the runtime's tables lack: what is behind 4 GiB, and what CPL 3 may have.
pub(super) fn map() {
    let root = table(read_control!("cr3"));
    // CPUID 8000_0001, EDX: pages of 1 GiB.
    if cpuid(0x8000_0001, 0).edx & 1 << 26 != 0 {
        let pointers = table(root[0].load(Relaxed));
        for (gib, entry) in (0..).zip(pointers).skip(4) {
            entry.store(gib << 30 | 3 | LARGE | UNCACHED, Relaxed);
        }
    }
    let [pointers, first, fourth] = &TABLES;
    first.0[(SCRATCH.0 >> 21) as usize].store(SCRATCH.0 | TABLE | LARGE, Relaxed);
    first.0[(CODE >> 21) as usize].store(CODE | TABLE | LARGE, Relaxed);
    fourth.0[(NOBODYS >> 21 & 511) as usize].store(NOBODYS | TABLE | LARGE | UNCACHED, Relaxed);
    pointers.0[0].store(first.0.as_ptr() as u64 | TABLE, Relaxed);
    pointers.0[3].store(fourth.0.as_ptr() as u64 | TABLE, Relaxed);
    root[(USER >> 39) as usize].store(pointers.0.as_ptr() as u64 | TABLE, Relaxed);
    forget();
}

/// The table that an entry, or CR3, points to.
pub(super) fn table(entry: u64) -> &'static [AtomicU64; 512] {
    // SAFETY: the runtime's own tables, which are statics, and nobody holds exclusively.
    unsafe { &*((entry & 0xf_ffff_ffff_f000) as *const [AtomicU64; 512]) }
}

/// What the CPU remembers of tables is read again.
pub(super) fn forget() {
    // SAFETY: writes what is in it, which forgets what is not global; nothing is.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}
