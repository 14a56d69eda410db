//! What lies between the vCPUs of a VM.

use std::time::Duration;

use crate::{Board, Machine, Result, Verdict};

/// The guest says `lines` of what it has tried, finds nothing lost, and powers off.
pub fn vcpus_work_together(machine: &Machine, lines: &[&str]) -> Result<()> {
    let (mut board, mut console) = Board::with_console(machine, None)?;
    // A million of anything may take minutes on a busy machine; what is lost, the guest finds by itself.
    console.set_patience(Duration::from_secs(900));
    for line in lines {
        console.expect(line)?;
    }
    console.expect("smp: all passed")?;
    console.expect("\x1e[ostler] smp: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}
