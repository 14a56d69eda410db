//! Guests that attack: the hypervisor, its other guests, and the time of those that share a pCPU with them.

use std::time::Duration;

use qemu_tests::attack::{Attack, Outcome, ways_of};
use qemu_tests::{
    HOSTILE, HOSTILE_ABORT, HOSTILE_FAIL, HOSTILE_GICV2, HOSTILE_IGNORE, Result, System, VICTIM, courses, enabled, long,
};

/// What every run takes of the soak: the same seed for all.
const SEED: u64 = 5;

fn attack(system: System, cpu: Option<&str>, class: &'static str, operations: u64) -> Result<Outcome> {
    let attack = Attack { class, seed: (operations > 0).then_some(SEED), operations };
    let outcome = attack.run(system, cpu, Duration::from_secs(120), |_| {})?;
    assert!(outcome.operations >= operations && outcome.operations > 0, "{attack}: {}", outcome.transcript);
    Ok(outcome)
}

/// Short seeds of these classes; what they have to reach is reached.
fn attacks(system: System, cpu: Option<&str>, classes: &[(&'static str, u64)]) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    for &(class, operations) in classes {
        let outcome = attack(system, cpu, class, operations)?;
        // In order is every form, not every way.
        let missing = if operations > 0 { outcome.missing(ways_of(&system, class)) } else { Vec::new() };
        assert!(missing.is_empty(), "{class} did not reach {missing:?}: {:?}", outcome.reached);
    }
    Ok(())
}

#[test]
fn registers_in_order_and_at_random() -> Result<()> {
    attacks(HOSTILE, None, &[("sysreg", 0), ("sysreg", 20_000)])
}

#[test]
fn registers_of_a_cpu_with_everything() -> Result<()> {
    attacks(HOSTILE, Some("max"), &[("sysreg", 0), ("random", 20_000)])
}

#[test]
fn calls_of_every_range() -> Result<()> {
    attacks(HOSTILE, None, &[("calls", 20_000), ("psci", 5_000)])
}

#[test]
fn accesses_of_every_form() -> Result<()> {
    attacks(HOSTILE, None, &[("mmio", 0), ("mmio", 20_000), ("tables", 5_000)])
}

#[test]
fn the_interrupt_controller() -> Result<()> {
    attacks(HOSTILE, None, &[("gic", 20_000), ("random", 20_000)])
}

#[test]
fn the_interrupt_controller_of_version_2() -> Result<()> {
    attacks(HOSTILE_GICV2, None, &[("gic", 20_000), ("mmio", 20_000)])
}

#[test]
fn floods_and_32_bit_code() -> Result<()> {
    attacks(HOSTILE, None, &[("el0-32", 20_000), ("exits", 100_000), ("sgis", 50_000), ("timer", 50_000)])
}

#[test]
fn with_every_policy() -> Result<()> {
    attacks(HOSTILE_IGNORE, None, &[("mmio", 20_000), ("calls", 20_000)])?;
    attacks(HOSTILE_FAIL, None, &[("mmio", 20_000)])?;
    if !enabled() {
        return Ok(());
    }
    // A VM that stops is a right answer, too.
    for class in ["mmio", "calls", "tables"] {
        let attack = Attack { class, seed: Some(SEED), operations: 20_000 };
        let outcome = attack.run(HOSTILE_ABORT, None, Duration::from_secs(60), |_| {})?;
        assert!(
            outcome.end.starts_with("unsupported: ") && outcome.end.ends_with("(code 5)"),
            "{class}: {}",
            outcome.end
        );
    }
    Ok(())
}

/// A guest of higher priority wakes in time, whatever others on its pCPU do. Another one of them fails again and again.
#[test]
fn a_victim_on_the_same_pcpu_wakes_in_time() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let all = ["exits", "gic", "calls", "mmio", "sysreg", "random"];
    for class in if long() { &all[..] } else { &all[..1] } {
        courses::victim_wakes(VICTIM, "\x1e[ostler] victim: 1 vCPUs", class, SEED)?;
    }
    Ok(())
}
