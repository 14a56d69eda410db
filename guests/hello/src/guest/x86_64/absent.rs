//! What is nobody's: with the default `unsupported reference ignore` reads give all ones, whatever their width.

use guest_runtime::cpu::{in8, in16, in32};
use guest_runtime::mmio::{read8, read16, read32, read64};
use guest_runtime::{Verdict, attempt, say};

/// Ports that no PC's board has anything at, the last ones with their ends behind the end.
const PORTS: [u16; 4] = [0x0240, 0x2468, 0xabc0, 0xfff0];
/// QEMU's q35 has its PCI devices' configuration at the first and its flash at the second.
const ADDRESSES: [usize; 2] = [0xb000_0000, 0xffc0_0000];
/// An MSR of nobody's, in the range that is free for software.
const MSR: u32 = 0x4000_0333;

/// Reads the ports with all widths, and writes to them.
pub(super) fn ports_read_as_ones() -> Verdict {
    for port in PORTS {
        if (in8(port), in16(port), in32(port)) != (u8::MAX, u16::MAX, u32::MAX) {
            return Err("something answered at a port where nothing is");
        }
        guest_runtime::cpu::out8(port, 0);
    }
    say!("reads of ports that are nobody's give all ones");
    Ok(())
}

/// Reads the addresses with all widths. An MSR, in contrast, is refused.
pub(super) fn memory_reads_as_ones() -> Verdict {
    for address in ADDRESSES {
        let read = (read8(address), read16(address), read32(address), read64(address));
        if read != (u8::MAX, u16::MAX, u32::MAX, u64::MAX) {
            return Err("something answered where nothing is");
        }
    }
    let refused = attempt!("rdmsr", in("ecx") MSR, out("eax") _, out("edx") _);
    if !refused.is_err_and(|it| it.is_protection()) {
        return Err("an MSR that is nobody's is not refused");
    }
    say!("reads of what is nobody's give all ones, MSRs are refused");
    Ok(())
}
