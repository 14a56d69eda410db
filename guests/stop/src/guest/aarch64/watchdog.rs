//! An SP805 (DDI 0270), fed and then starved.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use guest_runtime::gic::Interrupt;
use guest_runtime::machine::Device;
use guest_runtime::mmio::{read32, write32};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, fail, psci, say, timer};

const LOAD: usize = 0x000;
const VALUE: usize = 0x004;
const CONTROL: usize = 0x008;
const INTCLR: usize = 0x00c;
const RIS: usize = 0x010;
const MIS: usize = 0x014;
const LOCK: usize = 0xc00;
const PERIPH_ID0: usize = 0xfe0;
const UNLOCK: u32 = 0x1acc_e551;
/// WDOGCONTROL.INTEN and RESEN.
const ON: u32 = 0b11;

static BASE: AtomicUsize = AtomicUsize::new(0);
static INTID: AtomicU32 = AtomicU32::new(u32::MAX);
/// The interrupt handler feeds it.
static IS_FED: AtomicBool = AtomicBool::new(true);
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// Feeds it ten times before the interrupt and ten times by the interrupt, then no more.
pub(in crate::guest) fn starve(machine: &Machine) -> Verdict {
    let Device { base, interrupt } = machine.watchdog.ok_or("there is no watchdog")?;
    let hz = machine.number("hz").ok_or("the command line has no `hz`")?;
    let id = (0..4).fold(0, |id, index| id | read32(base + PERIPH_ID0 + 4 * index) << (8 * index));
    if id & 0xff_ffff != 0x14_1805 {
        return Err("this is no SP805");
    }
    BASE.store(base, Relaxed);
    INTID.store(interrupt, Relaxed);
    Interrupt(interrupt).enable()?;

    // A countdown of 200 ms, fed every 10 ms.
    write32(base + LOCK, UNLOCK);
    write32(base + LOAD, (hz / 5) as u32);
    write32(base + CONTROL, ON);
    write32(base + LOCK, 0);
    timer::start(10);
    for feeding in 1..=10 {
        wait_until(|| timer::count() >= feeding);
        if read32(base + VALUE) >= (hz / 5) as u32 {
            return Err("the count does not go down");
        }
        feed(base);
    }
    timer::stop();
    if INTERRUPTS.load(Relaxed) != 0 {
        return Err("it interrupted although it was fed");
    }
    say!("fed in time, no interrupt");

    // Countdowns of 20 ms, fed by the interrupts.
    write32(base + LOCK, UNLOCK);
    write32(base + LOAD, (hz / 50) as u32);
    write32(base + LOCK, 0);
    wait_until(|| INTERRUPTS.load(Relaxed) >= 10);
    say!("fed by ten interrupts");

    IS_FED.store(false, Relaxed);
    let fed = INTERRUPTS.load(Relaxed);
    wait_until(|| INTERRUPTS.load(Relaxed) > fed);
    if (read32(base + RIS), read32(base + MIS)) != (1, 1) {
        return Err("the interrupt is not in its registers");
    }
    say!("the interrupt, and nobody feeds it any more");
    // A minute, for a bite after 20 ms.
    timer::alarm(60_000);
    wait_until(|| timer::count() > 0);
    Err("it did not bite")
}

/// Starts it and never feeds it.
pub(in crate::guest) fn start(machine: &Machine) -> Verdict {
    arm(machine)?;
    say!("the watchdog is on");
    loop {
        wait_until(|| false);
    }
}

/// Starts it and resets the machine at once, which is to stop it.
pub(in crate::guest) fn arm_and_reset(machine: &Machine) -> Verdict {
    arm(machine)?;
    psci::system_reset()
}

fn arm(machine: &Machine) -> Verdict {
    let Device { base, .. } = machine.watchdog.ok_or("there is no watchdog")?;
    if read32(base + CONTROL) != 0 {
        return Err("it is on before it was started");
    }
    write32(base + LOAD, machine.number("load").ok_or("the command line has no `load`")? as u32);
    write32(base + CONTROL, ON);
    Ok(())
}

fn feed(base: usize) {
    write32(base + LOCK, UNLOCK);
    write32(base + INTCLR, 1);
    write32(base + LOCK, 0);
}

/// The watchdog's interrupt: fed, or else disabled, since it lasts.
pub(in crate::guest) fn took(intid: u32) {
    if intid != INTID.load(Relaxed) {
        return;
    }
    INTERRUPTS.store(INTERRUPTS.load(Relaxed) + 1, Relaxed);
    if IS_FED.load(Relaxed) {
        feed(BASE.load(Relaxed));
    } else if let Err(what) = Interrupt(intid).disable() {
        fail(what);
    }
}
