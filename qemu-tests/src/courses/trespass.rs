//! Guests that touch what they do not own.

use super::end;
use crate::{Result, System, Verdict};

/// Boots, waits for the end, and returns how it ended and all that was printed.
pub fn run(system: System) -> Result<(Verdict, String)> {
    let (board, console) = system.boot()?;
    end(board, console)
}

/// `text` stands so many times in `transcript`. How a guest's line is prefixed depends on who has the focus by then.
#[track_caller]
pub fn said(transcript: &str, text: &str, times: usize) {
    assert_eq!(transcript.matches(text).count(), times, "{text:?} in\n{transcript}");
}

/// A guest that spins costs nobody else anything.
pub fn spins(system: System) -> Result<()> {
    let (_board, mut console) = system.boot()?;
    console.expect("hello: all passed")?;
    console.expect("\x1e[ostler] hello: stopped: the guest powered off (code 0)")?;
    Ok(())
}

/// What both boards say of four VMs of which each has a policy of its own.
pub fn each_has_its_policy(verdict: Verdict, transcript: &str) {
    let abort = "access to 0x9000000 by vCPU 0 at pc 0x";
    said(transcript, &format!("\x1e[ostler] abort-reference: stopped: unsupported: {abort}"), 1);
    said(transcript, "\x1e[ostler] abort-instruction: stopped: unsupported: ", 1);
    said(transcript, "(code 5)", 2);
    // Before that, all that is known of it.
    said(transcript, &format!("\x1e[ostler] abort-reference: failed: unsupported: {abort}"), 1);
    said(transcript, "0x9000000 is not in VM abort-reference; nearest: ", 1);
    said(transcript, "\x1e[ostler] fail-reference: stopped: the guest powered off (code 0)", 1);
    said(transcript, "trespass: instruction was no trouble", 1);
    said(transcript, "\x1e[ostler] ignore-instruction: stopped: the guest powered off (code 0)", 1);
    assert_eq!(verdict, Verdict::BadEnd("guest-reset".into()));
}
