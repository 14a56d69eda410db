//! SMC Calling Convention (DEN 0028): what a guest's HVC or trapped SMC asks for, and the answers that need no state.
//!
//! Nothing is ever forwarded to the firmware: a guest talks to Ostler only. Calls of the PSCI range go on to
//! [`crate::psci`]; the architecture's own queries and those for stolen time (DEN 0057) are answered here; every other
//! function does not exist (NOT_SUPPORTED, DEN 0028 section 5.2), among them the TRNG (DEN 0098) and all vendor ranges.
#![forbid(unsafe_code)]

use crate::psci::{Outcome, Psci};
use model::{Gpa, STOLEN_TIME_BYTES};

/// What every unknown function returns (DEN 0028 section 5.2): -1, sign-extended so that it is right in `w0` and `x0`.
pub const NOT_SUPPORTED: u64 = u64::MAX;

/// The version that SMCCC_VERSION gives: 1.2.
pub const VERSION: u64 = 0x1_0002;

const SMCCC_VERSION: u32 = 0x8000_0000;
const SMCCC_ARCH_FEATURES: u32 = 0x8000_0001;
const PV_TIME_FEATURES: u32 = 0xc500_0020;
const PV_TIME_ST: u32 = 0xc500_0021;
const VENDOR_HYPERVISOR_UID: u32 = 0x8600_ff01;

/// UUID a6b47fde-9039-4cc9-9758-3fbc87ffc8b9 in the byte order of DEN 0028 section 6.2: bytes 0 to 3 of the UUID are
/// the bytes of `w0` from the lowest up, and so on.
const UID: [u64; 4] = [0xde7f_b4a6, 0xc94c_3990, 0xbc3f_5897, 0xb9c8_ff87];

/// A call as the guest's registers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Function identifier: `w0`.
    pub function: u32,
    /// `x1` to `x3`; for a 32-bit call the upper halves are already cut off.
    pub arguments: [u64; 3],
}

/// Who defines a function (DEN 0028 table 6-2, bits 29 to 24 of the identifier).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// 0: the architecture's queries and workarounds.
    Architecture,
    /// 4: standard secure services, of which PSCI is one.
    StandardSecure,
    /// 5: standard services of a hypervisor, of which stolen time is one.
    StandardHypervisor,
    /// 6: the hypervisor's vendor.
    VendorHypervisor,
    /// Everything else; nothing there exists.
    Other,
}

/// What the caller of [`handle`] does to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Write `x0` to `x3`, go on.
    Registers([u64; 4]),
    /// Write `x0` only, or change a power state; see [`Outcome`].
    Power(Outcome),
}

impl Call {
    /// From a guest's `x0` to `x3`. A 32-bit call sees the `w` halves only (DEN 0028 section 3.1), whatever the
    /// upper halves hold.
    pub const fn new(registers: [u64; 4]) -> Call {
        let [x0, x1, x2, x3] = registers;
        let function = x0 as u32;
        let seen = if function & IS_64 == 0 { 0xffff_ffff } else { u64::MAX };
        Call { function, arguments: [x1 & seen, x2 & seen, x3 & seen] }
    }

    /// Whether this is a fast call; yielding calls do not exist here.
    pub const fn is_fast(&self) -> bool {
        self.function & IS_FAST != 0
    }

    /// Who defines the function.
    pub const fn owner(&self) -> Owner {
        match (self.function >> 24) & 0x3f {
            0 => Owner::Architecture,
            4 => Owner::StandardSecure,
            5 => Owner::StandardHypervisor,
            6 => Owner::VendorHypervisor,
            _ => Owner::Other,
        }
    }
}

const IS_FAST: u32 = 1 << 31;
const IS_64: u32 = 1 << 30;

/// Answers one HVC or trapped SMC of vCPU `caller`. `stolen_time` is where the VM's stolen-time records are, if it has any;
/// `is_ram` says whether an address is guest RAM or ROM, where code may start. Call it on the caller's pCPU, in the exit loop; it takes no lock and may run for several vCPUs at once.
pub fn handle(
    psci: &Psci<'_>,
    caller: u32,
    registers: [u64; 4],
    stolen_time: Option<Gpa>,
    is_ram: impl Fn(Gpa) -> bool,
) -> Reply {
    let call = Call::new(registers);
    if !call.is_fast() {
        return Reply::Power(Outcome::Return(NOT_SUPPORTED));
    }
    match call.owner() {
        Owner::StandardSecure => Reply::Power(psci.call(caller, &call, is_ram)),
        Owner::Architecture => Reply::Power(Outcome::Return(architecture(&call, stolen_time))),
        Owner::StandardHypervisor => Reply::Power(Outcome::Return(paravirtual_time(&call, caller, stolen_time))),
        Owner::VendorHypervisor if call.function == VENDOR_HYPERVISOR_UID => Reply::Registers(UID),
        Owner::VendorHypervisor | Owner::Other => Reply::Power(Outcome::Return(NOT_SUPPORTED)),
    }
}

