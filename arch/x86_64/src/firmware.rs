//! What arm64 asks its firmware for, done by ourselves: power-off and reset as ACPI describes them, and the start of another CPU.

mod trampoline;

pub use trampoline::{NotStarted, start_cpu};

use x86_64::VirtAddr;
use x86_64::instructions::tables::{DescriptorTablePointer, lidt};

use crate::board::{self, Power};
use crate::cpu::{execute_nonsense, halt};
use crate::registers::{read_port, write_port};

/// PM1_CNT (ACPI 4.8.3.2.1): ACPI mode, not legacy.
const SCI_EN: u16 = 1 << 0;
const SLP_TYP: u16 = 0b111 << 10;
const SLP_EN: u16 = 1 << 13;
/// Looks at SCI_EN before a chipset that does not get into ACPI mode is told to sleep all the same.
const PATIENCE: u32 = 1_000_000;

/// Powers the board off (ACPI 7.4.2, 16.1.7); halts if that can't be.
pub fn power_off() -> ! {
    if let Some(power) = board::get().map(|board| &board.power) {
        soft_off(power);
    }
    halt()
}

fn soft_off(power: &Power) -> Option<()> {
    let control = power.pm1a_control?;
    let (type_a, type_b) = power.soft_off?;
    // SAFETY: the ports are those that the FADT names for it, and the values what ACPI has for them.
    unsafe {
        if let Some((port, value)) = power.enable.filter(|_| read_port::<u16>(control) & SCI_EN == 0) {
            write_port(port, value);
            let _ = (0..PATIENCE).find(|_| read_port::<u16>(control) & SCI_EN != 0);
        }
        let sleep = |port: u16, kind: u8| {
            let kept = read_port::<u16>(port) & !SLP_TYP;
            write_port(port, kept | SLP_EN | u16::from(kind & 0b111) << 10);
        };
        sleep(control, type_a);
        if let Some(control) = power.pm1b_control {
            sleep(control, type_b);
        }
    }
    Some(())
}

/// Resets the board: by the FADT's register, by the chipset's, by the keyboard controller, and at last by a triple fault.
pub fn reset() -> ! {
    let told = board::get().and_then(|board| board.power.reset);
    // 0xcf9: SYS_RST and RST_CPU, the latter a little later. 0x64: pulse the reset line.
    for (port, value) in told.into_iter().chain([(0xcf9, 0x02), (0xcf9, 0x06), (0x64, 0xfe)]) {
        // SAFETY: these ports reset the board, which is what is asked for; where there is nothing behind them, nothing happens.
        unsafe { write_port(port, value) };
        // A device needs a moment; reading a port takes about a microsecond.
        (0..1000).for_each(|_| {
            read_port::<u8>(0x80);
        });
    }
    // SAFETY: without vectors the next exception has nowhere to go: shutdown, which resets a PC (APM volume 2, 8.2.9).
    unsafe { lidt(&DescriptorTablePointer { limit: 0, base: VirtAddr::zero() }) };
    execute_nonsense();
    halt()
}
