//! The virtual GIC of one VM, a GICv3 (IHI 0069) if not said otherwise: one security state (GICD_CTLR.DS = 1), affinity routing only, no LPIs.
//!
//! Two parts, by who may touch them:
//! - [`Vgic`] holds what the whole VM shares. All its functions take `&self` and may run on any number of pCPUs at once,
//!   for any vCPU: register accesses, SGIs, device lines. There is no lock; words of 32 interrupts change by atomic
//!   operations. What needs a vCPU's attention comes back as a [`KickMask`].
//! - [`CpuInterface`] belongs to one vCPU and only its pCPU touches it, while the guest is not running there. It moves
//!   interrupts between the shared state and the list registers ([`ListRegisters`]), where the guest takes and ends them
//!   without an exit.
//!
//! | event | on which pCPU | what to call |
//! |---|---|---|
//! | abort in the distributor's frame | the vCPU's | if [`shows_list_registers`]: [`CpuInterface::sync`]; then [`Vgic::distributor_read`] or `_write` |
//! | abort in a redistributor's frame | the vCPU's | the same with [`Vgic::redistributor_read`] or `_write` |
//! | trapped ICC_SGI1R_EL1, ICC_SGI0R_EL1, ICC_ASGI1R_EL1 | the vCPU's | [`Vgic::send_sgi`], [`Vgic::send_group0_sgi`] |
//! | trapped ICC_DIR_EL1 | the vCPU's | [`CpuInterface::sync`]; then [`Vgic::deactivate`] |
//! | abort in a GICv2's distributor | the vCPU's | if [`v2_shows_list_registers`]: [`CpuInterface::sync`]; then [`Vgic::distributor_v2_read`] or `_write` |
//! | abort at a GICv2's GICC_DIR | the vCPU's | [`CpuInterface::sync`]; then [`Vgic::cpu_interface_v2_write`] |
//! | physical timer interrupt, priority dropped, not deactivated | the vCPU's | [`Vgic::hardware_pending`] |
//! | a device's line or message | any | [`Vgic::inject`] |
//! | an interrupt of the board's that is the guest's, priority dropped, not deactivated | any | [`Vgic::passed_pending`] |
//! | maintenance interrupt | the vCPU's | [`CpuInterface::sync`] |
//! | before every entry, interrupts masked | the vCPU's | if [`CpuInterface::needs_flush`]: [`CpuInterface::flush`] |
//! | kick | the vCPU's | nothing: leaving and entering the guest does it |
//! | vCPU starts, stops (PSCI, VM stop or reset) | the vCPU's | [`CpuInterface::start`], [`CpuInterface::stop`] |
//! | vCPU gets or loses its pCPU | the vCPU's | [`CpuInterface::load`], [`CpuInterface::unload`] |
//! | VM resets, all vCPUs stopped | any one | [`Vgic::reset`] |
//!
//! An interrupt's way: a device sets a bit in its [`bank`]; [`notify`] finds the vCPU it goes to and leaves a hint
//! there; that vCPU's [`CpuInterface::flush`] claims the interrupt, so that no other vCPU can deliver it, and puts it
//! into a list register; [`CpuInterface::sync`] sees what the guest made of it and gives the claim back.
//!
//! A GICv2's guest (IHI 0048) has another view of the same state: [`distributor_v2`] instead of distributor and redistributors,
//! [`senders`] of its SGIs, [`gich`] instead of ICH_* registers. All else is one.
#![forbid(unsafe_code)]

mod active;
mod atomic;
mod bank;
mod bits;
mod cpu;
mod distributor;
mod distributor_v2;
mod fields;
mod flush;
pub mod gich;
mod lines;
mod lr;
mod notify;
mod passed;
mod power;
mod quick;
mod redistributor;
mod registers;
mod route;
mod senders;
mod sgi;
mod sync;
#[cfg(test)]
mod tests;
mod words;

