//! Offsets and bits of the SP805's registers (Arm DDI 0270B, chapter 3).

/// WDOGLOAD: what the count begins from.
pub(super) const LOAD: u64 = 0x000;
/// WDOGVALUE: where the count is.
pub(super) const VALUE: u64 = 0x004;
/// WDOGCONTROL.
pub(super) const CONTROL: u64 = 0x008;
/// WDOGINTCLR: any store feeds the watchdog.
pub(super) const INTCLR: u64 = 0x00c;
/// WDOGRIS: the raw interrupt.
pub(super) const RIS: u64 = 0x010;
/// WDOGMIS: the masked interrupt.
pub(super) const MIS: u64 = 0x014;
/// WDOGLOCK.
pub(super) const LOCK: u64 = 0xc00;
/// WDOGITCR: integration test mode.
pub(super) const ITCR: u64 = 0xf00;
/// WDOGITOP: the outputs in that mode.
pub(super) const ITOP: u64 = 0xf04;
/// WDOGPeriphID0; the seven other identification registers follow.
pub(super) const PERIPH_ID0: u64 = 0xfe0;

/// WDOGPeriphID0 to 3 (part 0x805, designer 0x41, revision 1) and WDOGPCellID0 to 3.
pub(super) const IDENTIFICATION: [u8; 8] = [0x05, 0x18, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

/// Counts and interrupts.
pub(super) const INTEN: u32 = 1 << 0;
/// The second time-out resets.
pub(super) const RESEN: u32 = 1 << 1;

/// Stored to WDOGLOCK, it gives access to the other registers; anything else takes it.
pub(super) const UNLOCK: u32 = 0x1acc_e551;

/// Integration test mode is on.
pub(super) const ITCR_ENABLE: u32 = 1 << 0;
/// The reset output in integration test mode.
pub(super) const ITOP_RES: u32 = 1 << 0;
/// The interrupt in integration test mode.
pub(super) const ITOP_INT: u32 = 1 << 1;
