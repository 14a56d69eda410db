//! Rows, and what their rounds took.

use guest_runtime::Machine;

/// Instructions that rounds took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) rounds: u64,
    pub(super) least: u64,
    pub(super) total: u64,
    pub(super) most: u64,
}

impl Counts {
    /// Counts `rounds` of them, after one that warms up what happens once.
    pub(super) fn of(
        rounds: u64,
        mut round: impl FnMut() -> Result<u64, &'static str>,
    ) -> Result<Counts, &'static str> {
        round()?;
        let mut counts = Counts { rounds, least: u64::MAX, total: 0, most: 0 };
        for _ in 0..rounds {
            let count = round()?;
            counts.least = counts.least.min(count);
            counts.total += count;
            counts.most = counts.most.max(count);
        }
        Ok(counts)
    }
}

/// One row.
pub(super) struct Row {
    /// Its name, in the output and on the command line.
    pub(super) name: &'static str,
    /// It is counted unless the command line names others.
    pub(super) is_usual: bool,
    /// Counts so many rounds of it.
    pub(super) count: fn(&Machine, u64) -> Result<Counts, &'static str>,
}

/// One that is counted unless the command line names others.
pub(super) const fn usual(name: &'static str, count: fn(&Machine, u64) -> Result<Counts, &'static str>) -> Row {
    Row { name, is_usual: true, count }
}

/// One that is counted if the command line names it.
pub(super) const fn special(name: &'static str, count: fn(&Machine, u64) -> Result<Counts, &'static str>) -> Row {
    Row { name, is_usual: false, count }
}
