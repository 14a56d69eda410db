//! What an end leads to, by the settings of each VM; pause and resume; the progress watch.

use qemu_tests::{
    BOARD_BADLY, BOARD_BADLY_X86_64, BOARD_WELL, BOARD_WELL_X86_64, Board, Console, ENDS, ENDS_X86_64, GROUP,
    GROUP_X86_64, PAUSE, PAUSE_WATCHDOG, Result, System, Verdict, enabled,
};

/// How often `text` stands in `transcript`.
fn count(transcript: &str, text: &str) -> usize {
    transcript.matches(text).count()
}

/// Waits for the board's end, and all that it printed.
fn end(mut board: Board, mut console: Console) -> Result<(Verdict, String)> {
    let verdict = board.verdict(&mut console)?;
    Ok((verdict, console.transcript()))
}

#[test]
fn each_end_leads_to_what_its_file_says() -> Result<()> {
    each_end_leads_on(ENDS)
}

#[test]
fn each_end_leads_to_what_its_file_says_on_x86() -> Result<()> {
    each_end_leads_on(ENDS_X86_64)
}

fn each_end_leads_on(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (board, mut console) = system.boot()?;
    console.expect("\x1e[ostler] all VMs have stopped: reset, because not all ended well")?;
    let (verdict, transcript) = end(board, console)?;
    assert!(matches!(verdict, Verdict::BadEnd(_)), "{verdict}");
    // (VM, its restarts, what is said of its ends and how often)
    let expected = [
        ("reset-never", 0, "stopped: the guest asked for a reset (code 0)", 1),
        ("off-on-failure", 0, "stopped: the guest powered off (code 0)", 1),
        ("fails-on-failure", 3, "stopped: unsupported: access to 0x9000000 by vCPU 0 at pc", 4),
        ("fails-on-failure", 3, "has failed for good: 3 restarts did not help", 1),
        ("off-always", 4, "stopped: the guest powered off (code 0)", 5),
        ("off-always", 4, "has failed for good: 4 restarts did not help", 1),
        ("fails-default", 0, "stopped: unsupported: access to 0x9000000 by vCPU 0 at pc", 1),
        ("spins", 1, "stopped: vCPU 0 made no progress, last at pc", 2),
        ("spins", 1, "has failed for good: 1 restarts did not help", 1),
        ("watched", 0, "stopped: the guest powered off (code 0)", 1),
    ];
    for (name, restarts, said, times) in expected {
        let line = |text: &str| format!("\x1e[ostler] {name}: {text}");
        assert_eq!(count(&transcript, &line(said)), times, "{name}: {said}\n{transcript}");
        assert_eq!(count(&transcript, &line("restarts (")), restarts, "{name}\n{transcript}");
        assert_eq!(count(&transcript, &line(&format!("restarts ({restarts})"))), restarts.min(1), "{transcript}");
    }
    for (delay, restarts) in [(1, 1), (2, 2), (4, 3)] {
        let line = format!("(code 5), starts again in {delay} ms");
        assert_eq!(count(&transcript, &line), 1, "before restart {restarts}\n{transcript}");
    }
    assert_eq!(count(&transcript, "[watched] hello: alive"), 20, "{transcript}");
    Ok(())
}

#[test]
fn a_group_starts_again_together() -> Result<()> {
    group_starts_again(GROUP)
}

#[test]
fn a_group_starts_again_together_on_x86() -> Result<()> {
    group_starts_again(GROUP_X86_64)
}

fn group_starts_again(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (board, mut console) = system.boot()?;
    console.expect("\x1e[ostler] group-fails: has failed for good: 2 restarts did not help")?;
    // The other one goes on without it.
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("\x1e[ostler] group-beats: stopped: the guest powered off (code 0)")?;
    let (verdict, transcript) = end(board, console)?;
    assert!(matches!(verdict, Verdict::BadEnd(_)), "{verdict}");
    let places = |text: &str| transcript.match_indices(text).map(|(place, _)| place).collect::<Vec<_>>();
    let failures = places("\x1e[ostler] group-fails: stopped: unsupported: access to 0x9000000");
    let with =
        "\x1e[ostler] group-beats: stopped: group-fails of its group starts again (code 0), starts again with it";
    let (with, fails_again) = (places(with), places("\x1e[ostler] group-fails: restarts ("));
    let beats_again = places("\x1e[ostler] group-beats: restarts (");
    assert_eq!((failures.len(), fails_again.len()), (3, 2), "{transcript}");
    // Neither begins before both have stopped. (The one that fails may do so again before the other one has begun again.)
    assert!(fails_again.iter().zip(&with).all(|(again, stop)| again > stop), "{transcript}");
    assert!(beats_again.iter().zip(&failures).all(|(again, stop)| again > stop), "{transcript}");
    assert!([with.len(), beats_again.len()].iter().all(|times| (1..=2).contains(times)), "{transcript}");
    Ok(())
}

