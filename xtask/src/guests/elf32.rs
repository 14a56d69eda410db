//! A program as an ELF file of 32 bits (System V ABI, i386): what Multiboot's programs mostly are, and what our compiler does not
//! make.

use elf::ElfBytes;
use elf::abi::{EM_386, ET_EXEC, PT_LOAD};
use elf::endian::LittleEndian;

/// Length of the file's header, and of a program header.
const HEADERS: (u16, u16) = (52, 32);
/// Where the program begins in the file.
const OFFSET: u32 = 0x60;

/// The ELF file `elf` of 64 bits, whose bytes in memory are `flat`, as one of 32 bits with one segment. `None` if it does not lie
/// below 4 GiB.
pub(super) fn of(elf: &[u8], flat: &[u8]) -> Option<Vec<u8>> {
    let file = ElfBytes::<LittleEndian>::minimal_parse(elf).ok()?;
    let segments = || file.segments().into_iter().flatten().filter(|segment| segment.p_type == PT_LOAD);
    let base = segments().map(|segment| segment.p_paddr).min()?;
    let end = segments().map(|segment| segment.p_paddr.saturating_add(segment.p_memsz)).max()?;
    let word = |value: u64| u32::try_from(value).ok();
    let (entry, start, memory_bytes) = (word(file.ehdr.e_entry)?, word(base)?, word(end - base)?);
    let file_bytes = u32::try_from(flat.len()).ok()?;
    let half = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let words = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let mut bytes = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(half(&[ET_EXEC, EM_386]));
    bytes.extend(words(&[1, entry, HEADERS.0.into(), 0, 0]));
    bytes.extend(half(&[HEADERS.0, HEADERS.1, 1, 0, 0, 0]));
    // To be read, written and executed.
    bytes.extend(words(&[PT_LOAD, OFFSET, start, start, file_bytes, memory_bytes, 7, 4]));
    bytes.resize(OFFSET as usize, 0);
    bytes.extend(flat);
    Some(bytes)
}
