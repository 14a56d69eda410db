//! Makes a VM's devices.
//!
//! An image has the models of the devices that its CPU's machines can have, and no others: what they are made by stands behind a
//! constant condition, and nothing else names them.

use core::num::{NonZeroU32, NonZeroU64};

use model::{Console, Controller, Vdev, VdevKind};
use vdev::{
    AcpiPower, Endpoint, Hpet, I8042, I8254, Ib700, Mc146818, Ns16550, PciHost, Pl011, Pl061, ResetRegister, Sp805,
};

use crate::bus::{Device, Kind, Plain, Serial, Timed};
use crate::direct::Direct;

/// A power key stays down for a second divided by this: longer than any driver waits until a key no longer bounces.
const KEY_HOLDS_PER_SECOND: u64 = 2;

/// Whether guests are PCs here.
const IS_PC: bool = matches!(arch::CONTROLLER, Controller::Apic);

/// The device that `config` describes. The next of `consoles` is its end of the console if it has one. `None` if there is no memory for
/// it, or no such device on this CPU.
pub(super) fn device(
    memory: &mut Direct,
    config: &'static Vdev,
    consoles: &mut impl Iterator<Item = &'static Endpoint>,
) -> Option<Device> {
    let endpoint = match config.kind.console() {
        Some(Console::Board(_)) => Some(consoles.next()?),
        Some(Console::Nowhere) | None => None,
    };
    let kind = if IS_PC { pc(memory, config, endpoint)? } else { arm(memory, config, endpoint)? };
    Some(Device::new(config, kind))
}

fn arm(memory: &mut Direct, config: &'static Vdev, endpoint: Option<&'static Endpoint>) -> Option<Kind> {
    let hz = arch::cpu::counter_hz();
    Some(match config.kind {
        VdevKind::Pl011 { .. } => Kind::Serial(Serial::new(config, memory.place(Pl011::new(endpoint))?, endpoint)),
        VdevKind::Pl061 => Kind::Timed(Timed::new(config, memory.place(Pl061::new(hz / KEY_HOLDS_PER_SECOND))?)),
        VdevKind::Sp805 { frequency_hz } => {
            // Neither is zero: assembly sees to the one (`frequency`), and the board's firmware to the other (DDI 0487 D11.1.2).
            let [own, counter] = [u64::from(frequency_hz), hz]
                .map(|hz| u32::try_from(hz).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN));
            Kind::Timed(Timed::new(config, memory.place(Sp805::new(own, counter))?))
        }
        _ => return None,
    })
}

fn pc(memory: &mut Direct, config: &'static Vdev, endpoint: Option<&'static Endpoint>) -> Option<Kind> {
    let hz = NonZeroU64::new(arch::cpu::counter_hz())?;
    let timed = |device| Kind::Timed(Timed::new(config, device));
    let plain = |device| Kind::Plain(Plain::new(config, device));
    Some(match config.kind {
        VdevKind::Ser8250 { .. } => Kind::Serial(Serial::new(config, memory.place(Ns16550::new(endpoint))?, endpoint)),
        VdevKind::Timer8254 => timed(memory.place(I8254::new(hz))?),
        VdevKind::Mc146818 { presets } => {
            let now = arch::clock::seconds_since_1970().unwrap_or(0);
            timed(memory.place(Mc146818::new(now, presets, hz))?)
        }
        VdevKind::Hpet => {
            let routes = config.lines.iter().fold(0, |routes, &line| routes | 1_u32.checked_shl(line).unwrap_or(0));
            timed(memory.place(Hpet::new(routes, hz))?)
        }
        VdevKind::Ib700 => timed(memory.place(Ib700::new(hz))?),
        VdevKind::AcpiPower => timed(memory.place(AcpiPower::new(hz))?),
        VdevKind::PcKeyboard => plain(memory.place(I8042::new())?),
        VdevKind::PciHost { functions } => plain(memory.place(PciHost::new(functions))?),
        VdevKind::ResetControl => plain(memory.place(ResetRegister::control())?),
        VdevKind::Port92 => plain(memory.place(ResetRegister::port_92())?),
        _ => return None,
    })
}