#[test]
fn the_board_ends_with_the_vm_that_it_is_for() -> Result<()> {
    board_ends_well(BOARD_WELL)
}

#[test]
fn the_board_ends_with_the_vm_that_it_is_for_on_x86() -> Result<()> {
    board_ends_well(BOARD_WELL_X86_64)
}

fn board_ends_well(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (board, mut console) = system.boot()?;
    // One waits to start again, one is paused, one restarts all the time.
    console.expect("\x1e[ostler] board-waits: stopped: the guest powered off (code 0), starts again in 60000 ms")?;
    console.expect("hello: alive")?;
    console.send("\x1dp")?;
    console.expect("\x1e[ostler] paused: paused")?;
    console.send("\x1d?")?;
    console.expect("\x1e[ostler] board-well: running")?;
    console.expect("\x1e[ostler] board-waits: stopped (the guest powered off), about to start again")?;
    console.send("\x1dn")?;
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("\x1e[ostler] board-well was what the board is for: all others are stopped")?;
    let (verdict, transcript) = end(board, console)?;
    assert_eq!(verdict, Verdict::PoweredOff);
    for name in ["board-waits", "board-resets", "paused"] {
        let line = format!("\x1e[ostler] {name}: stopped: board-well has ended, and the board with it (code 0)");
        assert_eq!(count(&transcript, &line), 1, "{transcript}");
    }
    Ok(())
}

#[test]
fn the_board_ends_badly_with_the_vm_that_it_is_for() -> Result<()> {
    board_ends_badly(BOARD_BADLY)
}

#[test]
fn the_board_ends_badly_with_the_vm_that_it_is_for_on_x86() -> Result<()> {
    board_ends_badly(BOARD_BADLY_X86_64)
}

fn board_ends_badly(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (board, mut console) = system.boot()?;
    console.expect("\x1e[ostler] board-resets: stopped: board-badly has ended, and the board with it (code 0)")?;
    let (verdict, _) = end(board, console)?;
    assert!(matches!(verdict, Verdict::BadEnd(_)), "{verdict}");
    Ok(())
}

/// What `hello` says of its own clock and of the board's, in milliseconds.
fn clocks(console: &mut Console) -> Result<[u64; 2]> {
    console.send("t")?;
    console.expect("q powers me off, it is ")?;
    let own = console.expect(" ms here and ")?;
    let board = console.expect(" ms on the board")?;
    Ok([own, board].map(|text| text.parse().unwrap_or_else(|_| panic!("no number: {text}"))))
}

#[test]
fn a_guest_that_was_paused_finds_that_no_time_has_passed() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (board, mut console) = PAUSE.boot()?;
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
    // It ends from a pause too, and the board with the last one.
    console.send("q")?;
    console.expect("\x1e[ostler] paused: stopped: the guest powered off (code 0)")?;
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("\x1e[ostler] beside: stopped: the guest powered off (code 0)")?;
    let (verdict, transcript) = end(board, console)?;
    assert_eq!(verdict, Verdict::PoweredOff);
    assert!(!transcript.contains("FAILED"), "{transcript}");
    Ok(())
}

/// It would bite after 3 s; the pause takes 5.
#[test]
fn a_watchdog_waits_for_a_guest_that_is_paused() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = PAUSE_WATCHDOG.boot()?;
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
    // It has most of its 3 s still.
    for _ in 0..3 {
        let meanwhile = console.expect("[beside] hello: alive")?;
        assert!(!meanwhile.contains("bitten: stopped"), "{meanwhile}");
    }
    console.expect("\x1e[ostler] bitten: stopped: its watchdog was not fed in time (code 4)")?;
    Ok(())
}
