//! Interrupts by the way they reach a vCPU.

/// An interrupt as devices name it; every kind enters a VM by the same `inject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Irq {
    /// Private to a vCPU: an SGI (0 to 15) or PPI (16 to 31) by INTID.
    Private {
        /// Index of the vCPU in its VM.
        vcpu: u32,
        /// INTID, below 32.
        intid: u32,
    },
    /// A shared line (SPI) by INTID, 32 and up.
    Shared(u32),
    /// A message-signalled interrupt: the value that was written and by whom.
    Message {
        /// Requester or device id.
        device: u32,
        /// The data of the write.
        event: u32,
    },
}
