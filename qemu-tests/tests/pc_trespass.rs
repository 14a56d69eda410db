//! Guests that touch what they do not own, on x86's board: `unsupported` decides, and only that VM is affected.

use qemu_tests::courses::trespass::{each_has_its_policy, run, said, spins};
use qemu_tests::{POLICIES_X86_64, Result, SPIN_X86_64, TRESPASS_X86_64, Verdict, enabled};

#[test]
fn the_defaults_are_those_of_qvm_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (verdict, transcript) = run(TRESPASS_X86_64)?;
    // reference: ignore. Absent memory and absent ports read as all ones; writes go nowhere.
    said(&transcript, "trespass: load of 0x9000000 gave 0xffffffff", 1);
    said(&transcript, "trespass: store to 0x9000000 was no trouble", 1);
    said(&transcript, "trespass: load of 0x48000000 gave 0xff\r", 1);
    said(&transcript, "trespass: in 0x300 gave 0xffffffff", 1);
    said(&transcript, "trespass: out 0x300 was no trouble", 1);
    // ROM is not written.
    let rom: Vec<&str> = transcript.split("trespass: load of 0xfffc0 gave ").skip(1).collect();
    assert_eq!(rom.len(), 2, "{transcript}");
    assert_eq!(rom[0].lines().next(), rom[1].lines().next(), "{transcript}");
    said(&transcript, "trespass: powers off", 1);
    assert_eq!(verdict, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn each_policy_is_its_vms_own_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (verdict, transcript) = run(POLICIES_X86_64)?;
    each_has_its_policy(verdict, &transcript);
    Ok(())
}

#[test]
fn a_guest_that_spins_costs_nobody_else_anything_on_x86() -> Result<()> {
    if enabled() { spins(SPIN_X86_64) } else { Ok(()) }
}
