//! From the shared state to the list registers: the best of what is pending.

use super::Vgic;
use super::active::asked;
use super::atomic::SeqCst;
use super::bank::Bank;
use super::bits::{IntId, KickMask, bit, ones};
use super::cpu::{CpuInterface, MAX_LIST_REGISTERS};
use super::lr::{ListRegister, ListRegisters};
use super::notify::{RESYNC, WORDS};
use super::senders::is_sent;
use super::sync::take_back;

impl CpuInterface {
    /// Puts pending interrupts into list registers and writes those that have changed. If there are more than list
    /// registers, the best are in, and a maintenance interrupt asks for the rest. On the vCPU's pCPU, before it enters the
    /// guest; syncs by itself where it has to. What arrives meanwhile comes with a kick.
    #[inline(never)]
    pub fn flush(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters) -> KickMask {
        let Some(own) = vgic.redistributor(self.vcpu) else { return KickMask::NONE };
        let hints = own.hints.swap(0, SeqCst);
        if self.flush_again(vgic, own, regs, hints) { KickMask::NONE } else { self.flush_more(vgic, regs, hints) }
    }

    /// What [`CpuInterface::flush_again`] leaves. Not inlined, so that that need not save registers.
    #[inline(never)]
    fn flush_more(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, mut hints: u32) -> KickMask {
        let mut kick = KickMask::NONE;
        loop {
            kick |= match self.flush_new(vgic, regs, hints) {
                Some(kick) => kick,
                None => self.flush_all(vgic, regs, hints),
            };
            // What this has made to do for this vCPU itself.
            if !self.needs_flush(vgic) {
                return kick;
            }
            hints = vgic.redistributor(self.vcpu).map_or(0, |own| own.hints.swap(0, SeqCst));
        }
    }

    fn flush_all(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, hints: u32) -> KickMask {
        let mut kick = if hints & RESYNC != 0 { self.sync(vgic, regs) } else { KickMask::NONE };
        let look = core::mem::take(&mut self.look) | core::mem::take(&mut self.left);
        let words = (hints | look) & WORDS;
        if words != 0 {
            kick |= self.fill(vgic, regs, words, hints & RESYNC != 0);
        }
        for index in ones(self.changed & all(regs)) {
            regs.write(index as usize, self.list_register(index).0);
        }
        self.changed = 0;
        let hcr = self.wanted_hcr();
        if self.hcr != Some(hcr) {
            regs.set_hcr(hcr);
            self.hcr = Some(hcr);
        }
        kick
    }

    fn fill(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, mut words: u32, synced: bool) -> KickMask {
        let mut kick = KickMask::NONE;
        let mut found = self.scan(vgic, regs, words);
        // List registers that were used may be free by now, and only the hardware knows how those stand that hold an
        // interrupt which has become pending once more. With a free one for each there is no need to ask.
        if !synced && (found.again || found.count() > self.free(regs).count_ones()) {
            kick |= self.sync(vgic, regs);
            words |= core::mem::take(&mut self.look) & WORDS;
            found = self.scan(vgic, regs, words);
        }
        if found.again {
            self.merge_all(vgic, regs, words);
        }
        self.left |= found.left;
        for (intid, priority) in found.iter() {
            let Some(index) = self.make_room(vgic, regs, priority, &mut kick) else {
                self.left |= bit(intid.word());
                continue;
            };
            kick |= self.place(vgic, regs, intid, priority, index);
        }
        kick
    }

    /// Looks for what could go into a list register.
    fn scan(&self, vgic: &Vgic<'_>, regs: &impl ListRegisters, words: u32) -> Found {
        let mut found = Found::new(regs.count());
        let control = vgic.control();
        for word in ones(words) {
            let Some(bank) = vgic.bank(self.vcpu, word) else { continue };
            let wanting = bank.wanting(control, SeqCst);
            found.again |= wanting & self.mine(word) != 0;
            let shared = vgic.shared(word);
            for index in ones(wanting & bank.claims.free()) {
                if shared.is_none_or(|shared| vgic.may_deliver(shared, index, self.vcpu)) {
                    found.add(IntId::at(word, index), bank.priority_byte(index));
                }
            }
        }
        found
    }

