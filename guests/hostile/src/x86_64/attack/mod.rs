//! Attacks, made of random numbers: a [`Class`] puts instructions into a [`Code`], for the [`World`] that it is in.

mod apic;
mod bytes;
mod code;
mod control;
mod cpuid;
mod mmio;
mod msrs;
mod ports;
mod privileged;
mod strings;
#[cfg(test)]
mod tests;
mod transfers;

pub(crate) use crate::random::Random;
#[cfg(target_os = "none")]
pub(crate) use bytes::USER;
pub(crate) use code::{ATTACKS, Code};

/// A range of addresses: its first, and how many.
pub(crate) type Region = (u64, u64);

/// What there is to attack. No region is memory that the guest lives in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// Where devices, memory that may be spoilt (the first), and nothing are.
    pub(crate) regions: [Region; 12],
    /// Those of them where there is nothing to execute.
    pub(crate) empty: [usize; 4],
    pub(crate) local_apic: u64,
    pub(crate) io_apic: u64,
    #[cfg_attr(not(target_os = "none"), expect(dead_code, reason = "of those that are not made of instructions"))]
    pub(crate) hpet: u64,
    /// Ports that are not written to, because that would end the guest: its power, its reset.
    pub(crate) spared_ports: [(u16, u16); 8],
    /// Not on a bare board, where some things that are refused in a VM work.
    pub(crate) is_virtual: bool,
    /// An address with nothing behind it, to which a transfer that works leads.
    pub(crate) nowhere: u64,
    /// What CR0, CR4, EFER and XCR0 have.
    pub(crate) control: [u64; 4],
}

/// A class of attacks with instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Msrs,
    Ports,
    Cpuid,
    Apic,
    Mmio,
    Strings,
    /// Privileged instructions, and those of extensions.
    Privileged,
    /// Control registers, debug registers, EFER, XCR0.
    Control,
    /// Far transfers, interrupts, returns.
    Transfers,
    /// Bytes that are no instructions on purpose, at CPL 3 with all ports.
    Bytes,
    /// One of the others, batch by batch.
    Random,
}

impl Class {
    /// All kinds but the last.
    pub(crate) const KINDS: [Class; 10] = [
        Class::Msrs,
        Class::Ports,
        Class::Cpuid,
        Class::Apic,
        Class::Mmio,
        Class::Strings,
        Class::Privileged,
        Class::Control,
        Class::Transfers,
        Class::Bytes,
    ];

    /// What a batch is to be of.
    pub(crate) fn of_batch(self, random: &mut Random, _world: &World) -> Class {
        if self == Class::Random { random.one_of(&Class::KINDS) } else { self }
    }

    /// Whether this CPU has what it takes.
    #[cfg(target_os = "none")]
    pub(crate) fn is_possible(self, _world: &World) -> bool {
        true
    }

    /// Begins a batch of it.
    pub(crate) fn begin(self, code: &mut Code) {
        code.begin(self == Class::Bytes);
    }

    /// Puts one attack into `code`.
    pub(crate) fn attack(self, random: &mut Random, world: &World, code: &mut Code) {
        match self {
            Class::Msrs => msrs::at_random(random, code),
            Class::Ports => ports::at_random(random, world, code),
            Class::Cpuid => cpuid::at_random(random, code),
            Class::Apic => apic::at_random(random, world, code),
            Class::Mmio | Class::Random => mmio::any(random, world, code),
            Class::Strings => strings::any(random, world, code),
            Class::Privileged => privileged::any(random, world, code),
            Class::Control => control::any(random, world, code),
            Class::Transfers => transfers::any(random, world, code),
            Class::Bytes => bytes::any(random, world, code),
        }
        code.end_attack();
    }

    /// Puts number `index` of the class's order into `code`; false if there are no more.
    pub(crate) fn in_order(self, index: u64, world: &World, code: &mut Code) -> bool {
        let is_there = match self {
            Class::Msrs => msrs::in_order(index, code),
            Class::Ports => ports::in_order(index, world, code),
            Class::Cpuid => cpuid::in_order(index, code),
            Class::Apic => apic::in_order(index, world, code),
            Class::Mmio | Class::Random => mmio::in_order(index, world, code),
            Class::Privileged => privileged::in_order(index, world, code),
            Class::Strings | Class::Control | Class::Transfers | Class::Bytes => false,
        };
        if is_there {
            code.end_attack();
        }
        is_there
    }
}

impl World {
    /// An address to attack: in a region, or across one of its ends.
    pub(crate) fn address(&self, random: &mut Random) -> u64 {
        let (base, size) = random.one_of(&self.regions);
        match random.below(8) {
            0..=2 => base + (random.below(0x400.min(size)) & !3),
            3 => base + random.below(0x100.min(size)),
            4 => base + random.below(size),
            5 => base + (random.below(size) & !7),
            6 => base + size - random.below(20),
            _ => base.saturating_sub(random.below(20)).max(base & !0xfff),
        }
    }
}
