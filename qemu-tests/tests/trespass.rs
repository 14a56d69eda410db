//! A guest that touches what it does not own: `unsupported reference` decides, and only that VM is affected.

use qemu_tests::{Result, TRESPASS, Verdict, enabled};

#[test]
fn unsupported_reference_decides() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = TRESPASS.boot()?;
    let verdict = board.verdict(&mut console)?;
    let transcript = console.transcript();
    // How a guest's line is prefixed depends on who has the focus by then.
    let said =
        |text: &str, times: usize| assert_eq!(transcript.matches(text).count(), times, "{text:?} in\n{transcript}");
    said("linux: reads what it does not own", 3);
    // `ignore`: absent memory reads as all ones.
    said("linux: read 0xFFFFFFFF", 1);
    said("\x1e[ostler] ignore: stopped: the guest powered off (code 0)", 1);
    // `fail`: the architected abort, which Linux gives its program as SIGBUS.
    said("linux: the read failed with status 135", 1);
    said("\x1e[ostler] fail: stopped: the guest powered off (code 0)", 1);
    // `abort`: the VM ends with a reason that names what and where, with qvm's code.
    said("\x1e[ostler] abort: stopped: unsupported: access to 0xa000000 by vCPU 0 at pc 0x", 1);
    said("(code 5)", 1);
    // One VM ended badly, so the board does.
    assert_eq!(verdict, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}