    fn free(&self, regs: &impl ListRegisters) -> u32 {
        !self.used & all(regs)
    }

    /// A list register for an interrupt of priority `priority`; `None` if those that are in are as good.
    fn make_room(
        &mut self,
        vgic: &Vgic<'_>,
        regs: &mut impl ListRegisters,
        priority: u8,
        kick: &mut KickMask,
    ) -> Option<u32> {
        if let Some(index) = ones(self.free(regs)).next() {
            return Some(index);
        }
        let worst = |pick: fn(ListRegister) -> bool| {
            let candidates = ones(self.used).filter(|&index| pick(self.list_register(index)));
            candidates.max_by_key(|&index| self.list_register(index).priority())
        };
        match worst(ListRegister::is_only_pending) {
            Some(index) if self.list_register(index).priority() > priority => self.evict(vgic, regs, index, kick),
            Some(_) => None,
            // Something pending has to be in, or the maintenance interrupt that asks for more would never cease.
            None => self.park(vgic, regs, worst(|_| true)?),
        }
    }

    /// Takes a pending interrupt out of its list register, for a better one.
    fn evict(
        &mut self,
        vgic: &Vgic<'_>,
        regs: &mut impl ListRegisters,
        index: u32,
        kick: &mut KickMask,
    ) -> Option<u32> {
        let lr = self.list_register(index);
        let (intid, bank) = self.bank_of(vgic, lr)?;
        take_back(bank, intid, lr, regs);
        self.used &= !bit(index);
        let look = self.look;
        *kick |= self.release(vgic, bank, intid, regs);
        // There is no room for it now: it need not be looked at before there is.
        self.left |= self.look & !look;
        self.look = look;
        self.set_list_register(index, ListRegister::EMPTY);
        Some(index)
    }

    /// Takes an active interrupt out of its list register. It stays active and claimed.
    fn park(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, index: u32) -> Option<u32> {
        let lr = self.list_register(index);
        let (intid, bank) = self.bank_of(vgic, lr)?;
        if lr.is_pending() {
            take_back(bank, intid, lr, regs);
        }
        if lr.is_hardware() {
            self.held |= intid.bit();
        }
        self.set_parked(intid, true);
        self.used &= !bit(index);
        self.set_list_register(index, ListRegister::EMPTY);
        Some(index)
    }

    /// Claims an interrupt and puts it into list register `index`, if it is still there to be had.
    pub(super) fn place(
        &mut self,
        vgic: &Vgic<'_>,
        regs: &impl ListRegisters,
        intid: IntId,
        priority: u8,
        index: u32,
    ) -> KickMask {
        let Some(bank) = vgic.bank(self.vcpu, intid.word()) else { return KickMask::NONE };
        if !bank.claims.claim(intid.bit()) {
            return KickMask::NONE;
        }
        let shared = vgic.shared(intid.word());
        if let Some(owner) = shared.and_then(|shared| shared.owner(intid.index())) {
            owner.store(self.vcpu as u8, SeqCst);
        }
        // The claim is visible: from here on every change of the state below ends up as a hint for this vCPU. What came
        // before it counts now.
        let _nothing_to_deactivate = asked(&bank.deactivate, intid);
        let activate = bank.activate.load(SeqCst) & intid.bit() != 0;
        let routed = self.may_deliver(vgic, intid);
        let open = bank.open(vgic.control(), SeqCst) & intid.bit() != 0;
        let taken = if open && routed && !activate { take(bank, intid, priority, regs) } else { None };
        let Some(lr) = taken else {
            return vgic.give_back(bank, self.vcpu, intid) | self.look_after(vgic, bank, intid);
        };
        self.set_mine(intid, true);
        self.used |= bit(index);
        self.set_list_register(index, lr);
        KickMask::NONE
    }

    /// Interrupts that are in list registers and have become pending once more.
    fn merge_all(&mut self, vgic: &Vgic<'_>, regs: &impl ListRegisters, words: u32) {
        for word in ones(words) {
            let Some(bank) = vgic.bank(self.vcpu, word) else { continue };
            for index in ones(bank.wanting(vgic.control(), SeqCst) & self.mine(word)) {
                self.merge(vgic, regs, bank, IntId::at(word, index));
            }
        }
    }

