//! Whose programs a board runs.

/// A CPU architecture that guests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpu {
    /// arm64, little-endian.
    Aarch64,
    /// x86, from real mode to 64 bits.
    X86_64,
}

impl Cpu {
    /// All that there are.
    pub const BOTH: [Cpu; 2] = [Cpu::Aarch64, Cpu::X86_64];

    /// Its programs, for people.
    pub(crate) const fn programs(self) -> &'static str {
        match self {
            Cpu::Aarch64 => "guests here are 64-bit little-endian Arm (aarch64) programs",
            Cpu::X86_64 => "guests here are x86 programs, of 64 or 32 bits",
        }
    }
}
