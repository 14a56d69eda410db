//! List registers: their layout (ICH_LR<n>_EL2, IHI 0069 section 12.4.6) and the hardware behind them.

/// What a [`super::CpuInterface`] needs of the hardware: the virtual CPU interface of the pCPU it runs on, and that pCPU's
/// own interrupts. Implemented with the ICH_* registers on the target and by a model in tests. Calls are made on the
/// vCPU's pCPU with the guest not running; the implementation does the `isb` before the guest is entered (IHI 0069
/// section 8.1.5 on the visibility of writes).
pub trait ListRegisters {
    /// Number of list registers, 1 to 16 (ICH_VTR_EL2.ListRegs + 1).
    fn count(&self) -> usize;
    /// ICH_LR<index>_EL2; `index` is below [`ListRegisters::count`].
    fn read(&self, index: usize) -> u64;
    /// ICH_LR<index>_EL2.
    fn write(&mut self, index: usize, value: u64);
    /// ICH_ELRSR_EL2: list registers that hold nothing, not even an EOI to tell of.
    fn elrsr(&self) -> u32;
    /// ICH_HCR_EL2, for EOIcount.
    fn hcr(&self) -> u64;
    /// ICH_VMCR_EL2.VEOIM: the guest splits EOI and deactivation.
    fn splits_ends(&self) -> bool;
    /// ICH_HCR_EL2.
    fn set_hcr(&mut self, value: u64);
    /// Whether the line of this pCPU's physical private interrupt is high now, masked or not by the GIC. For the timers:
    /// ENABLE, ISTATUS and not IMASK of the guest's CNTx_CTL. Asked only about interrupts that
    /// [`super::Vgic::hardware_pending`] was told of.
    fn is_asserted(&self, intid: u32) -> bool;
    /// Deactivates this pCPU's physical private interrupt: a write of ICC_DIR_EL1.
    fn deactivate(&mut self, intid: u32);
    /// Whether a list register says who sent an SGI, because the guest shall know (GICv2): see [`super::senders`].
    fn names_senders(&self) -> bool {
        false
    }
}

/// Fields of ICH_HCR_EL2 (IHI 0069 section 12.4.3).
pub mod hcr {
    /// The virtual CPU interface works.
    pub const EN: u64 = 1 << 0;
    /// Maintenance interrupt when EOIcount is not zero.
    pub const LRENPIE: u64 = 1 << 2;
    /// Maintenance interrupt when no list register is pending.
    pub const NPIE: u64 = 1 << 3;
    /// Writes of ICC_DIR_EL1 trap.
    pub const TDIR: u64 = 1 << 14;
    /// Lowest bit of EOIcount: deactivations of interrupts that are in no list register.
    pub const EOI_COUNT_SHIFT: u32 = 27;
}

/// One list register's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListRegister(pub(super) u64);

impl ListRegister {
    const PENDING: u64 = 1 << 62;
    const ACTIVE: u64 = 1 << 63;
    const HW: u64 = 1 << 61;
    const GROUP: u64 = 1 << 60;
    const EOI: u64 = 1 << 41;
    /// Of an SGI on a GICv2, the vCPU that sent it: where [`super::gich`] finds it.
    const SENDER_SHIFT: u32 = 32;
    const SENDER: u64 = 0b111 << Self::SENDER_SHIFT;

    pub(super) const EMPTY: ListRegister = ListRegister(0);

    /// A pending interrupt without hardware behind it.
    #[inline]
    pub(super) fn pending(intid: u32, priority: u8, group1: bool) -> ListRegister {
        let group = if group1 { Self::GROUP } else { 0 };
        ListRegister(Self::PENDING | group | u64::from(priority) << 48 | u64::from(intid))
    }

    #[inline]
    pub(super) const fn intid(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(super) const fn priority(self) -> u8 {
        (self.0 >> 48) as u8
    }

    #[inline]
    pub(super) const fn is_group1(self) -> bool {
        self.0 & Self::GROUP != 0
    }

    #[inline]
    pub(super) const fn is_pending(self) -> bool {
        self.0 & Self::PENDING != 0
    }

    #[inline]
    pub(super) const fn is_active(self) -> bool {
        self.0 & Self::ACTIVE != 0
    }

    /// Pending and not active: it can leave the list register without a trace.
    #[inline]
    pub(super) const fn is_only_pending(self) -> bool {
        self.is_pending() && !self.is_active()
    }

    /// Neither pending nor active.
    #[inline]
    pub(super) const fn is_empty(self) -> bool {
        self.0 & (Self::PENDING | Self::ACTIVE) == 0
    }

    #[inline]
    pub(super) const fn is_hardware(self) -> bool {
        self.0 & Self::HW != 0
    }

    #[inline]
    pub(super) const fn with_pending(self, pending: bool) -> ListRegister {
        ListRegister(if pending { self.0 | Self::PENDING } else { self.0 & !Self::PENDING })
    }

    #[inline]
    pub(super) const fn without_active(self) -> ListRegister {
        ListRegister(self.0 & !Self::ACTIVE)
    }

    /// With the EOI bit as given; nothing changes if hardware is behind it (the bit is part of pINTID then).
    #[inline]
    pub(super) const fn with_eoi(self, tells: bool) -> ListRegister {
        match (self.is_hardware(), tells) {
            (true, _) => self,
            (false, true) => ListRegister(self.0 | Self::EOI),
            (false, false) => ListRegister(self.0 & !Self::EOI),
        }
    }

    /// Who sent this SGI; zero if it is none of a GICv2's.
    #[inline]
    pub(super) const fn sender(self) -> u32 {
        ((self.0 & Self::SENDER) >> Self::SENDER_SHIFT) as u32
    }

    /// The SGI of `sender`, who is below 8.
    #[inline]
    pub(super) const fn with_sender(self, sender: u32) -> ListRegister {
        ListRegister(self.0 & !Self::SENDER | ((sender as u64) << Self::SENDER_SHIFT) & Self::SENDER)
    }

    /// The guest's deactivation also deactivates the physical interrupt of the same number. Only for states that are
    /// not both pending and active (IHI 0069 section 12.4.6, State).
    #[inline]
    pub(super) const fn with_hardware(self) -> ListRegister {
        let physical = (self.0 & 0x1fff) << 32;
        ListRegister(self.0 & !(0x1fff << 32) | Self::HW | physical)
    }

    #[inline]
    pub(super) const fn without_hardware(self) -> ListRegister {
        ListRegister(self.0 & !(0x1fff << 32) & !Self::HW)
    }
}
