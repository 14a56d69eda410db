//! The registers of the fixed hardware and their bits (ACPI 6.5, section 4.8.3). All registers together are one row of bits, and
//! a register is where its first one is.

/// PM1a_EVT_BLK: the status and, in the next 16 bits, what of it interrupts.
pub(super) const STATUS: u32 = 0;
/// The second half of PM1a_EVT_BLK.
pub(super) const ENABLE: u32 = 16;
/// PM1a_CNT_BLK.
pub(super) const CONTROL: u32 = 32;
/// PM_TMR_BLK.
pub(super) const TIMER: u32 = 64;

/// TMR_STS, TMR_EN: the timer's highest bit has changed.
pub(super) const TIMER_CARRY: u16 = 1 << 0;
/// GBL_EN: firmware wants the global lock. There is none.
pub(super) const GLOBAL: u16 = 1 << 5;
/// PWRBTN_STS, PWRBTN_EN: the power button was pressed.
pub(super) const POWER_BUTTON: u16 = 1 << 8;
/// SLPBTN_EN: the sleep button, which is not there.
pub(super) const SLEEP_BUTTON: u16 = 1 << 9;
/// RTC_EN: the clock's alarm wakes. Nothing sleeps.
pub(super) const CLOCK: u16 = 1 << 10;
/// The bits of the enable register that exist.
pub(super) const ENABLE_ALL: u16 = TIMER_CARRY | GLOBAL | POWER_BUTTON | SLEEP_BUTTON | CLOCK;

/// SCI_EN: events interrupt by SCI, not by SMI.
pub(super) const SCI: u16 = 1 << 0;
/// BM_RLD, and SLP_TYPx: the bits of the control register that keep what is written.
pub(super) const CONTROL_KEPT: u16 = 1 << 1 | 7 << SLEEP_TYPE_SHIFT;
/// Where SLP_TYPx is.
pub(super) const SLEEP_TYPE_SHIFT: u32 = 10;
/// SLP_EN: go to sleep. Reads as zero.
pub(super) const SLEEP: u16 = 1 << 13;
