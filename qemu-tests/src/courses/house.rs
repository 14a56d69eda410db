//! A full house: two Debian guests under load and two bare-metal guests share the pCPUs of a board.

use std::time::Duration;

use crate::{Board, Machine, Result, Verdict};

/// Lets the two Debian guests of a full house on `machine` work for so many seconds of theirs; all that was printed. `patience` is for
/// as long as nothing that is waited for is said.
pub fn full_house(machine: &Machine, patience: Duration, seconds: u32) -> Result<String> {
    let (mut board, mut console) = Board::with_console(machine, None)?;
    console.set_patience(patience);
    // With hello in focus the others speak in whole lines. Not sooner: a 16550 forgets what came before its driver.
    console.expect("[ostler] linux1: ")?;
    console.send("\x1d3")?;
    for _ in 0..2 {
        console.expect("] linux: for how many seconds?")?;
    }
    // Under load two vCPUs that answer each other may wait for a turn each time.
    while !console.transcript().contains("[beats] hello: all passed") {
        console.expect("\r")?;
    }
    console.send(&format!("\x1d1{seconds}\n\x1d2{seconds}\n\x1d3"))?;
    for _ in 0..2 {
        let (complains, _) = console.expect_any(&["] linux: no complaint", "] linux: the kernel complains"])?;
        assert_eq!(complains, 0, "{}", console.transcript());
    }
    // hello has looked at its own memory with every beat, and would have said what is wrong with it.
    console.send("q")?;
    console.expect("hello: told to go")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    for name in ["linux1", "linux2", "hello", "beats"] {
        let end = format!("\x1e[ostler] {name}: stopped: the guest powered off (code 0)");
        assert!(transcript.contains(&end), "{name} has no good end in\n{transcript}");
    }
    assert!(!transcript.contains("FAILED"), "{transcript}");
    if machine.cpus == 2 {
        assert_eq!(transcript.matches("linux: time was stolen").count(), 2, "{transcript}");
    }
    Ok(transcript)
}
