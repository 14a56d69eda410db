//! Control registers, debug registers, EFER and XCR0, bit by bit.

use super::code::register::{RAX, RBX, RCX, RDX};
use super::{Code, Random, World};

/// CR0.PE and PG: without them this is no 64-bit mode. Refused in a VM; a bare TCG lets some through.
const STANDS_ON_CR0: u64 = 1 | 1 << 31;
/// CR4.PAE; LA57, which changes what tables mean; VMXE's and CET's refusals are any CPU's.
const STANDS_ON_CR4: u64 = 1 << 5 | 1 << 12;
/// EFER.LME and LMA, and SVME of a board.
const STANDS_ON_EFER: u64 = 1 << 8 | 1 << 10;

/// CR4's bits that QEMU 7.2 knows; with others a bare one hangs.
const KNOWN_TO_QEMU: u64 = 0x30_019c;

const MSR_EFER: u64 = 0xc000_0080;

/// `value` with some of its bits turned.
fn turned(random: &mut Random, value: u64) -> u64 {
    match random.below(4) {
        0 => value ^ 1 << random.below(64),
        1 => value ^ 1 << random.below(32),
        2 => value ^ random.below(1 << 24) & random.next(),
        _ => value ^ random.value(),
    }
}

pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    let [cr0, cr4, efer, xcr0] = world.control;
    let kept = |value: u64, now: u64, bits: u64| value & !bits | now & bits;
    let choice = random.below(12);
    match choice {
        0..=3 => {
            let is_cr4 = choice >= 2;
            let now = if is_cr4 { cr4 } else { cr0 };
            let bits = if is_cr4 { STANDS_ON_CR4 } else { STANDS_ON_CR0 };
            let mut value = turned(random, now);
            // What is refused does no harm.
            if !world.is_virtual || random.below(4) != 0 {
                value = kept(value, now, bits);
            }
            if is_cr4 && !world.is_virtual {
                value = kept(value, now, !KNOWN_TO_QEMU);
            }
            code.constant(RBX, value);
            code.put(&[0x0f, 0x22, if is_cr4 { 0xe3 } else { 0xc3 }]);
            // And back, so that what follows is not all of one kind.
            code.constant(RBX, now);
            code.put(&[0x0f, 0x22, if is_cr4 { 0xe3 } else { 0xc3 }]);
        }
        // LMSW, which can set PE and not clear it; CLTS.
        4 => {
            code.constant(RAX, random.next() & 0xe);
            code.put(&[0x0f, 0x01, 0xf0, 0x0f, 0x06]);
        }
        // CR2; CR8, which is TPR; those that there are none of.
        5 => {
            code.constant(RBX, random.value());
            match random.below(3) {
                0 => code.put(&[0x0f, 0x22, 0xd3]),
                1 => code.put(&[0x44, 0x0f, 0x22, 0xc3]),
                _ => code.put(&[0x0f, 0x22, 0xc3 | random.one_of(&[1, 5, 6, 7]) << 3]),
            }
        }
        // Reads: all sixteen.
        6 => {
            let number = random.below(16) as u8;
            code.put(&[0x40 | number >> 3 << 2, 0x0f, 0x20, 0xc3 | (number & 7) << 3]);
        }
        // Debug registers: written and read.
        7..=8 => {
            let number = random.below(8) as u8;
            let value = random.value();
            // DR7 without breakpoints that are enabled, half of the time.
            let value = if number == 7 && random.below(2) == 0 { value & !0xff } else { value };
            code.constant(RBX, value);
            code.put(&[0x0f, 0x23, 0xc3 | number << 3, 0x0f, 0x21, 0xc3 | number << 3]);
        }
        9 => {
            let value = turned(random, efer);
            let value =
                if world.is_virtual && random.below(4) == 0 { value } else { kept(value, efer, STANDS_ON_EFER) };
            let value = if world.is_virtual { value } else { value & !(1 << 12) };
            for value in [value, efer] {
                code.constant(RCX, MSR_EFER);
                code.constant(RAX, value & 0xffff_ffff);
                code.constant(RDX, value >> 32);
                code.put(&[0x0f, 0x30]);
            }
        }
        10 => {
            let value = turned(random, xcr0);
            code.constant(RCX, if random.below(8) == 0 { random.value() } else { 0 });
            code.constant(RAX, value & 0xffff_ffff);
            code.constant(RDX, value >> 32);
            code.put(&[0x0f, 0x01, 0xd1]);
        }
        // CR3 with other bits that say nothing or are refused: what it points to stays. And POPF of anything but TF and IF.
        _ => match random.below(2) {
            0 => {
                // mov rbx, cr3; xor rbx, imm8; mov cr3, rbx
                code.put(&[0x0f, 0x20, 0xdb, 0x48, 0x83, 0xf3, random.below(2) as u8 * 0x18, 0x0f, 0x22, 0xdb]);
            }
            _ => {
                code.constant(RBX, random.next() & !0x300);
                code.put(&[0x53, 0x9d]);
            }
        },
    }
}
