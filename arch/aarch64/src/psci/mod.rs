//! Power State Coordination Interface 1.1 (DEN 0022) for guests: the power state of each vCPU and what a call means.
//!
//! A pure state machine: it decides, the caller acts. Each vCPU has one atomic word that walks
//! `Off → OnPending → On → Off`, so that of two vCPUs that turn on a third exactly one wins (DEN 0022 section 5.6).
//!
//! | step | who | call |
//! |---|---|---|
//! | Off → OnPending | pCPU of the vCPU that calls CPU_ON | [`Psci::call`] gives [`Outcome::TurnOn`] |
//! | OnPending → On | pCPU of the target, before its first instruction | [`Psci::turned_on`] |
//! | On → Off | pCPU of the vCPU that called CPU_OFF, when nothing of it runs any more | [`Psci::turned_off`] |
//!
//! CPU_SUSPEND is a standby state of every depth: state is kept, the call returns after a wait as for WFI. (A request
//! for a power-down state may be answered so, DEN 0022 section 5.4.5.)
#![forbid(unsafe_code)]

use crate::smccc::Call;
use core::sync::atomic::{AtomicU8, Ordering};
use model::Gpa;

/// The version that PSCI_VERSION gives: 1.1.
pub const VERSION: u64 = 0x1_0001;
/// The function identifier of PSCI_VERSION.
pub const VERSION_FUNCTION: u32 = function::VERSION;

/// Error codes (DEN 0022 section 5.2.2), as they go into `x0`.
pub mod status {
    /// It worked.
    pub const SUCCESS: u64 = 0;
    /// There is no such function.
    pub const NOT_SUPPORTED: u64 = -1_i64 as u64;
    /// A parameter makes no sense.
    pub const INVALID_PARAMETERS: u64 = -2_i64 as u64;
    /// The vCPU runs already.
    pub const ALREADY_ON: u64 = -4_i64 as u64;
    /// Another vCPU is turning it on.
    pub const ON_PENDING: u64 = -5_i64 as u64;
    /// The caller of [`super::Psci::call`] could not do what it was told.
    pub const INTERNAL_FAILURE: u64 = -6_i64 as u64;
    /// The entry point is not in the guest's memory.
    pub const INVALID_ADDRESS: u64 = -9_i64 as u64;
}

/// Function numbers (low 16 bits of the identifier; DEN 0022 section 5.1).
mod function {
    pub(super) const VERSION: u32 = 0x8400_0000;
    pub(super) const CPU_SUSPEND_32: u32 = 0x8400_0001;
    pub(super) const CPU_SUSPEND_64: u32 = 0xc400_0001;
    pub(super) const CPU_OFF: u32 = 0x8400_0002;
    pub(super) const CPU_ON_32: u32 = 0x8400_0003;
    pub(super) const CPU_ON_64: u32 = 0xc400_0003;
    pub(super) const AFFINITY_INFO_32: u32 = 0x8400_0004;
    pub(super) const AFFINITY_INFO_64: u32 = 0xc400_0004;
    pub(super) const MIGRATE_INFO_TYPE: u32 = 0x8400_0006;
    pub(super) const SYSTEM_OFF: u32 = 0x8400_0008;
    pub(super) const SYSTEM_RESET: u32 = 0x8400_0009;
    pub(super) const FEATURES: u32 = 0x8400_000a;
    pub(super) const SYSTEM_RESET2_32: u32 = 0x8400_0012;
    pub(super) const SYSTEM_RESET2_64: u32 = 0xc400_0012;
    pub(super) const SMCCC_VERSION: u32 = 0x8000_0000;
}

/// MIGRATE_INFO_TYPE: no trusted OS that would need to migrate (DEN 0022 section 5.9).
const NO_TRUSTED_OS: u64 = 2;
/// Bits of MPIDR that are affinity: Aff3, and Aff2 to Aff0.
const AFFINITY_BITS: u64 = 0xff_00ff_ffff;
/// CPU_SUSPEND's power_state, original format: bits that must be zero (DEN 0022 section 5.4.2.1).
const POWER_STATE_RESERVED: u64 = !0x0301_ffff;

