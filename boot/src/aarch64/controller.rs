//! The board's interrupt controller: from what the tree says of it to the driver that was compiled in.

use arch::gic::{self, Frame};
use model::Hpa;

use super::Facts;
use super::tree::Gic;
use crate::facts::Region;

/// Where a GICv2 shows each page of 4 KiB sixteen times, so that a CPU with larger pages can map them apart, two pages are
/// next to each other only around the middle of the two frames.
const ALIASED_BYTES: u64 = 0x2_0000;

/// The first of the two pages of a GICv2's CPU interface.
fn interface(region: &Region) -> Frame {
    let skipped = if region.size_bytes == ALIASED_BYTES { 0xf000 } else { 0 };
    frame(region.start.0.saturating_add(skipped))
}

/// A frame of the controller.
fn frame(address: u64) -> Frame {
    // SAFETY: the tree says that it is there; whoever uses the controller has mapped all of its [`regions`] as device memory, for
    // good.
    unsafe { Frame::new(address as usize) }
}

/// All registers that the hypervisor itself uses.
pub fn regions(facts: &Facts) -> impl Iterator<Item = &Region> + Clone {
    let (distributor, cpus, own) = match &facts.hardware.gic {
        Some(Gic::V3 { distributor, redistributors, .. }) => (Some(distributor), redistributors.as_slice(), [None; 2]),
        Some(Gic::V2 { distributor, cpu_interface, hypervisor_interface, .. }) => {
            (Some(distributor), [].as_slice(), [Some(cpu_interface), hypervisor_interface.as_ref()])
        }
        None => (None, [].as_slice(), [None; 2]),
    };
    distributor.into_iter().chain(cpus).chain(own.into_iter().flatten())
}

/// The distributor.
fn distributor(facts: &Facts) -> Option<Frame> {
    match facts.hardware.gic.as_ref()? {
        Gic::V2 { distributor, .. } | Gic::V3 { distributor, .. } => Some(frame(distributor.start.0)),
    }
}

/// Initialises what all CPUs share; on the boot CPU, whose affinity is `own`, with all [`regions`] mapped at their own address as device
/// memory for good. `None` if there is no controller.
pub fn init(facts: &Facts, own: u64) -> Option<()> {
    let distributor = distributor(facts)?;
    if let Gic::V2 { cpu_interface, hypervisor_interface, .. } = facts.hardware.gic.as_ref()? {
        let control = hypervisor_interface.as_ref()?.start.0;
        gic::v2::init(distributor, interface(cpu_interface), frame(control));
    }
    arch::controller::set_distributor(distributor);
    gic::init_distributor(distributor, own);
    Some(())
}

/// What `arch::controller::init_cpu` takes of a CPU.
pub type Private = Frame;

/// The frame with the private interrupts of the CPU `affinity`: its redistributor, or a GICv2's distributor, which shows each
/// CPU its own.
pub fn private(facts: &Facts, affinity: u64) -> Option<Frame> {
    let Gic::V3 { redistributors, stride_bytes, .. } = facts.hardware.gic.as_ref()? else { return distributor(facts) };
    // GICR_TYPER chains them, region by region.
    for region in redistributors {
        let mut at = region.start.0;
        while at < region.end().0 {
            match gic::v3::redistributor_is(frame(at), affinity) {
                Ok(()) => return Some(frame(at)),
                Err(None) => break,
                Err(Some(implied)) => at = at.saturating_add(stride_bytes.unwrap_or(implied as u64)),
            }
        }
    }
    None
}

/// All ports that the hypervisor itself uses: the CPU has none.
pub fn ports(_facts: &Facts) -> impl Iterator<Item = model::Ports> + Clone {
    core::iter::empty()
}

/// A page that each guest finds in its own controller's frames: the first one of a GICv2's virtual CPU interface, in place of the real
/// one.
pub fn guest_page(facts: &Facts) -> Option<Hpa> {
    match facts.hardware.gic.as_ref()? {
        Gic::V2 { virtual_cpu_interface, .. } => virtual_cpu_interface.as_ref().map(|region| region.start),
        Gic::V3 { .. } => None,
    }
}
