//! Memory that is nobody's, where the board has devices of its own: with the default `unsupported reference ignore`
//! reads give all ones, whatever their width.

use guest_runtime::exceptions::attempt;
use guest_runtime::mmio::{read8, read16, read32, read64};
use guest_runtime::{Verdict, say};

/// QEMU's `virt` has its GIC and its UART at the first two, and more RAM than this guest at the third.
const ADDRESSES: [usize; 3] = [0x0800_0000, 0x0900_0000, 0x4800_0000];

/// Reads the addresses with all widths.
pub(super) fn reads_as_ones() -> Verdict {
    for address in ADDRESSES {
        let read = attempt(|| (read8(address), read16(address), read32(address), read64(address)));
        match read {
            Ok((u8::MAX, u16::MAX, u32::MAX, u64::MAX)) => {}
            Ok(_) => return Err("something answered where nothing is"),
            Err(_) => return Err("a read where nothing is took an exception"),
        }
    }
    say!("reads of what is nobody's give all ones");
    Ok(())
}
