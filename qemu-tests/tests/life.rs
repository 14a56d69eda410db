//! What an end leads to, by the settings of each VM; pause and resume; the progress watch.

use qemu_tests::{BOARD_BADLY, BOARD_WELL, ENDS, GROUP, PAUSE, PAUSE_WATCHDOG, Result, courses, enabled};

#[test]
fn each_end_leads_to_what_its_file_says() -> Result<()> {
    if enabled() { courses::each_end_leads_on(ENDS) } else { Ok(()) }
}

#[test]
fn a_group_starts_again_together() -> Result<()> {
    if enabled() { courses::group_starts_again(GROUP) } else { Ok(()) }
}

#[test]
fn the_board_ends_with_the_vm_that_it_is_for() -> Result<()> {
    if enabled() { courses::board_ends_well(BOARD_WELL) } else { Ok(()) }
}

#[test]
fn the_board_ends_badly_with_the_vm_that_it_is_for() -> Result<()> {
    if enabled() { courses::board_ends_badly(BOARD_BADLY) } else { Ok(()) }
}

#[test]
fn a_guest_that_was_paused_finds_that_no_time_has_passed() -> Result<()> {
    if enabled() { courses::pause::no_time_passes(PAUSE) } else { Ok(()) }
}

#[test]
fn a_watchdog_waits_for_a_guest_that_is_paused() -> Result<()> {
    if enabled() { courses::pause::watchdog_waits(PAUSE_WATCHDOG) } else { Ok(()) }
}
