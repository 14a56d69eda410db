//! Guests that attack on x86: what `hostile.rs` does on arm64.
//!
//! QEMU has a thread for each CPU, and none of the guests is on the first (boards/qemu-x86_64/board.toml). Where clocks storm it has one
//! thread, and time is instructions (`attack::pc`).

use std::time::Duration;

use qemu_tests::attack::{Attack, ways_of};
use qemu_tests::{
    HOSTILE_ABORT_X86_64, HOSTILE_FAIL_X86_64, HOSTILE_IGNORE_X86_64, HOSTILE_X86_64, Result, System, VICTIM_X86_64,
    courses, enabled, long,
};

/// What every run takes of the soak: the same seeds for all.
const SEEDS: [u64; 2] = [5, 0x0571_1e72];

/// Short seeds of these classes; what they have to reach is reached. Of no operations a class goes through its order once.
fn attacks(system: System, classes: &[(&'static str, u64)]) -> Result<()> {
    for &(class, operations) in classes {
        let seeds = if operations > 0 { SEEDS.map(Some).to_vec() } else { vec![None] };
        for seed in seeds {
            let attack = Attack { class, seed, operations };
            let outcome = attack.run(system, None, Duration::from_secs(240), |_| {})?;
            let done = outcome.operations;
            assert!(done >= operations && done > 0, "{attack}: {done} operations\n{}", outcome.transcript);
            // In order is every form, not every way.
            let missing = if seed.is_some() { outcome.missing(ways_of(&system, class)) } else { Vec::new() };
            assert!(missing.is_empty(), "{attack} did not reach {missing:?}: {:?}", outcome.reached);
        }
    }
    Ok(())
}

#[test]
fn every_register_of_x86_in_order_and_at_random() -> Result<()> {
    if enabled() {
        attacks(HOSTILE_X86_64, &[("msr", 0), ("msr", 20_000), ("cpuid", 0), ("cpuid", 5_000)])
    } else {
        Ok(())
    }
}

#[test]
fn every_port_in_order_and_at_random() -> Result<()> {
    if enabled() { attacks(HOSTILE_X86_64, &[("ports", 0), ("ports", 20_000), ("strings", 20_000)]) } else { Ok(()) }
}

#[test]
fn memory_of_devices_in_every_form_of_x86() -> Result<()> {
    if enabled() { attacks(HOSTILE_X86_64, &[("mmio", 0), ("mmio", 20_000), ("tables", 5_000)]) } else { Ok(()) }
}

#[test]
fn both_apics() -> Result<()> {
    if enabled() { attacks(HOSTILE_X86_64, &[("apic", 0), ("apic", 20_000), ("random", 20_000)]) } else { Ok(()) }
}

#[test]
fn privileged_instructions_and_transfers() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    attacks(
        HOSTILE_X86_64,
        &[("privileged", 0), ("privileged", 20_000), ("control", 20_000), ("transfers", 20_000), ("bytes", 20_000)],
    )
}

#[test]
fn floods_of_interrupts_of_x86() -> Result<()> {
    if enabled() { attacks(HOSTILE_X86_64, &[("exits", 50_000), ("ipis", 50_000), ("nmis", 50_000)]) } else { Ok(()) }
}

#[test]
fn floods_of_all_clocks() -> Result<()> {
    if enabled() { attacks(HOSTILE_X86_64, &[("timer", 50_000), ("clocks", 20_000)]) } else { Ok(()) }
}

#[test]
fn with_every_policy_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    attacks(HOSTILE_IGNORE_X86_64, &[("mmio", 20_000), ("msr", 20_000), ("ports", 20_000)])?;
    attacks(HOSTILE_FAIL_X86_64, &[("mmio", 20_000), ("msr", 20_000), ("ports", 20_000), ("strings", 20_000)])?;
    // A VM that stops is a right answer, too.
    for class in ["mmio", "msr", "ports", "tables"] {
        let attack = Attack { class, seed: Some(SEEDS[0]), operations: 20_000 };
        let outcome = attack.run(HOSTILE_ABORT_X86_64, None, Duration::from_secs(60), |_| {})?;
        assert!(
            outcome.end.starts_with("unsupported: ") && outcome.end.ends_with("(code 5)"),
            "{class}: {}",
            outcome.end
        );
    }
    Ok(())
}

/// A CPU that shuts down stops its VM, which is told of with all that is known of it: without vectors, and with vectors where a device is,
/// or nothing, by way of a delivery that fails.
#[test]
fn a_triple_fault_stops_the_vm() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    for (way, reached) in [(0, "shutdown"), (1, "delivery"), (2, "delivery")] {
        let attack = Attack { class: "triple-fault", seed: Some(way), operations: 1 };
        let outcome = attack.run(HOSTILE_X86_64, None, Duration::from_secs(60), |_| {})?;
        assert!(outcome.end.contains("triple fault at") && outcome.end.ends_with("(code 5)"), "{}", outcome.end);
        assert!(outcome.reached.get(reached).is_some_and(|&count| count > 0), "{attack}: {:?}", outcome.reached);
        for known in ["failed: ", "rip", "cr3"] {
            assert!(outcome.transcript.contains(known), "no {known} in\n{}", outcome.transcript);
        }
    }
    Ok(())
}

/// A guest of higher priority wakes in time, whatever others on its pCPU do. One of them shuts down again and again, a third resets
/// itself.
#[test]
fn a_victim_on_the_same_pcpu_wakes_in_time_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let all = ["exits", "clocks", "apic", "ports", "mmio", "msr", "strings", "nmis", "random"];
    for class in if long() { &all[..] } else { &all[..1] } {
        // Not sooner: a 16550 forgets what came before its driver.
        courses::victim_wakes(VICTIM_X86_64, "hostile: which attack?", class, SEEDS[0])?;
    }
    Ok(())
}
