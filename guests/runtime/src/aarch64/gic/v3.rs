//! The CPU interface of a GICv3 (IHI 0069): system registers, behind a redistributor that each CPU wakes first.

use super::{Targets, own_redistributor};
use crate::mmio::{read32, write32};
use crate::wait::spin_for;
use crate::{Verdict, read_register, write_register};

const GICR_WAKER: usize = 0x0014;
const WAKER_PROCESSOR_SLEEP: u32 = 1 << 1;
const WAKER_CHILDREN_ASLEEP: u32 = 1 << 2;
/// ICC_SGI1R_EL1.IRM: to all CPUs but this one.
const ALL_BUT_SELF: u64 = 1 << 40;
/// ICC_CTLR_EL1.EOImode.
const SPLIT: u64 = 1 << 1;

pub(super) fn wake() -> Verdict {
    let waker = own_redistributor()? + GICR_WAKER;
    write32(waker, read32(waker) & !WAKER_PROCESSOR_SLEEP);
    spin_for("the redistributor does not wake", || read32(waker) & WAKER_CHILDREN_ASLEEP == 0)
}

pub(super) fn open_cpu() {
    write_register!("icc_sre_el1", read_register!("icc_sre_el1") | 1);
    write_register!("icc_pmr_el1", 0xff);
    write_register!("icc_ctlr_el1", 0);
    write_register!("icc_bpr1_el1", 0);
    write_register!("icc_igrpen1_el1", 1);
}

pub(super) fn acknowledge() -> u32 {
    read_register!("icc_iar1_el1") as u32
}

pub(super) fn end(acknowledged: u32) {
    write_register!("icc_eoir1_el1", acknowledged.into());
}

pub(super) fn deactivate(acknowledged: u32) {
    write_register!("icc_dir_el1", acknowledged.into());
}

pub(super) fn split_ends(split: bool) {
    write_register!("icc_ctlr_el1", if split { SPLIT } else { 0 });
}

pub(super) fn send(intid: u32, targets: Targets) {
    let targets = match targets {
        Targets::Cpu(affinity) => group(affinity) | 1 << (affinity & 0xf),
        Targets::List { cluster, list } => group(cluster) | u64::from(list),
        Targets::Others => ALL_BUT_SELF,
    };
    write_register!("icc_sgi1r_el1", targets | u64::from(intid) << 24);
}

/// The fields of ICC_SGI1R_EL1 that name 16 CPUs: Aff3 to Aff1, and the range of Aff0.
fn group(affinity: u64) -> u64 {
    let [aff0, aff1, aff2, _, aff3, ..] = affinity.to_le_bytes().map(u64::from);
    aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | aff1 << 16
}
