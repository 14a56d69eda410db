//! The ways in which a PC starts Ostler, beside QEMU's own `-kernel`: GRUB from a disc, by BIOS and by UEFI.

use std::time::Duration;

use qemu_tests::{Board, HELLO_X86_64, Machine, Result, Verdict, enabled};

/// Boots the disc with the bare-metal guest until that has powered off.
fn starts(change: impl FnOnce(Machine) -> Machine) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = Board::with_console(&change(HELLO_X86_64.machine_with_disc()), None)?;
    // Firmware takes its time, in an emulator on a machine with much else to do.
    console.set_patience(Duration::from_secs(300));
    console.expect("[ostler] self-test: hello: ")?;
    console.expect("hello: all passed")?;
    console.expect("hello: powers off")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn a_bios_starts_the_disc() -> Result<()> {
    starts(|machine| machine)
}

/// UEFI's memory map has more pieces than a BIOS's, its RSDP is not below 1 MiB, and it keeps memory for itself: the board has
/// more than was assembled for.
#[test]
fn uefi_starts_the_disc() -> Result<()> {
    starts(|machine| {
        let extra = ["-bios", "/usr/share/ovmf/OVMF.fd"].map(String::from).to_vec();
        Machine { memory_bytes: machine.memory_bytes + (64 << 20), extra, ..machine }
    })
}
