//! COM1 as it is found, with a wait for each byte; and the machine's end.

use core::arch::asm;
use core::fmt;

const COM1: u16 = 0x3f8;
const LINE_STATUS: u16 = COM1 + 5;
/// LSR: THR is empty.
const EMPTY: u8 = 1 << 5;
/// PM1a_CNT, and SLP_TYP of S5 with SLP_EN, as Ostler's FADT and DSDT have them (ACPI 6.5, 4.8.3.2.1).
const CONTROL: u16 = 0x604;
const OFF: u16 = 5 << 10 | 1 << 13;

/// The console.
pub(crate) struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(send);
        Ok(())
    }
}

/// Says a line, with the program's name.
macro_rules! say {
    ($($words:tt)*) => {{
        // The console takes everything.
        let _ = core::fmt::Write::write_fmt(&mut $crate::console::Console, format_args!("loaded: {}\r\n", format_args!($($words)*)));
    }};
}

fn send(byte: u8) {
    let mut status = 0_u8;
    while status & EMPTY == 0 {
        // SAFETY: reading the line status changes nothing of memory.
        unsafe { asm!("in al, dx", in("dx") LINE_STATUS, out("al") status, options(nomem, nostack, preserves_flags)) };
    }
    // SAFETY: a byte to send changes nothing of memory.
    unsafe { asm!("out dx, al", in("dx") COM1, in("al") byte, options(nomem, nostack, preserves_flags)) };
}

/// Ends the machine.
pub(crate) fn power_off() -> ! {
    // SAFETY: the program is over.
    unsafe { asm!("out dx, ax", "2: cli", "hlt", "jmp 2b", in("dx") CONTROL, in("ax") OFF, options(noreturn)) }
}
