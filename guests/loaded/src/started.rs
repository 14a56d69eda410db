//! The first instructions, and the state that they found the CPU in.
//!
//! The same bytes are entered in 32-bit mode and in 64-bit mode. The first ones mean the same in both, but for one: 0x48 is a
//! prefix of 64-bit mode, and an instruction of its own in 32-bit mode.

use core::arch::{asm, global_asm};

use crate::Verdict;

global_asm!(
    r#"
    .section .text.start, "ax"
    .code32
    .global _start
    _start:
        mov     ebp, eax
        xor     eax, eax
        .byte   0x48, 0x90                  // 32-bit: dec eax; nop. 64-bit: nop
        test    eax, eax
        jz      4f

        // As it was found.
        mov     [{started}], ebp
        mov     [{started} + 4], ebx
        mov     [{started} + 8], esi
        mov     eax, cr0
        mov     [{started} + 12], eax
        lea     esp, [__stack_top]
        pushfd
        pop     [{started} + 16]
        cld
        call    5f
        // Page tables (APM volume 2, 5.3): 4 GiB as they are, by 2 MiB.
        lea     edi, [{tables}]
        lea     eax, [edi + 0x1003]
        mov     [edi], eax
        lea     eax, [edi + 0x2003]
        xor     ecx, ecx
    2:  mov     [edi + ecx * 8 + 0x1000], eax
        add     eax, 0x1000
        inc     ecx
        cmp     ecx, 4
        jne     2b
        mov     eax, 0x83
        xor     ecx, ecx
    3:  mov     [edi + ecx * 8 + 0x2000], eax
        add     eax, 0x200000
        inc     ecx
        cmp     ecx, 2048
        jne     3b
        lgdt    [gdt_pointer]
        // CR4: PAE; OSFXSR and OSXMMEXCPT, so that there is SSE.
        mov     eax, 0x620
        mov     cr4, eax
        mov     cr3, edi
        // EFER.LME
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 0x100
        wrmsr
        // CR0: PG, WP, NE, ET, MP, PE.
        mov     eax, 0x80010033
        mov     cr0, eax
        // ljmp 0x10:continue
        .byte   0xea
        .long   continue
        .short  0x10

    // Zeroes .bss: a loader does that of an ELF file, and not of a raw one. The same in both modes.
    5:  lea     edi, [__bss_start]
        lea     ecx, [__bss_end]
        sub     ecx, edi
        shr     ecx, 2
        xor     eax, eax
        rep stosd
        ret

    .code64
    4:  mov     [{started}], ebp
        mov     [{started} + 4], ebx
        mov     [{started} + 8], esi
        mov     rax, cr0
        mov     [{started} + 12], eax
        lea     rsp, [__stack_top]
        pushfq
        pop     rax
        mov     [{started} + 16], eax
        mov     dword ptr [{started} + 20], 1
        cld
        call    5b
        // CR4: OSFXSR and OSXMMEXCPT.
        mov     rax, cr4
        or      eax, 0x600
        mov     cr4, rax
    continue:
        mov     eax, 0x18
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        xor     ebp, ebp
        call    {main}
        ud2

    .section .rodata.gdt, "a"
    .balign 8
    // None, none, 64-bit code, data: at the selectors that Linux's boot protocol has them at.
    gdt:
        .quad   0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
    gdt_pointer:
        .short  4 * 8 - 1
        .long   gdt
    "#,
    started = sym STARTED,
    tables = sym TABLES,
    main = sym crate::main,
);

/// A PML4, a page-directory-pointer table, and four page directories; written before Rust runs.
#[repr(C, align(4096))]
struct Tables([u64; 6 * 512]);

static mut TABLES: Tables = Tables([0; 6 * 512]);

/// The CPU's state at the first instruction.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) eax: u32,
    pub(crate) ebx: u32,
    pub(crate) esi: u32,
    cr0: u32,
    flags: u32,
    /// In 64-bit mode.
    pub(crate) is_long: bool,
}

/// Written before Rust runs; in `.data`, which nobody zeroes.
#[unsafe(link_section = ".data.started")]
static mut STARTED: Started = Started { eax: 0, ebx: 0, esi: 0, cr0: 0, flags: 0, is_long: false };

unsafe extern "C" {
    /// The linker's marks, whose addresses are all there is to them.
    static __program_start: u8;
    static __program_end: u8;
}

/// Where the program is: its first byte, and the first after its stack.
pub(crate) fn extent() -> (u64, u64) {
    (&raw const __program_start as u64, &raw const __program_end as u64)
}

impl Started {
    /// What the first instructions left.
    pub(crate) fn get() -> &'static Started {
        let started = &raw const STARTED;
        // SAFETY: it is not written once Rust runs.
        unsafe { &*started }
    }

    /// What Multiboot (3.2), Multiboot2 (3.3) and Linux's protocol (boot.rst, "32-bit Boot Protocol" and "64-bit Boot Protocol")
    /// have in common: protected mode, interrupts off, and paging in 64-bit mode only.
    pub(crate) fn check(&self) -> Verdict {
        if self.flags & (1 << 17 | 1 << 9) != 0 {
            return Err("interrupts are on, or it is virtual-8086 mode");
        }
        match (self.is_long, self.cr0 & (1 << 31 | 1)) {
            (false, 1) => Ok(()),
            (true, 0x8000_0001) => self.check_segments(),
            _ => Err("CR0 has not what the mode needs"),
        }
    }

    /// Linux's protocol has code at 0x10 and data at 0x18. In 64-bit mode the GDT of the loader is still there.
    fn check_segments(&self) -> Verdict {
        let code: u16;
        // SAFETY: reading CS changes nothing.
        unsafe { asm!("mov {:x}, cs", out(reg) code, options(nomem, nostack, preserves_flags)) };
        if code == 0x10 { Ok(()) } else { Err("the code segment is not at 0x10") }
    }
}