pub use arch_common::ends::Ends;
pub use bits::{KickMask, MAX_VCPUS};
pub use cpu::CpuInterface;
pub use distributor_v2::v2_shows_list_registers;
pub use lines::NoSuchInterrupt;
pub use lr::{ListRegisters, hcr};
pub use redistributor::Redistributor;
pub use registers::shows_list_registers;

use atomic::{AtomicU32, SeqCst};
use bank::{Bank, SharedBank};
use bits::BANKS;
use model::GicVersion;
use route::Route;

const SHARED_BANKS: usize = BANKS as usize - 1;

/// What all vCPUs of one VM share: the distributor and the redistributors. It may be placed in any memory and needs no heap.
#[derive(Debug)]
pub struct Vgic<'a> {
    /// Which view the guest has. Matters to what power-on is, and to which functions are called.
    version: GicVersion,
    /// GICD_CTLR's enable bits.
    control: AtomicU32,
    /// vCPUs between [`CpuInterface::start`] and [`CpuInterface::stop`].
    online: AtomicU32,
    /// vCPUs that have a pCPU, between [`CpuInterface::load`] and [`CpuInterface::unload`].
    loaded: AtomicU32,
    shared: [SharedBank; SHARED_BANKS],
    redistributors: &'a [Redistributor],
    /// Who is told when the guest is done with an interrupt of the board's.
    ends: Option<&'a dyn Ends>,
}

/// What a register read gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The register's value, zero-extended.
    pub value: u64,
    /// vCPUs whose list registers know better: kick them, so that a guest that polls the register gets there.
    pub kick: KickMask,
}

impl From<u64> for Read {
    fn from(value: u64) -> Read {
        Read { value, kick: KickMask::NONE }
    }
}

impl<'a> Vgic<'a> {
    /// A controller at power-on, with one redistributor for each vCPU in the order of their indices (which gives their
    /// affinities, [`model::affinity`]). Those after the first [`GicVersion::max_vcpus`] are not used.
    pub fn new(version: GicVersion, redistributors: &'a [Redistributor]) -> Vgic<'a> {
        let redistributors = match redistributors.split_at_checked(version.max_vcpus() as usize) {
            Some((first, _)) => first,
            None => redistributors,
        };
        let vgic = Vgic {
            version,
            control: AtomicU32::new(0),
            online: AtomicU32::new(0),
            loaded: AtomicU32::new(0),
            shared: [const { SharedBank::new() }; SHARED_BANKS],
            redistributors,
            ends: None,
        };
        vgic.reset();
        vgic
    }

    /// Back to power-on. All vCPUs must have been stopped ([`CpuInterface::stop`]). Lines keep their level until their
    /// devices change it.
    pub fn reset(&self) {
        self.control.store(0, SeqCst);
        for shared in &self.shared {
            shared.reset(Route::at_power_on(self.version, self.vcpus()));
        }
        for redistributor in self.redistributors {
            redistributor.reset(self.version);
        }
    }

    /// Number of vCPUs.
    #[inline]
    pub fn vcpus(&self) -> u32 {
        self.redistributors.len() as u32
    }

    #[inline]
    fn control(&self) -> u32 {
        self.control.load(SeqCst)
    }

    fn online(&self) -> u32 {
        self.online.load(SeqCst)
    }

    fn loaded(&self) -> u32 {
        self.loaded.load(SeqCst)
    }

    #[inline]
    fn redistributor(&self, vcpu: u32) -> Option<&'a Redistributor> {
        self.redistributors.get(vcpu as usize)
    }

    /// The bank of word `word` as `vcpu` sees it: its own for word 0, else a shared one.
    #[inline]
    fn bank(&self, vcpu: u32, word: u32) -> Option<&Bank> {
        match word {
            0 => self.redistributor(vcpu).map(|redistributor| &redistributor.bank),
            _ => self.shared(word).map(|shared| &shared.bank),
        }
    }

    #[inline]
    fn shared(&self, word: u32) -> Option<&SharedBank> {
        self.shared.get(word.checked_sub(1)? as usize)
    }
}
