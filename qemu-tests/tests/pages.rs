//! A guest with its own page tables: every page size that the CPU has, in memory below 2 GiB, above 2 GiB, above 4 GiB, and
//! far above.

use qemu_tests::{Board, Machine, PAGES, PAGES_GICV2, Result, System, Verdict, enabled};

fn passes_on(system: System, cpu: &str, sizes_kib: &[u32], lacks_kib: &[u32]) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = Board::with_console(&Machine { cpu: cpu.into(), ..system.machine() }, None)?;
    console.expect("pages: all passed")?;
    console.expect("\x1e[ostler] pages: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    for size in sizes_kib {
        for base in ["0x40000000", "0x80000000", "0x100000000", "0x4000000000"] {
            let line = format!("pages: pages of {size} KiB in memory at {base}\r");
            assert!(transcript.contains(&line), "{line:?} in\n{transcript}");
        }
    }
    for size in lacks_kib {
        assert!(transcript.contains(&format!("pages: this CPU has no pages of {size} KiB")), "{transcript}");
    }
    Ok(())
}

#[test]
fn pages_of_two_sizes_on_cortex_a57() -> Result<()> {
    passes_on(PAGES, "cortex-a57", &[4, 64], &[16])
}

#[test]
fn pages_of_three_sizes_on_neoverse_n1() -> Result<()> {
    passes_on(PAGES, "neoverse-n1", &[4, 16, 64], &[])
}

#[test]
fn pages_of_two_sizes_on_cortex_a72_with_gicv2() -> Result<()> {
    passes_on(PAGES_GICV2, "cortex-a72", &[4, 64], &[16])
}
