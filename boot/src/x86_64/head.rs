//! The first instructions, on the boot CPU and on every other one, and the headers by which boot loaders know us.
//!
//! The file is an ELF64 whose header is written here, as arm64's `Image` header is: one segment, from the file's first byte to the
//! end of `.bss`, loaded at 2 MiB. That is where every PC has memory; a boot loader refuses to load us if there is none. It starts
//!
//! - by the Xen PVH protocol (QEMU's `-kernel`): a note names the entry, ebx is the address of `hvm_start_info`
//!   (Xen, docs/misc/pvh.pandoc);
//! - by multiboot2 (GRUB): a header in the first 32 KiB names the entry, eax is a magic number, ebx the address of the boot
//!   information (Multiboot2 Specification 2.0, sections 3.1 and 3.2).
//!
//! `xtask build` appends the image section and lets p_filesz and p_memsz grow by it ([`FILE_BYTES`], [`MEMORY_BYTES`]); nothing
//! else of the file depends on what is appended. The boot loader zeroes `.bss`, which follows, but for its last part, which
//! is no part of the segment.
//!
//! Either way we are in 32-bit protected mode without paging. The code of `.text.boot` runs at its physical address, so it fits
//! one page. It builds tables and goes on in long mode at the link address:
//!
//! ```text
//! PML4[511] → PDPT[510] → PD[0] → PT: the image and .bss, each section with its own permissions
//! PML4[0]   → PDPT[0..4] → PDs:       4 GiB at their physical address, to be read: what boot loader and firmware left. The
//!                                     image's first block is executable besides, to turn paging on under our feet
//! ```
//! No mapping of ours is ever both writable and executable. CPUs without no-execute get as far as the message that says so.

use core::arch::global_asm;

/// Where the file's program header has p_filesz, which the image section adds to.
pub const FILE_BYTES: usize = 96;
/// Where it has p_memsz, as above.
pub const MEMORY_BYTES: usize = 104;

/// How we were started: handed to `ostler_entry`.
pub const PVH: u64 = 1;
/// As above.
pub const MULTIBOOT2: u64 = 2;

/// What a secondary CPU is handed as its argument: the physical address of one of these, below 4 GiB or not.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// Physical address of the root of the final tables.
    pub root: u64,
    /// Top of the CPU's stack, a virtual address.
    pub stack: u64,
    /// Handed to `ostler_secondary`.
    pub argument: u64,
}

/// Size of the boot CPU's first stack.
pub const BOOT_STACK_BYTES: u64 = 16384;

/// Table pages at the start of `.bss`: PML4, two PDPTs, four PDs, a PD and a PT for the image.
const TABLES: u32 = 9;

/// CR0: paging, write protection (for us too), native x87 errors, protected mode; and the bit that is always set (APM volume 2,
/// 3.1.1).
const CR0: u32 = 1 << 31 | 1 << 16 | 1 << 5 | 1 << 4 | 1 << 1 | 1;
/// CR4.PAE; nothing that firmware may have turned on stays.
const CR4: u32 = 1 << 5;
/// EFER.LME; NXE is added if the CPU has it.
const EFER_LME: u32 = 1 << 8;
const EFER_NXE: u32 = 1 << 11;

unsafe extern "C" {
    /// The image's first byte at its link address.
    pub static IMAGE_BASE: u8;
    /// End of the page that must stay mapped at its physical address for secondary CPUs.
    pub static __boot_end: u8;
    /// End of the executable pages.
    pub static __text_end: u8;
    /// End of the read-only pages.
    pub static __rodata_end: u8;
    /// End of the writable pages that have a place in the file.
    pub static __data_end: u8;
    /// End of the zeroed pages.
    pub static __bss_end: u8;
    /// End of the stack that the boot CPU begins on, [`BOOT_STACK_BYTES`] long.
    pub static __boot_stack_top: u8;
    /// Where a secondary CPU starts, at its link address.
    pub static _secondary: u8;
}

