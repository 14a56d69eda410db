//! What a board goes through in a test, whichever its CPU is: the systems and what is particular to them stand in `tests/`. What is not
//! as it should be panics, as a test's own assertion does.

pub mod failure;
mod house;
mod life;
pub mod pause;
mod restart;
pub mod sharing;
mod smp;
pub mod stop;
pub mod trespass;
mod victim;

pub use house::full_house;
pub use life::{board_ends_badly, board_ends_well, each_end_leads_on, group_starts_again};
pub use restart::{reboots, restarts};
pub use smp::vcpus_work_together;
pub use victim::victim_wakes;

use crate::{Board, Console, Result, Verdict};

/// Waits for the board's end: how it ended, and all that was printed.
fn end(mut board: Board, mut console: Console) -> Result<(Verdict, String)> {
    let verdict = board.verdict(&mut console)?;
    Ok((verdict, console.transcript()))
}
