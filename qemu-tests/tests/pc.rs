//! x86's board: the hypervisor on SVM, and an unmodified Debian kernel on it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use qemu_tests::{Board, HELLO_X86_64, LINUX_X86_64, Machine, Result, Verdict, enabled};

/// Debian's `bzImage` to user space and off by ACPI. The clock counts instructions: Linux measures the time stamp counter by the power
/// management timer, and finds that reading it takes too long where an exit is a matter of QEMU's wall clock.
#[test]
fn debian_boots_on_svm_and_powers_off() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = LINUX_X86_64.boot_counted()?;
    console.expect("[ostler] self-test: the hypervisor: ")?;
    console.expect("[ostler] self-test: linux: ")?;
    console.expect("its own memory and nothing else")?;
    console.expect("linux: user space on 6.")?;
    console.expect("linux: powering off")?;
    console.expect("\x1e[ostler] linux: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

/// The bare-metal guest tests the machine that it is given, on two vCPUs.
#[test]
fn hello_passes_on_svm() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = HELLO_X86_64.boot()?;
    console.expect("hello: in 64-bit mode")?;
    console.expect("hello: floating point computes")?;
    console.expect("hello: second vCPU came, 1000 rounds")?;
    console.expect("hello: all passed")?;
    console.expect("hello: alive 3")?;
    console.expect("hello: powers off")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

/// Each interrupt comes once, however often QEMU asks the CPUs' threads to stop in between. (What is injected as an event would come
/// twice: `arch/x86_64/src/vcpu/deliver.rs`.)
#[test]
fn no_interrupt_comes_twice() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = HELLO_X86_64.boot()?;
    console.expect("hello: in 64-bit mode")?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (qmp, is_over) = (board.qmp(), &is_over);
        let stops = scope.spawn(move || -> Result<()> {
            while !is_over.load(Relaxed) {
                qmp.execute("stop")?;
                qmp.execute("cont")?;
            }
            Ok(())
        });
        let said = console.expect_any(&["hello: all passed", "hello: FAILED"]);
        is_over.store(true, Relaxed);
        stops.join().expect("it does not panic")?;
        let (which, _) = said?;
        assert_eq!(which, 0, "{}", console.transcript());
        Ok(())
    })?;
    console.expect("hello: powers off")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

/// Who has no SVM is told so, and the board ends badly.
#[test]
fn a_cpu_without_svm_is_refused() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let machine = Machine { cpu: "EPYC,-svm,check=off".into(), ..LINUX_X86_64.machine() };
    let (mut board, mut console) = Board::with_console(&machine, None)?;
    console.expect("[ostler] error: cannot run: ")?;
    console.expect("SVM")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}
