//! A VM that is paused, beside one that is not.

use crate::{Board, Console, Result, System, Verdict};

/// What `hello` says of its own clock and of the board's, in milliseconds.
fn clocks(console: &mut Console) -> Result<[u64; 2]> {
    console.send("t")?;
    console.expect("q powers me off, it is ")?;
    let own = console.expect(" ms here and ")?;
    let board = console.expect(" ms on the board")?;
    Ok([own, board].map(|text| text.parse().unwrap_or_else(|_| panic!("no number: {text}"))))
}

/// A guest that was paused finds that no time has passed.
pub fn no_time_passes(system: System) -> Result<()> {
    let (mut board, mut console) = system.boot()?;
    console.expect("hello: alive 5")?;
    for _ in 0..3 {
        let [own_before, board_before] = clocks(&mut console)?;
        console.send("\x1dp")?;
        console.expect("\x1e[ostler] paused: paused")?;
        console.send("\x1d?")?;
        console.expect("\x1e[ostler] beside: running")?;
        console.expect("\x1e[ostler] paused: paused")?;
        // What is typed meanwhile is not lost.
        console.send("t")?;
        for _ in 0..10 {
            console.expect("[beside] hello: alive")?;
        }
        console.send("\x1dp")?;
        let silence = console.expect("\x1e[ostler] paused: goes on")?;
        assert!(!silence.contains("q powers me off"), "it ran: {silence}");
        console.expect("q powers me off, it is")?;
        console.expect("hello: alive")?;
        let [own, board] = clocks(&mut console)?;
        // Ten beats of the other one, less the one that was on its way.
        let lost = (board - board_before) - (own - own_before);
        assert!(lost >= 800, "the pause of a second took {lost} ms from the guest");
    }
    let before = clocks(&mut console)?;
    let after = clocks(&mut console)?;
    // (Two clocks that are read one after the other, in whole milliseconds.)
    assert!((after[1] - after[0]).abs_diff(before[1] - before[0]) < 100, "only a pause stops its clock");
    ends(&mut board, &mut console)
}

/// It ends from a pause too, and the board with the last one.
pub fn ends(board: &mut Board, console: &mut Console) -> Result<()> {
    console.send("q")?;
    console.expect("\x1e[ostler] paused: stopped: the guest powered off (code 0)")?;
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("\x1e[ostler] beside: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    assert!(!transcript.contains("FAILED"), "{transcript}");
    Ok(())
}

/// A watchdog that bites after 3 or 4 s waits for a guest that is paused for 5.
pub fn watchdog_waits(system: System) -> Result<()> {
    let (_board, mut console) = system.boot()?;
    // Out of focus its line is whole.
    console.expect("[bitten] stop: the watchdog is on")?;
    console.send("\x1dn\x1dp")?;
    console.expect("\x1e[ostler] bitten: paused")?;
    for _ in 0..50 {
        console.expect("[beside] hello: alive")?;
    }
    console.send("\x1dp")?;
    let meanwhile = console.expect("\x1e[ostler] bitten: goes on")?;
    assert!(!meanwhile.contains("bitten: stopped"), "{meanwhile}");
    // It has most of its time still.
    for _ in 0..3 {
        let meanwhile = console.expect("[beside] hello: alive")?;
        assert!(!meanwhile.contains("bitten: stopped"), "{meanwhile}");
    }
    console.expect("\x1e[ostler] bitten: stopped: its watchdog was not fed in time (code 4)")?;
    Ok(())
}
