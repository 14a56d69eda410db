//! How the first vCPU starts, and what it finds in memory: the information of its boot protocol, a GDT, page tables.
//!
//! | program | state of the CPU | information |
//! |---|---|---|
//! | `bzImage` with a 64-bit entry, ELF64 | 64-bit mode, first 4 GiB mapped to themselves | zero page, RSI |
//! | `bzImage` without, ELF32, raw above 1 MiB | 32-bit mode without paging | zero page, ESI |
//! | raw below 1 MiB | real mode | none |
//! | PVH | 32-bit mode without paging | `hvm_start_info`, EBX |
//! | multiboot | 32-bit mode without paging | multiboot information, EBX |

mod linux;
mod multiboot;
mod pvh;

use loader::Version;
use model::{Gpa, PAGE_BYTES, Seed, Start};

use super::map::Entry;
use super::{BELOW_4G, Blob, How};
use crate::assemble::claims::Range;
use crate::assemble::floor::Floor;
use crate::assemble::protocol::Program;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Span, VmSpec};

/// Where all that only counts until the guest has begun is put if it can be: in the upper part of the memory below 640 KiB,
/// away from what programs in real mode use.
pub(super) const FIRST_CHOICE: Range = Range { start: 0x8_0000, end: 0x9_f000 };
/// A page of 2 MiB.
const LARGE: u64 = 2 << 20;
/// Present, writable; a large page (AMD64 APM volume 2, 5.3).
const TABLE: u64 = 0b11;
const LARGE_LEAF: u64 = 0b11 | 1 << 7;
/// Where real mode ends.
const MIB: u64 = 1 << 20;

/// What a guest is told.
pub(super) struct Told<'a> {
    pub(super) cmdline: Option<&'a str>,
    pub(super) map: &'a [Entry],
    /// Where the RSDP is, and what is in it.
    pub(super) rsdp: u64,
    pub(super) rsdp_bytes: &'a [u8],
    pub(super) initrd: Option<Range>,
    /// The RAM disk, and what `data load` names.
    pub(super) modules: Vec<(String, Range)>,
}

/// How it starts, and what lies in memory for that.
pub(super) struct Boot {
    pub(super) start: Start,
    pub(super) block: Option<Blob>,
}

/// Puts what `program` finds into memory. Reports if there is no room.
pub(super) fn place(
    program: &Program,
    told: &Told,
    floor: &mut Floor,
    home: Span,
    diagnostics: &mut Diagnostics,
) -> Option<Boot> {
    if program.how == How::Raw && program.pc < MIB {
        if !program.pc.is_multiple_of(16) {
            let message = format!("a program in real mode cannot start at {:#x}", program.pc);
            let error = Diagnostic::error(codes::NO_ROOM, message).at(home);
            diagnostics.push(error.hint("its address is a multiple of 16"));
            return None;
        }
        return Some(Boot { start: Start::Real { pc: Gpa(program.pc) }, block: None });
    }
    // How long it is does not depend on where it is.
    let size = (filled(program, told, 0).0.bytes.len() as u64).next_multiple_of(PAGE_BYTES);
    let free = |within| floor.find_aligned(size, within, PAGE_BYTES);
    let Some(start) = free(FIRST_CHOICE).or_else(|| free(BELOW_4G)) else {
        let message =
            format!("there is no room for the boot information: it takes {size:#x} bytes of free RAM in one piece");
        diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(home).hint(floor.describe()));
        return None;
    };
    floor.take(Range::new(start, size)?, "the boot information", home, diagnostics).then_some(())?;
    let (block, entry) = filled(program, told, start);
    Some(Boot { start: entry, block: Some(Blob { start, bytes: block.bytes, seeds: block.seeds }) })
}

