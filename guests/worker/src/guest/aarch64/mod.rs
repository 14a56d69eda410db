//! arm64's part: the GIC, calls of the hypervisor, stolen time.

mod stolen;

pub(super) use guest_runtime::gic::open;

use guest_runtime::psci::{self, Conduit};

/// The least that leaves the guest.
pub(super) fn exit() {
    psci::call_by(Conduit::Hvc, psci::function::PSCI_VERSION, [0; 3]);
}

/// Nanoseconds that others took from this vCPU; `None` if nobody tells.
pub(super) fn stolen_ns() -> Option<u64> {
    stolen::Record::find().map(stolen::Record::stolen_ns)
}
