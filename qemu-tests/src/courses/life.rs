//! What an end leads to, by the settings of each VM.

use super::end;
use crate::{Result, System, Verdict};

/// How often `text` stands in `transcript`.
fn count(transcript: &str, text: &str) -> usize {
    transcript.matches(text).count()
}

/// Each VM ends as its file has it, and what that leads to is what its file says.
pub fn each_end_leads_on(system: System) -> Result<()> {
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

/// A VM of a group fails, and both start again, until that does not help.
pub fn group_starts_again(system: System) -> Result<()> {
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

/// The VM that the board is for ends well, beside some that would go on.
pub fn board_ends_well(system: System) -> Result<()> {
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

/// The same, badly.
pub fn board_ends_badly(system: System) -> Result<()> {
    let (board, mut console) = system.boot()?;
    console.expect("\x1e[ostler] board-resets: stopped: board-badly has ended, and the board with it (code 0)")?;
    let (verdict, _) = end(board, console)?;
    assert!(matches!(verdict, Verdict::BadEnd(_)), "{verdict}");
    Ok(())
}
