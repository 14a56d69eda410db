//! Who runs when vCPUs share a pCPU, on arm64's board.

use qemu_tests::courses::sharing;
use qemu_tests::{FAIR, PRIORITY, Result, STORM_HELD, enabled};

#[test]
fn eight_vms_of_equal_priority_progress_alike() -> Result<()> {
    if enabled() { sharing::equals_progress_alike(FAIR.boot()?, &[1..=4, 5..=8], 10) } else { Ok(()) }
}

#[test]
fn a_higher_priority_runs_first_and_fifo_does_not_share() -> Result<()> {
    if enabled() { sharing::priorities_hold(PRIORITY.boot()?, 4) } else { Ok(()) }
}

/// 100 instructions for each call, which are 10 ms.
#[test]
fn a_storm_of_exits_is_held_to_its_budget() -> Result<()> {
    if enabled() { sharing::storm_is_held(STORM_HELD, 5..20) } else { Ok(()) }
}
