//! An unmodified Debian kernel on x86's board, whose clock is the machine's: alone, beside others, and again and again.

use std::time::Duration;

use qemu_tests::courses::{full_house, reboots};
use qemu_tests::{
    FULL_2_X86_64, FULL_4_X86_64, LINUX_4_X86_64, LINUX_X86_64, REBOOT_X86_64, Result, System, Verdict, enabled, long,
};

/// How long a kernel may take to unpack itself and to come up where boards share this machine with each other.
const PATIENCE: Duration = Duration::from_secs(300);

/// What Debian on two vCPUs says when it is up.
const UP: [&str; 2] = ["linux: user space on 6.", ", 2 CPUs"];

/// To user space and off by ACPI. Nobody measures the time-stamp counter: KVM's clock tells what it is, and then it is the best.
fn boots(system: System, cpus: &str) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = system.boot()?;
    console.set_patience(PATIENCE);
    console.expect("linux: user space on 6.")?;
    console.expect(cpus)?;
    console.expect("linux: keeps time by tsc")?;
    console.expect("linux: powering off")?;
    console.expect("\x1e[ostler] linux: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn debian_boots_on_one_vcpu() -> Result<()> {
    boots(LINUX_X86_64, ", 1 CPUs")
}

#[test]
fn debian_boots_on_four_vcpus() -> Result<()> {
    boots(LINUX_4_X86_64, ", 4 CPUs")
}

/// Lets two Debian guests work for so many seconds of theirs, beside two bare-metal guests.
fn works(system: System, seconds: u32) -> Result<()> {
    let patience = 2 * (PATIENCE + Duration::from_secs(seconds.into()));
    let transcript = full_house(&system.machine(), patience, seconds)?;
    assert_eq!(transcript.matches("linux: keeps time by tsc").count(), 2, "{transcript}");
    Ok(())
}

#[test]
fn four_guests_on_four_pcpus() -> Result<()> {
    if enabled() { works(FULL_4_X86_64, 5) } else { Ok(()) }
}

#[test]
fn four_guests_on_two_pcpus() -> Result<()> {
    if enabled() { works(FULL_2_X86_64, 5) } else { Ok(()) }
}

/// Ten minutes on shared pCPUs: no kernel complains of its clock, or of anything.
#[test]
fn long_ten_minutes_on_two_pcpus() -> Result<()> {
    if long() { works(FULL_2_X86_64, 600) } else { Ok(()) }
}

#[test]
fn debian_reboots_three_times() -> Result<()> {
    if enabled() { reboots(REBOOT_X86_64, Some(PATIENCE), &UP, 3) } else { Ok(()) }
}

#[test]
fn long_debian_reboots_a_hundred_times() -> Result<()> {
    if long() { reboots(REBOOT_X86_64, Some(PATIENCE), &UP, 100) } else { Ok(()) }
}
