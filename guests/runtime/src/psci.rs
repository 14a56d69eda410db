//! PSCI calls (Arm DEN 0022).

use super::Verdict;
use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

const PSCI_VERSION: u32 = 0x8400_0000;
const CPU_OFF: u32 = 0x8400_0002;
const CPU_ON: u32 = 0xc400_0003;
const AFFINITY_INFO: u32 = 0xc400_0004;
const SYSTEM_OFF: u32 = 0x8400_0008;
const SYSTEM_RESET: u32 = 0x8400_0009;
const PSCI_FEATURES: u32 = 0x8400_000a;

/// Results of the calls.
pub(crate) const SUCCESS: i32 = 0;
pub(crate) const NOT_SUPPORTED: i32 = -1;
pub(crate) const INVALID_PARAMETERS: i32 = -2;
pub(crate) const ALREADY_ON: i32 = -4;
pub(crate) const ON_PENDING: i32 = -5;
/// Results of AFFINITY_INFO.
pub(crate) const ON: i32 = 0;
pub(crate) const OFF: i32 = 1;

/// The instruction that makes a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conduit {
    Hvc,
    Smc,
}

/// The machine's conduit is SMC.
static SMC: AtomicBool = AtomicBool::new(false);

/// Takes the machine's conduit from here on.
pub(crate) fn choose(conduit: Conduit) {
    SMC.store(conduit == Conduit::Smc, Relaxed);
}

/// The machine's conduit.
pub(crate) fn conduit() -> Conduit {
    if SMC.load(Relaxed) { Conduit::Smc } else { Conduit::Hvc }
}

fn call_by(conduit: Conduit, function: u32, arguments: [u64; 3]) -> i32 {
    let result: u64;
    let [x1, x2, x3] = arguments;
    // SAFETY: the caller of PSCI may lose x0 to x17 (SMCCC, DEN 0028, 2.6), which `clobber_abi` says. No PSCI call that
    // returns changes memory; the CPU that CPU_ON starts has a stack of its own.
    unsafe {
        match conduit {
            Conduit::Hvc => asm!("hvc #0", inlateout("x0") u64::from(function) => result,
                in("x1") x1, in("x2") x2, in("x3") x3, clobber_abi("C")),
            Conduit::Smc => asm!("smc #0", inlateout("x0") u64::from(function) => result,
                in("x1") x1, in("x2") x2, in("x3") x3, clobber_abi("C")),
        }
    }
    result as i32
}

fn call(function: u32, arguments: [u64; 3]) -> i32 {
    call_by(conduit(), function, arguments)
}

/// Major version in the upper half, minor in the lower.
pub(crate) fn version() -> u32 {
    call(PSCI_VERSION, [0; 3]) as u32
}

/// Starts a CPU at `entry` with `context` in its `x0`.
pub(crate) fn cpu_on(affinity: u64, entry: u64, context: u64) -> i32 {
    call(CPU_ON, [affinity, entry, context])
}

/// Ends this CPU.
pub(crate) fn cpu_off() -> i32 {
    call(CPU_OFF, [0; 3])
}

/// Whether a CPU is on.
pub(crate) fn affinity_info(affinity: u64) -> i32 {
    call(AFFINITY_INFO, [affinity, 0, 0])
}

/// Ends the machine well.
pub(crate) fn system_off(conduit: Conduit) -> ! {
    call_by(conduit, SYSTEM_OFF, [0; 3]);
    sleep_for_ever()
}

/// Ends the machine badly.
pub(crate) fn system_reset(conduit: Conduit) -> ! {
    call_by(conduit, SYSTEM_RESET, [0; 3]);
    sleep_for_ever()
}

fn sleep_for_ever() -> ! {
    loop {
        super::wait_for_interrupt();
    }
}

/// What PSCI says about itself and about a CPU that is not there.
pub(crate) fn answers() -> Verdict {
    if version() >> 16 == 0 {
        return Err("PSCI is older than 1.0");
    }
    if call(PSCI_FEATURES, [CPU_ON.into(), 0, 0]) < 0 {
        return Err("PSCI_FEATURES does not know CPU_ON");
    }
    if call(PSCI_FEATURES, [0x8400_00ff, 0, 0]) != NOT_SUPPORTED {
        return Err("PSCI_FEATURES knows a function that does not exist");
    }
    if cpu_on(0xff_00ff_ff0f, 0, 0) != INVALID_PARAMETERS {
        return Err("CPU_ON started a CPU that does not exist");
    }
    Ok(())
}
