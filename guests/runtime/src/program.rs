//! A guest's program: its parts, how it begins, and its two ends.

use crate::{Machine, Verdict, say, system_off, system_reset, uart};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// [`Machine::is_ostler`], for [`fail`].
static IS_OSTLER: AtomicBool = AtomicBool::new(false);

/// The parts of a guest's program.
#[derive(Debug)]
pub struct Program {
    pub(crate) name: &'static str,
    pub(crate) main: fn(&Machine) -> Verdict,
    pub(crate) interrupt: fn(u32),
    pub(crate) secondary: fn(u64) -> !,
}

impl Program {
    /// A program for one CPU that takes no interrupts. When `main` returns, the machine is powered off, or reset if it
    /// returned what is wrong. `name` begins every line that the program says.
    pub const fn new(name: &'static str, main: fn(&Machine) -> Verdict) -> Program {
        Program { name, main, interrupt: unasked, secondary: uncalled }
    }

    /// Every interrupt but the [`crate::timer`]'s goes to `handler`, on the CPU that took it, between its
    /// acknowledgement and its end.
    pub const fn with_interrupts(self, handler: fn(u32)) -> Program {
        Program { interrupt: handler, ..self }
    }

    /// Where every CPU but the first begins, with the context that its start was given.
    pub const fn with_secondary(self, secondary: fn(u64) -> !) -> Program {
        Program { secondary, ..self }
    }
}

/// Makes this [`Program`] the guest's.
#[macro_export]
macro_rules! program {
    ($program:expr) => {
        // SAFETY: the one definition of the name that guest-runtime declares, with the same type.
        #[unsafe(no_mangle)]
        static GUEST_PROGRAM: $crate::Program = $program;
    };
}

unsafe extern "Rust" {
    // SAFETY: `program!` defines it, and nothing else may have the name.
    safe static GUEST_PROGRAM: Program;
}

/// The guest's program.
pub(crate) fn this() -> &'static Program {
    &GUEST_PROGRAM
}

/// Called by the boot code of the first CPU with where the loader left what it says about the machine.
pub(crate) extern "C" fn begin(description: usize) -> ! {
    let Some(machine) = Machine::find(description) else {
        // Nowhere to say so: there is no console.
        system_reset()
    };
    IS_OSTLER.store(machine.is_ostler, Relaxed);
    uart::open(&machine.uart);
    if let Err(what) = (this().main)(&machine) {
        fail(what);
    }
    say!("powers off");
    system_off()
}

/// Called by the boot code of every other CPU.
pub(crate) extern "C" fn begin_secondary(context: u64) -> ! {
    (this().secondary)(context)
}

/// Names what failed and ends the machine: bare by a reset, which QEMU tells apart; under Ostler, where a reset would begin
/// it all again, by powering off.
pub fn fail(what: &str) -> ! {
    say!("FAILED: {what}");
    if IS_OSTLER.load(Relaxed) { system_off() } else { system_reset() }
}

fn unasked(intid: u32) {
    say!("interrupt {intid}");
    fail("an interrupt that nobody asked for")
}

fn uncalled(_: u64) -> ! {
    fail("a CPU that nobody asked for")
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say!("{info}");
    fail("panic")
}
