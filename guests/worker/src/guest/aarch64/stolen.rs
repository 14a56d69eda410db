//! Stolen time (Arm DEN 0057): how long this vCPU was ready to run and did not.

use guest_runtime::mmio::read64;
use guest_runtime::psci::{self, Conduit};

const PV_TIME_ST: u32 = 0xc500_0021;
/// Offset of the stolen nanoseconds in a record, behind revision and attributes.
const STOLEN: usize = 8;

/// A vCPU's record, which the hypervisor keeps.
#[derive(Clone, Copy, Debug)]
pub(in crate::guest) struct Record(usize);

impl Record {
    /// This vCPU's; `None` if it has none.
    pub(in crate::guest) fn find() -> Option<Record> {
        // An error is negative.
        let address = psci::call_by(Conduit::Hvc, PV_TIME_ST, [0; 3]);
        usize::try_from(address).ok().map(Record)
    }

    /// Nanoseconds since the vCPU was started.
    pub(in crate::guest) fn stolen_ns(self) -> u64 {
        read64(self.0 + STOLEN)
    }
}
