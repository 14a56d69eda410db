//! The registers of the local APIC and of the I/O APIC.

use super::code::register::{R8, R9, RAX};
use super::{Code, Random, World};

/// Registers of the local APIC that do something.
const LOCAL: &[u64] = &[
    0x20, 0x30, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x100, 0x180, 0x200, 0x280, 0x2f0, 0x300, 0x300, 0x310,
    0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x380, 0x390, 0x3e0, 0x400, 0x410,
];
const ICR: u64 = 0x300;
const LVT_TIMER: u64 = 0x320;

/// Without what would end this CPU (INIT and start-up) or is a board's (SMI): delivery modes fixed and NMI.
fn spared(register: u64, value: u64) -> u64 {
    match register & 0xff0 {
        ICR => value & !0x700 | if value & 0x100 == 0 { 0 } else { 0x400 },
        // It has no delivery mode; QEMU gives it one.
        LVT_TIMER => value & !0x700,
        0x2f0..=0x370 => value & !0x700 | if value & 0x100 == 0 { 0 } else { 0x400 },
        _ => value,
    }
}

/// The offset of a store to the local APIC: on a board not where there is no register at its beginning, because QEMU takes that for a
/// message-signalled interrupt of a device's, of any delivery mode.
fn tamed(world: &World, offset: u64) -> u64 {
    if !world.is_virtual && offset < 0x10 { 0x80 } else { offset }
}

/// `mov eax, [r8]` of 1, 2, 4 and 8 bytes; a store is one bit away.
fn access(code: &mut Code, address: u64, width: u64, store: Option<u64>) {
    code.constant(R8, address);
    code.constant(RAX, store.unwrap_or(0));
    let store = if store.is_some() { 0 } else { 2 };
    match width {
        1 => code.put(&[0x41, 0x88 | store, 0x00]),
        2 => code.put(&[0x66, 0x41, 0x89 | store, 0x00]),
        8 => code.put(&[0x49, 0x89 | store, 0x00]),
        _ => code.put(&[0x41, 0x89 | store, 0x00]),
    }
}

/// A register of the I/O APIC by its window, `mov [r9], eax` before.
fn window(code: &mut Code, world: &World, register: u64, store: Option<u64>) {
    code.constant(R9, world.io_apic);
    code.constant(RAX, register);
    code.put(&[0x41, 0x89, 0x01]);
    access(code, world.io_apic + 0x10, 4, store);
}

/// Whether this touches the window, which may be wherever the lower eight bits say.
fn is_window(offset: u64, width: u64) -> bool {
    let offset = offset & 0xff;
    offset < 0x14 && offset + width > 0x10
}

pub(super) fn at_random(random: &mut Random, world: &World, code: &mut Code) {
    let value = random.value();
    let store = random.below(2) == 0;
    match random.below(8) {
        0..=3 => {
            let register = random.one_of(LOCAL) + if random.below(2) == 0 { 0 } else { 16 * random.below(8) };
            let value = if register == ICR && random.below(2) == 0 { random_command(random) } else { value };
            access(code, world.local_apic + register, 4, store.then(|| spared(register, value)));
        }
        4 => {
            let (offset, width) = (random.below(0x1000), random.one_of(&[1, 2, 4, 8]));
            // Across registers, or parts of one: none that sends.
            let sends = (ICR..ICR + 0x10).contains(&(offset & !7)) || (0x2f0..0x380).contains(&(offset & !7));
            let offset = if store { tamed(world, offset) } else { offset };
            access(code, world.local_apic + offset, width, (store && !sends).then_some(value));
        }
        5..=6 => {
            let register = if random.below(4) == 0 { random.below(256) } else { random.below(0x40) };
            // Fixed or NMI, as above.
            let value = if register < 0x10 || register & 1 == 1 { value } else { spared(ICR, value) };
            window(code, world, register, store.then_some(value));
        }
        _ => {
            let (offset, width) = (random.below(0x1000), random.one_of(&[1, 2, 4, 8]));
            // The window holds a register that is not known here, so nothing is stored to it.
            access(code, world.io_apic + offset, width, (store && !is_window(offset, width)).then_some(value));
        }
    }
}

/// Fixed or NMI, to itself, to all, or to anybody, logical or physical.
fn random_command(random: &mut Random) -> u64 {
    random.below(256)
        | random.one_of(&[0, 0x400])
        | random.below(2) << 11
        | random.below(2) << 15
        | random.below(4) << 18
}

/// Every word of both, read and written with ones, zeros and a walking bit; then every register behind the window.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    let (number, kind) = (index / 5, index % 5);
    let value = [None, Some(u64::MAX), Some(0), Some(1 << (number % 32)), None][kind as usize];
    match number {
        0..0x400 => {
            let register = tamed(world, number * 4);
            access(code, world.local_apic + register, 4, value.map(|value| spared(register, value)));
        }
        0x400..0x800 => {
            let register = (number - 0x400) * 4;
            let value = value.filter(|_| !is_window(register, 4));
            access(code, world.io_apic + register, 4, value);
        }
        0x800..0x900 => {
            let register = number - 0x800;
            window(code, world, register, value.map(|value| spared(ICR, value)));
        }
        _ => return false,
    }
    true
}
