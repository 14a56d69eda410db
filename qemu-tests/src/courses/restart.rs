//! A guest's reset restarts its VM as new, and costs no other VM anything.

use std::time::Duration;

use crate::{Console, Result, System};

/// The host memory that is free, as the hypervisor lists it.
fn free_memory(console: &mut Console) -> Result<String> {
    console.send("\x1d?")?;
    console.expect("\x1e[ostler] free memory: ")?;
    console.expect(" KiB")
}

/// A guest restarts so often beside another one that looks at its own memory.
pub fn restarts(system: System, times: usize) -> Result<()> {
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

/// Debian reboots so often, and says all of `up` each time that it is up. `patience` is for a kernel that comes up slowly.
pub fn reboots(system: System, patience: Option<Duration>, up: &[&str], times: usize) -> Result<()> {
    let (_board, mut console) = system.boot()?;
    if let Some(patience) = patience {
        console.set_patience(patience);
    }
    let mut free = None;
    for restarts in 1..=times {
        for text in up {
            console.expect(text)?;
        }
        console.expect(&format!("\x1e[ostler] linux: restarts ({restarts})"))?;
        if free.is_none() || restarts == times {
            let now = free_memory(&mut console)?;
            assert_eq!(free.get_or_insert(now.clone()), &now, "KiB of host memory after {restarts} reboots");
        }
    }
    Ok(())
}
