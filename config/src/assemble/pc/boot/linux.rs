//! Linux's zero page, `struct boot_params` (Documentation/arch/x86/zero-page.rst and boot.rst).

use loader::BzImage;

use super::{Block, Told, low};
use crate::assemble::claims::Range;
use crate::assemble::pc::Setup;

const BYTES: usize = 0x1000;
/// Fields of the zero page.
const ACPI_RSDP_ADDR: usize = 0x070;
const EXT_RAMDISK_IMAGE: usize = 0x0c0;
const EXT_RAMDISK_SIZE: usize = 0x0c4;
const E820_ENTRIES: usize = 0x1e8;
const E820_TABLE: usize = 0x2d0;
const E820_MOST: usize = 128;
const E820_ENTRY_BYTES: usize = 20;
/// Fields of the setup header in it.
const VID_MODE: usize = 0x1fa;
const BOOT_FLAG: usize = 0x1fe;
const HEADER: usize = 0x202;
const TYPE_OF_LOADER: usize = 0x210;
const LOADFLAGS: usize = 0x211;
const CODE32_START: usize = 0x214;
const RAMDISK_IMAGE: usize = 0x218;
const RAMDISK_SIZE: usize = 0x21c;
const CMD_LINE_PTR: usize = 0x228;
const KERNEL_ALIGNMENT: usize = 0x230;
const CMDLINE_SIZE: usize = 0x238;
const HARDWARE_SUBARCH: usize = 0x23c;
const SETUP_DATA: usize = 0x250;
/// "normal", which is what is left of a video mode that nobody chose.
const NORMAL: u16 = 0xffff;
/// No boot loader that has a number.
const UNDEFINED: u8 = 0xff;
const LOADED_HIGH: u8 = 1;
/// A plain PC.
const SUBARCH_PC: u32 = 0;
/// A node of setup_data with random bytes, which Linux from 6.0 on takes as such (SETUP_RNG_SEED).
const RNG_SEED: u32 = 9;
const SEED_BYTES: u32 = 64;

/// Adds the zero page to `block`, with what it leads to, for a kernel in `range`, and gives its address. An ELF file has no setup
/// header of its own (`setup` is `None`): then it has what a kernel looks at.
pub(super) fn zero_page(setup: Option<&Setup>, range: Range, told: &Told, block: &mut Block) -> u64 {
    let cmdline = block.put_text(told.cmdline.unwrap_or_default());
    // next, type, len, and the bytes.
    let mut seed = vec![0; 16 + SEED_BYTES as usize];
    seed[8..12].copy_from_slice(&RNG_SEED.to_le_bytes());
    seed[12..16].copy_from_slice(&SEED_BYTES.to_le_bytes());
    let seed = block.put(8, &seed);
    block.seed(seed + 16, SEED_BYTES.into());

    let mut page = Page([0; BYTES]);
    match setup {
        Some(setup) => page.put(BzImage::HEADER_OFFSET as usize, &setup.header),
        None => {
            page.put(BOOT_FLAG, &0xaa55_u16.to_le_bytes());
            page.put(HEADER, b"HdrS\x0f\x02");
            page.put(LOADFLAGS, &[LOADED_HIGH]);
            page.word(KERNEL_ALIGNMENT, 0x20_0000);
            page.word(CMDLINE_SIZE, 0x7ff);
        }
    }
    page.put(VID_MODE, &NORMAL.to_le_bytes());
    page.put(TYPE_OF_LOADER, &[UNDEFINED]);
    page.word(CODE32_START, low(range.start));
    page.word(HARDWARE_SUBARCH, SUBARCH_PC);
    page.word(CMD_LINE_PTR, low(cmdline));
    page.put(SETUP_DATA, &seed.to_le_bytes());
    page.put(ACPI_RSDP_ADDR, &told.rsdp.to_le_bytes());
    if let Some(initrd) = told.initrd {
        for (value, field, high) in
            [(initrd.start, RAMDISK_IMAGE, EXT_RAMDISK_IMAGE), (initrd.size(), RAMDISK_SIZE, EXT_RAMDISK_SIZE)]
        {
            page.word(field, value as u32);
            page.word(high, (value >> 32) as u32);
        }
    }
    let entries = told.map.iter().take(E820_MOST);
    for (index, entry) in entries.clone().enumerate() {
        let at = E820_TABLE + index * E820_ENTRY_BYTES;
        page.put(at, &entry.range.start.to_le_bytes());
        page.put(at + 8, &entry.range.size().to_le_bytes());
        page.word(at + 16, entry.kind as u32);
    }
    page.put(E820_ENTRIES, &[u8::try_from(entries.count()).unwrap_or(0)]);
    block.put(model::PAGE_BYTES, &page.0)
}

struct Page([u8; BYTES]);

impl Page {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn word(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }
}
