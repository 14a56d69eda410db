//! The hypervisor's own failures: a panic, or an exception taken at EL2.
//!
//! Neither is ever a guest's doing; if one is, that is the bug. What is known is printed, past the console's rings
//! and locks, and the board is reset.

use core::sync::atomic::{AtomicBool, Ordering};

use arch::entry::FatalFrame;

use crate::terminal;

/// Only the first failure is told; a failure while telling ends at once.
static FAILING: AtomicBool = AtomicBool::new(false);

fn fail(tell: impl FnOnce()) -> ! {
    if !FAILING.swap(true, Ordering::AcqRel) {
        tell();
    }
    crate::board::end(false)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    fail(|| terminal::emergency(format_args!("panic on pCPU {}: {info}", arch::cpu::index())))
}

/// Where the vectors go with an exception that was taken at EL2.
#[unsafe(no_mangle)]
extern "C" fn ostler_fatal(vector: u64, frame: &FatalFrame) -> ! {
    fail(|| {
        let syndrome = arch::cpu::FaultRegisters::read();
        terminal::emergency(format_args!(
            "fatal exception {vector} on pCPU {}: ESR {:#x} FAR {:#x} ELR {:#x} SP {:#x}",
            arch::cpu::index(),
            syndrome.esr,
            syndrome.far,
            syndrome.elr,
            frame.sp
        ));
        for (index, pair) in frame.x.chunks(4).enumerate() {
            terminal::emergency(format_args!("x{:<2} {pair:016x?}", index.saturating_mul(4)));
        }
    })
}
