//! What a multiboot2 boot loader hands over: the boot information (Multiboot2 Specification 2.0, section 3.6).

use super::acpi::Rsdp;
use super::hardware::{Facts, Fault};
use super::map::{self, Range};
use super::physical::{Physical, u32_at, u64_at};

const MEMORY_MAP: u32 = 6;
const RSDP_OLD: u32 = 14;
const RSDP_NEW: u32 = 15;
const END: u32 = 0;
/// Most bytes of information that are read.
const MAX_BYTES: u32 = 1 << 20;

/// Reads what is at `info`; the copy of the RSDP that it has.
pub(super) fn read(facts: &mut Facts, memory: &impl Physical, info: u64) -> Result<Option<Rsdp>, Fault> {
    let fault = Fault::Protocol("multiboot2 information is not one");
    let total =
        memory.bytes(info, 8).and_then(|head| u32_at(head, 0)).filter(|&total| total <= MAX_BYTES).ok_or(fault)?;
    let bytes = memory.bytes(info, u64::from(total)).ok_or(fault)?;
    let mut rest = bytes.get(8..).ok_or(fault)?;
    let mut rsdp = None;
    let mut has_map = false;
    while let Some((kind, size)) = u32_at(rest, 0).zip(u32_at(rest, 4)) {
        let tag = rest.get(..size as usize).filter(|tag| tag.len() >= 8).ok_or(fault)?;
        match kind {
            END => break,
            MEMORY_MAP if !has_map => {
                has_map = true;
                let entry = u32_at(tag, 8).filter(|&size| size >= 20).ok_or(fault)?;
                let ranges = tag.get(16..).ok_or(fault)?.chunks_exact(entry as usize).filter_map(|entry| {
                    Some(Range { start: u64_at(entry, 0)?, size: u64_at(entry, 8)?, kind: u32_at(entry, 16)? })
                });
                map::take(facts, ranges)?;
            }
            RSDP_OLD | RSDP_NEW => {
                // Of both the newer one counts, wherever it is.
                let found = tag.get(8..).and_then(Rsdp::of);
                rsdp = found.filter(|found| rsdp.is_none() || found.is_extended()).or(rsdp);
            }
            _ => {}
        }
        // Tags are 8-byte aligned. One that ends the information without an end tag is as good as one.
        rest = rest.get((size as usize).next_multiple_of(8)..).unwrap_or_default();
    }
    if !has_map {
        return Err(Fault::Protocol("multiboot2 information has no memory map"));
    }
    map::reserve(facts, info, u64::from(total))?;
    Ok(rsdp)
}
