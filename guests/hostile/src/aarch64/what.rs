//! What there is to do, by name.

use super::attack::Class;

/// The kinds of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Instructions that are made.
    Made(Class),
    /// Page tables that are not what they should be.
    Tables,
    /// Calls without end.
    Exits,
    /// Software-generated interrupts to itself, taken.
    Sgis,
    /// The timer at its highest rate.
    Timer,
    /// The VM is reset, in every one of its lives.
    Reset,
    /// A loop with interrupts masked.
    Spin,
}

/// The names of what there is to do: first what it does unless it is told.
pub(crate) const NAMES: &[(&str, What)] = &[
    ("random", What::Made(Class::Random)),
    ("sysreg", What::Made(Class::SystemRegisters)),
    ("calls", What::Made(Class::Calls)),
    ("psci", What::Made(Class::Psci)),
    ("mmio", What::Made(Class::Mmio)),
    ("gic", What::Made(Class::Gic)),
    ("el0-32", What::Made(Class::El032)),
    ("tables", What::Tables),
    ("exits", What::Exits),
    ("sgis", What::Sgis),
    ("timer", What::Timer),
    ("reset", What::Reset),
    ("spin", What::Spin),
];
