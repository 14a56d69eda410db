//! arm64's part: PSCI, events, the forms of SGIs, routed SPIs.

pub(super) mod forms;
mod spi;

pub(super) use super::forms::send as act;
pub(super) use guest_runtime::system_register::{barrier, send_event, wait_for_event};

use super::OWN;
use guest_runtime::{Machine, Verdict, psci, say, timer};

/// Holds a vCPU while SPIs become pending for it.
const HOLD: u32 = OWN;

/// How a token is passed on.
pub(super) const EVENT: &str = "SEV";

/// Says what this machine is.
pub(super) fn introduce(machine: &Machine) {
    say!("{} vCPUs on a GICv{}", machine.cpus.len(), machine.gic_version);
}

/// What holds before the vCPUs are started.
pub(super) fn before(machine: &Machine) -> Verdict {
    if machine.clock_frequency.is_some_and(|told| told as u64 != timer::frequency()) {
        return Err("CNTFRQ_EL0 is not what the tree says");
    }
    match machine.cpus[1..].iter().all(|&cpu| is_off(cpu)) {
        true => Ok(()),
        false => Err("a vCPU is not off to begin with"),
    }
}

/// Whether a vCPU that was to go off is.
pub(super) fn is_off(id: u64) -> bool {
    psci::affinity_info(id) == psci::OFF
}

/// What only this CPU has to test.
pub(super) fn test(machine: &Machine) -> Verdict {
    spi::test(machine)
}

/// Any vCPU: an interrupt came. Whether it is one of these.
pub(super) fn on_interrupt(intid: u32) -> bool {
    match intid {
        HOLD => spi::hold(),
        _ if spi::RANGE.contains(&intid) => spi::on_spi(intid),
        _ => return false,
    }
    true
}