/// Everything for `program` in a block at `base`, and the start that leads to it.
fn filled(program: &Program, told: &Told, base: u64) -> (Block, Start) {
    let mut block = Block { base, bytes: Vec::new(), seeds: Vec::new() };
    let pc = Gpa(program.pc);
    let start = match &program.how {
        How::Pvh => {
            let ebx = low(pvh::start_info(told, &mut block));
            Start::Protected { pc, gdt: None, eax: 0, ebx, esi: 0 }
        }
        How::Multiboot(multiboot) => {
            let (eax, info) = match multiboot.version {
                Version::One => (multiboot::MAGIC, multiboot::information(told, &mut block)),
                Version::Two => (multiboot::MAGIC_2, multiboot::information_2(told, &mut block)),
            };
            Start::Protected { pc, gdt: None, eax, ebx: low(info), esi: 0 }
        }
        how => {
            let setup = match how {
                How::Linux(setup) => Some(setup),
                _ => None,
            };
            let is_long = setup.map_or(*how == How::Plain, |setup| setup.has_64_bit_entry);
            let zero_page = linux::zero_page(setup, program.range, told, &mut block);
            let gdt = Gpa(block.put(8, &words(&Start::gdt(is_long))));
            match is_long {
                true => Start::Long { pc, gdt, cr3: Gpa(page_tables(&mut block)), rsi: zero_page },
                false => Start::Protected { pc, gdt: Some(gdt), eax: 0, ebx: 0, esi: low(zero_page) },
            }
        }
    };
    (block, start)
}

/// Page tables that map the first 4 GiB to themselves, in pages of 2 MiB, which every CPU has. Gives their root.
fn page_tables(block: &mut Block) -> u64 {
    let leaves: Vec<u64> = (0..BELOW_4G.end / LARGE).map(|page| (page * LARGE) | LARGE_LEAF).collect();
    let directories = block.put(PAGE_BYTES, &words(&leaves));
    let mut pointers: Vec<u64> = (0..4).map(|index| (directories + index * PAGE_BYTES) | TABLE).collect();
    pointers.resize(512, 0);
    let pointers = block.put(PAGE_BYTES, &words(&pointers));
    let mut root = vec![pointers | TABLE];
    root.resize(512, 0);
    block.put(PAGE_BYTES, &words(&root))
}

/// Reports a command line that is longer than a kernel takes.
pub(super) fn check_cmdline(spec: &VmSpec, how: &How, diagnostics: &mut Diagnostics) -> Option<()> {
    let (How::Linux(setup), Some(cmdline)) = (how, &spec.cmdline) else { return Some(()) };
    let (has, most) = (cmdline.value.len() as u64, setup.cmdline_bytes);
    if has <= most {
        return Some(());
    }
    let message = format!("this kernel takes a command line of {most} bytes, and this one has {has}");
    let error = Diagnostic::error(codes::CMDLINE_TOO_LONG, message).at(cmdline.span);
    diagnostics.push(error.hint("make it shorter: the kernel would cut it"));
    None
}

/// Bytes that follow one another in memory.
struct Block {
    base: u64,
    bytes: Vec<u8>,
    seeds: Vec<Seed>,
}

impl Block {
    /// Adds `bytes` at the next multiple of `alignment`, which is a page at most, and gives their address.
    fn put(&mut self, alignment: u64, bytes: &[u8]) -> u64 {
        let at = (self.bytes.len() as u64).next_multiple_of(alignment);
        self.bytes.resize(usize::try_from(at).unwrap_or(usize::MAX), 0);
        self.bytes.extend_from_slice(bytes);
        self.base + at
    }

    /// Adds a text with a zero behind it.
    fn put_text(&mut self, text: &str) -> u64 {
        self.put(1, &[text.as_bytes(), &[0]].concat())
    }

    /// Has boot fill the bytes from `address` on, which were added, with random ones.
    fn seed(&mut self, address: u64, size_bytes: u64) {
        self.seeds.push(Seed { offset: address - self.base, size_bytes });
    }
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// An address in a field of 32 bits. All of these are below 4 GiB.
fn low(address: u64) -> u32 {
    u32::try_from(address).unwrap_or(u32::MAX)
}
