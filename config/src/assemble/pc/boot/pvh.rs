//! `hvm_start_info` of the PVH boot protocol (Xen, xen/include/public/arch-x86/hvm/start_info.h).
//!
//! Of modules there is one, the RAM disk, and none without it: Linux takes the first for that.

use super::{Block, Told};

const MAGIC: u32 = 0x336e_c578;
/// With a memory map.
const VERSION: u32 = 1;

/// Adds the structure to `block`, with what it leads to, and gives its address.
pub(super) fn start_info(told: &Told, block: &mut Block) -> u64 {
    let cmdline = told.cmdline.map_or(0, |cmdline| block.put_text(cmdline));
    let modules = told.initrd.map_or(0, |initrd| {
        let module = [initrd.start, initrd.size(), 0, 0];
        block.put(8, &super::words(&module))
    });
    let map: Vec<u8> = told
        .map
        .iter()
        .flat_map(|entry| super::words(&[entry.range.start, entry.range.size(), entry.kind as u64]))
        .collect();
    let map = block.put(8, &map);
    let count = u32::from(told.initrd.is_some());
    let mut info = [MAGIC, VERSION, 0, count].map(u32::to_le_bytes).concat();
    info.extend(super::words(&[modules, cmdline, told.rsdp, map]));
    info.extend([told.map.len() as u32, 0].map(u32::to_le_bytes).concat());
    block.put(8, &info)
}