// Roles until long mode: esi how we were started, ebx boot information, ebp physical .bss, edi the high half of a no-execute
// entry.
global_asm!(
    r#"
    .section .head, "ax"
    .code32
    .global _start
head:
    .byte   0x7f
    .ascii  "ELF"
    .byte   2, 1, 1, 0                  // 64 bits, little-endian, version 1
    .quad   0
    .2byte  2, 62                       // ET_EXEC, EM_X86_64
    .4byte  1
    .quad   _start
    .quad   segments - head, 0
    .4byte  0
    .2byte  64, 56, 2, 0, 0, 0          // two program headers, no sections
segments:
    .4byte  1, 7                        // PT_LOAD
    .quad   0, head, __load_address
    .quad   __file_bytes                // p_filesz and p_memsz, rewritten when the image section is appended
    .quad   __segment_bytes
    .quad   4096
    .4byte  4, 4                        // PT_NOTE
    .quad   note - head, note, note - head + 0x200000
    .quad   note_end - note, note_end - note
    .quad   4
note:
    .4byte  4, 8, 18                    // XEN_ELFNOTE_PHYS32_ENTRY
    .ascii  "Xen\0"
    .quad   pvh - head + 0x200000
note_end:
    .balign 8
multiboot2:
    .4byte  0xe85250d6, 0               // protected mode of i386
    .4byte  multiboot2_end - multiboot2
    .4byte  0x100000000 - (0xe85250d6 + (multiboot2_end - multiboot2))
    .2byte  3, 0                        // entry address
    .4byte  12, _start - head + 0x200000
    .balign 8
    .2byte  0, 0
    .4byte  8
multiboot2_end:

    .balign 8
descriptors:
    .quad   0
    .quad   0x00af9b000000ffff          // 0x08: 64-bit code
    .quad   0x00cf93000000ffff          // 0x10: data
descriptors_pointer:
    .2byte  23
    .4byte  descriptors - head + 0x200000
far_start:
    .4byte  long_start - head + 0x200000
    .2byte  0x08
far_secondary:
    .4byte  long_secondary - head + 0x200000
    .2byte  0x08
too_old_text:
    .asciz  "Ostler needs a CPU with long mode (x86_64)\r\n"
    // Physical addresses of these.
    .set    descriptors_pointer_at, descriptors_pointer - head + 0x200000
    .set    far_start_at, far_start - head + 0x200000
    .set    far_secondary_at, far_secondary - head + 0x200000
    .set    too_old_text_at, too_old_text - head + 0x200000

_start:
    cli
    cld
    mov     esi, {multiboot2}
    cmp     eax, 0x36d76289
    je      2f
20:  hlt
    jmp     20b
pvh:
    cli
    cld
    mov     esi, {pvh}
2:
    // .bss follows the image section: load address + p_memsz - what of .bss is in the segment.
    mov     ebp, offset __load_address
    add     ebp, [__load_address + {memory_bytes}]
    sub     ebp, offset __zero_bytes
    lea     esp, [ebp + 4096 * {tables} + {boot_stack}]

    // Long mode? Only 486s have no CPUID. What cannot even say so in 64 bits says so here, at COM1, as firmware left it.
    mov     eax, 0x80000000
    push    ebx
    cpuid
    cmp     eax, 0x80000001
    jb      too_old
    mov     eax, 0x80000001
    cpuid
    pop     ebx
    xor     edi, edi
    bt      edx, 20
    jnc     3f
    mov     edi, 0x80000000
3:  bt      edx, 29
    jnc     too_old

    // The root.
    lea     eax, [ebp + 4096 * 1 + 0x23]
    mov     [ebp], eax
    lea     eax, [ebp + 4096 * 2 + 0x23]
    mov     [ebp + 8 * 511], eax
    // 4 GiB at their own address: four tables, of 2048 entries in a row.
    lea     edx, [ebp + 4096 * 1]
    lea     eax, [ebp + 4096 * 3 + 0x23]
    mov     ecx, 4
4:  mov     [edx], eax
    add     eax, 4096
    add     edx, 8
    loop    4b
    lea     edx, [ebp + 4096 * 3]
    mov     eax, 0xa1                   // present, accessed, 2 MiB
    mov     ecx, 2048
5:  mov     [edx], eax
    mov     [edx + 4], edi
    add     eax, 0x200000
    add     edx, 8
    loop    5b
    mov     dword ptr [ebp + 4096 * 3 + 8 + 4], 0
    // The image.
    lea     eax, [ebp + 4096 * 7 + 0x23]
    mov     [ebp + 4096 * 2 + 8 * 510], eax
    lea     eax, [ebp + 4096 * 8 + 0x23]
    mov     [ebp + 4096 * 7], eax
    lea     edx, [ebp + 4096 * 8]
    xor     ecx, ecx
6:  mov     eax, ecx
    shl     eax, 12
    cmp     ecx, offset __file_pages
    jae     7f
    add     eax, offset __load_address + 0x21
    cmp     ecx, offset __text_pages
    jb      9f                          // executable
    cmp     ecx, offset __rodata_pages
    jb      8f                          // neither
    or      eax, 0x42                   // writable, dirty
    jmp     8f
7:  sub     eax, offset __file_bytes
    lea     eax, [eax + ebp + 0x63]
8:  mov     [edx + 4], edi
9:  mov     [edx], eax
    add     edx, 8
    inc     ecx
    cmp     ecx, offset __image_pages
    jb      6b

    mov     edi, ebp
    call    long_mode
    jmp     fword ptr [far_start_at]

too_old:
    mov     esi, offset too_old_text_at
20:  mov     al, [esi]
    inc     esi
    test    al, al
    jz      2f
    mov     ah, al
    mov     edx, 0x3fd
    mov     ecx, 100000
3:  in      al, dx
    test    al, 0x20
    loopz   3b
    mov     edx, 0x3f8
    mov     al, ah
    out     dx, al
    jmp     20b
2:  hlt
    jmp     2b

    // Paging and long mode on, edi the root; still in 32-bit code (APM volume 2, 14.6.1). Keeps ebx, esi, ebp.
long_mode:
    mov     eax, {cr4}
    mov     cr4, eax
    mov     cr3, edi
    mov     eax, 0x80000001
    push    ebx
    cpuid
    pop     ebx
    mov     edi, {lme}
    bt      edx, 20
    jnc     20f
    or      edi, {nxe}
20:  mov     eax, edi
    xor     edx, edx
    mov     ecx, 0xc0000080
    wrmsr
    mov     eax, {cr0}
    mov     cr0, eax
    lgdt    [descriptors_pointer_at]
    ret

    // A secondary CPU (see `arch`'s `firmware::start_cpu`): edi the root of the starter's tables, edx:esi the physical address of its
    // `Start`. There is no stack yet: the code above is repeated without one.
    .global _secondary
_secondary:
    mov     ebp, edx
    mov     eax, {cr4}
    mov     cr4, eax
    mov     cr3, edi
    mov     eax, 0x80000001
    cpuid
    mov     eax, {lme}
    bt      edx, 20
    jnc     20f
    or      eax, {nxe}
20:  xor     edx, edx
    mov     ecx, 0xc0000080
    wrmsr
    mov     eax, {cr0}
    mov     cr0, eax
    lgdt    [descriptors_pointer_at]
    jmp     fword ptr [far_secondary_at]

    .code64
long_start:
    mov     rsp, offset __boot_stack_top
    call    data_segments
    mov     eax, ebx
    mov     rdi, rax                    // boot information
    mov     ecx, esi                    // how
    mov     esi, offset __load_address
    mov     edx, ebp                    // .bss
    mov     rax, offset ostler_entry
    jmp     8f
long_secondary:
    shl     rbp, 32
    mov     esi, esi
    or      rsi, rbp
    mov     rax, [rsi]
    mov     cr3, rax
    mov     rsp, [rsi + 8]
    mov     rdi, [rsi + 16]
    call    data_segments
    mov     rax, offset ostler_secondary
8:  xor     ebp, ebp
    call    rax
    ud2

data_segments:
    mov     ax, 0x10
    mov     ds, eax
    mov     es, eax
    mov     ss, eax
    mov     fs, eax
    mov     gs, eax
    ret

    .section .bss.boot, "aw", %nobits
    .balign 4096
    .global __boot_tables
__boot_tables:
    .skip   4096 * {tables}
    .skip   {boot_stack}
    .global __boot_stack_top
__boot_stack_top:
    "#,
    pvh = const PVH,
    multiboot2 = const MULTIBOOT2,
    memory_bytes = const MEMORY_BYTES,
    tables = const TABLES,
    boot_stack = const BOOT_STACK_BYTES,
    cr0 = const CR0,
    cr4 = const CR4,
    lme = const EFER_LME,
    nxe = const EFER_NXE,
);
