//! What a PVH boot loader hands over: `hvm_start_info` (Xen, xen/include/public/arch-x86/hvm/start_info.h).

use super::hardware::{Facts, Fault};
use super::map::{self, Range};
use super::physical::{Physical, u32_at, u64_at};

const MAGIC: u32 = 0x336e_c578;
const START_INFO_BYTES: u64 = 56;
const ENTRY_BYTES: u64 = 24;
/// Most entries of the memory map: more are no PC.
const MAX_ENTRIES: u64 = 512;

/// Reads what is at `info`; the physical address of the RSDP, zero if it is not told.
pub(super) fn read(facts: &mut Facts, memory: &impl Physical, info: u64) -> Result<u64, Fault> {
    let fault = Fault::Protocol("hvm_start_info is not one");
    let start = memory.bytes(info, START_INFO_BYTES).filter(|start| u32_at(start, 0) == Some(MAGIC)).ok_or(fault)?;
    // The memory map is there from version 1 on.
    let version = u32_at(start, 4).ok_or(fault)?;
    let rsdp = u64_at(start, 32).ok_or(fault)?;
    let (map, entries) = u64_at(start, 40).zip(u32_at(start, 48)).ok_or(fault)?;
    let size = u64::from(entries).saturating_mul(ENTRY_BYTES);
    if version == 0 || entries == 0 {
        return Err(Fault::Protocol("hvm_start_info has no memory map"));
    }
    let none = Fault::Protocol("memory map is out of reach");
    let bytes = memory.bytes(map, size).filter(|_| u64::from(entries) <= MAX_ENTRIES).ok_or(none)?;
    let ranges = bytes.chunks_exact(ENTRY_BYTES as usize).filter_map(|entry| {
        Some(Range { start: u64_at(entry, 0)?, size: u64_at(entry, 8)?, kind: u32_at(entry, 16)? })
    });
    map::take(facts, ranges)?;
    map::reserve(facts, info, START_INFO_BYTES)?;
    map::reserve(facts, map, size)?;
    Ok(rsdp)
}
