//! ELF with fixed addresses (ELF-64 object file format 1.5; ELF for the Arm 64-bit Architecture; System V ABI, i386).
//!
//! Only what the loader needs: the header, PT_LOAD and the note of PVH. Segments go to their *physical* addresses, because a
//! guest starts with its MMU off; the entry point is virtual and is translated through the segment that holds it.

use elf::abi::{
    EI_CLASS, EI_DATA, EI_NIDENT, ELFCLASS32, ELFDATA2MSB, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC, EM_PPC64,
    EM_RISCV, EM_S390, EM_X86_64, ET_CORE, ET_DYN, ET_EXEC, ET_REL, PT_INTERP, PT_LOAD, PT_NOTE,
};
use elf::endian::LittleEndian;
use elf::{ElfBytes, ParseError, segment::ProgramHeader};

use crate::multiboot::{self, Header};
use crate::{Cpu, Error, Image, Multiboot, Segment, pvh, read};

pub(crate) const FORMAT: &str = "ELF file";

/// A checked ELF program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elf<'a> {
    bytes: &'a [u8],
    /// Guest-physical address of the first instruction; it lies in one of the segments.
    pub entry: u64,
    /// How it wants to be started there.
    pub protocol: Protocol,
}

/// How an ELF program is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// As the CPU's Linux of the same width: arm64; x86 in 64-bit mode.
    Plain,
    /// As x86's Linux of 32 bits.
    Plain32,
    /// By its PVH note: x86 in 32-bit mode.
    Pvh,
    /// By its multiboot header: x86 in 32-bit mode.
    Multiboot(Multiboot),
}

/// The PT_LOAD segments of a checked ELF program that take memory, in the order of the file.
#[derive(Debug)]
pub struct Segments<'a> {
    table: Option<elf::parse::ParsingIterator<'a, LittleEndian, ProgramHeader>>,
}

impl<'a> Elf<'a> {
    /// What an ELF file is for a guest on `cpu`: [`Image::Elf`], or [`Image::Multiboot`] if its multiboot header has addresses.
    pub(crate) fn image(bytes: &'a [u8], cpu: Cpu) -> Result<Image<'a>, Error> {
        let class = check_header(bytes, cpu)?;
        let file = ElfBytes::<LittleEndian>::minimal_parse(bytes).map_err(|error| refused(error, bytes))?;
        let pvh = match cpu {
            Cpu::Aarch64 => None,
            Cpu::X86_64 => pvh_entry(&file, bytes),
        };
        let header = match (cpu, pvh) {
            (Cpu::X86_64, None) => multiboot::find(bytes)?,
            _ => None,
        };
        if let Some(flat) = header.as_ref().map(|header| header.flat(bytes)).transpose()?.flatten() {
            return Ok(Image::Multiboot(flat));
        }
        let elf = Elf::parse(bytes, &file, pvh.or(header.and_then(|header| header.entry)))?;
        let protocol = match (pvh, header) {
            (Some(_), _) => Protocol::Pvh,
            (None, Some(header)) => Protocol::Multiboot(Header::multiboot(&header)),
            (None, None) if class == ELFCLASS32 => Protocol::Plain32,
            (None, None) => Protocol::Plain,
        };
        if protocol != Protocol::Plain && elf.entry > u32::MAX.into() {
            return Err(malformed("its entry point is above 4 GiB, where no 32-bit code can be"));
        }
        Ok(Image::Elf(Elf { protocol, ..elf }))
    }

    /// The program, with `physical` as its entry point if that is not the file's.
    fn parse(bytes: &'a [u8], file: &ElfBytes<'a, LittleEndian>, physical: Option<u64>) -> Result<Elf<'a>, Error> {
        let headers = file.segments().ok_or(malformed("it has no program headers"))?;
        let mut entry = None;
        let mut loads = false;
        for header in headers {
            if header.p_type == PT_INTERP {
                let hint = "link the program statically (`-static`, `-C relocation-model=static`)";
                return Err(Error::OtherFormat { format: "a dynamically linked program", hint });
            }
            let Some(segment) = segment(&header) else { continue };
            loads = true;
            check_segment(&header, bytes)?;
            // A virtual entry counts before a physical one: that is what the field means by its specification.
            let offset = file.ehdr.e_entry.checked_sub(header.p_vaddr).filter(|&offset| offset < header.p_memsz);
            let physical = offset.and_then(|offset| segment.address.checked_add(offset));
            entry = entry.or(physical);
        }
        if !loads {
            return Err(malformed("it has nothing to load"));
        }
        let elf = Elf { bytes, entry: 0, protocol: Protocol::Plain };
        let inside =
            |entry: &u64| elf.segments().any(|segment| entry.wrapping_sub(segment.address) < segment.memory_bytes);
        let entry = match physical {
            Some(physical) => Some(physical).filter(inside),
            // Linker scripts for kernels at high addresses often name the physical entry outright.
            None => entry.or_else(|| Some(file.ehdr.e_entry).filter(inside)),
        };
        let entry = entry.ok_or(malformed("its entry point lies in none of its segments"))?;
        Ok(Elf { entry, ..elf })
    }

