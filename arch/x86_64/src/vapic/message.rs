//! What travels between APICs: interrupt messages and where they go (SDM volume 3, 11.6 and 11.11; APM volume 2, 16.5 and 16.14).

use super::posted::Identity;

/// Delivery modes, by their number in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Fixed,
    /// To one of the addressed CPUs.
    Lowest,
    /// There is no system management mode here: it is dropped.
    Management,
    Nmi,
    Init,
    StartUp,
    /// The 8259s have the vector.
    External,
    Reserved,
}

/// An interrupt message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) delivery: Delivery,
    pub(super) vector: u8,
    /// Level-triggered: its EOI is told to the I/O APIC.
    pub(super) is_level: bool,
}

/// The addressed CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// By APIC ID, or all.
    Physical(u32),
    /// By the bits of their logical IDs.
    Logical(u32),
}

/// All of x2APIC's 32-bit IDs.
pub(super) const BROADCAST: u32 = u32::MAX;
/// All of xAPIC's 8-bit IDs.
const SHORT_BROADCAST: u32 = 0xff;

impl Delivery {
    /// From the low three bits of `number`.
    pub(super) const fn from_number(number: u32) -> Delivery {
        match number & 7 {
            0 => Delivery::Fixed,
            1 => Delivery::Lowest,
            2 => Delivery::Management,
            4 => Delivery::Nmi,
            5 => Delivery::Init,
            6 => Delivery::StartUp,
            7 => Delivery::External,
            _ => Delivery::Reserved,
        }
    }
}

impl Message {
    /// From the fields that registers and messages have in the same bits: vector 7:0, delivery mode 10:8, trigger mode 15.
    #[inline]
    pub(super) const fn from_bits(bits: u32) -> Message {
        Message { delivery: Delivery::from_number(bits >> 8), vector: bits as u8, is_level: bits & 1 << 15 != 0 }
    }

    /// Whether a CPU that takes it ends it by an EOI: others are vectors that a local APIC refuses, or no vectors at all.
    pub(super) const fn has_end(self) -> bool {
        matches!(self.delivery, Delivery::Fixed | Delivery::Lowest) && self.vector >= 16
    }
}

impl Destination {
    #[inline]
    pub(super) const fn new(is_logical: bool, id: u32) -> Destination {
        if is_logical { Destination::Logical(id) } else { Destination::Physical(id) }
    }

    /// As devices address: with 8 bits, of which 255 is all, also where IDs are longer.
    #[inline]
    pub(super) const fn of_device(is_logical: bool, id: u8) -> Destination {
        let id = if id == 0xff && !is_logical { BROADCAST } else { id as u32 };
        Destination::new(is_logical, id)
    }

    /// Whether it addresses the CPU `vcpu`, whose APIC is `identity`.
    pub(super) fn addresses(self, vcpu: u32, identity: Identity) -> bool {
        if !identity.is_enabled() {
            return false;
        }
        match self {
            Destination::Physical(BROADCAST) => true,
            Destination::Physical(SHORT_BROADCAST) if !identity.is_x2apic() => true,
            Destination::Physical(id) => id == vcpu,
            Destination::Logical(BROADCAST) => true,
            Destination::Logical(set) if identity.is_x2apic() => {
                // Cluster in the upper half, CPUs of it in the lower.
                let own = identity.logical();
                set >> 16 == own >> 16 && set & own & 0xffff != 0
            }
            Destination::Logical(set) if set > 0xff => false,
            Destination::Logical(set) if identity.is_flat() => set & identity.logical() >> 24 != 0,
            Destination::Logical(set) => {
                // Cluster in the upper four bits (15 is all), CPUs of it in the lower.
                let own = identity.logical() >> 24;
                (set >> 4 == own >> 4 || set >> 4 == 0xf) && set & own & 0xf != 0
            }
        }
    }
}
