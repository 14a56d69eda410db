//! The configuration space of an inert PCI function (PCI Local Bus 3.0, section 6.1): who it is, and nothing more.

/// An inert function: it can be found, and has no registers besides those that say what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciFunction {
    /// Its device number on bus 0, below 32.
    pub device: u8,
    /// Its function number in the device, below 8.
    pub function: u8,
    /// Who made it.
    pub vendor_id: u16,
    /// What of theirs it is.
    pub device_id: u16,
    /// Its revision.
    pub revision: u8,
    /// Class, subclass and programming interface, in the lower 24 bits.
    pub class: u32,
    /// Who made the board that it is on.
    pub subsystem_vendor_id: u16,
    /// What of theirs that is.
    pub subsystem_id: u16,
}

impl PciFunction {
    /// The 32-bit register at `offset`, a multiple of four. `has_siblings`: the device has other functions than this.
    ///
    /// Command and status are zero, since it decodes nothing and has no capabilities; so are the base addresses, which is how
    /// a register that maps nothing looks to whoever sizes it.
    pub(super) fn register(&self, offset: u8, has_siblings: bool) -> u32 {
        match offset {
            0x00 => u32::from(self.device_id) << 16 | u32::from(self.vendor_id),
            0x08 => self.class << 8 | u32::from(self.revision),
            // Header type 0, and bit 7 of its byte.
            0x0c => u32::from(has_siblings) << 23,
            0x2c => u32::from(self.subsystem_id) << 16 | u32::from(self.subsystem_vendor_id),
            _ => 0,
        }
    }
}
