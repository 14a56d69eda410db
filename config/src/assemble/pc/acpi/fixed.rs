//! The tables that are numbers: FADT, FACS, MADT, HPET.

use acpi_tables::Aml;
use acpi_tables::facs::FACS;
use acpi_tables::fadt::{FADTBuilder, Flags};
use acpi_tables::gas::{AccessSize, AddressSpace, GAS};
use acpi_tables::madt::{EnabledStatus, IoApic, ProcessorLocalApic};
use acpi_tables::sdt::Sdt;
use model::Pc;

use super::{Facts, OEM, OEM_REVISION, OEM_TABLE, aml};
use crate::assemble::VdevKind;
use crate::assemble::passing::Told;

/// PM1a_EVT_BLK, PM1a_CNT_BLK and PM_TMR_BLK, and their lengths.
const PM1_EVENT: (u16, u8) = (0x600, 4);
const PM1_CONTROL: (u16, u8) = (0x604, 2);
const PM_TIMER: (u16, u8) = (0x608, 4);
/// ACPI's interrupt: level, high.
pub(super) const SCI: u8 = 9;
/// The reset register, and what resets.
const RESET: (u16, u8) = (0xcf9, 6);
/// Longer than any: there is no C2 and no C3 (5.2.9, P_LVL2_LAT, P_LVL3_LAT).
const NO_SLEEP_STATE: u16 = 0xfff;
/// IAPC_BOOT_ARCH (table 5.11).
const LEGACY_DEVICES: u16 = 1 << 0;
const KEYBOARD_CONTROLLER: u16 = 1 << 1;
const NO_VGA: u16 = 1 << 2;
const NO_MSI: u16 = 1 << 3;
const NO_ASPM: u16 = 1 << 4;
const NO_CLOCK: u16 = 1 << 5;
/// The MADT's flags: there are 8259s too (table 5.20).
const PCAT_COMPAT: u32 = 1;
/// MPS INTI flags: high, level (table 5.26).
const LEVEL_HIGH: u16 = 0b11 << 2 | 0b01;
/// General Capabilities of a HPET with three 64-bit timers that can take over from the 8254 (IA-PC HPET 1.0a, 2.3.4).
const HPET_ID: u32 = 0x8086_a201;

pub(super) fn facs() -> Vec<u8> {
    aml(&FACS::new())
}

/// The fixed hardware (5.2.9). It is in ACPI mode out of reset: there is no SMI to ask for it.
pub(super) fn fadt(facts: &Facts, facs: u64, dsdt: u64) -> Vec<u8> {
    let has = |wanted: fn(&VdevKind) -> bool| facts.vdevs.iter().any(|vdev| wanted(&vdev.kind));
    let mut fadt = FADTBuilder::new(OEM, OEM_TABLE, OEM_REVISION)
        .flag(Flags::Wbinvd)
        .flag(Flags::ProcC1)
        .flag(Flags::SlpButton)
        .flag(Flags::FixRtc)
        .flag(Flags::ResetRegSup);
    // Both are below 4 GiB; programs that know the old fields only look there.
    fadt.firmware_ctrl = low(facs).into();
    fadt.dsdt = low(dsdt).into();
    fadt.x_dsdt = dsdt.into();
    fadt.sci_int = u16::from(SCI).into();
    (fadt.pm1a_evt_blk, fadt.pm1_evt_len, fadt.x_pm1a_evt_blk) = block(PM1_EVENT);
    (fadt.pm1a_cnt_blk, fadt.pm1_cnt_len, fadt.x_pm1a_cnt_blk) = block(PM1_CONTROL);
    (fadt.pm_tmr_blk, fadt.pm_tmr_len, fadt.x_pm_tmr_blk) = block(PM_TIMER);
    fadt.p_lvl2_lat = NO_SLEEP_STATE.into();
    fadt.p_lvl3_lat = NO_SLEEP_STATE.into();
    let mut boot = LEGACY_DEVICES | NO_VGA | NO_MSI | NO_ASPM;
    if has(|kind| matches!(kind, VdevKind::PcKeyboard)) {
        boot |= KEYBOARD_CONTROLLER;
    }
    let is_clock = |told: &Told| told.id == "PNP0B00";
    if !has(|kind| matches!(kind, VdevKind::Mc146818 { .. })) && !facts.passed.iter().any(is_clock) {
        boot |= NO_CLOCK;
    }
    fadt.iapc_boot_arch = boot.into();
    fadt.reset_reg = GAS::new(AddressSpace::SystemIo, 8, 0, AccessSize::ByteAccess, RESET.0.into());
    fadt.reset_value = RESET.1;
    aml(&fadt.finalize())
}

/// One block of registers as the fields of the FADT have it.
fn block<A: From<u32>>((port, bytes): (u16, u8)) -> (A, u8, GAS) {
    let access = if bytes == 2 { AccessSize::WordAccess } else { AccessSize::DwordAccess };
    let access = if port == PM1_EVENT.0 { AccessSize::WordAccess } else { access };
    (u32::from(port).into(), bytes, GAS::new(AddressSpace::SystemIo, bytes * 8, 0, access, port.into()))
}

fn low(address: u64) -> u32 {
    u32::try_from(address).unwrap_or(0)
}

/// CPUs and interrupt controllers (5.2.12). Line N of the ISA bus is line N of the I/O APIC, so only ACPI's own is told of,
/// which is no edge as the others are.
pub(super) fn madt(facts: &Facts) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(low(Pc::LOCAL_APIC.0).to_le_bytes());
    body.extend(if facts.machine.has_pic { PCAT_COMPAT } else { 0 }.to_le_bytes());
    for cpu in (0..facts.vcpus).filter_map(|cpu| u8::try_from(cpu).ok()) {
        ProcessorLocalApic::new(cpu, cpu, EnabledStatus::Enabled).to_aml_bytes(&mut body);
    }
    if let Some(io_apic) = facts.machine.io_apic {
        IoApic::new(0, low(io_apic.0), 0).to_aml_bytes(&mut body);
        // Interrupt source override (5.2.12.5).
        body.extend([2, 10, 0, SCI]);
        body.extend(u32::from(SCI).to_le_bytes());
        body.extend(LEVEL_HIGH.to_le_bytes());
    }
    // NMIs come in at LINT1 of every local APIC (5.2.12.7).
    body.extend([4, 6, 0xff, 0, 0, 1]);
    table(*b"APIC", 5, &body)
}

/// The HPET, if there is one (IA-PC HPET 1.0a, 3.2.4).
pub(super) fn hpet(facts: &Facts) -> Option<Vec<u8>> {
    let hpet = facts.vdevs.iter().find(|vdev| matches!(vdev.kind, VdevKind::Hpet))?;
    let (gpa, _) = hpet.frame()?;
    let mut body = HPET_ID.to_le_bytes().to_vec();
    GAS::new(AddressSpace::SystemMemory, 64, 0, AccessSize::Undefined, gpa.0).to_aml_bytes(&mut body);
    // Its number, the shortest period, and that its page has nothing else.
    body.extend([0, 0x80, 0, 1]);
    Some(table(*b"HPET", 1, &body))
}

/// A table with this content.
pub(super) fn table(signature: [u8; 4], revision: u8, body: &[u8]) -> Vec<u8> {
    let mut table = Sdt::new(signature, 36, revision, OEM, OEM_TABLE, OEM_REVISION);
    table.append_slice(body);
    table.as_slice().to_vec()
}
