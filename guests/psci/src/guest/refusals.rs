//! Calls that are refused, each with its own error.

use super::expect;
use super::functions::{AFFINITY_INFO_32, CPU_ON_32, SYSTEM_RESET2, SYSTEM_RESET2_32};
use guest_runtime::machine::own_affinity;
use guest_runtime::psci::{self, function::*, status::*};
use guest_runtime::{Machine, Verdict, say};

/// Affinities of nobody: in either cluster, in a third, with Aff3, with bits that no affinity has.
const NOBODY: [u64; 6] = [0xf, 0x10f, 0x200, 1 << 32, 1 << 31, 1 << 40];
/// Where the machine has no memory: below, above, and where its UART is; and what is no instruction's address.
const NO_ENTRY: [u64; 6] = [0, 0x3fff_fffc, 0x1c09_0000, 0xffff_ffff_ffff_fffc, 0x4020_0001, 0x4020_0002];

/// CPU_ON and AFFINITY_INFO of nobody, of the caller, and to nowhere.
pub(super) fn test(machine: &Machine) -> Verdict {
    let entry = machine.tree as u64 & !3;
    let own = own_affinity();
    for target in NOBODY {
        expect(psci::cpu_on(target, entry, 0), INVALID_PARAMETERS, "CPU_ON of a CPU that does not exist")?;
        expect(psci::affinity_info(target), INVALID_PARAMETERS, "AFFINITY_INFO of a CPU that does not exist")?;
    }
    for function in [CPU_ON, CPU_ON_32] {
        expect(psci::call(function, [own, entry, 0]), ALREADY_ON, "CPU_ON of the caller")?;
    }
    for function in [AFFINITY_INFO, AFFINITY_INFO_32] {
        // Level 0 is the caller itself; the levels above hold it.
        for level in 0..=3 {
            expect(psci::call(function, [own, level, 0]), psci::ON, "AFFINITY_INFO of the caller")?;
        }
        expect(psci::call(function, [own, 4, 0]), INVALID_PARAMETERS, "AFFINITY_INFO of a level above 3")?;
    }
    if let Some(second) = machine.second() {
        for entry in NO_ENTRY {
            expect(psci::cpu_on(second, entry, 0), INVALID_ADDRESS, "CPU_ON at no instruction's address")?;
        }
        expect(psci::affinity_info(second), psci::OFF, "AFFINITY_INFO of a vCPU that no CPU_ON started")?;
    }
    say!("refusals, each with its error");
    Ok(())
}

/// SYSTEM_RESET2 with a type that nobody has defined, and with a vendor's.
pub(super) fn resets() -> Verdict {
    for function in [SYSTEM_RESET2, SYSTEM_RESET2_32] {
        for kind in [1, 0x7fff_ffff, 1 << 31] {
            expect(psci::call(function, [kind, 0, 0]), INVALID_PARAMETERS, "SYSTEM_RESET2 of no known type")?;
        }
    }
    Ok(())
}
