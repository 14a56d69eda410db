//! First instructions of every CPU: from 32-bit protected mode, or after a SIPI from real mode, to long mode; then Rust.
//!
//! The first CPU is entered by PVH (the note) or by multiboot2 (the header): either way in flat 32-bit protected mode with
//! paging off, interrupts off, and in ebx the address of what describes the machine.

use crate::machine::Range;
use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

global_asm!(
    r#"
    // XEN_ELFNOTE_PHYS32_ENTRY (Xen's public/elfnote.h): where PVH enters.
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long _start

    // Multiboot2, 3.1: magic, protected mode, length, checksum; and a tag that ends the tags. The entry is the ELF file's.
    .section .multiboot2, "a"
    .balign 8
    .long 0xe85250d6, 0, 24, 0x17adaf12
    .short 0, 0
    .long 8

    .section .text.start, "ax"
    .code32
    .global _start
    _start:
        rdtsc
        cli
        cld
        mov     ebp, eax
        mov     esi, edx
        // A loader zeroes .bss of an ELF; a raw copy of the program would not have it zeroed.
        lea     edi, [__bss_start]
        lea     ecx, [__bss_end]
        sub     ecx, edi
        shr     ecx, 2
        xor     eax, eax
        rep stosd
        mov     [{started}], ebp
        mov     [{started} + 4], esi
        // Page tables (APM volume 2, 5.3): 4 GiB as they are, by 2 MiB. The last GiB, of devices, is uncached (PCD, PWT).
        lea     edi, [{tables}]
        lea     eax, [edi + 0x1003]
        mov     [edi], eax
        lea     eax, [edi + 0x2003]
        mov     [edi + 0x1000], eax
        add     eax, 0x1000
        mov     [edi + 0x1008], eax
        add     eax, 0x1000
        mov     [edi + 0x1010], eax
        add     eax, 0x1000
        mov     [edi + 0x1018], eax
        add     edi, 0x2000
        mov     eax, 0x83
        xor     ecx, ecx
    2:  cmp     ecx, 1536
        jne     3f
        or      eax, 0x18
    3:  mov     [edi + ecx * 8], eax
        add     eax, 0x200000
        inc     ecx
        cmp     ecx, 2048
        jne     2b
        lea     esi, [begin_first]

    // Both ways meet here: esi is where to go on, ebx an argument for it.
    enter_long_mode:
        lgdt    [gdt_pointer]
        // CR4: PAE; OSFXSR and OSXMMEXCPT, so that there is SSE.
        mov     eax, 0x620
        mov     cr4, eax
        lea     eax, [{tables}]
        mov     cr3, eax
        // EFER.LME
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 0x100
        wrmsr
        // CR0: PG, WP, NE, ET, MP, PE; not CD, NW, TS, EM.
        mov     eax, 0x80010033
        mov     cr0, eax
        // ljmp 0x08:long_mode
        .byte   0xea
        .long   long_mode
        .short  0x08

    .code64
    long_mode:
        mov     eax, 0x10
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        mov     edi, ebx
        // The stack is chosen as `machine::own_index` does: by the APIC ID (CPUID Fn0000_0001, EBX).
        mov     eax, 1
        cpuid
        shr     ebx, 24
        and     ebx, 31
        inc     ebx
        shl     ebx, 14
        lea     rsp, [__stacks]
        add     rsp, rbx
        xor     ebp, ebp
        mov     esi, esi
        jmp     rsi

    begin_first:
        call    {prepare_first}
        ud2

    begin_other:
        call    {prepare_other}
        ud2

    // Copied below 1 MiB (`cpus`): a SIPI enters at its first byte, in real mode, with CS alone telling where.
    .code16
    .global trampoline
    trampoline:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        // lgdt [32-bit operand at 4f]
        .byte   0x66, 0x0f, 0x01, 0x16
        .short  4f - trampoline
        mov     eax, cr0
        and     eax, 0x9fffffff
        or      eax, 1
        mov     cr0, eax
        // ljmp 0x18:protected_mode, with a 32-bit offset
        .byte   0x66, 0xea
        .long   protected_mode
        .short  0x18
    4:  .short  4 * 8 - 1
        .long   gdt
    .global trampoline_end
    trampoline_end:

    .code32
    protected_mode:
        mov     eax, 0x10
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        lea     esi, [begin_other]
        jmp     enter_long_mode
    .code64

    .section .rodata.gdt, "a"
    .balign 8
    // None; 64-bit code; data; 32-bit code (APM volume 2, 4.8).
    gdt:
        .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
    gdt_pointer:
        .short  4 * 8 - 1
        .long   gdt
        .long   0
    "#,
    started = sym STARTED,
    tables = sym TABLES,
    prepare_first = sym prepare_first,
    prepare_other = sym prepare_other,
);

/// A PML4, a page-directory-pointer table, and four page directories.
#[repr(C, align(4096))]
struct Tables([AtomicU64; 6 * 512]);

static TABLES: Tables = Tables([const { AtomicU64::new(0) }; 6 * 512]);
/// The time-stamp counter at the program's first instruction.
static STARTED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    /// The linker's marks, whose addresses are all there is to them.
    static __program_start: u8;
    static __bss_end: u8;
    static trampoline: u8;
    static trampoline_end: u8;
}

extern "C" fn prepare_first(description: usize) -> ! {
    super::exceptions::fill();
    prepare();
    crate::program::begin(description)
}

extern "C" fn prepare_other() -> ! {
    prepare();
    super::cpus::begin()
}

/// The vectors and the floating-point unit of this CPU.
fn prepare() {
    super::exceptions::load();
    super::cpu::open_floating_point();
}

/// The time-stamp counter at the program's first instruction.
pub fn started() -> u64 {
    STARTED.load(Relaxed)
}

/// Where the program is, from its first instruction to its last static; the stacks follow.
pub fn program_extent() -> Range {
    let [base, end] = [&raw const __program_start, &raw const __bss_end].map(|mark| mark as u64);
    Range { base, bytes: end - base }
}

/// The first instructions of a CPU that a SIPI starts, which are to be copied below 1 MiB.
pub(super) fn trampoline_code() -> &'static [u8] {
    let [start, end] = [&raw const trampoline, &raw const trampoline_end];
    // SAFETY: both are in `.text`, the second behind the first.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}
