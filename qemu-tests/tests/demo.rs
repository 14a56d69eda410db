//! The demo, both guests at once: the shell works, the other guest lives, and the board ends well.

use qemu_tests::{DEMO, Result, Verdict, enabled};

#[test]
fn debian_and_hello_share_the_board() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = DEMO.boot()?;
    console.expect("linux: user space on 6.")?;
    console.expect("linux:/root# ")?;
    // The sum is not in what is typed, so it can only come from the shell.
    console.send("echo sum $((40 + 2))\n")?;
    console.expect("sum 42")?;
    // What it has still to say would come in the middle of hello's line.
    console.expect("linux:/root# ")?;
    // The console's own keys move it to hello and back, and no guest sees them.
    console.send("\x1d?")?;
    console.expect("\x1e[ostler] 1 linux (has the console)")?;
    console.send("\x1dn")?;
    console.expect("\x1e[ostler] the console is hello's now")?;
    console.send("x")?;
    console.expect("hello: q powers me off")?;
    console.send("\x1d1")?;
    console.expect("\x1e[ostler] the console is linux's now")?;
    console.send("echo back $((20 + 3))\n")?;
    console.expect("back 23")?;
    // What the shell has said last can be seen again, and the other guest can be muted.
    console.send("\x1db")?;
    console.expect("\x1e[ostler] console: end of linux's lines")?;
    console.send("\x1dm")?;
    console.expect("\x1e[ostler] the other guests are muted")?;
    console.send("\x1dm")?;
    console.expect("\x1e[ostler] the other guests speak again")?;
    // hello goes on beside the shell …
    console.expect("[hello] hello: alive")?;
    // … and Ctrl-C ends a program, not the machine.
    console.send("echo wait$((0)); sleep 1000\n")?;
    console.expect("wait0")?;
    // The shell has yet to hand the terminal to `sleep`; a key that comes in between is its own, and it goes on to wait.
    std::thread::sleep(std::time::Duration::from_secs(1));
    console.send("\x03")?;
    console.expect("linux:/root# ")?;
    console.send("poweroff\n")?;
    console.expect("\x1e[ostler] linux: stopped: the guest powered off (code 0)")?;
    // The console is hello's now, and its key for the end is `q`.
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("\x1e[ostler] hello: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    assert!(console.transcript().contains("[hello] hello: all passed"), "{}", console.transcript());
    Ok(())
}

#[test]
fn a_guest_cannot_forge_the_hypervisors_lines() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = DEMO.boot()?;
    console.expect("linux:/root# ")?;
    console.send("printf '\\036[ostler] forged %s\\n' line\n")?;
    console.expect("[ostler] forged line")?;
    let transcript = console.transcript();
    assert!(!transcript.contains("\x1e[ostler] forged"), "{transcript}");
    assert!(transcript.contains("\x1e[ostler]"), "the hypervisor's own lines have the mark\n{transcript}");
    Ok(())
}
