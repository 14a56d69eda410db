//! Offsets and bits of the HPET's registers (IA-PC HPET 1.0a, section 2.3). All registers have 64 bits.

/// General capabilities and identification.
pub(super) const CAPABILITIES: u64 = 0x000;
/// General configuration.
pub(super) const CONFIG: u64 = 0x010;
/// General interrupt status.
pub(super) const STATUS: u64 = 0x020;
/// Main counter.
pub(super) const COUNTER: u64 = 0x0f0;
/// The first timer; the others follow.
pub(super) const TIMERS: u64 = 0x100;
/// From one timer to the next.
pub(super) const TIMER_STRIDE: u64 = 0x20;
/// In a timer: configuration and capabilities.
pub(super) const TIMER_CONFIG: u64 = 0x00;
/// In a timer: comparator.
pub(super) const TIMER_COMPARATOR: u64 = 0x08;

/// REV_ID.
pub(super) const REVISION: u32 = 0x01;
/// NUM_TIM_CAP: the number of the last timer.
pub(super) const LAST_TIMER_SHIFT: u32 = 8;
/// COUNT_SIZE_CAP: the counter has 64 bits.
pub(super) const HAS_64_BITS: u32 = 1 << 13;
/// LEG_RT_CAP: legacy replacement is there.
pub(super) const HAS_LEGACY: u32 = 1 << 15;
/// VENDOR_ID, as of the PCI special interest group: Intel's, under which systems know HPETs.
pub(super) const VENDOR: u32 = 0x8086 << 16;

/// ENABLE_CNF: the counter counts, and timers interrupt.
pub(super) const ENABLE: u64 = 1 << 0;
/// LEG_RT_CNF: timers 0 and 1 have the lines of the 8254 and of the clock.
pub(super) const LEGACY: u64 = 1 << 1;

/// Tn_INT_TYPE_CNF: by level, not by edge.
pub(super) const BY_LEVEL: u64 = 1 << 1;
/// Tn_INT_ENB_CNF.
pub(super) const INTERRUPTS: u64 = 1 << 2;
/// Tn_TYPE_CNF: periodic.
pub(super) const PERIODIC: u64 = 1 << 3;
/// Tn_PER_INT_CAP: it can be periodic.
pub(super) const CAN_BE_PERIODIC: u64 = 1 << 4;
/// Tn_SIZE_CAP: it has 64 bits.
pub(super) const IS_WIDE: u64 = 1 << 5;
/// Tn_VAL_SET_CNF: the next store to the comparator sets it, not the interval alone.
pub(super) const SETS_VALUE: u64 = 1 << 6;
/// Tn_32MODE_CNF: it compares 32 bits.
pub(super) const NARROW: u64 = 1 << 8;
/// Tn_INT_ROUTE_CNF, five bits.
pub(super) const ROUTE_SHIFT: u32 = 9;
/// Their mask.
pub(super) const ROUTE: u64 = 0x1f << ROUTE_SHIFT;
/// The bits of a timer's configuration that keep what is written.
pub(super) const TIMER_KEPT: u64 = BY_LEVEL | INTERRUPTS | PERIODIC | SETS_VALUE | NARROW | ROUTE;
/// Tn_INT_ROUTE_CAP, in the upper half.
pub(super) const ROUTES_SHIFT: u32 = 32;