/// The power state of a vCPU; the numbers are those of AFFINITY_INFO (DEN 0022 section 5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// It runs, or waits in WFI.
    On = 0,
    /// It does not run.
    Off = 1,
    /// CPU_ON was called and it has not run yet.
    OnPending = 2,
}

/// The power state of one vCPU, shared by all pCPUs of the VM. Starts as off.
#[derive(Debug)]
pub struct Power(AtomicU8);

/// What the caller does for the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Write `x0`, go on.
    Return(u64),
    /// Start `vcpu` from its reset state, then give the caller [`status::SUCCESS`]. No other vCPU gets this for the
    /// same `vcpu` until [`Psci::turned_off`]. If it cannot be started, call that and return INTERNAL_FAILURE.
    TurnOn {
        /// Index of the vCPU to start.
        vcpu: u32,
        /// Its first instruction.
        entry: Gpa,
        /// Its `x0`.
        context: u64,
    },
    /// The calling vCPU ends here. Take it down, then call [`Psci::turned_off`].
    TurnOff,
    /// Wait as for WFI, then give the caller [`status::SUCCESS`].
    Suspend,
    /// The VM powers off.
    SystemOff,
    /// The VM resets.
    SystemReset,
}

impl Power {
    /// A vCPU that is off.
    pub const fn new() -> Power {
        Power(AtomicU8::new(State::Off as u8))
    }

    fn get(&self) -> State {
        match self.0.load(Ordering::Acquire) {
            0 => State::On,
            2 => State::OnPending,
            _ => State::Off,
        }
    }

    fn set(&self, state: State) {
        self.0.store(state as u8, Ordering::Release);
    }

    /// `from → to` if it is in `from`; otherwise the state that it is in.
    fn change(&self, from: State, to: State) -> Result<(), State> {
        let changed = self.0.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire);
        changed.map(|_| ()).map_err(|found| match found {
            0 => State::On,
            2 => State::OnPending,
            _ => State::Off,
        })
    }
}

impl Default for Power {
    fn default() -> Self {
        Power::new()
    }
}

/// The power states of a VM's vCPUs, in the order of their indices.
#[derive(Clone, Copy, Debug)]
pub struct Psci<'a> {
    cpus: &'a [Power],
}