/// DEN 0028 section 7. The workarounds 1 to 3 (branch predictor, speculative store bypass, branch history) are
/// instructions to firmware; a guest has none, so it is told that they are not there and reads the CPU's own ID
/// registers (CSV2, CSV3, SSBS) for the rest.
fn architecture(call: &Call, stolen_time: Option<Gpa>) -> u64 {
    let [first, ..] = call.arguments;
    match call.function {
        SMCCC_VERSION => VERSION,
        SMCCC_ARCH_FEATURES => match u32::try_from(first) {
            Ok(SMCCC_VERSION | SMCCC_ARCH_FEATURES) => 0,
            Ok(PV_TIME_FEATURES) if stolen_time.is_some() => 0,
            _ => NOT_SUPPORTED,
        },
        _ => NOT_SUPPORTED,
    }
}

/// Stolen time (DEN 0057 section 3.2): each vCPU has a record in the VM's memory, one behind the other.
fn paravirtual_time(call: &Call, caller: u32, stolen_time: Option<Gpa>) -> u64 {
    let Some(records) = stolen_time else { return NOT_SUPPORTED };
    let [first, ..] = call.arguments;
    match call.function {
        PV_TIME_FEATURES if first == u64::from(PV_TIME_FEATURES) || first == u64::from(PV_TIME_ST) => 0,
        PV_TIME_ST => records.0.saturating_add(u64::from(caller).saturating_mul(STOLEN_TIME_BYTES)),
        _ => NOT_SUPPORTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psci::Power;
    use proptest::prelude::*;

    fn ask(registers: [u64; 4]) -> Reply {
        let cpus = [Power::new(), Power::new()];
        let psci = Psci::new(&cpus);
        psci.reset();
        handle(&psci, 1, registers, None, |_| true)
    }

    fn ask_with_records(registers: [u64; 4]) -> u64 {
        let cpus = [Power::new(), Power::new()];
        match handle(&Psci::new(&cpus), 1, registers, Some(Gpa(0x1_0000)), |_| true) {
            Reply::Power(Outcome::Return(value)) => value,
            other => panic!("{other:?}"),
        }
    }

    fn value(registers: [u64; 4]) -> u64 {
        match ask(registers) {
            Reply::Power(Outcome::Return(value)) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_architecture_range_has_two_functions() {
        assert_eq!(value([0x8000_0000, 0, 0, 0]), 0x1_0002);
        assert_eq!(value([0x8000_0001, 0x8000_0000, 0, 0]), 0);
        assert_eq!(value([0x8000_0001, 0x8000_0001, 0, 0]), 0);
        for workaround in [0x8000_8000, 0x8000_7fff, 0x8000_3fff] {
            assert_eq!(value([0x8000_0001, workaround, 0, 0]), NOT_SUPPORTED);
            assert_eq!(value([workaround, 0, 0, 0]), NOT_SUPPORTED);
        }
    }

    #[test]
    fn upper_halves_do_not_count_in_a_32_bit_call() {
        assert_eq!(value([0xdead_beef_8000_0001, 0xffff_ffff_8000_0000, 0, 0]), 0);
        let call = Call::new([0xffff_ffff_8400_0003, u64::MAX, 0x1_0000_0002, 3]);
        assert_eq!(call, Call { function: 0x8400_0003, arguments: [0xffff_ffff, 2, 3] });
        let call = Call::new([0xc400_0003, u64::MAX, 2, 3]);
        assert_eq!(call.arguments, [u64::MAX, 2, 3]);
    }

    #[test]
    fn the_uid_is_ours() {
        let Reply::Registers(words) = ask([0x8600_ff01, 0, 0, 0]) else { panic!("no UID") };
        let bytes: Vec<u8> = words.iter().flat_map(|&word| (word as u32).to_le_bytes()).collect();
        assert_eq!(bytes, 0xa6b4_7fde_9039_4cc9_9758_3fbc_87ff_c8b9_u128.to_be_bytes());
    }

    #[test]
    fn stolen_time_is_there_for_those_who_have_records() {
        let features = [0x8000_0001, 0xc500_0020, 0, 0];
        assert_eq!((value(features), ask_with_records(features)), (NOT_SUPPORTED, 0));
        for function in [0xc500_0020, 0xc500_0021] {
            assert_eq!(ask_with_records([0xc500_0020, function, 0, 0]), 0);
            assert_eq!(value([0xc500_0020, function, 0, 0]), NOT_SUPPORTED);
        }
        assert_eq!(ask_with_records([0xc500_0020, 0xc500_0022, 0, 0]), NOT_SUPPORTED);
        assert_eq!(ask_with_records([0xc500_0021, 0, 0, 0]), 0x1_0040);
        assert_eq!(value([0xc500_0021, 0, 0, 0]), NOT_SUPPORTED);
        assert_eq!(ask_with_records([0x8500_0021, 0, 0, 0]), NOT_SUPPORTED, "there is no 32-bit form");
    }

    #[test]
    fn trng_time_vendors_and_yielding_calls_do_not_exist() {
        for function in [0x8400_0050_u64, 0xc500_0020, 0x8200_0000, 0x8300_0001, 0x8600_ff03, 0xb200_0000, 4, 0] {
            assert_eq!(value([function, 0, 0, 0]), NOT_SUPPORTED, "{function:#x}");
        }
    }

    proptest! {
        #[test]
        fn no_call_panics(registers: [u64; 4], function in prop::sample::select(
            vec![0x8000_0000_u64, 0x8400_0000, 0xc400_0000, 0x8600_ff00]), low in 0_u64..0x60) {
            ask(registers);
            let [_, x1, x2, x3] = registers;
            ask([function | low, x1, x2, x3]);
        }
    }
}
