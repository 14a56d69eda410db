//! What the bus asks of every device with registers.

/// Size of one access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Half,
    /// 32 bits.
    Word,
    /// 64 bits.
    Double,
}

impl Width {
    /// The width of that many bytes; `None` unless 1, 2, 4 or 8.
    pub const fn from_bytes(bytes: u64) -> Option<Width> {
        match bytes {
            1 => Some(Width::Byte),
            2 => Some(Width::Half),
            4 => Some(Width::Word),
            8 => Some(Width::Double),
            _ => None,
        }
    }

    /// Number of bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
            Width::Double => 8,
        }
    }

    /// The bits that an access of this width carries.
    pub const fn mask(self) -> u64 {
        match self {
            Width::Byte => 0xff,
            Width::Half => 0xffff,
            Width::Word => 0xffff_ffff,
            Width::Double => u64::MAX,
        }
    }
}

/// How the interrupt lines of a device stand, one bit a line. Which line a bit is, the device says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Lines that are high now.
    pub high: u32,
    /// Lines that rose since the device was last asked, which may have fallen again. However often one rose, it is one edge:
    /// an interrupt controller that has not been served in between makes one of them too.
    pub rose: u32,
}

/// What a device asks of the machine that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// All CPUs and devices begin anew.
    Reset,
    /// The machine goes off.
    PowerOff,
    /// The lines of the 8254 and of the clock are the HPET's from now on, if true, and theirs again if not (IA-PC HPET 1.0a, 2.4.6).
    ReplaceLegacy(bool),
}

/// A device with a frame of registers and, as a rule, one level-sensitive interrupt line.
///
/// The caller holds the device's own lock around every call and samples [`Registers::line`] or [`Registers::signals`] before
/// it lets go, so that the interrupt controller sees the lines' changes in the order in which they happened.
pub trait Registers {
    /// A load of `width` at `offset` from the frame's start. Any offset and width may come: what the device does not
    /// have reads as zero. The result has no bits above `width`.
    fn read(&mut self, offset: u64, width: Width) -> u64;

    /// A store. Bits of `value` above `width` are ignored; so are stores to what the device does not have.
    fn write(&mut self, offset: u64, width: Width, value: u64);

    /// A store of a byte, if all that it does is to select what another access means, as a store to an index register does: true, and
    /// it is done, without the time and without a look at the lines. False, and nothing has changed, if there may be more to it.
    fn latch(&mut self, _offset: u64, _value: u8) -> bool {
        false
    }

    /// The level of the interrupt line now; of the first one, if there are several, and low if there is none.
    fn line(&self) -> bool;

    /// How all lines stand, and which of them rose since it was last asked. A device with one line that stays high until
    /// it is served has no more to say than [`Registers::line`].
    fn signals(&mut self) -> Signals {
        Signals { high: self.line().into(), rose: 0 }
    }

    /// What the device asks of the machine; asking takes it. To be called after a store.
    fn take_request(&mut self) -> Option<Request> {
        None
    }

    /// Back to the state after power-on. From then on the guest's counter may be one that has begun anew.
    fn reset(&mut self);

    /// From now until [`Registers::reset`] the device has no effect outside of itself: the first step of stopping a VM.
    fn quiesce(&mut self);
}

/// A device to which time matters. It is told the time, and never takes it by itself.
pub trait Timed: Registers {
    /// The guest's counter is at `now`: what has come about since it was last told comes about. To be called before everything
    /// else that is done with the device.
    fn advance(&mut self, now: u64);

    /// Where the guest's counter will be, or is, when somebody has to look at what has come about by itself; `None` if nothing
    /// will.
    fn deadline(&self) -> Option<u64>;

    /// Presses the power key, if it has one.
    fn press(&mut self) {}

    /// Whether it is a watchdog that bites. It goes on to do so until it is reset.
    fn bites(&self) -> bool {
        false
    }
}

/// A serial device, whose other end is an [`crate::Endpoint`].
pub trait Uart: Registers {
    /// Looks at the endpoint: takes input that the FIFO has room for and sees output that has drained. The bus calls it when the mux
    /// says that the endpoint changed, and then samples the line.
    fn poll(&mut self);
}

/// A register of a PrimeCell's identification, `offset` bytes behind the first: PeriphID0 to 3, then PCellID0 to 3.
pub(crate) fn identification(registers: &[u8; 8], offset: u64) -> u8 {
    let index = usize::try_from(offset / 4).ok().filter(|_| offset & 3 == 0);
    index.and_then(|index| registers.get(index)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Width;

    #[test]
    fn widths_are_the_four_powers_of_two() {
        for bytes in 0..=16 {
            let width = Width::from_bytes(bytes);
            assert_eq!(width.is_some(), [1, 2, 4, 8].contains(&bytes));
            if let Some(width) = width {
                assert_eq!(width.bytes(), bytes);
                assert_eq!(width.mask().count_ones() as u64, bytes * 8);
            }
        }
    }
}
