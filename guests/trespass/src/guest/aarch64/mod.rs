//! arm64's steps.

mod probes;
mod walk;

pub(super) use probes::spin;
pub(super) use walk::through as walk;

use super::gave;
use crate::steps::Step;
use core::fmt::{Display, Formatter, Result as Written};
use guest_runtime::Verdict;
use guest_runtime::exceptions::{Exception, attempt};
use guest_runtime::psci::{self, Conduit};

pub(super) fn load(at: u64, width: u64) -> Result<u64, Exception> {
    attempt(|| probes::load(at, width))
}

pub(super) fn store(at: u64, width: u64) -> Result<(), Exception> {
    attempt(|| probes::store(at, width))
}

pub(super) fn pair(at: u64) -> Result<[u64; 2], Exception> {
    attempt(|| probes::pair(at))
}

pub(super) fn fetch(at: u64) -> Result<(), Exception> {
    attempt(|| probes::fetch(at))
}

pub(super) fn register() -> Result<u64, Exception> {
    attempt(probes::register)
}

/// What it took, and whether the instruction after it was executed.
pub(super) fn instruction() -> (Result<(), Exception>, bool) {
    let taken = attempt(probes::instruction);
    (taken, probes::ran_on())
}

/// A function that PSCI does not have.
const NO_FUNCTION: u32 = 0x8400_00ff;

/// Calls a function that does not exist.
pub(super) fn call_is_unknown() -> bool {
    psci::call(NO_FUNCTION, [0; 3]) == psci::status::NOT_SUPPORTED
}

/// The steps that no other CPU has.
pub(super) fn trespass(step: Step, _width: u64) -> Verdict {
    let (name, conduit, function) = match step {
        Step::Hvc(function) => ("hvc", Conduit::Hvc, function),
        Step::Smc(function) => ("smc", Conduit::Smc, function),
        _ => return Err("a step of another CPU"),
    };
    let result = attempt(|| psci::call_by(conduit, function as u32, [0; 3]));
    gave(format_args!("{name} {function:#x}"), result.map(|value| value as u64));
    Ok(())
}

/// An exception in words.
pub(super) struct Told(pub(super) Exception);

impl Display for Told {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let Exception { syndrome, address } = self.0;
        // Classes of exceptions that leave the exception level as it is (DDI 0487, ESR_EL1.EC).
        match self.0.class() {
            0 => write!(f, "an undefined-instruction exception, ESR {syndrome:#x}"),
            0x21 => write!(f, "an instruction abort, ESR {syndrome:#x}, FAR {address:#x}"),
            0x25 => write!(f, "a data abort, ESR {syndrome:#x}, FAR {address:#x}"),
            _ => write!(f, "an exception, ESR {syndrome:#x}"),
        }
    }
}
