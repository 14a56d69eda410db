//! The board's interrupt controller as the hypervisor uses it, by the names that it has on every CPU. `gic` has the drivers.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::gic::{self, Frame};
use crate::intid;

pub use gic::{deactivate as done, doorbell, send, send_stop};

/// Address of the distributor; zero before [`set_distributor`].
static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);

/// Keeps where the distributor is, for good.
pub fn set_distributor(distributor: Frame) {
    DISTRIBUTOR.store(distributor.address(), Ordering::Relaxed);
}

fn distributor() -> Option<Frame> {
    let address = DISTRIBUTOR.load(Ordering::Relaxed);
    // SAFETY: `set_distributor` was given a frame that is one.
    (address != 0).then(|| unsafe { Frame::new(address) })
}

/// Sets this CPU's part up, number `pcpu`; `private` is the frame of its private interrupts.
pub fn init_cpu(private: Frame, pcpu: u32) {
    gic::init_private(private, pcpu);
    gic::init_cpu_interface();
}

/// Takes the interrupt that this CPU is to look at, if there is one: acknowledged, its priority dropped. It comes again only
/// after [`done`].
pub fn take() -> Option<u32> {
    let intid = gic::acknowledge();
    if intid >= intid::SPECIAL {
        return None;
    }
    gic::drop_priority(intid);
    Some(intid)
}

/// Lets shared interrupt `intid` come. On any CPU.
pub fn enable_shared(intid: u32) {
    if let Some(distributor) = distributor() {
        gic::enable_shared(distributor, intid);
    }
}

/// Shared interrupt `intid` comes no more, but for once on a CPU that has begun to take it. If it is pending it stays so. On any CPU.
pub fn disable_shared(intid: u32) {
    if let Some(distributor) = distributor() {
        gic::disable_shared(distributor, intid);
    }
}

/// Shared interrupt `intid`, which was taken, does not come again before [`done_shared`]: an active one does not in any case.
pub fn hold_shared(_intid: u32) {}

/// Lets shared interrupt `intid` come again. Unlike [`done`], on any CPU, whichever took it.
pub fn done_shared(intid: u32) {
    if let Some(distributor) = distributor() {
        gic::deactivate_shared(distributor, intid);
    }
}

/// Shared interrupt `intid` is pending no more, unless its line is high.
pub fn clear_shared(intid: u32) {
    if let Some(distributor) = distributor() {
        gic::clear_shared(distributor, intid);
    }
}

/// Makes shared interrupt `intid`, which is disabled, edge-triggered or level-sensitive. False if there is no such interrupt. Only
/// while no other CPU does the same.
pub fn configure_shared(intid: u32, is_edge: bool) -> bool {
    distributor().is_some_and(|distributor| gic::configure_shared(distributor, intid, is_edge))
}

/// Shared interrupt `intid` comes to this CPU from now on.
pub fn route_here(intid: u32) {
    if let Some(distributor) = distributor() {
        gic::route_here(distributor, intid);
    }
}
