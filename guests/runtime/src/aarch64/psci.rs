//! PSCI and the calling convention under it (Arm DEN 0022, DEN 0028).

use super::boot;
use super::system_register::wait_for_interrupt;
use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Function identifiers.
pub mod function {
    #![allow(missing_docs, reason = "the specification's own names")]
    pub const PSCI_VERSION: u32 = 0x8400_0000;
    pub const CPU_OFF: u32 = 0x8400_0002;
    pub const CPU_ON: u32 = 0xc400_0003;
    pub const AFFINITY_INFO: u32 = 0xc400_0004;
    pub const SYSTEM_OFF: u32 = 0x8400_0008;
    pub const SYSTEM_RESET: u32 = 0x8400_0009;
    pub const PSCI_FEATURES: u32 = 0x8400_000a;
}

/// Results of the calls.
pub mod status {
    #![allow(missing_docs, reason = "the specification's own names")]
    pub const SUCCESS: i64 = 0;
    pub const NOT_SUPPORTED: i64 = -1;
    pub const INVALID_PARAMETERS: i64 = -2;
    pub const ALREADY_ON: i64 = -4;
    pub const ON_PENDING: i64 = -5;
    pub const INVALID_ADDRESS: i64 = -9;
}

/// Results of AFFINITY_INFO.
pub const ON: i64 = 0;
/// The other one.
pub const OFF: i64 = 1;

/// The instruction that makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// `hvc #0`
    Hvc,
    /// `smc #0`
    Smc,
}

/// The machine's conduit is SMC.
static SMC: AtomicBool = AtomicBool::new(false);

/// Takes the machine's conduit from here on.
pub(crate) fn choose(conduit: Conduit) {
    SMC.store(conduit == Conduit::Smc, Relaxed);
}

/// Makes a call; gives `x0`.
pub fn call_by(conduit: Conduit, function: u32, arguments: [u64; 3]) -> i64 {
    let result: u64;
    let [x1, x2, x3] = arguments;
    // SAFETY: the caller may lose x0 to x17 (DEN 0028, 2.6), which `clobber_abi` says. No call that returns changes
    // memory; the CPU that CPU_ON starts has a stack of its own.
    unsafe {
        match conduit {
            Conduit::Hvc => asm!("hvc #0", inlateout("x0") u64::from(function) => result,
                in("x1") x1, in("x2") x2, in("x3") x3, clobber_abi("C")),
            Conduit::Smc => asm!("smc #0", inlateout("x0") u64::from(function) => result,
                in("x1") x1, in("x2") x2, in("x3") x3, clobber_abi("C")),
        }
    }
    result as i64
}

/// Makes a call by the machine's conduit. Results are 32 bits wide but for few functions: those are not called here.
pub fn call(function: u32, arguments: [u64; 3]) -> i64 {
    let conduit = if SMC.load(Relaxed) { Conduit::Smc } else { Conduit::Hvc };
    (call_by(conduit, function, arguments) as i32).into()
}

/// Major version in the upper half, minor in the lower.
pub fn version() -> u32 {
    call(function::PSCI_VERSION, [0; 3]) as u32
}

/// Starts a CPU at `entry` with `context` in its `x0`.
pub fn cpu_on(affinity: u64, entry: u64, context: u64) -> i64 {
    call(function::CPU_ON, [affinity, entry, context])
}

/// Starts a CPU in the program's second part with `context`.
pub fn start(affinity: u64, context: u64) -> i64 {
    cpu_on(affinity, boot::secondary_entry(), context)
}

/// Ends this CPU.
pub fn cpu_off() -> i64 {
    call(function::CPU_OFF, [0; 3])
}

/// Whether a CPU is on.
pub fn affinity_info(affinity: u64) -> i64 {
    call(function::AFFINITY_INFO, [affinity, 0, 0])
}

/// Ends the machine well.
pub fn system_off() -> ! {
    call(function::SYSTEM_OFF, [0; 3]);
    for_ever()
}

/// Ends the machine badly.
pub fn system_reset() -> ! {
    call(function::SYSTEM_RESET, [0; 3]);
    for_ever()
}

fn for_ever() -> ! {
    loop {
        wait_for_interrupt();
    }
}
