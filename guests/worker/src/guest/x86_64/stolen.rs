//! Stolen time, as KVM tells it (Linux, Documentation/virt/kvm/x86/msr.rst): how long this vCPU was ready to run and did not.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire};
use guest_runtime::cpu::{cpuid, read_msr, write_msr};

const STEAL_TIME: u32 = 0x4b56_4d03;
/// The register: the record is there.
const ENABLED: u64 = 1;
/// CPUID 0x4000_0101, EAX.
const HAS_STEAL_TIME: u32 = 1 << 5;

/// The record, of 64 bytes: nanoseconds, and a version that is odd while they are written.
#[repr(C, align(64))]
struct Record {
    stolen_ns: AtomicU64,
    version: AtomicU32,
    rest: [AtomicU32; 13],
}

static RECORD: Record =
    Record { stolen_ns: AtomicU64::new(0), version: AtomicU32::new(0), rest: [const { AtomicU32::new(0) }; 13] };

/// Nanoseconds that others took from this vCPU; `None` if nobody tells.
pub(in crate::guest) fn stolen_ns() -> Option<u64> {
    let signature = cpuid(0x4000_0100, 0);
    if signature.ebx != u32::from_le_bytes(*b"KVMK") || cpuid(0x4000_0101, 0).eax & HAS_STEAL_TIME == 0 {
        return None;
    }
    // Memory lies where it seems to.
    let at = &raw const RECORD as u64 | ENABLED;
    if read_msr(STEAL_TIME) != at {
        write_msr(STEAL_TIME, at);
    }
    loop {
        let version = RECORD.version.load(Acquire);
        let stolen = RECORD.stolen_ns.load(Acquire);
        if version.is_multiple_of(2) && RECORD.version.load(Acquire) == version {
            return Some(stolen);
        }
    }
}
