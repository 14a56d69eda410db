//! Where a VM finds how much time was stolen from it: the PV-time records of Arm's DEN 0057, which Linux shows as steal time.
//!
//! The guest asks for a record's address by firmware call, so no device tree names it; it only has to be in nobody's way. It is
//! memory that the hypervisor writes and the guest cannot.

use model::{Access, Gpa, Memory, STOLEN_TIME_BYTES};

use super::claims::{Claims, Range};
use super::{home, memory};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::VmSpec;

/// Size and alignment: the largest page that a guest may map it with.
const BYTES: u64 = 0x1_0000;
/// Directly below the default place of the GIC, where boards have devices and therefore hardly any guest has memory.
const PREFERRED: u64 = 0x2eff_0000;

/// Takes a place for the records of one VM. Reports if its address space is full.
pub(super) fn place(spec: &VmSpec, claims: &mut Claims, diagnostics: &mut Diagnostics) -> Option<Memory> {
    const { assert!(STOLEN_TIME_BYTES * model::GicVersion::V3.max_vcpus() as u64 <= BYTES) };
    let reserved = memory::reserved(spec);
    let free = |start| claims.obstacle(Range { start, end: start + BYTES }, &reserved).is_none();
    let start = if free(PREFERRED) { Some(PREFERRED) } else { claims.first_gap(BYTES, &reserved) };
    let Some(start) = start else {
        let message = "no 64 KiB of this VM's address space are free for its stolen-time records";
        let error = Diagnostic::error(codes::NO_ROOM, message).at(home(spec));
        diagnostics.push(error.hint("make its `ram`, `rom` or `reserve loc` smaller"));
        return None;
    };
    claims.claim((start, BYTES), "the stolen-time records", None, diagnostics)?;
    Some(Memory { gpa: Gpa(start), size_bytes: BYTES, access: Access::ReadOnly })
}