    fn merge(&mut self, vgic: &Vgic<'_>, regs: &impl ListRegisters, bank: &Bank, intid: IntId) {
        // A parked one is looked at when it ends.
        let Some(index) = self.find(intid) else { return };
        let mut lr = self.list_register(index);
        let hardware = intid.is_private() && bank.hardware.load(SeqCst) & intid.bit() != 0;
        let routed = self.may_deliver(vgic, intid);
        if hardware && lr.is_only_pending() {
            // It was pending by software; now the physical one is there too, and both are one.
            bank.hardware.fetch_and(!intid.bit(), SeqCst);
            bank.pending.take_unlatched(intid.bit());
            lr = lr.with_hardware();
        } else if lr.is_hardware() && lr.is_active() {
            // It can't be pending and active with HW=1. Its end is told instead, and the physical one is deactivated then.
            self.held |= intid.bit();
            lr = lr.without_hardware().with_pending(bank.pending.take(intid.bit()));
        } else if routed && !hardware && lr.priority() == bank.priority(intid) {
            // (With another priority than it was taken with, it waits for its end and comes anew.)
            if is_sent(intid, regs) {
                lr = bank.join_sent(intid, lr);
            } else {
                let latched = bank.pending.take(intid.bit());
                lr = lr.with_pending(lr.is_pending() || latched || bank.level_high() & intid.bit() != 0);
            }
        }
        self.set_list_register(index, lr.with_eoi(self.tells_end(vgic, bank, intid)));
    }
}

/// Moves an interrupt's pending state out of the shared state; `None` if it is not pending any more.
fn take(bank: &Bank, intid: IntId, priority: u8, regs: &impl ListRegisters) -> Option<ListRegister> {
    let group1 = bank.group.load(SeqCst) & intid.bit() != 0;
    let lr = ListRegister::pending(intid.number(), priority, group1);
    if is_sent(intid, regs) {
        return bank.take_sent(intid, lr);
    }
    if bank.hardware.load(SeqCst) & intid.bit() != 0 {
        bank.hardware.fetch_and(!intid.bit(), SeqCst);
        bank.pending.take_unlatched(intid.bit());
        return Some(lr.with_hardware());
    }
    let latched = bank.pending.take(intid.bit());
    let level = bank.level_high() & intid.bit() != 0;
    let passed = bank.passed.load(SeqCst) & intid.bit() != 0;
    (latched || level).then(|| lr.with_eoi(level || passed))
}

/// The list registers that there are.
#[inline]
pub(super) fn all(regs: &impl ListRegisters) -> u32 {
    let count = u32::try_from(regs.count().min(MAX_LIST_REGISTERS)).unwrap_or(0);
    bit(count).wrapping_sub(1)
}

/// What a scan found: the best interrupts, best first, as many as there are list registers.
struct Found {
    /// Priority in bits 16 and up, INTID below: the smaller, the better.
    keys: [u32; MAX_LIST_REGISTERS],
    capacity: usize,
    /// Words of those that did not fit.
    left: u32,
    /// Something that this vCPU has listed already is pending once more.
    again: bool,
}

impl Found {
    fn new(capacity: usize) -> Found {
        Found { keys: [u32::MAX; MAX_LIST_REGISTERS], capacity, left: 0, again: false }
    }

    fn add(&mut self, intid: IntId, priority: u8) {
        let mut key = u32::from(priority) << 16 | intid.number();
        for slot in self.keys.iter_mut().take(self.capacity) {
            if key < *slot {
                core::mem::swap(slot, &mut key);
            }
            if key == u32::MAX {
                return;
            }
        }
        self.left |= bit((key & 0xffff) / 32);
    }

    fn count(&self) -> u32 {
        let more = self.left.count_ones();
        u32::try_from(self.iter().count()).unwrap_or(0).saturating_add(more)
    }

    fn iter(&self) -> impl Iterator<Item = (IntId, u8)> {
        let keys = self.keys.iter().take_while(|&&key| key != u32::MAX);
        keys.filter_map(|&key| Some((IntId::new(key & 0xffff)?, (key >> 16) as u8)))
    }
}
