//! The version, and for every function whether it is there. PSCI_FEATURES says the same as the call itself.

use super::expect;
use guest_runtime::psci::{self, Conduit, function::*, status::*};
use guest_runtime::{Verdict, say};

pub(super) const CPU_SUSPEND: u32 = 0xc400_0001;
pub(super) const CPU_SUSPEND_32: u32 = 0x8400_0001;
pub(super) const CPU_ON_32: u32 = 0x8400_0003;
pub(super) const AFFINITY_INFO_32: u32 = 0x8400_0004;
pub(super) const SYSTEM_RESET2: u32 = 0xc400_0012;
pub(super) const SYSTEM_RESET2_32: u32 = 0x8400_0012;
const MIGRATE_INFO_TYPE: u32 = 0x8400_0006;
const SMCCC_VERSION: u32 = 0x8000_0000;

/// Functions that are there (DEN 0022, 5.1).
const THERE: [u32; 15] = [
    PSCI_VERSION,
    CPU_SUSPEND,
    CPU_SUSPEND_32,
    CPU_OFF,
    CPU_ON,
    CPU_ON_32,
    AFFINITY_INFO,
    AFFINITY_INFO_32,
    MIGRATE_INFO_TYPE,
    SYSTEM_OFF,
    SYSTEM_RESET,
    SYSTEM_RESET2,
    SYSTEM_RESET2_32,
    PSCI_FEATURES,
    SMCCC_VERSION,
];

/// Optional ones that are not there: MIGRATE, MIGRATE_INFO_UP_CPU, CPU_FREEZE, CPU_DEFAULT_SUSPEND, NODE_HW_STATE,
/// SYSTEM_SUSPEND, PSCI_SET_SUSPEND_MODE, PSCI_STAT_RESIDENCY, PSCI_STAT_COUNT, MEM_PROTECT, MEM_PROTECT_CHECK_RANGE; then
/// those that nobody has defined, and 64-bit forms of functions that have only the other.
const ABSENT: [u32; 22] = [
    0x8400_0005,
    0xc400_0005,
    0x8400_0007,
    0xc400_0007,
    0x8400_000b,
    0x8400_000c,
    0xc400_000c,
    0x8400_000d,
    0xc400_000d,
    0x8400_000e,
    0xc400_000e,
    0x8400_000f,
    0x8400_0010,
    0xc400_0010,
    0xc400_0011,
    0x8400_0013,
    0xc400_0014,
    0x8400_001f,
    0x8400_00ff,
    0xc400_0000,
    0xc400_0002,
    0xc400_0008,
];

/// Asks for all of them.
pub(super) fn test() -> Verdict {
    let version = psci::version();
    if version != 1 << 16 | 1 {
        return Err("PSCI is not 1.1");
    }
    let features = |function: u32| psci::call(PSCI_FEATURES, [function.into(), 0, 0]);
    for function in THERE {
        // CPU_SUSPEND's flags too: the original format of power states, coordinated by the platform.
        expect(features(function), SUCCESS, "PSCI_FEATURES of a function that is there")?;
    }
    for function in ABSENT {
        expect(features(function), NOT_SUPPORTED, "PSCI_FEATURES of a function that is not there")?;
        expect(psci::call(function, [0; 3]), NOT_SUPPORTED, "a function that is not there")?;
    }
    // 2: no trusted OS that would have to migrate.
    expect(psci::call(MIGRATE_INFO_TYPE, [0; 3]), 2, "MIGRATE_INFO_TYPE")?;
    for conduit in [Conduit::Hvc, Conduit::Smc] {
        expect(psci::call_by(conduit, PSCI_VERSION, [0; 3]), version.into(), "HVC and SMC differ")?;
    }
    say!("PSCI 1.1: {} functions there, {} not", THERE.len(), ABSENT.len());
    Ok(())
}
