//! What of the board is a guest's own: its registers, its interrupts, and what the latter may cost others.

use qemu_tests::{
    PASS_AGAIN, PASS_AGAIN_GICV2, PASS_KEY, PASS_KEY_GICV2, PASS_MEMORY, PASS_NODES, PASS_NODES_GICV2, PASS_STORM,
    PASS_STORM_GICV2, Result, System, Verdict, enabled,
};

/// Ctrl-], before a key of the console's own.
const ESCAPE: &str = "\x1d";

/// Debian finds clock and key with its own drivers, and powers off when the board's own power button is pressed.
fn debian_has(system: System, clock: &str) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = system.boot()?;
    console.expect(&format!("linux: rtc-pl031 {clock} says 20"))?;
    console.expect("linux: listens to the power key")?;
    board.qmp().execute("system_powerdown")?;
    console.expect("linux: the power key was pressed, powering off")?;
    console.expect("\x1e[ostler] passed: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn debian_drives_the_boards_devices_by_their_nodes() -> Result<()> {
    debian_has(PASS_NODES, "9010000.pl031")
}

#[test]
fn debian_drives_the_boards_devices_by_their_nodes_with_gicv2() -> Result<()> {
    debian_has(PASS_NODES_GICV2, "9010000.pl031")
}

#[test]
fn debian_drives_the_boards_devices_by_address() -> Result<()> {
    debian_has(PASS_MEMORY, "20000000.rtc")
}

/// The line is low until the button is pressed, high for a moment, and each change interrupts: also after a pause, in which the
/// button is pressed too.
fn a_bare_guest_sees_the_key(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = system.boot()?;
    console.expect("its own memory and nothing else")?;
    console.expect("stop: watches the power key")?;
    for _ in 0..3 {
        board.qmp().execute("system_powerdown")?;
        console.expect("stop: the power key is down")?;
        console.expect("stop: the power key is up")?;
    }
    console.send(&format!("{ESCAPE}p"))?;
    console.expect("\x1e[ostler] key: paused")?;
    board.qmp().execute("system_powerdown")?;
    console.send(&format!("{ESCAPE}p"))?;
    console.expect("\x1e[ostler] key: goes on")?;
    console.expect("stop: the power key is ")?;
    console.send(&format!("{ESCAPE}x"))?;
    console.expect("\x1e[ostler] key: stopped: its power was cut (code 3)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

#[test]
fn a_bare_guest_sees_the_boards_key() -> Result<()> {
    a_bare_guest_sees_the_key(PASS_KEY)
}

#[test]
fn a_bare_guest_sees_the_boards_key_with_gicv2() -> Result<()> {
    a_bare_guest_sees_the_key(PASS_KEY_GICV2)
}

/// The clock counts instructions, so what a line that never falls takes from others is Ostler's doing.
fn a_line_that_never_falls(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = system.boot_counted()?;
    console.expect("\x1e[ostler] warning: storm: interrupt 34 comes too often: held to 200 in 10 ms")?;
    let number = |said: &str| -> u32 {
        said.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{said}"))
    };
    for _ in 0..4 {
        let count = number(&console.expect(" interrupts in 100 ms")?);
        // Eleven periods may begin in that time. The guest has the other ones' interrupts for itself.
        assert!((1000..=2200).contains(&count), "{count}");
    }
    let pulses = console.expect(" of them when the next was due")?;
    assert!(pulses.ends_with(" 400 pulses, 0"), "{pulses}");
    // An arrival that is being dealt with when it is to wake.
    let late_ns = number(&console.expect(" ns behind its time at most")?);
    assert!(late_ns < 20_000, "{late_ns}");
    console.expect("stop: the line has fallen, and it is quiet")?;
    console.expect("\x1e[ostler] storm: interrupt 34 was held back in ")?;
    Ok(())
}

#[test]
fn a_line_that_never_falls_is_held_to_a_bound() -> Result<()> {
    a_line_that_never_falls(PASS_STORM)
}

#[test]
fn a_line_that_never_falls_is_held_to_a_bound_with_gicv2() -> Result<()> {
    a_line_that_never_falls(PASS_STORM_GICV2)
}

/// Each life ends with the interrupt active, and the next one needs it.
fn each_life_has_its_interrupt(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = system.boot()?;
    console.expect("\x1e[ostler] again: restarts (100)")?;
    Ok(())
}

#[test]
fn a_restart_begins_with_the_interrupt_masked_and_deactivated() -> Result<()> {
    each_life_has_its_interrupt(PASS_AGAIN)
}

#[test]
fn a_restart_begins_with_the_interrupt_masked_and_deactivated_with_gicv2() -> Result<()> {
    each_life_has_its_interrupt(PASS_AGAIN_GICV2)
}
