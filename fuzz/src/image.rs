//! Guest images: ELF, arm64 `Image`, `bzImage`, multiboot, and what only looks like one.

use loader::{Cpu, Image, Protocol, Segment};

/// What a loader copies lies in the file, what it is copied to does not wrap, and the first instruction is in it.
pub(crate) fn target(bytes: &[u8]) {
    loader::is_ram_disk(bytes);
    Cpu::BOTH.into_iter().for_each(|cpu| on(bytes, cpu));
}

fn on(bytes: &[u8], cpu: Cpu) {
    match loader::inspect(bytes, cpu) {
        Ok(Image::Elf(elf)) => {
            elf.segments().for_each(|segment| check(bytes, &segment));
            assert!(elf.segments().any(|segment| holds(&segment, elf.entry)), "{elf:?}");
            // All but one begin in 32-bit mode.
            assert!(elf.protocol == Protocol::Plain || is_32_bits(elf.entry), "{elf:?}");
        }
        Ok(Image::Linux(linux)) => {
            assert!(linux.memory_bytes >= linux.file_bytes && linux.file_bytes == bytes.len() as u64);
            for from in [0, 0x4000_0000, u64::MAX - 1] {
                let Some(start) = linux.first_start(from) else { continue };
                assert!(start >= from && linux.may_start_at(start));
                linux.segment(start).iter().for_each(|segment| check(bytes, segment));
            }
        }
        Ok(Image::BzImage(kernel)) => {
            for from in [0, 0x10_0000, kernel.preferred, u64::MAX - 1] {
                let Some(start) = kernel.first_start(from) else { continue };
                assert!(
                    start >= from && kernel.may_start_at(start) && kernel.entry(start).is_none_or(|pc| pc >= start)
                );
                kernel.segment(start).iter().for_each(|segment| check(bytes, segment));
            }
        }
        Ok(Image::Multiboot(flat)) => {
            check(bytes, &flat.segment);
            assert!(holds(&flat.segment, flat.entry) && is_32_bits(flat.entry), "{flat:?}");
        }
        Ok(Image::Gzip | Image::Raw) => {}
        // An error is told to people.
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn holds(segment: &Segment, address: u64) -> bool {
    address.checked_sub(segment.address).is_some_and(|at| at < segment.memory_bytes)
}

fn is_32_bits(address: u64) -> bool {
    address <= u32::MAX.into()
}

fn check(bytes: &[u8], segment: &Segment) {
    let end = segment.file_offset.checked_add(segment.file_bytes).expect("the end of a segment in its file");
    assert!(end <= bytes.len() as u64, "{segment:?}");
    assert!(segment.memory_bytes >= segment.file_bytes, "{segment:?}");
    segment.address.checked_add(segment.memory_bytes).expect("the end of a segment in memory");
}
