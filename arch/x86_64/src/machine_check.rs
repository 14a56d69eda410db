//! Machine checks: errors of the hardware that cannot be corrected. They end the board as a failure of the hypervisor does, since
//! nothing says whose state is lost; what the CPU's banks say of them is told (APM volume 2, chapter 9).

use core::fmt::{self, Display};

use x86_64::registers::control::{Cr4, Cr4Flags};

use crate::registers::{cpuid, read_msr, write_msr};

const MCG_CAP: u32 = 0x179;
const MCG_STATUS: u32 = 0x17a;
const MCG_CTL: u32 = 0x17b;
/// MCG_CAP: there is MCG_CTL.
const HAS_CTL: u64 = 1 << 8;
/// MCG_STATUS: a machine check is being handled. A second one would be a shutdown.
const IN_PROGRESS: u64 = 1 << 2;

// A bank's registers, four of each: control, status, address, miscellany.
const STATUS: u32 = 1;
const ADDRESS: u32 = 2;
const MISC: u32 = 3;
// Bits of the status.
const VALID: u64 = 1 << 63;
const HAS_MISC: u64 = 1 << 59;
const HAS_ADDRESS: u64 = 1 << 58;

/// The vector.
pub(crate) const VECTOR: u64 = 18;

/// What the banks can do, their number in the lowest byte; zero if the CPU has none.
#[inline(never)]
fn capabilities() -> u64 {
    if cpuid(1, 0)[3] & 1 << 14 != 0 { read_msr(MCG_CAP) } else { 0 }
}

/// The first register of each bank.
fn banks() -> impl Iterator<Item = u32> {
    (0..capabilities() as u8).map(|bank| 0x400 | u32::from(bank) << 2)
}

/// Lets this CPU report machine checks of every kind, with nothing left of earlier ones. Its vectors are ours.
#[inline(never)]
pub(crate) fn enable() {
    // (Who has banks has the exception, too.)
    if capabilities() == 0 {
        return;
    }
    // SAFETY: the registers are those that the capabilities name, and a bit of control that a bank has no error for is ignored (APM
    // volume 2, 9.3.2; SDM volume 3, 16.3.2.1). The exception has its stub, and a stack.
    unsafe {
        if capabilities() & HAS_CTL != 0 {
            write_msr(MCG_CTL, u64::MAX);
        }
        for bank in banks() {
            write_msr(bank, u64::MAX);
            write_msr(bank.wrapping_add(STATUS), 0);
        }
        // Without it they are a shutdown.
        Cr4::update(|cr4| cr4.insert(Cr4Flags::MACHINE_CHECK_EXCEPTION));
    }
}

/// Whether this CPU has a machine check that nobody has handled: a guest that left CR4.MCE clear shuts down by it.
pub(crate) fn has_happened() -> bool {
    capabilities() != 0 && read_msr(MCG_STATUS) & IN_PROGRESS != 0
}

/// What this CPU's banks say, in words: behind what says that there was a machine check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Banks;

impl Display for Banks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, bank) in banks().enumerate() {
            let status = read_msr(bank.wrapping_add(STATUS));
            if status & VALID == 0 {
                continue;
            }
            write!(f, ", bank {number} status {status:#x}")?;
            for (has, name, register) in [(HAS_ADDRESS, "address", ADDRESS), (HAS_MISC, "misc", MISC)] {
                if status & has != 0 {
                    write!(f, " {name} {:#x}", read_msr(bank.wrapping_add(register)))?;
                }
            }
        }
        Ok(())
    }
}
