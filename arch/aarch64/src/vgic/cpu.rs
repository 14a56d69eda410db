//! One vCPU's list registers: what is in them, and whose it is.
//!
//! The vCPU's pCPU alone touches this. What the guest does in its virtual CPU interface (acknowledge, end, deactivate)
//! shows only in the list registers, so the truth about a listed interrupt is here and in the hardware; the shared
//! state learns it at the next [`CpuInterface::sync`].

use super::atomic::SeqCst;
use super::bits::{BANKS, IntId, bit, ones};
use super::lr::{ListRegister, ListRegisters, hcr};
use super::{Vgic, bank::Bank};

/// Most list registers that the architecture has.
pub(super) const MAX_LIST_REGISTERS: usize = 16;

/// The virtual CPU interface of one vCPU.
#[derive(Debug)]
pub struct CpuInterface {
    pub(super) vcpu: u32,
    trap_deactivate: bool,
    /// The list registers as they shall be.
    lr: [ListRegister; MAX_LIST_REGISTERS],
    /// Those that hold an interrupt.
    pub(super) used: u32,
    /// Those whose value here is newer than the hardware's.
    pub(super) changed: u32,
    /// The interrupts that this vCPU has claimed, by word: they are in a list register or parked.
    mine: [u32; BANKS as usize],
    /// Claimed, active and in no list register, because better ones needed it.
    parked: [u32; BANKS as usize],
    /// How many are parked.
    parked_count: u32,
    /// Private interrupts whose physical one this code deactivates when the virtual one ends.
    pub(super) held: u32,
    /// Where an SGI, and where a timer's interrupt, was listed again last.
    pub(super) last_sgi: u32,
    pub(super) last_timer: u32,
    /// Words to look at in the next flush.
    pub(super) look: u32,
    /// Words in which something waits for a list register.
    pub(super) left: u32,
    /// ICH_HCR_EL2 as last written; `None` if the hardware has another vCPU's.
    pub(super) hcr: Option<u64>,
}

impl CpuInterface {
    /// The interface of vCPU `vcpu`, stopped. `trap_deactivate` says that the hardware can trap ICC_DIR_EL1 alone
    /// (ICH_VTR_EL2.TDS): then it always does, so that a guest that splits EOI and deactivation may deactivate what is in
    /// another vCPU's list registers, or in none. Guests that do not split them never write ICC_DIR_EL1.
    pub const fn new(vcpu: u32, trap_deactivate: bool) -> CpuInterface {
        CpuInterface {
            vcpu,
            trap_deactivate,
            lr: [ListRegister::EMPTY; MAX_LIST_REGISTERS],
            used: 0,
            changed: 0,
            mine: [0; BANKS as usize],
            parked: [0; BANKS as usize],
            parked_count: 0,
            held: 0,
            last_sgi: 0,
            last_timer: 0,
            look: 0,
            left: 0,
            hcr: None,
        }
    }

    /// Whether [`CpuInterface::flush`] has something to do before the guest may run. One atomic load. Call it with
    /// interrupts masked, so that a kick can't slip in between this and the entry.
    #[inline]
    pub fn needs_flush(&self, vgic: &Vgic<'_>) -> bool {
        let hints = vgic.redistributor(self.vcpu).map_or(0, |redistributor| redistributor.hints.load(SeqCst));
        hints | self.look | self.changed != 0
    }

    /// Whether an interrupt in the list registers ends a WFI: pending, in a group that the guest has enabled, of higher
    /// priority than its mask. `vmcr` is ICH_VMCR_EL2. Call it after a flush.
    pub fn wakes(&self, regs: &impl ListRegisters, vmcr: u64) -> bool {
        let mask = (vmcr >> 24) as u8;
        ones(self.used & !regs.elrsr()).map(|index| ListRegister(regs.read(index as usize))).any(|lr| {
            let enable = if lr.is_group1() { 1 << 1 } else { 1 << 0 };
            lr.is_pending() && vmcr & enable != 0 && lr.priority() < mask
        })
    }

    #[inline]
    pub(super) fn list_register(&self, index: u32) -> ListRegister {
        self.lr.get(slot(index)).copied().unwrap_or(ListRegister::EMPTY)
    }

