//! Who runs when vCPUs share a pCPU. The guests work in one window of the counter that all of them read, and tell how much
//! they got done and what time was stolen from them: it is what they tell that is held against each other, never a clock.

use std::ops::{Range, RangeInclusive};

use crate::{Board, Console, Error, Result, System, Verdict};

/// All that the workers say.
struct Told(String);

impl Told {
    fn by((mut board, mut console): (Board, Console)) -> Result<Told> {
        let verdict = board.verdict(&mut console)?;
        let transcript = console.transcript();
        assert_eq!(verdict, Verdict::PoweredOff, "{transcript}");
        Ok(Told(transcript))
    }

    /// The number before `what` in the line that `worker` says about it.
    fn number(&self, worker: &str, what: &str) -> Result<u64> {
        let start = format!("[{worker}] worker: ");
        let mut lines = self.0.lines().filter_map(|line| line.strip_prefix(&start)?.trim_end().strip_suffix(what));
        let missing = || Error::Missing { what: format!("`{start}N{what}`"), transcript: self.0.clone() };
        lines.next_back().and_then(|number| number.parse().ok()).ok_or_else(missing)
    }

    fn pieces(&self, worker: &str) -> Result<u64> {
        self.number(worker, " pieces of work")
    }

    fn stolen_ms(&self, worker: &str) -> Result<u64> {
        Ok(self.number(worker, " ns stolen")? / 1_000_000)
    }
}

/// Workers of equal priority, four on each pCPU, get alike done in a window of so many seconds.
pub fn equals_progress_alike(board: (Board, Console), pcpus: &[RangeInclusive<u32>], seconds: u64) -> Result<()> {
    let told = Told::by(board)?;
    // Two pCPUs are two threads of this machine, and what it gives to each is not Ostler's doing.
    for pcpu in pcpus {
        let workers: Vec<String> = pcpu.clone().map(|number| format!("fair-{number}")).collect();
        let pieces: Vec<u64> = workers.iter().map(|worker| told.pieces(worker)).collect::<Result<_>>()?;
        let (least, most) = (pieces.iter().min().unwrap_or(&0), pieces.iter().max().unwrap_or(&0));
        assert!(*least > 0 && most * 10 <= least * 11, "{workers:?} got {pieces:?} done");
        for worker in &workers {
            // Three of four parts of it.
            let stolen = told.stolen_ms(worker)?;
            assert!((700 * seconds..800 * seconds).contains(&stolen), "{stolen} ms were stolen from {worker}");
        }
    }
    Ok(())
}

/// A higher priority runs first, and who is in FIFO order does not share, in windows of so many seconds.
pub fn priorities_hold(board: (Board, Console), seconds: u64) -> Result<()> {
    let told = Told::by(board)?;
    // While one of higher priority works without a pause, another does nothing, and is told that its time is stolen.
    assert!(told.pieces("priority-high")? > 0);
    assert_eq!(told.pieces("priority-low")?, 0);
    assert!(told.stolen_ms("priority-high")? < 100);
    assert!(told.stolen_ms("priority-low")? >= 975 * seconds);
    // One of higher priority that mostly sleeps takes its pCPU whenever it wakes; another works in between.
    assert!(told.stolen_ms("priority-pulse")? < 100);
    assert!(told.pieces("priority-filler")? > 0);
    // Of two in FIFO order, whichever comes first keeps its pCPU until it sleeps.
    let first_in = [told.pieces("fifo-first")?, told.pieces("fifo-second")?];
    assert_eq!(first_in.iter().filter(|&&pieces| pieces == 0).count(), 1, "{first_in:?}");
    Ok(())
}

/// A storm of exits is held to its budget, and steals so many milliseconds of a second. The clock counts instructions.
pub fn storm_is_held(system: System, steals_ms: Range<u64>) -> Result<()> {
    let held = Told::by(system.boot_counted()?)?;
    // 1,000 exits, and the one that finds none left, in each of the 101 periods of 10 ms that a second touches, most of them
    // calls. Without a budget it makes ten million, and the victim nothing.
    let calls = held.pieces("storm")?;
    assert!((95_000..=101 * 1001).contains(&calls), "the storm made {calls} calls");
    let stolen = held.stolen_ms("victim")?;
    assert!(steals_ms.contains(&stolen), "{stolen} ms were stolen from the victim");
    assert!(held.pieces("victim")? > 1000);
    Ok(())
}
