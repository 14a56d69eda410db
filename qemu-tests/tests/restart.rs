//! A guest's reset restarts its VM as new, and costs no other VM anything.

use qemu_tests::{REBOOT, RESTART, Result, courses, enabled, long};

/// What Debian says when it is up.
const UP: [&str; 1] = ["linux: user space on 6."];

#[test]
fn a_thousand_restarts_under_interrupts_leave_the_other_vm_alone() -> Result<()> {
    if enabled() { courses::restarts(RESTART, 1_000) } else { Ok(()) }
}

#[test]
fn ten_thousand_restarts_leak_nothing() -> Result<()> {
    if long() { courses::restarts(RESTART, 10_000) } else { Ok(()) }
}

#[test]
fn debian_reboots_ten_times() -> Result<()> {
    if enabled() { courses::reboots(REBOOT, None, &UP, 10) } else { Ok(()) }
}

#[test]
fn debian_reboots_a_hundred_times() -> Result<()> {
    if long() { courses::reboots(REBOOT, None, &UP, 100) } else { Ok(()) }
}
