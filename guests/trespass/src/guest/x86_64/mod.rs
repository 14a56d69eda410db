//! x86_64's steps.

mod probes;
mod walk;

pub(super) use probes::{call_is_unknown, fetch, instruction, load, pair, register, spin, store};
pub(super) use walk::through as walk;

use super::{gave, passed};
use crate::steps::Step;
use core::fmt::{Display, Formatter, Result as Written};
use guest_runtime::Verdict;
use guest_runtime::exceptions::{Exception, vector};

/// The steps that no other CPU has.
pub(super) fn trespass(step: Step, width: u64) -> Verdict {
    match step {
        Step::Vmmcall(function) => gave(format_args!("vmmcall {function:#x}"), probes::call(function)),
        Step::In(port) => gave(format_args!("in {port:#x}"), probes::port_in(port as u16, width)),
        Step::Out(port) => passed(format_args!("out {port:#x}"), probes::port_out(port as u16, width)),
        Step::Triple => probes::shut_down(),
        _ => return Err("a step of another CPU"),
    }
    Ok(())
}

/// An exception in words.
pub(super) struct Told(pub(super) Exception);

impl Display for Told {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let Exception { vector, error, address } = self.0;
        match vector {
            vector::INVALID_OPCODE => write!(f, "an invalid-opcode exception"),
            vector::GENERAL_PROTECTION => write!(f, "a general-protection exception, error {error:#x}"),
            vector::PAGE_FAULT => write!(f, "a page fault, error {error:#x}, CR2 {address:#x}"),
            _ => write!(f, "exception {vector}, error {error:#x}"),
        }
    }
}
