//! A guest with its own page tables on x86's board: every page size that the CPU has, in memory below 1 GiB, above 1 GiB, above 4 GiB, and
//! far above.

use qemu_tests::{PAGES_X86_64, Result, Verdict, enabled};

#[test]
fn pages_of_three_sizes_on_x86() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = PAGES_X86_64.boot()?;
    console.expect("pages: all passed")?;
    console.expect("\x1e[ostler] pages: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    for size in ["4 KiB", "2 MiB", "1 GiB"] {
        for base in ["0x100000", "0x40000000", "0x100000000", "0x4000000000"] {
            let line = format!("pages: pages of {size} in memory at {base}\r");
            assert!(transcript.contains(&line), "{line:?} in\n{transcript}");
        }
    }
    Ok(())
}
