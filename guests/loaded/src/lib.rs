//! Bare-metal x86 guests that tell how they were started and what they were given, whoever starts them.
//!
//! | program | header | started by |
//! |---|---|---|
//! | `plain` | none | Linux's boot protocol: an ELF file in 64-bit mode; without its ELF header, a raw file in 32-bit mode |
//! | `multiboot` | Multiboot, without addresses | Multiboot, as the ELF file is linked |
//! | `flat` | Multiboot with addresses | Multiboot, as the header says: with or without its ELF header |
//! | `multiboot2` | Multiboot2 | Multiboot2 |
//! | `real` | none | from its first byte, in real mode: a raw file below 1 MiB |
//!
//! They use nothing of guest-runtime, which has headers of its own and asks ACPI for the machine. What they say goes to COM1; they
//! check what their protocol promises, and power off. On a host target there is nothing to build.
#![cfg(target_os = "none")]
#![no_std]

#[macro_use]
mod console;
mod given;
mod linux;
mod memory;
mod multiboot;
mod multiboot2;
mod started;

use core::panic::PanicInfo;

use started::Started;

/// A check that fails ends the program with its name.
type Verdict = Result<(), &'static str>;

/// Called by the first instructions, in 64-bit mode, with memory below 4 GiB mapped to itself.
extern "C" fn main() -> ! {
    match tell(Started::get()) {
        Ok(()) => say!("all passed"),
        Err(what) => say!("FAILED: {what}"),
    }
    console::power_off()
}

fn tell(started: &Started) -> Verdict {
    let (what, given) = match (started.eax, started.is_long) {
        (multiboot::MAGIC, false) => ("Multiboot", multiboot::read(started.ebx)?),
        (multiboot2::MAGIC, false) => ("Multiboot2", multiboot2::read(started.ebx)?),
        _ => ("Linux's boot protocol", linux::read(started.esi)?),
    };
    say!("started by {what} in {} mode", if started.is_long { "64-bit" } else { "32-bit" });
    started.check()?;
    given.tell();
    given.check()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say!("FAILED: {info}");
    console::power_off()
}
