//! Who runs when vCPUs share a pCPU. The guests work in one window of the counter that all of them read, and tell how much
//! they got done and what time was stolen from them: it is what they tell that is held against each other, never a clock.

use qemu_tests::{Board, Console, Error, FAIR, PRIORITY, Result, STORM_HELD, System, Verdict, enabled};

/// All that the workers say.
struct Told(String);

impl Told {
    fn by(system: System) -> Result<Told> {
        Told::on(system.boot()?)
    }

    fn on((mut board, mut console): (Board, Console)) -> Result<Told> {
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

#[test]
fn eight_vms_of_equal_priority_progress_alike() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let told = Told::by(FAIR)?;
    // The two pCPUs are two threads of this machine, and what it gives to each is not Ostler's doing.
    for pcpu in [1..=4, 5..=8] {
        let workers: Vec<String> = pcpu.map(|number| format!("fair-{number}")).collect();
        let pieces: Vec<u64> = workers.iter().map(|worker| told.pieces(worker)).collect::<Result<_>>()?;
        let (least, most) = (pieces.iter().min().unwrap(), pieces.iter().max().unwrap());
        assert!(most * 10 <= least * 11, "{workers:?} got {pieces:?} done");
        for worker in &workers {
            // Three of four parts of ten seconds.
            let stolen = told.stolen_ms(worker)?;
            assert!((7000..8000).contains(&stolen), "{stolen} ms were stolen from {worker}");
        }
    }
    Ok(())
}

#[test]
fn a_higher_priority_runs_first_and_fifo_does_not_share() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let told = Told::by(PRIORITY)?;
    // While one of higher priority works without a pause, another does nothing, and is told that its time is stolen.
    assert!(told.pieces("priority-high")? > 0);
    assert_eq!(told.pieces("priority-low")?, 0);
    assert!(told.stolen_ms("priority-high")? < 100);
    assert!(told.stolen_ms("priority-low")? >= 3900);
    // One of higher priority that mostly sleeps takes its pCPU whenever it wakes; another works in between.
    assert!(told.stolen_ms("priority-pulse")? < 100);
    assert!(told.pieces("priority-filler")? > 0);
    // Of two in FIFO order, whichever comes first keeps its pCPU until it sleeps.
    let first_in = [told.pieces("fifo-first")?, told.pieces("fifo-second")?];
    assert_eq!(first_in.iter().filter(|&&pieces| pieces == 0).count(), 1, "{first_in:?}");
    Ok(())
}

#[test]
fn a_storm_of_exits_is_held_to_its_budget() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let held = Told::on(STORM_HELD.boot_counted()?)?;
    // 1,000 exits, and the one that finds none left, in each of the 101 periods of 10 ms that a second touches, most of them
    // calls. Without a budget it makes ten million, and the victim nothing.
    let calls = held.pieces("storm")?;
    assert!((95_000..=101 * 1001).contains(&calls), "the storm made {calls} calls");
    // 100 instructions each, which are 10 ms.
    let stolen = held.stolen_ms("victim")?;
    assert!((5..20).contains(&stolen), "{stolen} ms were stolen from the victim");
    assert!(held.pieces("victim")? > 1000);
    Ok(())
}
