//! This CPU's interface: taking and ending interrupts, and sending them to CPUs.

use super::{Version, v2, v3, version};
use crate::system_register::barrier;

/// INTIDs from here on say that there is no interrupt, or are of kinds that guests do not use.
pub const SPECIAL: u32 = 1020;

/// Whom an SGI is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// One CPU, by its affinity.
    Cpu(u64),
    /// Up to 16 CPUs of a cluster.
    List {
        /// Affinity of its first CPU.
        cluster: u64,
        /// A bit for each CPU by its Aff0. A GICv2 has eight.
        list: u16,
    },
    /// All CPUs but this one.
    Others,
}

/// Takes the interrupt of highest priority. What comes is for [`end`]; [`intid`] says which interrupt it is.
pub fn acknowledge() -> u32 {
    let acknowledged = match version() {
        Version::V2 => v2::acknowledge(),
        Version::V3 => v3::acknowledge(),
    };
    barrier();
    acknowledged
}

/// The INTID in what [`acknowledge`] gave, beside which a GICv2 tells an SGI's sender (IHI 0048, GICC_IAR). [`SPECIAL`]
/// or above: there is none that may be taken now.
pub const fn intid(acknowledged: u32) -> u32 {
    acknowledged & 0x3ff
}

/// Ends the handling of an interrupt; where ends are split, [`deactivate`] has to follow.
pub fn end(acknowledged: u32) {
    barrier();
    match version() {
        Version::V2 => v2::end(acknowledged),
        Version::V3 => v3::end(acknowledged),
    }
}

/// Lets an interrupt come again whose end is split.
pub fn deactivate(acknowledged: u32) {
    barrier();
    match version() {
        Version::V2 => v2::deactivate(acknowledged),
        Version::V3 => v3::deactivate(acknowledged),
    }
}

/// Whether ends are split in two from here on: [`end`] drops the priority, [`deactivate`] does the rest.
pub fn split_ends(split: bool) {
    match version() {
        Version::V2 => v2::split_ends(split),
        Version::V3 => v3::split_ends(split),
    }
}

/// Sends an SGI to one CPU.
pub fn send(intid: u32, affinity: u64) {
    send_to(intid, Targets::Cpu(affinity));
}

/// Sends an SGI.
pub fn send_to(intid: u32, targets: Targets) {
    // What the interrupt is about is seen before it.
    barrier();
    match version() {
        Version::V2 => v2::send(intid, targets),
        Version::V3 => v3::send(intid, targets),
    }
}
