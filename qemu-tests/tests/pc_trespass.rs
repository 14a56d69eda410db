//! Guests that touch what they do not own, on x86's board: `unsupported` decides, and only that VM is affected.

use qemu_tests::{POLICIES_X86_64, Result, SPIN_X86_64, System, TRESPASS_X86_64, Verdict, enabled};

/// Boots, waits for the end, and returns how it ended and all that was printed.
fn run(system: System) -> Result<(Verdict, String)> {
    let (mut board, mut console) = system.boot()?;
    let verdict = board.verdict(&mut console)?;
    Ok((verdict, console.transcript()))
}

/// `text` stands so many times in `transcript`. How a guest's line is prefixed depends on who has the focus by then.
#[track_caller]
fn said(transcript: &str, text: &str, times: usize) {
    assert_eq!(transcript.matches(text).count(), times, "{text:?} in\n{transcript}");
}

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
    said(&transcript, "\x1e[ostler] abort-reference: stopped: unsupported: access to 0x9000000 by vCPU 0 at pc 0x", 1);
    said(&transcript, "\x1e[ostler] abort-instruction: stopped: unsupported: ", 1);
    said(&transcript, "(code 5)", 2);
    // Before that, all that is known of it.
    said(&transcript, "\x1e[ostler] abort-reference: failed: unsupported: access to 0x9000000 by vCPU 0 at pc 0x", 1);
    said(&transcript, "0x9000000 is not in VM abort-reference; nearest: ", 1);
    said(&transcript, "\x1e[ostler] fail-reference: stopped: the guest powered off (code 0)", 1);
    said(&transcript, "trespass: instruction was no trouble", 1);
    said(&transcript, "\x1e[ostler] ignore-instruction: stopped: the guest powered off (code 0)", 1);
    assert_eq!(verdict, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

#[test]
fn a_guest_that_spins_costs_nobody_else_anything_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = SPIN_X86_64.boot()?;
    console.expect("hello: all passed")?;
    console.expect("\x1e[ostler] hello: stopped: the guest powered off (code 0)")?;
    Ok(())
}
