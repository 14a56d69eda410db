//! What there is to do, by name.

use super::attack::Class;

/// The kinds of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Instructions that are made.
    Made(Class),
    /// Page tables that are not what they should be.
    Tables,
    /// Exits without end.
    Exits,
    /// Interrupts to itself, taken.
    Ipis,
    /// Non-maskable ones.
    Nmis,
    /// The timer at its highest rate.
    Timer,
    /// All other clocks at theirs.
    Clocks,
    /// The VM is reset, in every one of its lives.
    Reset,
    /// An exception without a handler, for which there is no handler either.
    TripleFault,
    /// INIT to itself: the CPU waits to be started, and there is none to do it.
    Init,
    /// A loop with interrupts masked.
    Spin,
}

/// The names of what there is to do: first what it does unless it is told.
pub(crate) const NAMES: &[(&str, What)] = &[
    ("random", What::Made(Class::Random)),
    ("msr", What::Made(Class::Msrs)),
    ("ports", What::Made(Class::Ports)),
    ("cpuid", What::Made(Class::Cpuid)),
    ("apic", What::Made(Class::Apic)),
    ("mmio", What::Made(Class::Mmio)),
    ("strings", What::Made(Class::Strings)),
    ("privileged", What::Made(Class::Privileged)),
    ("control", What::Made(Class::Control)),
    ("transfers", What::Made(Class::Transfers)),
    ("bytes", What::Made(Class::Bytes)),
    ("tables", What::Tables),
    ("exits", What::Exits),
    ("ipis", What::Ipis),
    ("nmis", What::Nmis),
    ("timer", What::Timer),
    ("clocks", What::Clocks),
    ("reset", What::Reset),
    ("triple-fault", What::TripleFault),
    ("init", What::Init),
    ("spin", What::Spin),
];
