//! How a VM is stopped from outside: by its watchdog, by its power key, by a power cut.

use crate::{Console, Result, System, Verdict};

/// A guest that feeds its watchdog, says `lines` of that, and then feeds it no more: `vm` is bitten, and the board ends badly.
pub fn bitten(system: System, vm: &str, lines: &[&str]) -> Result<()> {
    let (mut board, mut console) = system.boot()?;
    for line in lines {
        console.expect(line)?;
    }
    console.expect(&format!("\x1e[ostler] {vm}: stopped: its watchdog was not fed in time (code 4)"))?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

/// Presses the power key of `vm`, which has the console.
fn press(console: &mut Console, vm: &str) -> Result<()> {
    console.send("\x1do")?;
    console.expect(&format!("\x1e[ostler] {vm}: power key pressed"))?;
    Ok(())
}

/// `quiet`, which has the console, has its power cut. Of two guests that see the key and do nothing the first is cut off by the time-out,
/// the second by another press. They say `pressed` when it was.
pub fn cut_off(console: &mut Console, quiet: &str, pressed: &[&str]) -> Result<()> {
    console.send("\x1dx")?;
    console.expect(&format!("\x1e[ostler] {quiet}: stopped: its power was cut (code 3)"))?;
    console.expect("\x1e[ostler] the console is stubborn's now")?;
    let sees = |console: &mut Console| pressed.iter().try_for_each(|line| console.expect(line).map(drop));
    press(console, "stubborn")?;
    sees(console)?;
    console.expect("\x1e[ostler] stubborn: not off after 1 s")?;
    console.expect("\x1e[ostler] stubborn: stopped: its power was cut (code 3)")?;
    console.expect("\x1e[ostler] the console is patient's now")?;
    press(console, "patient")?;
    sees(console)?;
    console.send("\x1do")?;
    console.expect("\x1e[ostler] patient: stopped: its power was cut (code 3)")?;
    Ok(())
}

/// Debian powers off in order when its power key is pressed.
pub fn debian_obeys(system: System) -> Result<()> {
    let (mut board, mut console) = system.boot()?;
    console.expect("linux: listens to the power key")?;
    press(&mut console, "orderly")?;
    console.expect("linux: the power key was pressed, powering off")?;
    console.expect("\x1e[ostler] orderly: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}
