//! Loads and stores of device registers: one instruction each, without write-back, because only such a one can be
//! emulated from the syndrome (DDI 0487, ISS encoding of data aborts).

use core::arch::asm;

macro_rules! access {
    ($read:ident $write:ident $type:ty, $load:literal $store:literal) => {
        /// Loads from the device register at `address`.
        #[inline]
        pub fn $read(address: usize) -> $type {
            let mut value: u64 = 0;
            // SAFETY: callers pass registers of devices that the device tree names, which overlap no Rust object, or
            // nobody's addresses (within `exceptions::attempt` if that may fault). Zero stays if the load does not happen.
            unsafe { asm!($load, value = inout(reg) value, address = in(reg) address, options(nostack, preserves_flags)) };
            value as $type
        }

        /// Stores to the device register at `address`.
        #[inline]
        pub fn $write(address: usize, value: $type) {
            // SAFETY: as for the load.
            unsafe {
                asm!($store, value = in(reg) u64::from(value), address = in(reg) address,
                    options(nostack, preserves_flags))
            };
        }
    };
}

access!(read8 write8 u8, "ldrb {value:w}, [{address}]" "strb {value:w}, [{address}]");
access!(read16 write16 u16, "ldrh {value:w}, [{address}]" "strh {value:w}, [{address}]");
access!(read32 write32 u32, "ldr {value:w}, [{address}]" "str {value:w}, [{address}]");
access!(read64 write64 u64, "ldr {value}, [{address}]" "str {value}, [{address}]");
