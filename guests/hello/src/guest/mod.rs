//! The program: what it tests, in order, and the heartbeat.

mod boot;
mod exceptions;
mod fp;
mod gic;
mod machine;
mod psci;
mod second;
mod system_register;
mod timer;
mod uart;

use crate::options::Options;
use gic::Gic;
use machine::Machine;
use system_register::{mask_interrupts, read_register, unmask_interrupts, wait_for_interrupt};
use uart::println;

/// A test that fails ends the program with its name.
type Verdict = Result<(), &'static str>;

/// How long the guest waits for what should happen at once, before it says that it did not.
const PATIENCE_S: u64 = 60;

/// Called by the boot code of the first CPU with what the loader left in `x0`.
extern "C" fn first_main(tree: usize) -> ! {
    // An ELF that QEMU's `virt` machine starts gets no argument; the tree is at the start of RAM.
    let tree = if tree == 0 { 0x4000_0000 } else { tree };
    let Some(machine) = Machine::from_tree(tree) else {
        // Nowhere to say so: without a tree there is no console.
        psci::system_reset(psci::Conduit::Hvc)
    };
    uart::open(machine.uart.base);
    psci::choose(machine.conduit);
    println!("hello: at EL{}, device tree at {tree:#x}", read_register!("CurrentEL") >> 2);
    println!(
        "hello: {} vCPU, GICv3 at {:#x}, PL011 at {:#x} interrupt {}",
        machine.cpus, machine.distributor, machine.uart.base, machine.uart.interrupt
    );
    if let Err(what) = test(&machine) {
        fail(what);
    }
    println!("hello: all passed");
    beat(Options::parse(machine.command_line));
    println!("hello: powers off");
    psci::system_off(machine.conduit)
}

/// Every test; each prints what it saw.
fn test(machine: &Machine) -> Verdict {
    fp::computes()?;
    println!("hello: floating point computes");
    let gic = Gic::open(machine)?;
    gic.enable_private(machine.timer_interrupt);
    exceptions::route(machine);
    second::prepare(machine);
    timer::ticks()?;
    let registers = fp::Registers::fill(1);
    let ticks = timer::tick_for(10)?;
    registers.check()?;
    println!("hello: {ticks} timer interrupts, floating-point registers survived them");
    gic.enable_shared(machine.uart.interrupt);
    uart::interrupts()?;
    println!("hello: the UART's transmit interrupt came");
    psci::answers()?;
    println!("hello: PSCI {}.{}", psci::version() >> 16, psci::version() & 0xffff);
    match machine.second {
        Some(second) => {
            // Twice: a vCPU that went off must come back as good as new.
            for rounds in [1000, 100] {
                second::play(second, rounds)?;
                println!("hello: second vCPU came, {rounds} rounds of SGI ping-pong, and went off");
            }
        }
        None => println!("hello: one vCPU, so no second one to start"),
    }
    Ok(())
}

/// Says that it is alive, at a steady period, as often as it was asked to.
fn beat(options: Options) {
    let mut number = 0;
    timer::start(options.period_ms);
    while options.beats == 0 || number < options.beats {
        number += 1;
        wait_until(|| timer::count() >= number);
        println!("hello: alive {number}");
    }
    timer::stop();
}

/// Names what failed and ends the VM the bad way, by a reset.
fn fail(what: &str) -> ! {
    println!("hello: FAILED: {what}");
    psci::system_reset(psci::conduit())
}

/// Sleeps until an interrupt has made `done` true.
fn wait_until(done: impl Fn() -> bool) {
    loop {
        // Masked, so that the interrupt which makes it true cannot come between the look and the WFI: a pending
        // interrupt ends a WFI even when it is masked (DDI 0487, D1.7.2).
        mask_interrupts();
        let done = done();
        if !done {
            wait_for_interrupt();
        }
        unmask_interrupts();
        if done {
            return;
        }
    }
}

/// As [`wait_until`], but gives up after [`PATIENCE_S`] and then names `what`. The timer must tick.
fn wait_for(what: &'static str, done: impl Fn() -> bool) -> Verdict {
    let deadline = timer::now() + PATIENCE_S * timer::frequency();
    wait_until(|| done() || timer::now() > deadline);
    if done() { Ok(()) } else { Err(what) }
}

/// As [`wait_for`], but never sleeps: for what must come before interrupts can be trusted.
fn spin_for(what: &'static str, done: impl Fn() -> bool) -> Verdict {
    let deadline = timer::now() + PATIENCE_S * timer::frequency();
    while timer::now() <= deadline {
        if done() {
            return Ok(());
        }
        core::hint::spin_loop();
    }
    Err(what)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    println!("hello: {info}");
    fail("panic")
}
