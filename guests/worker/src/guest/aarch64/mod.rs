//! arm64's call, and its record of stolen time.

mod stolen;

pub(super) use stolen::Record;

use guest_runtime::psci::{self, Conduit};

/// The least that leaves the guest.
pub(super) fn exit() {
    psci::call_by(Conduit::Hvc, psci::function::PSCI_VERSION, [0; 3]);
}
