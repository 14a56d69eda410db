//! The board's interrupts that are guests' own: taken here, handed to the guest, and held to a bound.
//!
//! ```text
//! board ─▶ home pCPU: arrived ─▶ virtual controller ─▶ guest ─▶ virtual controller: over ─▶ may come again
//!                        └─ too often: is held to the end of the period (Timer::Passed) ──────▲
//! ```
//! An interrupt goes to its VM's home, the pCPU of its first vCPU, whichever vCPU the guest routes it to. From its arrival until the
//! guest is done with it, it is active, and so masked ([`arch::Ends`]; an x86 board's edges are not, since they would be lost: they are only
//! held to the bound). What an arrival costs, the home pays: perhaps in the time of
//! another VM there. So each has a budget (`gate`), and a line that never falls, or a guest that raises one by
//! itself, takes no more from others than that.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use arch::{Ends, controller};
use model::{PassedInterrupt, Trigger};
use spin::Once;

use crate::gate::{ARRIVALS, Gate, PERIOD_MS};
use crate::timers::Timer;
use crate::vm::{Vm, ticks};

/// A VM's interrupts of the board, sorted by the guest's lines.
#[derive(Debug)]
pub struct Passed(pub &'static [Line]);

/// One of them.
#[derive(Debug)]
pub struct Line {
    config: &'static PassedInterrupt,
    gate: Gate,
    /// Periods at whose end it was waiting, in this life of the VM.
    held: AtomicU32,
}

impl Line {
    /// The interrupt that `config` describes, disabled.
    pub fn new(config: &'static PassedInterrupt) -> Line {
        Line { config, gate: Gate::default(), held: AtomicU32::new(0) }
    }

    fn deactivate(&self) {
        controller::done_shared(self.config.host);
    }
}

impl Ends for Passed {
    fn over(&self, intid: u32) {
        let found = self.0.binary_search_by_key(&intid, |line| line.config.line);
        if let Some(line) = found.ok().and_then(|index| self.0.get(index))
            && line.gate.over()
        {
            line.deactivate();
        }
    }
}

impl Passed {
    /// Makes the board's controller read the lines as they are. By the boot CPU, before any VM starts. The INTID of one that is not
    /// there is the error.
    pub fn configure(&self) -> Result<(), u32> {
        let is_there =
            |config: &PassedInterrupt| controller::configure_shared(config.host, config.trigger == Trigger::Edge);
        match self.0.iter().find(|line| !is_there(line.config)) {
            Some(line) => Err(line.config.host),
            None => Ok(()),
        }
    }

    /// The VM begins a life: they come to this pCPU, its home.
    pub fn begin(&self) {
        for line in self.0 {
            controller::route_here(line.config.host);
            // One may have been on its way when the life before this one ended.
            controller::done_shared(line.config.host);
        }
        self.unmask();
    }

    /// They come, if the VM is running.
    pub fn unmask(&self) {
        self.0.iter().for_each(|line| controller::enable_shared(line.config.host));
    }

    /// None comes any more. One that is on its way arrives in a virtual controller that nobody looks at.
    pub fn mask(&self) {
        self.0.iter().for_each(|line| controller::disable_shared(line.config.host));
    }

    /// The VM called `name` has stopped: they are masked, deactivated, and pending no more.
    pub fn quiesce(&self, name: &str) {
        self.mask();
        for line in self.0 {
            controller::done_shared(line.config.host);
            controller::clear_shared(line.config.host);
            line.gate.open();
            let held = line.held.swap(0, SeqCst);
            if held != 0 {
                log::info!("{name}: interrupt {} was held back in {held} periods of {PERIOD_MS} ms", line.config.host);
            }
        }
    }

    /// The time has come for some that were held back. When it comes for the next one.
    pub fn release(&self, now: u64) -> Option<u64> {
        let period = ticks(PERIOD_MS);
        let is_due = |line: &&Line| line.gate.end(period).is_some_and(|end| end <= now);
        for line in self.0.iter().filter(is_due) {
            if line.gate.open() {
                line.deactivate();
            }
        }
        self.0.iter().filter_map(|line| line.gate.end(period)).min()
    }

    /// Whose is the board's interrupt of each line, for [`Owners`].
    pub fn owned(&'static self, vm: &'static Vm) -> impl Iterator<Item = Owned> {
        self.0.iter().map(move |line| Owned { host: line.config.host, vm, line })
    }
}

/// An interrupt of the board and its VM.
#[derive(Clone, Copy)]
pub struct Owned {
    host: u32,
    vm: &'static Vm,
    line: &'static Line,
}

impl Owned {
    /// By what [`set_owners`] wants them sorted.
    pub fn host(&self) -> u32 {
        self.host
    }
}

/// Those of all VMs, sorted by the board's numbers.
static OWNERS: Once<&'static [Owned]> = Once::new();

/// Says whose the board's interrupts are, for good. `owners` are sorted by [`Owned::host`].
pub fn set_owners(owners: &'static [Owned]) {
    OWNERS.call_once(|| owners);
}

/// The board's interrupt `intid` was acknowledged, its priority dropped. False if it is no VM's.
pub fn arrived(intid: u32) -> bool {
    let owners = OWNERS.get().copied().unwrap_or_default();
    let found = owners.binary_search_by_key(&intid, |owned| owned.host);
    let Some(Owned { vm, line, .. }) = found.ok().and_then(|index| owners.get(index)) else { return false };
    let end = line.gate.arrive(arch::cpu::counter(), ticks(PERIOD_MS));
    if line.config.unmasked && line.gate.over() {
        line.deactivate();
    }
    match line.config.unmasked {
        true => vm.guest.pulse(line.config.line),
        false => vm.guest.passed_pending(line.config.line),
    }
    if let Some(end) = end {
        controller::hold_shared(intid);
        if line.held.fetch_add(1, SeqCst) == 0 {
            let name = vm.config.name;
            log::warn!("{name}: interrupt {intid} comes too often: held to {ARRIVALS} in {PERIOD_MS} ms");
        }
        // Earlier than the others', or theirs looks after this one too.
        let end = vm.timers.deadline(Timer::Passed).map_or(end, |earlier| earlier.min(end));
        vm.arm(Timer::Passed, Some(end));
    }
    true
}
