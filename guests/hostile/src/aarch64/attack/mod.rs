//! Attacks, made of random numbers: a [`Class`] puts instructions into a [`Code`], for the [`World`] that it is in.

mod calls;
mod code;
mod el0;
mod gic;
mod mmio;
mod registers;
#[cfg(test)]
mod tests;

pub(crate) use crate::random::Random;
pub(crate) use code::{ATTACKS, Code};

/// A range of addresses: its first, and how many.
pub(crate) type Region = (u64, u64);

/// What there is to attack. No region is memory that the guest lives in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// Where devices, memory that may be spoilt, and nothing are.
    pub(crate) regions: [Region; 12],
    /// The GIC's distributor.
    pub(crate) distributor: Region,
    /// Its redistributors; of a GICv2 the CPU interface.
    pub(crate) gic_cpus: Region,
    pub(crate) is_gic_v2: bool,
    /// EL0 can be 32-bit.
    pub(crate) has_32_bit: bool,
    /// FEAT_LSE.
    pub(crate) has_atomics: bool,
    /// Address bits that make a virtual address Normal memory, in which the CPU allows what a device's does not.
    pub(crate) normal: u64,
    /// Affinities of the CPUs that are.
    pub(crate) cpus: [u64; 2],
    /// Code for another CPU, which turns it off.
    pub(crate) entry: u64,
}

/// A class of attacks with instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    SystemRegisters,
    Calls,
    Psci,
    Mmio,
    Gic,
    /// One of the others, batch by batch.
    Random,
    /// 32-bit code for EL0.
    El032,
}

impl Class {
    /// What a batch is to be of.
    pub(crate) fn of_batch(self, random: &mut Random, world: &World) -> Class {
        match self {
            Class::Random => {
                let all = [Class::SystemRegisters, Class::Calls, Class::Mmio, Class::Gic, Class::El032];
                random.one_of(if world.has_32_bit { &all } else { &all[..4] })
            }
            class => class,
        }
    }

    /// Whether this CPU has what it takes.
    #[cfg(target_os = "none")]
    pub(crate) fn is_possible(self, world: &World) -> bool {
        self != Class::El032 || world.has_32_bit
    }

    /// Begins a batch of it.
    pub(crate) fn begin(self, code: &mut Code) {
        code.begin(self == Class::El032);
    }

    /// Puts one attack into `code`.
    pub(crate) fn attack(self, random: &mut Random, world: &World, code: &mut Code) {
        match self {
            Class::SystemRegisters => registers::at_random(random, world, code),
            Class::Calls => calls::any(random, world, code),
            Class::Psci => calls::psci(random, world, code),
            Class::Mmio | Class::Random => mmio::any(random, world, code),
            Class::Gic => gic::at_random(random, world, code),
            Class::El032 => return el0::any(random, world, code),
        }
        code.end_attack();
    }

    /// Puts number `index` of the class's order into `code`; false if there are no more.
    pub(crate) fn in_order(self, index: u64, world: &World, code: &mut Code) -> bool {
        let is_there = match self {
            Class::SystemRegisters => registers::in_order(index, world, code),
            Class::Calls | Class::Psci => calls::in_order(index, code),
            Class::Gic => gic::in_order(index, world, code),
            Class::Mmio | Class::Random => mmio::in_order(index, world, code),
            Class::El032 => false,
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
            0..=2 => base + (random.below(0x100.min(size)) & !3),
            3 => base + random.below(0x100.min(size)),
            4 => base + random.below(size),
            5 => base + (random.below(size) & !7),
            6 => base + size - random.below(20),
            _ => base - random.below(20),
        }
    }
}
