//! The CPU interface of a GICv2 (IHI 0048): memory that each CPU finds at the same address.
//!
//! The device tree does not say which of the eight CPU interfaces is whose; here each CPU's is the one of its index.

use super::{Targets, cpus, distributor};
use crate::machine::{MAX_CPUS, index, own_index};
use crate::mmio::{read32, write32};

const GICD_SGIR: usize = 0x0f00;
const GICC_CTLR: usize = 0x0000;
const GICC_PMR: usize = 0x0004;
const GICC_BPR: usize = 0x0008;
const GICC_IAR: usize = 0x000c;
const GICC_EOIR: usize = 0x0010;
const GICC_DIR: usize = 0x1000;

/// GICC_CTLR.EnableGrp1 in the non-secure view, EnableGrp0 where there is one security state: either way of the group in
/// which interrupts are when nobody says another.
const ENABLE: u32 = 1;
/// GICC_CTLR.EOImode, or EOImodeNS in the non-secure view.
const SPLIT: u32 = 1 << 9;
/// GICD_SGIR.TargetListFilter: all CPUs but this one, or this one only.
const ALL_BUT_SELF: u32 = 1 << 24;
const SELF: u32 = 2 << 24;

pub(super) fn open_cpu() {
    write32(cpus() + GICC_PMR, 0xff);
    write32(cpus() + GICC_BPR, 0);
    write32(cpus() + GICC_CTLR, ENABLE);
}

pub(super) fn acknowledge() -> u32 {
    read32(cpus() + GICC_IAR)
}

pub(super) fn end(acknowledged: u32) {
    write32(cpus() + GICC_EOIR, acknowledged);
}

pub(super) fn deactivate(acknowledged: u32) {
    write32(cpus() + GICC_DIR, acknowledged);
}

pub(super) fn split_ends(split: bool) {
    write32(cpus() + GICC_CTLR, if split { ENABLE | SPLIT } else { ENABLE });
}

pub(super) fn send(intid: u32, targets: Targets) {
    let targets = match targets {
        Targets::Cpu(affinity) if index(affinity) == own_index() => SELF,
        Targets::Cpu(affinity) => u32::from(interface(affinity)) << 16,
        Targets::List { cluster: 0, list } => u32::from(list & 0xff) << 16,
        // There is no other cluster.
        Targets::List { .. } => 0,
        Targets::Others => ALL_BUT_SELF,
    };
    write32(distributor() + GICD_SGIR, targets | intid);
}

/// The bit of a CPU's interface in GICD_ITARGETSR; none for a CPU that a GICv2 cannot have.
pub(super) const fn interface(affinity: u64) -> u8 {
    let index = index(affinity) % MAX_CPUS;
    if index < 8 { 1 << index } else { 0 }
}
