//! The configuration space of an inert PCI function (PCI Local Bus 3.0, section 6.1): who it is, and nothing more.

use model::PciFunction;

/// The 32-bit register at `offset`, a multiple of four. `has_siblings`: its device has other functions.
///
/// Command and status are zero, since it decodes nothing and has no capabilities; so are the base addresses, which is how a
/// register that maps nothing looks to whoever sizes it.
pub(super) fn register(function: &PciFunction, offset: u8, has_siblings: bool) -> u32 {
    match offset {
        0x00 => u32::from(function.device_id) << 16 | u32::from(function.vendor_id),
        0x08 => function.class,
        // Header type 0, and bit 7 of its byte.
        0x0c => u32::from(has_siblings) << 23,
        _ => 0,
    }
}
