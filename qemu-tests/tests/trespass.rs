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
    let said = |text: &str| assert!(transcript.contains(text), "no {text:?} in\n{transcript}");
    // `ignore`: absent memory reads as all ones.
    said("linux: read 0xFFFFFFFF");
    said("\x1e[ostler] ignore: stopped: the guest powered off (code 0)");
    // `fail`: the architected abort, which Linux gives its program as SIGBUS.
    said("[fail] linux: the read failed with status");
    said("\x1e[ostler] fail: stopped: the guest powered off (code 0)");
    // `abort`: the VM ends with a reason that names what and where, with qvm's code.
    said("[abort] linux: reads what it does not own");
    said("\x1e[ostler] abort: stopped: unsupported: access to 0xa000000 by vCPU 0 at pc 0x");
    said("(code 5)");
    assert!(!transcript.contains("[abort] linux: read 0x"), "{transcript}");
    // One VM ended badly, so the board does.
    assert_eq!(verdict, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}
