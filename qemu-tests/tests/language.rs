//! The language whole, seen by a guest: Debian from a `system.toml` with a region, a file that pulls in another, variables,
//! quotes, ROM, reservations, data, an overlay, vCPUs with priorities on pCPUs of their own, and RAM above 4 GiB.

use qemu_tests::{LANGUAGE, Result, Verdict, enabled};

#[test]
fn a_guest_finds_what_its_files_say() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = LANGUAGE.boot()?;
    console.expect("linux: user space on 6.")?;
    console.expect(", 4 CPUs")?;
    console.expect("linux: RAM ")?;
    let ram = console.expect("linux: kernel ")?;
    for range in ["100000000-10fffffff", "200000000-2001fffff"] {
        assert!(ram.contains(range), "no {range} in {ram}");
    }
    assert!(!ram.contains("70000000"), "ROM is no RAM: {ram}");
    assert!(ram.contains("80000000-87ffffff") && ram.contains("88001000-8fffffff"), "the overlay keeps a page: {ram}");
    let kernel = console.expect("-")?;
    assert!(u64::from_str_radix(&kernel, 16).unwrap() >= 0x8400_0000, "the kernel is in what is reserved: {kernel}");
    console.expect("linux: told ")?;
    let told = console.expect("linux: data ")?;
    // The image was built by somebody with the same home.
    let home = std::env::var("HOME").unwrap_or_default();
    assert!(told.contains(&format!(" ostler.home=\"{home}\"")), "{told}");
    // `OSTL` and `ER!!`, little-endian.
    console.expect("0x4C54534F, ROM 0x21215245")?;
    console.expect("linux: mailbox 0x0571E200")?;
    console.expect("linux: tree laid over")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}
