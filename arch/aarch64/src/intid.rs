//! The interrupts of the real GIC that mean something to the hypervisor itself, by INTID.
//!
//! The PPIs are those of the base system architecture (DEN 0094, table of PPI assignments); the hypervisor checks them
//! against the board's tree before it relies on them.

/// The SGI by which one pCPU rings another.
pub const KICK: u32 = 0;
/// The SGI by which a pCPU that fails stops the others.
pub const STOP: u32 = 1;
/// Maintenance interrupt of the virtual CPU interface.
pub const MAINTENANCE: u32 = 25;
/// EL2's own physical timer.
pub const HYP_TIMER: u32 = 26;
/// The EL1 virtual timer.
pub const VIRTUAL_TIMER: u32 = 27;
/// The EL1 physical timer.
pub const PHYSICAL_TIMER: u32 = 30;
/// From here on INTIDs are special; 1023 says that nothing is pending (IHI 0069 section 2.2.1).
pub const SPECIAL: u32 = 1020;
