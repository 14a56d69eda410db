//! Who runs when vCPUs share a pCPU, on x86's board, whose clock counts instructions: the same each time.

use qemu_tests::courses::sharing;
use qemu_tests::{FAIR_X86_64, PRIORITY_X86_64, Result, STORM_HELD_X86_64, enabled};

#[test]
fn four_vms_of_equal_priority_progress_alike_on_x86() -> Result<()> {
    if enabled() { sharing::equals_progress_alike(FAIR_X86_64.boot_counted()?, &[1..=4], 1) } else { Ok(()) }
}

#[test]
fn a_higher_priority_runs_first_and_fifo_does_not_share_on_x86() -> Result<()> {
    if enabled() { sharing::priorities_hold(PRIORITY_X86_64.boot_counted()?, 1) } else { Ok(()) }
}

#[test]
fn a_storm_of_exits_is_held_to_its_budget_on_x86() -> Result<()> {
    if enabled() { sharing::storm_is_held(STORM_HELD_X86_64, 5..20) } else { Ok(()) }
}
