//! How a VM is stopped from outside: by its watchdog, by its power key, by a power cut.

use std::time::Duration;

use qemu_tests::courses::stop;
use qemu_tests::{
    COMES_BACK, LINUX_POWER_KEY, LINUX_WATCHDOG, POWER_KEY, Result, Verdict, WATCHDOG, WATCHDOG_RESET, enabled,
};

/// Ctrl-], before a key of the console's own.
const ESCAPE: &str = "\x1d";

#[test]
fn a_watchdog_interrupts_and_then_bites() -> Result<()> {
    let lines = [
        "stop: fed in time, no interrupt",
        "stop: fed by ten interrupts",
        "stop: the interrupt, and nobody feeds it any more",
    ];
    if enabled() { stop::bitten(WATCHDOG, "starved", &lines) } else { Ok(()) }
}

/// A watchdog that was on when its VM was reset is off in the next life, and forgotten by the VM's home.
#[test]
fn a_watchdog_of_an_earlier_life_does_not_bite() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = WATCHDOG_RESET.boot()?;
    console.expect("\x1e[ostler] again: restarts (300)")?;
    Ok(())
}

/// Each guest in turn gets the console when the one before it has stopped. The first says nothing, so that all that the others
/// say at first is in whole lines.
#[test]
fn who_does_not_power_off_is_cut_off() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = POWER_KEY.boot()?;
    console.expect("] stop: watches the power key")?;
    console.expect("] stop: watches the power key")?;
    // No key at all.
    console.send(&format!("{ESCAPE}o"))?;
    console.expect("\x1e[ostler] keyless: no power key (`vdev pl061`")?;
    stop::cut_off(&mut console, "keyless", &["stop: the power key is down", "stop: the power key is up"])?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

/// The kernel stands still after its panic, and nothing in the guest will ever end that.
#[test]
fn debian_that_crashed_is_bitten() -> Result<()> {
    let lines = [
        "linux: feeds the watchdog sp805-wdt",
        "linux: fed for longer than it waits",
        "Kernel panic - not syncing: sysrq triggered crash",
    ];
    if enabled() { stop::bitten(LINUX_WATCHDOG, "watched", &lines) } else { Ok(()) }
}

/// The board's clock counts instructions, so a beat that slips is Ostler's doing.
#[test]
fn debian_that_crashed_comes_back_and_a_heartbeat_does_not_slip() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = COMES_BACK.boot_counted()?;
    // A guest that panicked spins, and each of its instructions is counted.
    console.set_patience(Duration::from_secs(180));
    console.expect("linux: feeds the watchdog sp805-wdt")?;
    console.expect("\x1e[ostler] linux: failed: its watchdog was not fed in time; vCPU 0:")?;
    let report = console.expect("\x1e[ostler] linux: restarts (1)")?;
    assert!(report.contains("\x1e[ostler] linux: called from 0xffff"), "{report}");
    assert!(report.matches(" us vCPU 0 pc 0xffff").count() >= 32, "{report}");
    console.expect("linux: feeds the watchdog sp805-wdt")?;
    let pulses = console.expect(" of them when the next was due")?;
    assert!(pulses.ends_with(" pulses, 0"), "{pulses}");
    Ok(())
}

#[test]
fn debian_powers_off_in_order_when_it_is_asked_to() -> Result<()> {
    if enabled() { stop::debian_obeys(LINUX_POWER_KEY) } else { Ok(()) }
}
