//! Guests that touch what they do not own: `unsupported` decides, and only that VM is affected.

use qemu_tests::courses::trespass::{each_has_its_policy, run, said, spins};
use qemu_tests::{LINUX_TRESPASS, POLICIES, Result, SPIN, TRESPASS, Verdict, enabled};

#[test]
fn the_defaults_are_those_of_qvm() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (verdict, transcript) = run(TRESPASS)?;
    // reference: ignore. Absent memory and the host's own devices read as all ones; writes go nowhere.
    said(&transcript, "trespass: load of 0x9000000 gave 0xffffffff", 1);
    said(&transcript, "trespass: store to 0x9000000 was no trouble", 1);
    // ROM is not written.
    said(&transcript, "trespass: load of 0x50000000 gave 0x0\r", 2);
    // What can't be emulated gets the architected fault.
    said(&transcript, "trespass: fetch from 0x9000000 took an instruction abort", 1);
    said(&transcript, "trespass: walk of tables at 0x60000000 took a data abort", 1);
    // register and instruction: fail.
    said(&transcript, "trespass: register took an undefined-instruction exception", 1);
    said(&transcript, "trespass: instruction took an undefined-instruction exception", 1);
    // No call reaches the firmware, however often it is made.
    said(&transcript, "trespass: smc 0x82000000 gave 0xffffffffffffffff", 1);
    said(&transcript, "trespass: storm of 10000 calls, 10000 of a function that does not exist", 1);
    said(&transcript, "trespass: powers off", 1);
    assert_eq!(verdict, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn each_policy_is_its_vms_own() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (verdict, transcript) = run(POLICIES)?;
    each_has_its_policy(verdict, &transcript);
    // What is known of an end: instruction, address, exits.
    said(&transcript, ": ldr w", 1);
    said(&transcript, "nearest: pl011@1c090000 at 0x1c090000", 1);
    said(&transcript, " load, syndrome 0x93", 1);
    said(&transcript, "trespass: load of 0x9000000 took a data abort", 1);
    Ok(())
}

#[test]
fn a_guest_that_spins_costs_nobody_else_anything() -> Result<()> {
    if enabled() { spins(SPIN) } else { Ok(()) }
}

#[test]
fn debian_meets_every_policy_of_reference() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (verdict, transcript) = run(LINUX_TRESPASS)?;
    said(&transcript, "linux: reads what it does not own", 3);
    // `ignore`: absent memory reads as all ones.
    said(&transcript, "linux: read 0xFFFFFFFF", 1);
    said(&transcript, "\x1e[ostler] ignore: stopped: the guest powered off (code 0)", 1);
    // `fail`: the architected abort, which Linux gives its program as SIGBUS.
    said(&transcript, "linux: the read failed with status 135", 1);
    said(&transcript, "\x1e[ostler] fail: stopped: the guest powered off (code 0)", 1);
    // `abort`: the VM ends with a reason that names what and where, with qvm's code.
    said(&transcript, "\x1e[ostler] abort: stopped: unsupported: access to 0xa000000 by vCPU 0 at pc 0x", 1);
    said(&transcript, "(code 5)", 1);
    // One VM ended badly, so the board does.
    assert_eq!(verdict, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}
