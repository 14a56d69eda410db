//! Keys on the console, by the UART's receive interrupt.

use super::cpu;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use guest_runtime::uart::{self, RECEIVE};
use guest_runtime::{Machine, Verdict};

/// From here on the UART's interrupt means that keys came.
static LISTENING: AtomicBool = AtomicBool::new(false);
/// `q` came. The interrupt handler alone stores.
static GO: AtomicBool = AtomicBool::new(false);
/// Another key came. The handler sets it, [`asked_for_help`] clears it; a key between both is the same question.
static HELP: AtomicBool = AtomicBool::new(false);

/// Listens from here on.
pub(super) fn listen(machine: &Machine) -> Verdict {
    LISTENING.store(true, Relaxed);
    cpu::enable_uart(machine)?;
    uart::unmask(RECEIVE);
    Ok(())
}

/// Whether the UART's interrupt is this module's.
pub(super) fn is_listening() -> bool {
    LISTENING.load(Relaxed)
}

/// Takes the keys that came.
pub(super) fn on_interrupt() {
    while let Some(key) = uart::receive() {
        if key == b'q' { &GO } else { &HELP }.store(true, Relaxed);
    }
    uart::clear(RECEIVE);
}

/// Whether a key waits for an answer.
pub(super) fn any() -> bool {
    GO.load(Relaxed) || HELP.load(Relaxed)
}

/// `q` came.
pub(super) fn asked_to_go() -> bool {
    GO.load(Relaxed)
}

/// Another key came since the last question.
pub(super) fn asked_for_help() -> bool {
    let asked = HELP.load(Relaxed);
    HELP.store(false, Relaxed);
    asked
}
