//! Calls into the board's own firmware: PSCI by the conduit that its tree names (DEN 0022, DEN 0028).

use core::arch::asm;

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

/// Starts the CPU with affinity `cpu` at physical address `entry`, `x0` being `context`. PSCI's error if it won't.
pub fn cpu_on(conduit: Conduit, cpu: u64, entry: u64, context: u64) -> Result<(), i64> {
    match call(conduit, CPU_ON, [cpu, entry, context]) {
        0 => Ok(()),
        error => Err(error),
    }
}

/// Powers the board off; halts if the firmware won't.
pub fn system_off(conduit: Conduit) -> ! {
    call(conduit, SYSTEM_OFF, [0; 3]);
    crate::cpu::halt()
}

/// Resets the board; halts if the firmware won't.
pub fn system_reset(conduit: Conduit) -> ! {
    call(conduit, SYSTEM_RESET, [0; 3]);
    crate::cpu::halt()
}
