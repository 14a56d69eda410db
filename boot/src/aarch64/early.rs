//! The first page tables: just enough to run Rust at its link address and to read the device tree.
//!
//! This is Rust that runs with the MMU off, at a physical address the linker never heard of. So it calls nothing,
//! refers to no `static`, has nothing that could panic and writes through raw pointers only. Memory is Device-nGnRnE at this point, where unaligned
//! accesses fault: every store is an aligned `u64`.
//!
//! ```text
//! L0[link address] → L1 → L2 → L3: the image and .bss, each section with its own permissions
//! L0[load address] → L1 → L2:      the image's first page, executable, to turn the MMU on under our feet
//! L0[device tree]  → L1 → L2:      the device tree, read-only
//! ```

/// MAIR_EL2: index 0 is Device-nGnRE, index 1 Normal write-back (the layout of `arch::paging`).
pub(super) const MAIR: u64 = 0x04 | (0xff << 8);

/// Table pages at the start of `.bss`.
pub(super) const TABLES: usize = 10;

const TABLE: u64 = 0b11;
const PAGE: u64 = 0b11;
const BLOCK: u64 = 0b01;
/// Access flag, inner shareable, Normal memory, and AP\[1\], which is RES1 at EL2.
const NORMAL: u64 = (1 << 10) | (0b11 << 8) | (1 << 2) | (1 << 6);
const READ_ONLY: u64 = 1 << 7;
/// XN at EL2 and EL3; at EL1 bit 53 (PXN) is the one that counts, and RES0 elsewhere.
const NO_EXECUTE: u64 = 0b11 << 53;
const PAGE_BYTES: u64 = 4096;
const BLOCK_BYTES: u64 = 2 << 20;

/// Table pages not yet used, and the root.
struct Tables {
    root: u64,
    next: u64,
    end: u64,
}

impl Tables {
    /// The table below entry `index` of `table`; made if it is not there. Zero when the pages are used up.
    #[inline(always)]
    fn below(&mut self, table: u64, index: u64) -> u64 {
        let entry = (table.wrapping_add(index.wrapping_mul(8))) as *mut u64;
        // SAFETY: `entry` is inside a table page of ours, aligned, and no one else runs yet.
        let value = unsafe { entry.read_volatile() };
        if value != 0 {
            return value & 0x0000_ffff_ffff_f000;
        }
        if self.next >= self.end {
            return 0;
        }
        let new = self.next;
        self.next = self.next.wrapping_add(PAGE_BYTES);
        // SAFETY: as above; the new table was zeroed with `.bss`.
        unsafe { entry.write_volatile(new | TABLE) };
        new
    }

    /// Maps the page or block of `virt` at `level` (3 or 2).
    #[inline(always)]
    fn map(&mut self, virt: u64, level: u32, descriptor: u64) {
        let mut table = self.root;
        let mut shift = 39u32;
        let last = 39u32.wrapping_sub(level.wrapping_mul(9));
        while shift > last {
            table = self.below(table, (virt >> shift) & 511);
            if table == 0 {
                return;
            }
            shift = shift.wrapping_sub(9);
        }
        let entry = (table.wrapping_add(((virt >> shift) & 511).wrapping_mul(8))) as *mut u64;
        // SAFETY: `entry` is inside a table page of ours, aligned, and no one else runs yet.
        unsafe { entry.write_volatile(descriptor) };
    }
}

/// Builds the tables in the first pages of `.bss` and returns the root's physical address.
///
/// `load` is where the image lies, `bss` where `.bss` lies, `tree` where the device tree lies, all physical.
///
/// # Safety
/// Called once, by the boot CPU, with the MMU off, `.bss` zeroed and all three addresses as the boot protocol has them.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.boot")]
unsafe extern "C" fn early_tables(load: u64, bss: u64, tree: u64) -> u64 {
    let mut tables = Tables {
        root: bss,
        next: bss.wrapping_add(PAGE_BYTES),
        end: bss.wrapping_add(PAGE_BYTES.wrapping_mul(TABLES as u64)),
    };
    // Link addresses come from literal pools: a PC-relative reference would give the physical one.
    let (base, text, rodata, data, end): (u64, u64, u64, u64, u64);
    // SAFETY: five loads from the literal pool, which is in the same page as this code.
    unsafe {
        core::arch::asm!(
            "ldr {base}, =IMAGE_BASE",
            "ldr {text}, =__text_end",
            "ldr {rodata}, =__rodata_end",
            "ldr {data}, =__data_end",
            "ldr {end}, =__bss_end",
            base = out(reg) base,
            text = out(reg) text,
            rodata = out(reg) rodata,
            data = out(reg) data,
            end = out(reg) end,
            options(nostack, pure, readonly)
        );
    }
    let mut virt = base;
    while virt < end {
        let in_file = load.wrapping_add(virt.wrapping_sub(base));
        let (phys, permissions) = if virt < text {
            (in_file, READ_ONLY)
        } else if virt < rodata {
            (in_file, READ_ONLY | NO_EXECUTE)
        } else if virt < data {
            (in_file, NO_EXECUTE)
        } else {
            (bss.wrapping_add(virt.wrapping_sub(data)), NO_EXECUTE)
        };
        tables.map(virt, 3, phys | NORMAL | permissions | PAGE);
        virt = virt.wrapping_add(PAGE_BYTES);
    }
    // The boot protocol gives the tree 2 MiB at most, 8-byte aligned: it may straddle one block boundary.
    let first = tree & !(BLOCK_BYTES - 1);
    tables.map(first, 2, first | NORMAL | READ_ONLY | NO_EXECUTE | BLOCK);
    let second = first.wrapping_add(BLOCK_BYTES);
    tables.map(second, 2, second | NORMAL | READ_ONLY | NO_EXECUTE | BLOCK);
    // Last, so that it wins should the tree lie in the image's own block.
    let block = load & !(BLOCK_BYTES - 1);
    tables.map(block, 2, block | NORMAL | READ_ONLY | BLOCK);
    tables.root
}