    /// What the list register shall hold. The next flush writes it, if it is not what the hardware has.
    #[inline]
    pub(super) fn set_list_register(&mut self, index: u32, value: ListRegister) {
        if let Some(lr) = self.lr.get_mut(slot(index)).filter(|lr| **lr != value) {
            *lr = value;
            self.changed |= bit(index);
        }
    }

    /// What the hardware was found to hold.
    #[inline]
    pub(super) fn observe_list_register(&mut self, index: u32, value: ListRegister) {
        if let Some(lr) = self.lr.get_mut(slot(index)) {
            *lr = value;
        }
    }

    /// The list register that holds `intid`.
    #[inline]
    pub(super) fn find(&self, intid: IntId) -> Option<u32> {
        ones(self.used).find(|&index| self.list_register(index).intid() == intid.number())
    }

    /// The claimed interrupts of word `word`.
    #[inline]
    pub(super) fn mine(&self, word: u32) -> u32 {
        self.mine.get((word % BANKS) as usize).copied().unwrap_or(0)
    }

    /// All claimed interrupts.
    pub(super) fn all_mine(&self) -> impl Iterator<Item = IntId> + use<> {
        in_words(self.mine)
    }

    pub(super) fn set_mine(&mut self, intid: IntId, is_mine: bool) {
        set(&mut self.mine, intid, is_mine);
    }

    pub(super) fn parks_any(&self) -> bool {
        self.parked_count != 0
    }

    pub(super) fn all_parked(&self) -> impl Iterator<Item = IntId> + use<> {
        in_words(self.parked)
    }

    pub(super) fn set_parked(&mut self, intid: IntId, is_parked: bool) {
        set(&mut self.parked, intid, is_parked);
        self.parked_count = self.parked.iter().fold(0, |count, word| count.wrapping_add(word.count_ones()));
    }

    /// Whether writes of ICC_DIR_EL1 trap.
    pub(super) const fn traps_deactivate(&self) -> bool {
        self.trap_deactivate
    }

    /// Whether this code deactivates the physical interrupt when the virtual one ends.
    #[inline]
    pub(super) fn is_held(&self, intid: IntId) -> bool {
        intid.is_private() && self.held & intid.bit() != 0
    }

    /// Whether `intid` may come to this vCPU.
    #[inline]
    pub(super) fn may_deliver(&self, vgic: &Vgic<'_>, intid: IntId) -> bool {
        vgic.shared(intid.word()).is_none_or(|shared| vgic.may_deliver(shared, intid.index(), self.vcpu))
    }

    /// The interrupt in a list register, and its bank.
    pub(super) fn bank_of<'v>(&self, vgic: &'v Vgic<'_>, lr: ListRegister) -> Option<(IntId, &'v Bank)> {
        let intid = IntId::new(lr.intid())?;
        Some((intid, vgic.bank(self.vcpu, intid.word())?))
    }

    /// ICH_HCR_EL2 for the state as it is, EOIcount zero.
    #[inline]
    pub(super) fn wanted_hcr(&self) -> u64 {
        let trap = if self.trap_deactivate { hcr::TDIR } else { 0 };
        let unlisted = if self.parks_any() { hcr::LRENPIE } else { 0 };
        let more = if self.left != 0 { hcr::NPIE } else { 0 };
        hcr::EN | trap | unlisted | more
    }

    /// Empty, as [`CpuInterface::new`] made it.
    pub(super) fn clear(&mut self) {
        *self = CpuInterface::new(self.vcpu, self.trap_deactivate);
    }
}

/// The place of list register `index`, which is below 16: in a form that the compiler need not check again.
#[inline]
const fn slot(index: u32) -> usize {
    index as usize % MAX_LIST_REGISTERS
}

fn in_words(words: [u32; BANKS as usize]) -> impl Iterator<Item = IntId> {
    (0_u32..).zip(words).flat_map(|(word, bits)| ones(bits).map(move |index| IntId::at(word, index)))
}

fn set(words: &mut [u32; BANKS as usize], intid: IntId, value: bool) {
    if let Some(word) = words.get_mut(intid.word() as usize) {
        *word = if value { *word | intid.bit() } else { *word & !intid.bit() };
    }
}
