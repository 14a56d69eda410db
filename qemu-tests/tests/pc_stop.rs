//! How a VM is stopped from outside on x86's board: by its watchdog, by its power button, by a power cut. And how it is paused.

use qemu_tests::courses::{pause, stop};
use qemu_tests::{
    Console, LINUX_POWER_KEY_X86_64, LINUX_WATCHDOG_X86_64, PAUSE_WATCHDOG_X86_64, PAUSE_X86_64, POWER_KEY_X86_64,
    Result, Verdict, WATCHDOG_RESET_X86_64, WATCHDOG_X86_64, enabled,
};

/// Ctrl-], before a key of the console's own.
const ESCAPE: &str = "\x1d";

#[test]
fn a_watchdog_that_is_fed_or_stopped_does_not_bite_and_then_does() -> Result<()> {
    let lines = [
        "stop: fed for longer than it waits",
        "stop: stopped for longer than it waits",
        "stop: nobody feeds it any more",
    ];
    if enabled() { stop::bitten(WATCHDOG_X86_64, "starved", &lines) } else { Ok(()) }
}

/// A watchdog that was on when its VM was reset is off in the next life, and forgotten by the VM's home.
#[test]
fn a_watchdog_of_an_earlier_life_does_not_bite_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = WATCHDOG_RESET_X86_64.boot()?;
    console.expect("\x1e[ostler] again: restarts (100)")?;
    Ok(())
}

/// Each guest in turn gets the console when the one before it has stopped. The first says nothing, so that all that the others
/// say at first is in whole lines.
#[test]
fn who_does_not_power_off_is_cut_off_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = POWER_KEY_X86_64.boot()?;
    for _ in 0..2 {
        console.expect("] stop: watches the power key")?;
    }
    stop::cut_off(&mut console, "silent", &["stop: the power key was pressed"])?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

/// A number that `hello` says between these texts.
fn number(console: &mut Console, before: &str, behind: &str) -> Result<u64> {
    console.expect(before)?;
    let text = console.expect(behind)?;
    Ok(text.parse().unwrap_or_else(|_| panic!("no number: {text}")))
}

/// The counter stands still. (A guest of x86's has no other clock; the beats of the one beside it, ten a second, are the board's.)
#[test]
fn a_guest_that_was_paused_finds_that_no_time_has_passed_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = PAUSE_X86_64.boot()?;
    console.expect("hello: alive 5")?;
    let clocks = |console: &mut Console| {
        console.send("t")?;
        let own_ms = number(console, "q powers me off, it is ", " ms here")?;
        Ok((own_ms, number(console, "[beside] hello: alive ", "\r")? * 100))
    };
    for _ in 0..3 {
        let (own_before, board_before) = clocks(&mut console)?;
        console.send(&format!("{ESCAPE}p"))?;
        console.expect("\x1e[ostler] paused: paused")?;
        console.send(&format!("{ESCAPE}?"))?;
        console.expect("\x1e[ostler] beside: running")?;
        // What is typed meanwhile is not lost.
        console.send("t")?;
        for _ in 0..20 {
            console.expect("[beside] hello: alive")?;
        }
        console.send(&format!("{ESCAPE}p"))?;
        let silence = console.expect("\x1e[ostler] paused: goes on")?;
        assert!(!silence.contains("q powers me off"), "it ran: {silence}");
        console.expect("q powers me off, it is")?;
        let (own, board) = clocks(&mut console)?;
        let lost = (board - board_before).saturating_sub(own - own_before);
        assert!(lost >= 1000, "the pause of two seconds took {lost} ms from the guest");
    }
    pause::ends(&mut board, &mut console)
}

#[test]
fn a_watchdog_waits_for_a_guest_that_is_paused_on_x86() -> Result<()> {
    if enabled() { pause::watchdog_waits(PAUSE_WATCHDOG_X86_64) } else { Ok(()) }
}

/// The kernel stands still after its panic, and nothing in the guest will ever end that.
#[test]
fn debian_that_crashed_is_bitten_on_x86() -> Result<()> {
    let lines = [
        "linux: feeds the watchdog",
        "linux: fed for longer than it waits",
        "Kernel panic - not syncing: sysrq triggered crash",
    ];
    if enabled() { stop::bitten(LINUX_WATCHDOG_X86_64, "watched", &lines) } else { Ok(()) }
}

#[test]
fn debian_powers_off_in_order_when_it_is_asked_to_on_x86() -> Result<()> {
    if enabled() { stop::debian_obeys(LINUX_POWER_KEY_X86_64) } else { Ok(()) }
}
