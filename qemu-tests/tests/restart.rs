//! A guest's reset restarts its VM as new, and costs no other VM anything.

use std::time::Duration;

use qemu_tests::{Console, REBOOT, RESTART, RESTART_4_X86_64, RESTART_X86_64, Result, System, enabled, long};

/// The host memory that is free, as the hypervisor lists it.
fn free_memory(console: &mut Console) -> Result<String> {
    console.send("\x1d?")?;
    console.expect("\x1e[ostler] free memory: ")?;
    console.expect(" KiB")
}

#[test]
fn a_thousand_restarts_under_interrupts_leave_the_other_vm_alone() -> Result<()> {
    if enabled() { restarts(RESTART, 1_000) } else { Ok(()) }
}

#[test]
fn ten_thousand_restarts_leak_nothing() -> Result<()> {
    if long() { restarts(RESTART, 10_000) } else { Ok(()) }
}

#[test]
fn a_thousand_restarts_on_x86() -> Result<()> {
    if enabled() { restarts(RESTART_X86_64, 1_000) } else { Ok(()) }
}

/// Six vCPUs on two pCPUs, where each exit is a matter of QEMU's wall clock: one restart may take seconds on a busy machine.
#[test]
fn a_thousand_restarts_of_four_vcpus_on_x86() -> Result<()> {
    if long() { restarts(RESTART_4_X86_64, 1_000) } else { Ok(()) }
}

/// A guest restarts so often beside another one that looks at its own memory.
fn restarts(system: System, times: usize) -> Result<()> {
    let (_board, mut console) = system.boot()?;
    console.set_patience(Duration::from_secs(900));
    console.expect("\x1e[ostler] noise: restarts (1)")?;
    let free = free_memory(&mut console)?;
    for restarts in (100..=times).step_by(100) {
        console.expect(&format!("\x1e[ostler] noise: restarts ({restarts})"))?;
    }
    assert_eq!(free_memory(&mut console)?, free, "KiB of host memory after {times} restarts");
    // hello looks at its own memory with every beat, and would have said what is wrong with it.
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("hello: told to go")?;
    console.expect("\x1e[ostler] hello: stopped: the guest powered off (code 0)")?;
    let transcript = console.transcript();
    assert!(!transcript.contains("FAILED"), "{transcript}");
    Ok(())
}

#[test]
fn debian_reboots_ten_times() -> Result<()> {
    if enabled() { reboots(10) } else { Ok(()) }
}

#[test]
fn debian_reboots_a_hundred_times() -> Result<()> {
    if long() { reboots(100) } else { Ok(()) }
}

fn reboots(times: usize) -> Result<()> {
    let (_board, mut console) = REBOOT.boot()?;
    let mut free = None;
    for restarts in 1..=times {
        console.expect("linux: user space on 6.")?;
        console.expect(&format!("\x1e[ostler] linux: restarts ({restarts})"))?;
        if free.is_none() || restarts == times {
            let now = free_memory(&mut console)?;
            assert_eq!(free.get_or_insert(now.clone()), &now, "KiB of host memory after {restarts} reboots");
        }
    }
    Ok(())
}