impl<'a> Psci<'a> {
    /// Power control over `cpus`. Call [`Psci::reset`] before the VM starts.
    pub const fn new(cpus: &'a [Power]) -> Psci<'a> {
        Psci { cpus }
    }

    /// The VM's state at power-on: vCPU 0 is on, the others are off. No vCPU may run.
    pub fn reset(&self) {
        for (index, cpu) in self.cpus.iter().enumerate() {
            cpu.set(if index == 0 { State::On } else { State::Off });
        }
    }

    /// The state of `vcpu`; `None` if the VM has no such vCPU.
    pub fn state(&self, vcpu: u32) -> Option<State> {
        self.cpu(vcpu).map(Power::get)
    }

    /// The target of a [`Outcome::TurnOn`] is about to run. Called on its pCPU.
    pub fn turned_on(&self, vcpu: u32) {
        if let Some(cpu) = self.cpu(vcpu) {
            cpu.set(State::On);
        }
    }

    /// `vcpu` does not run any more and may be turned on again. Called on its pCPU. True if all are off now, which
    /// nothing can end but a reset from outside.
    pub fn turned_off(&self, vcpu: u32) -> bool {
        if let Some(cpu) = self.cpu(vcpu) {
            cpu.set(State::Off);
        }
        self.cpus.iter().all(|cpu| cpu.get() == State::Off)
    }

    /// Decides one call of vCPU `caller`; `call` is of the standard secure range. Functions outside of PSCI 1.1 as built
    /// here, and all others of that range, are NOT_SUPPORTED. May run on several pCPUs at once; takes no lock.
    pub fn call(&self, caller: u32, call: &Call, is_ram: impl Fn(Gpa) -> bool) -> Outcome {
        use function::*;
        let [first, second, third] = call.arguments;
        match call.function {
            self::function::VERSION => Outcome::Return(self::VERSION),
            CPU_SUSPEND_32 | CPU_SUSPEND_64 if first & POWER_STATE_RESERVED != 0 => {
                Outcome::Return(status::INVALID_PARAMETERS)
            }
            CPU_SUSPEND_32 | CPU_SUSPEND_64 => Outcome::Suspend,
            CPU_OFF if self.state(caller) == Some(State::On) => Outcome::TurnOff,
            CPU_ON_32 | CPU_ON_64 => self.turn_on(first, Gpa(second), third, is_ram),
            AFFINITY_INFO_32 | AFFINITY_INFO_64 => Outcome::Return(self.affinity_info(first, second)),
            MIGRATE_INFO_TYPE => Outcome::Return(NO_TRUSTED_OS),
            SYSTEM_OFF => Outcome::SystemOff,
            SYSTEM_RESET => Outcome::SystemReset,
            FEATURES => Outcome::Return(features(first)),
            // The one architectural type is SYSTEM_WARM_RESET (DEN 0022 section 5.15); a VM's memory survives neither.
            SYSTEM_RESET2_32 | SYSTEM_RESET2_64 if first & 0xffff_ffff == 0 => Outcome::SystemReset,
            SYSTEM_RESET2_32 | SYSTEM_RESET2_64 => Outcome::Return(status::INVALID_PARAMETERS),
            _ => Outcome::Return(status::NOT_SUPPORTED),
        }
    }

    fn cpu(&self, vcpu: u32) -> Option<&Power> {
        self.cpus.get(usize::try_from(vcpu).ok()?)
    }

    /// CPU_ON (DEN 0022 section 5.6).
    fn turn_on(&self, target: u64, entry: Gpa, context: u64, is_ram: impl Fn(Gpa) -> bool) -> Outcome {
        let Some((vcpu, cpu)) = self.find(target, 0).next() else {
            return Outcome::Return(status::INVALID_PARAMETERS);
        };
        if entry.0 & 3 != 0 || !is_ram(entry) {
            return Outcome::Return(status::INVALID_ADDRESS);
        }
        match cpu.change(State::Off, State::OnPending) {
            Ok(()) => Outcome::TurnOn { vcpu, entry, context },
            Err(State::OnPending) => Outcome::Return(status::ON_PENDING),
            Err(State::On | State::Off) => Outcome::Return(status::ALREADY_ON),
        }
    }

    /// AFFINITY_INFO (DEN 0022 section 5.7): a group is on if one of its vCPUs is, and off if all are.
    fn affinity_info(&self, target: u64, lowest_level: u64) -> u64 {
        if lowest_level > 3 {
            return status::INVALID_PARAMETERS;
        }
        let rank = |state: &State| match state {
            State::Off => 0,
            State::OnPending => 1,
            State::On => 2,
        };
        match self.find(target, lowest_level).map(|(_, cpu)| cpu.get()).max_by_key(rank) {
            Some(state) => state as u64,
            None => status::INVALID_PARAMETERS,
        }
    }

    /// The vCPUs whose affinity is `target` from level `lowest` up; none if `target` has bits that are not affinity.
    fn find(&self, target: u64, lowest: u64) -> impl Iterator<Item = (u32, &'a Power)> {
        let ignored = match lowest {
            0 => 0,
            1 => 0xff,
            2 => 0xffff,
            _ => 0xff_ffff,
        };
        let matches = move |index: u32| (model::affinity(index) ^ target) & !ignored == 0;
        (0_u32..).zip(self.cpus).filter(move |&(index, _)| target & !AFFINITY_BITS == 0 && matches(index))
    }
}

/// PSCI_FEATURES (DEN 0022 section 5.12). CPU_SUSPEND's flags are zero too: original format, platform-coordinated.
fn features(asked: u64) -> u64 {
    use function::*;
    match u32::try_from(asked) {
        Ok(
            self::function::VERSION
            | CPU_SUSPEND_32
            | CPU_SUSPEND_64
            | CPU_OFF
            | CPU_ON_32
            | CPU_ON_64
            | AFFINITY_INFO_32
            | AFFINITY_INFO_64
            | MIGRATE_INFO_TYPE
            | SYSTEM_OFF
            | SYSTEM_RESET
            | FEATURES
            | SYSTEM_RESET2_32
            | SYSTEM_RESET2_64
            | SMCCC_VERSION,
        ) => status::SUCCESS,
        _ => status::NOT_SUPPORTED,
    }
}

#[cfg(test)]
mod tests;
