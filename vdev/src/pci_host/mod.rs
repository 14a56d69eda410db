//! A PCI host bridge by configuration mechanism 1 (PCI Local Bus 3.0, section 3.2.2.3.2), and what is on its bus 0.
//!
//! The frame is the eight ports from 0xcf8: the address, and from 0xcfc a window to the register that it names. The address is
//! there for 32-bit accesses only, so that other devices may have single bytes of it, as 0xcf9 has the reset control: whoever
//! brings accesses here gives those bytes to them first. What no function answers is all ones.
//!
//! On the bus are the host bridge itself at 0:0.0 and inert functions. A function with registers of its own, such as a virtio
//! device, will be looked up where [`PciHost::find`] is called, and be given the writes too.

mod function;
#[cfg(test)]
mod tests;

use crate::{Registers, Width};
use model::PciFunction;

/// CONFIG_ADDRESS.
const ADDRESS: u64 = 0;
/// CONFIG_DATA, four bytes.
const DATA: u64 = 4;

/// The address is one of configuration space.
const ENABLE: u32 = 1 << 31;
/// The bits of CONFIG_ADDRESS that exist: enable, bus, device, function, and the register without its lowest two.
const ADDRESS_BITS: u32 = 0x80ff_fffc;

/// The host bridge. Its identity is that of the generic one of virtual machines, for which no system has quirks.
const HOST_BRIDGE: PciFunction =
    PciFunction { device: 0, function: 0, vendor_id: 0x1b36, device_id: 0x0008, class: 0x0600_0000 };

/// One host bridge.
#[derive(Debug)]
pub struct PciHost {
    functions: &'static [PciFunction],
    address: u32,
}

impl PciHost {
    /// Number of ports.
    pub const FRAME_BYTES: u64 = 8;

    /// A bridge after power-on, with `functions` on its bus besides itself. Of two in one place the first is there; one at 0:0.0
    /// is not, for that is the bridge.
    pub const fn new(functions: &'static [PciFunction]) -> PciHost {
        PciHost { functions, address: 0 }
    }

    /// The bridge and what else is on the bus.
    fn functions(&self) -> impl Iterator<Item = &PciFunction> {
        core::iter::once(&HOST_BRIDGE).chain(self.functions)
    }

    /// The function that the address names.
    fn find(&self) -> Option<&PciFunction> {
        let [_, place, bus, _] = self.address.to_le_bytes();
        let is_on_bus = self.address & ENABLE != 0 && bus == 0;
        self.functions().find(|function| is_on_bus && (function.device, function.function) == (place >> 3, place & 7))
    }

    /// The 32-bit register that the address names.
    fn register(&self) -> u32 {
        let Some(function) = self.find() else { return u32::MAX };
        let has_siblings =
            self.functions().any(|other| other.device == function.device && other.function != function.function);
        function::register(function, self.address.to_le_bytes()[0], has_siblings)
    }
}

impl Registers for PciHost {
    fn read(&mut self, offset: u64, width: Width) -> u64 {
        let value = match (offset, width) {
            (ADDRESS, Width::Word) => self.address.into(),
            (DATA..Self::FRAME_BYTES, _) => {
                // Behind the register there is nothing: all ones, as many as are shifted in.
                let register = u64::from(u32::MAX) << 32 | u64::from(self.register());
                (register as i64 >> (offset & 3).wrapping_mul(8)) as u64
            }
            _ => u64::MAX,
        };
        value & width.mask()
    }

    /// No register of an inert function can be written.
    fn write(&mut self, offset: u64, width: Width, value: u64) {
        if (offset, width) == (ADDRESS, Width::Word) {
            self.address = value as u32 & ADDRESS_BITS;
        }
    }

    /// It has none.
    fn line(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        *self = PciHost::new(self.functions);
    }

    /// It has no effect outside of itself.
    fn quiesce(&mut self) {}
}
