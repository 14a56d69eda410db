//! Executes a batch, and looks at the registers afterwards.

use super::vectors::{self, CANARY};
use super::{state, world};
use crate::x86_64::attack::{Class, Code, USER};
use core::fmt::{Display, Formatter, Result as Written};
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// A register that is not what it has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrong {
    register: &'static str,
    value: u64,
    expected: u64,
}

impl Display for Wrong {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let Wrong { register, value, expected } = *self;
        write!(f, "{register} is {value:#x} and not {expected:#x}")
    }
}

/// The batch may have changed the I/O APIC.
static HAS_LINES: AtomicBool = AtomicBool::new(false);

/// The one batch.
fn code() -> &'static mut Code {
    static mut CODE: Code = Code::new();
    // SAFETY: one CPU runs this program, and each of its batches is done before the next begins.
    #[expect(static_mut_refs, reason = "its only place")]
    unsafe {
        &mut CODE
    }
}

/// A batch that `make` makes.
pub(crate) fn with(class: Class, make: impl FnOnce(&mut Code)) -> &'static Code {
    HAS_LINES.store(class == Class::Apic, Relaxed);
    let code = code();
    class.begin(code);
    make(code);
    code.finish();
    code
}

/// Executes it.
pub(crate) fn run(code: &Code) -> Result<(), Wrong> {
    if code.is_user() {
        for (offset, &byte) in code.words().iter().enumerate() {
            // SAFETY: memory that is for this, which `world` found to be there and no Rust object is in.
            unsafe { &*((world::CODE as usize + offset) as *const AtomicU8) }.store(byte, Relaxed);
        }
        state::without_avx();
        for start in code.starts() {
            vectors::enter(USER + world::CODE + start);
        }
        state::restore(false);
        return Ok(());
    }
    let [rbp, r12, r13, r14] = vectors::call(code.words());
    state::restore(HAS_LINES.load(Relaxed));
    for (register, value, expected) in
        [("rbp", rbp, CANARY), ("r12", r12, !CANARY), ("rsp", r13, 0), ("r14", r14, code.attacks())]
    {
        if value != expected {
            return Err(Wrong { register, value, expected });
        }
    }
    Ok(())
}
