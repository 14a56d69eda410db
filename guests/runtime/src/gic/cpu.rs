//! This CPU's interface: taking and ending interrupts, and sending them to CPUs.

use crate::system_register::barrier;
use crate::{read_register, write_register};

/// ICC_SGI1R_EL1.IRM: to all CPUs but this one.
const ALL_BUT_SELF: u64 = 1 << 40;
/// ICC_CTLR_EL1.EOImode.
const SPLIT: u64 = 1 << 1;

/// Takes the interrupt of highest priority; [`super::SPECIAL`] or above if there is none that may be taken now.
pub fn acknowledge() -> u32 {
    let intid = read_register!("icc_iar1_el1") as u32;
    barrier();
    intid
}

/// Ends the handling of an interrupt; where ends are split, [`deactivate`] has to follow.
pub fn end(intid: u32) {
    barrier();
    write_register!("icc_eoir1_el1", intid.into());
}

/// Lets an interrupt come again whose end is split.
pub fn deactivate(intid: u32) {
    barrier();
    write_register!("icc_dir_el1", intid.into());
}

/// Whether ends are split in two from here on: [`end`] drops the priority, [`deactivate`] does the rest.
pub fn split_ends(split: bool) {
    write_register!("icc_ctlr_el1", if split { SPLIT } else { 0 });
}

/// Sends an SGI to one CPU.
pub fn send(intid: u32, affinity: u64) {
    send_to(target(affinity), intid);
}

/// Sends an SGI to all CPUs but this one.
pub fn send_to_others(intid: u32) {
    send_to(ALL_BUT_SELF, intid);
}

/// Sends an SGI to two CPUs with one write; `None` if one write cannot name both.
pub fn send_to_both(intid: u32, affinities: [u64; 2]) -> Option<()> {
    let [first, second] = affinities.map(target);
    (first & !0xffff == second & !0xffff).then(|| send_to(first | second, intid))
}

/// The fields of ICC_SGI1R_EL1 that name a CPU: Aff3 to Aff1, the range of 16, and the bit in it.
fn target(affinity: u64) -> u64 {
    let [aff0, aff1, aff2, _, aff3, ..] = affinity.to_le_bytes().map(u64::from);
    aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | aff1 << 16 | 1 << (aff0 & 0xf)
}

fn send_to(targets: u64, intid: u32) {
    // What the interrupt is about is seen before it.
    barrier();
    write_register!("icc_sgi1r_el1", targets | u64::from(intid) << 24);
}
