//! The vectors and the one interrupt handler.

use super::{fail, gic, machine::Machine, second, timer, uart};
use crate::guest::system_register::read_register;
use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

// The handler is compiled without floating point and does not nest, so the general registers that a call may clobber
// are all there is to save.
global_asm!(
    r#"
    .macro entry what
    .balign 0x80
        mov     x0, #\what
        b       {unexpected}
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
    vectors:
        entry 0
        entry 1
        entry 2
        entry 3
        entry 4
    .balign 0x80
        sub     sp, sp, #176
        stp     x0, x1, [sp, #0]
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x6, x7, [sp, #48]
        stp     x8, x9, [sp, #64]
        stp     x10, x11, [sp, #80]
        stp     x12, x13, [sp, #96]
        stp     x14, x15, [sp, #112]
        stp     x16, x17, [sp, #128]
        stp     x18, x29, [sp, #144]
        str     x30, [sp, #160]
        bl      {interrupt}
        ldp     x0, x1, [sp, #0]
        ldp     x2, x3, [sp, #16]
        ldp     x4, x5, [sp, #32]
        ldp     x6, x7, [sp, #48]
        ldp     x8, x9, [sp, #64]
        ldp     x10, x11, [sp, #80]
        ldp     x12, x13, [sp, #96]
        ldp     x14, x15, [sp, #112]
        ldp     x16, x17, [sp, #128]
        ldp     x18, x29, [sp, #144]
        ldr     x30, [sp, #160]
        add     sp, sp, #176
        eret
        entry 6
        entry 7
        entry 8
        entry 9
        entry 10
        entry 11
        entry 12
        entry 13
        entry 14
        entry 15
    .balign 0x80
    "#,
    unexpected = sym unexpected,
    interrupt = sym interrupt,
);

/// The INTIDs that the device tree gave to the timer and the UART.
static TIMER: AtomicU32 = AtomicU32::new(u32::MAX);
static UART: AtomicU32 = AtomicU32::new(u32::MAX);

/// From here on the machine's interrupts find their handlers.
pub(crate) fn route(machine: &Machine) {
    TIMER.store(machine.timer_interrupt, Relaxed);
    UART.store(machine.uart.interrupt, Relaxed);
}

extern "C" fn interrupt() {
    let intid = gic::acknowledge();
    match intid {
        second::PING | second::PONG | second::STOP => second::on_sgi(intid),
        _ if intid == TIMER.load(Relaxed) => timer::on_interrupt(),
        _ if intid == UART.load(Relaxed) => uart::on_interrupt(),
        // 1020 to 1023: nothing is pending any more, and nothing is to be ended (IHI 0069, 2.2.1).
        1020..=1023 => return,
        _ => {
            uart::println!("hello: interrupt {intid}");
            fail("an interrupt that nobody asked for");
        }
    }
    gic::end(intid);
}

extern "C" fn unexpected(vector: u64) -> ! {
    uart::println!(
        "hello: vector {vector}, ESR {:#x}, ELR {:#x}, FAR {:#x}",
        read_register!("esr_el1"),
        read_register!("elr_el1"),
        read_register!("far_el1")
    );
    fail("an exception that nobody asked for")
}
