//! A guest of higher priority beside one that attacks, on one pCPU.

use std::time::Duration;

use crate::{Result, System};

/// The longest that anybody runs the hypervisor with interrupts masked, in instructions: the bound of docs/containment.md.
const BOUND_NS: u64 = 48_000;

/// The victim wakes in time beside attacks of `class` from `seed`, which are begun as soon as the board has said `ready`. The clock counts
/// instructions, so it is the same each time.
pub fn victim_wakes(system: System, ready: &str, class: &str, seed: u64) -> Result<()> {
    let (_board, mut console) = system.boot_counted()?;
    console.expect(ready)?;
    console.send(&format!("\x1d1class={class} seed={seed} operations=1000000000\n"))?;
    console.expect(&format!("hostile: class={class}"))?;
    console.set_patience(Duration::from_secs(300));
    console.expect("worker: 50 pulses, 0 of them when the next was due")?;
    let slip: u64 =
        console.expect(" ns behind")?.rsplit(' ').next().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
    eprintln!("{class}: {slip} ns behind at most");
    assert!(slip <= BOUND_NS, "{class}: the victim was {slip} ns behind its time");
    let transcript = console.transcript();
    assert!(!transcript.contains("FAILED"), "{transcript}");
    // All the while another one failed again and again, and was told of each time.
    let failures = transcript.matches("\x1e[ostler] fails: failed: ").count();
    assert!(failures > 5, "{failures} failures in\n{transcript}");
    Ok(())
}