    /// The segments to load.
    pub fn segments(&self) -> Segments<'a> {
        let file = ElfBytes::<LittleEndian>::minimal_parse(self.bytes).ok();
        Segments { table: file.and_then(|file| file.segments()).map(|table| table.iter()) }
    }
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        self.table.as_mut()?.find_map(|header| segment(&header))
    }
}

/// The segment of a program header; `None` if it takes no memory.
fn segment(header: &ProgramHeader) -> Option<Segment> {
    (header.p_type == PT_LOAD && header.p_memsz > 0).then_some(Segment {
        file_offset: header.p_offset,
        file_bytes: header.p_filesz,
        memory_bytes: header.p_memsz,
        address: header.p_paddr,
    })
}

fn check_segment(header: &ProgramHeader, bytes: &[u8]) -> Result<(), Error> {
    let has = bytes.len() as u64;
    let needs = header.p_offset.checked_add(header.p_filesz).ok_or(malformed("a segment's file range overflows"))?;
    if needs > has {
        return Err(Error::Truncated { format: FORMAT, needs, has });
    }
    if header.p_filesz > header.p_memsz {
        return Err(malformed("a segment is larger in the file than in memory"));
    }
    let ends = [header.p_paddr, header.p_vaddr].map(|start| start.checked_add(header.p_memsz));
    ends.iter().all(Option::is_some).then_some(()).ok_or(malformed("a segment's address range overflows"))
}

/// Class, byte order, machine and type, so that a foreign file is called by its name and not `malformed`.
/// Gives the class.
fn check_header(bytes: &[u8], here: Cpu) -> Result<u8, Error> {
    let truncated = Error::Truncated { format: FORMAT, needs: 64, has: bytes.len() as u64 };
    let [class, data] = [EI_CLASS, EI_DATA].map(|index| bytes.get(index).copied());
    let (Some(class), Some(data)) = (class, data) else { return Err(truncated) };
    let halfword = |offset| {
        let value = read::u16_at(bytes, offset)?;
        Some(if data == ELFDATA2MSB { value.swap_bytes() } else { value })
    };
    let (Some(kind), Some(machine)) = (halfword(EI_NIDENT), halfword(18)) else { return Err(truncated) };
    let other = |cpu| Err(Error::OtherCpu { cpu, format: "an ELF file", here });
    match machine {
        EM_X86_64 if here == Cpu::X86_64 && class == ELFCLASS32 => return other("x86-64 with 32-bit pointers (x32)"),
        EM_X86_64 | EM_386 if here == Cpu::X86_64 => {}
        EM_AARCH64 if here == Cpu::X86_64 => return other("aarch64"),
        EM_AARCH64 if data == ELFDATA2MSB => return other("big-endian aarch64"),
        EM_AARCH64 if class == ELFCLASS32 => return other("aarch64 with 32-bit pointers (ILP32)"),
        EM_AARCH64 => {}
        EM_X86_64 => return other("x86-64"),
        EM_386 => return other("32-bit x86"),
        EM_ARM => return other("32-bit Arm"),
        EM_RISCV => return other("RISC-V"),
        EM_PPC | EM_PPC64 => return other("PowerPC"),
        EM_MIPS => return other("MIPS"),
        EM_S390 => return other("IBM S/390"),
        _ => return other("a CPU that is not known here"),
    }
    let not_a_program = |format, hint| Err(Error::OtherFormat { format, hint });
    match kind {
        ET_EXEC => Ok(class),
        ET_DYN => not_a_program(
            "a position-independent ELF file, which needs relocation",
            "link it at fixed addresses (`-no-pie`, `-C relocation-model=static`)",
        ),
        ET_REL => not_a_program("an object file", "link it to a program first"),
        ET_CORE => not_a_program("a core dump", "load a kernel or a bare-metal program"),
        _ => Err(malformed("its type is not known")),
    }
}

/// The entry point that a PVH note names.
fn pvh_entry(file: &ElfBytes<LittleEndian>, bytes: &[u8]) -> Option<u64> {
    file.segments()?.iter().filter(|header| header.p_type == PT_NOTE).find_map(|header| {
        let start = usize::try_from(header.p_offset).ok()?;
        let end = start.checked_add(usize::try_from(header.p_filesz).ok()?)?;
        pvh::entry(bytes.get(start..end)?)
    })
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { format: FORMAT, what }
}

/// The `elf` crate's complaint in our words.
fn refused(error: ParseError, bytes: &[u8]) -> Error {
    match error {
        ParseError::SliceReadError((_, end)) if end > bytes.len() => {
            Error::Truncated { format: FORMAT, needs: end as u64, has: bytes.len() as u64 }
        }
        _ => malformed("its header contradicts itself"),
    }
}
