//! In real mode, from the first byte on, wherever below 1 MiB it is put: says so and powers off.
#![cfg_attr(target_os = "none", no_std, no_main)]

// CR0.PE is to be clear, IP to be 0 at the first byte, and CS to be its paragraph, as after a start-up IPI. COM1 is at 0x3f8;
// PM1a_CNT of Ostler's FADT at 0x604, SLP_TYP of S5 with SLP_EN 0x3400. Addresses are those in the segment.
#[cfg(target_os = "none")]
core::arch::global_asm!(
    r#"
    .section .text.start, "ax"
    .code16
    .global _start
    _start:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x1000
        .byte   0xbe                        // mov si, imm16
        .short  good - _start
        smsw    ax
        test    al, 1
        jz      2f
        .byte   0xbe                        // mov si, imm16
        .short  bad - _start
    2:  call    say
        // CS as four digits.
        mov     bx, cs
        mov     cx, 4
    3:  rol     bx, 4
        mov     al, bl
        and     al, 15
        add     al, '0'
        cmp     al, '9'
        jbe     4f
        add     al, 'a' - '9' - 1
    4:  call    send
        loop    3b
        .byte   0xbe                        // mov si, imm16
        .short  end - _start
        call    say
        mov     dx, 0x604
        mov     ax, 0x3400
        out     dx, ax
    5:  hlt
        jmp     5b
    say:
        lodsb
        test    al, al
        jz      6f
        call    send
        jmp     say
    6:  ret
    send:
        mov     ah, al
        mov     dx, 0x3fd
    7:  in      al, dx
        test    al, 0x20
        jz      7b
        mov     al, ah
        mov     dx, 0x3f8
        out     dx, al
        ret
    good:
        .asciz  "loaded: started in real mode at "
    bad:
        .asciz  "loaded: FAILED: not in real mode at "
    end:
        .asciz  "0\r\n"
    "#
);

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[cfg(not(target_os = "none"))]
fn main() {}
