//! Loads and stores of device registers: one instruction each, by a plain MOV.

use core::arch::asm;

macro_rules! access {
    ($read:ident $write:ident $type:ty, $class:ident, $load:literal $store:literal) => {
        /// Loads from the device register at `address`.
        #[inline]
        pub fn $read(address: usize) -> $type {
            let value: $type;
            // SAFETY: callers pass registers of devices that the machine's tables name, which overlap no Rust object, or
            // nobody's addresses.
            unsafe {
                asm!($load, value = out($class) value, address = in(reg) address, options(nostack, preserves_flags))
            };
            value
        }

        /// Stores to the device register at `address`.
        #[inline]
        pub fn $write(address: usize, value: $type) {
            // SAFETY: as for the load.
            unsafe {
                asm!($store, value = in($class) value, address = in(reg) address, options(nostack, preserves_flags))
            };
        }
    };
}

access!(read8 write8 u8, reg_byte, "mov {value}, [{address}]" "mov [{address}], {value}");
access!(read16 write16 u16, reg, "mov {value:x}, [{address}]" "mov [{address}], {value:x}");
access!(read32 write32 u32, reg, "mov {value:e}, [{address}]" "mov [{address}], {value:e}");
access!(read64 write64 u64, reg, "mov {value}, [{address}]" "mov [{address}], {value}");
