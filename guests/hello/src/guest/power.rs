//! PSCI: what it says about itself and about CPUs, and that both conduits lead to it.

use guest_runtime::machine::own_affinity;
use guest_runtime::psci::{self, Conduit, function::*, status::*};
use guest_runtime::{Machine, Verdict, say};

/// An affinity that no machine here has.
const NOBODY: u64 = 0xff_00ff_ff0f;
/// A function that PSCI does not have.
const NO_FUNCTION: u32 = 0x8400_00ff;
/// An address that is not RAM.
const NO_MEMORY: u64 = 0x0900_0000;

/// Asks all of it.
pub(super) fn answers(machine: &Machine) -> Verdict {
    let version = psci::version();
    let expect = |result: i64, expected: i64, what| if result == expected { Ok(()) } else { Err(what) };
    if version >> 16 == 0 {
        return Err("PSCI is older than 1.0");
    }
    let features = |function: u32| psci::call(PSCI_FEATURES, [function.into(), 0, 0]);
    expect(features(CPU_ON).min(0), SUCCESS, "PSCI_FEATURES does not know CPU_ON")?;
    expect(features(NO_FUNCTION), NOT_SUPPORTED, "PSCI_FEATURES knows a function that does not exist")?;
    expect(psci::call(NO_FUNCTION, [0; 3]), NOT_SUPPORTED, "PSCI has a function that does not exist")?;
    expect(psci::cpu_on(NOBODY, 0, 0), INVALID_PARAMETERS, "CPU_ON started a CPU that does not exist")?;
    let own = own_affinity();
    expect(psci::cpu_on(own, machine.tree as u64, 0), ALREADY_ON, "CPU_ON started the CPU that called")?;
    expect(psci::affinity_info(own), psci::ON, "AFFINITY_INFO of the CPU that calls")?;
    if let Some(second) = machine.second {
        expect(psci::affinity_info(second), psci::OFF, "AFFINITY_INFO of a CPU that is off")?;
    }
    if machine.is_ostler {
        if let Some(second) = machine.second {
            expect(psci::cpu_on(second, NO_MEMORY, 0), INVALID_ADDRESS, "CPU_ON outside of memory")?;
        }
        for conduit in [Conduit::Hvc, Conduit::Smc] {
            expect(psci::call_by(conduit, PSCI_VERSION, [0; 3]), version.into(), "HVC and SMC differ")?;
        }
    }
    say!("PSCI {}.{}", version >> 16, version & 0xffff);
    Ok(())
}
