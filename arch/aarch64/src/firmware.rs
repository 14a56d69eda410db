//! Calls into the board's own firmware: PSCI by the conduit that its tree names (DEN 0022, DEN 0028).

use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

/// The instruction that reaches the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// `smc #0`: EL3 is there.
    Smc,
    /// `hvc #0`: another hypervisor is below us, or we did not get EL2.
    Hvc,
}

const CPU_ON: u64 = 0xc400_0003;
const SYSTEM_OFF: u64 = 0x8400_0008;
const SYSTEM_RESET: u64 = 0x8400_0009;

fn call(conduit: Conduit, function: u64, arguments: [u64; 3]) -> i64 {
    let [mut x1, mut x2, mut x3] = arguments;
    let mut x0 = function;
    // SAFETY: the SMC calling convention preserves x4 to x30 for these calls at the oldest, and the compiler is told
    // that x0 to x17 change (DEN 0028 section 2.6). What the calls do is each caller's matter.
    unsafe {
        match conduit {
            Conduit::Smc => asm!("smc #0", inout("x0") x0, inout("x1") x1, inout("x2") x2,
                inout("x3") x3, clobber_abi("C"), options(nostack)),
            Conduit::Hvc => asm!("hvc #0", inout("x0") x0, inout("x1") x1, inout("x2") x2,
                inout("x3") x3, clobber_abi("C"), options(nostack)),
        }
    }
    let _ = (x1, x2, x3);
    x0 as i64
}

/// As `Conduit as u8`, one more; zero as long as there is none.
static CONDUIT: AtomicU8 = AtomicU8::new(0);

/// Keeps how the firmware is called, for good.
pub fn set(conduit: Conduit) {
    CONDUIT.store((conduit as u8).wrapping_add(1), Ordering::Relaxed);
}

fn conduit() -> Option<Conduit> {
    match CONDUIT.load(Ordering::Relaxed) {
        0 => None,
        1 => Some(Conduit::Smc),
        _ => Some(Conduit::Hvc),
    }
}

/// Why a CPU does not start.
#[derive(Clone, Copy, Debug)]
pub enum NotStarted {
    /// There is no firmware that could start it.
    NoFirmware,
    /// PSCI's error.
    Psci(i64),
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotStarted::NoFirmware => f.write_str("the firmware has no PSCI by SMC to start CPUs by"),
            NotStarted::Psci(error) => write!(f, "PSCI error {error}"),
        }
    }
}

/// Starts the CPU with affinity `cpu` at physical address `entry`, `x0` being `context`.
pub fn start_cpu(cpu: u64, entry: u64, context: u64) -> Result<(), NotStarted> {
    match call(conduit().ok_or(NotStarted::NoFirmware)?, CPU_ON, [cpu, entry, context]) {
        0 => Ok(()),
        error => Err(NotStarted::Psci(error)),
    }
}

/// Powers the board off; halts if the firmware won't.
pub fn power_off() -> ! {
    end(SYSTEM_OFF)
}

/// Resets the board; halts if the firmware won't.
pub fn reset() -> ! {
    end(SYSTEM_RESET)
}

fn end(function: u64) -> ! {
    if let Some(conduit) = conduit() {
        call(conduit, function, [0; 3]);
    }
    crate::cpu::halt()
}
