//! An unmodified Debian kernel on x86's board, whose clock is the machine's: alone, beside others, and again and again.

use std::time::Duration;

use qemu_tests::{
    Console, FULL_2_X86_64, FULL_4_X86_64, LINUX_4_X86_64, LINUX_X86_64, REBOOT_X86_64, Result, System, Verdict,
    enabled, long,
};

/// How long a kernel may take to unpack itself and to come up where boards share this machine with each other.
const PATIENCE: Duration = Duration::from_secs(300);

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
    let (mut board, mut console) = system.boot()?;
    console.set_patience(2 * (PATIENCE + Duration::from_secs(seconds.into())));
    // With hello in focus the others speak in whole lines.
    console.send("\x1d3")?;
    for _ in 0..2 {
        console.expect("] linux: for how many seconds?")?;
    }
    console.send(&format!("\x1d1{seconds}\n\x1d2{seconds}\n\x1d3"))?;
    for _ in 0..2 {
        console.expect("] linux: no complaint")?;
    }
    // hello has looked at its own memory with every beat, and would have said what is wrong with it.
    console.send("q")?;
    console.expect("hello: told to go")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    for name in ["linux1", "linux2", "hello", "beats"] {
        let end = format!("\x1e[ostler] {name}: stopped: the guest powered off (code 0)");
        assert!(transcript.contains(&end), "{name} has no good end in\n{transcript}");
    }
    assert!(transcript.contains("[beats] hello: all passed"), "{transcript}");
    assert!(!transcript.contains("FAILED"), "{transcript}");
    assert_eq!(transcript.matches("linux: keeps time by tsc").count(), 2, "{transcript}");
    if system.cpus == 2 {
        assert_eq!(transcript.matches("linux: time was stolen").count(), 2, "{transcript}");
    }
    Ok(())
}

#[test]
fn long_four_guests_on_four_pcpus() -> Result<()> {
    if long() { works(FULL_4_X86_64, 5) } else { Ok(()) }
}

#[test]
fn long_four_guests_on_two_pcpus() -> Result<()> {
    if long() { works(FULL_2_X86_64, 5) } else { Ok(()) }
}

/// Ten minutes on shared pCPUs: no kernel complains of its clock, or of anything.
#[test]
fn long_ten_minutes_on_two_pcpus() -> Result<()> {
    if long() { works(FULL_2_X86_64, 600) } else { Ok(()) }
}

/// The host memory that is free, as the hypervisor lists it.
fn free_memory(console: &mut Console) -> Result<String> {
    console.send("\x1d?")?;
    console.expect("\x1e[ostler] free memory: ")?;
    console.expect(" KiB")
}

#[test]
fn debian_reboots_three_times() -> Result<()> {
    if enabled() { reboots(3) } else { Ok(()) }
}

#[test]
fn long_debian_reboots_a_hundred_times() -> Result<()> {
    if long() { reboots(100) } else { Ok(()) }
}

fn reboots(times: usize) -> Result<()> {
    let (_board, mut console) = REBOOT_X86_64.boot()?;
    console.set_patience(PATIENCE);
    let mut free = None;
    for restarts in 1..=times {
        console.expect("linux: user space on 6.")?;
        console.expect(", 2 CPUs")?;
        console.expect(&format!("\x1e[ostler] linux: restarts ({restarts})"))?;
        if free.is_none() || restarts == times {
            let now = free_memory(&mut console)?;
            assert_eq!(free.get_or_insert(now.clone()), &now, "KiB of host memory after {restarts} reboots");
        }
    }
    Ok(())
}
