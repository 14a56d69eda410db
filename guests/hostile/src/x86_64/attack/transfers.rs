//! Far transfers, interrupts by number, returns, calls of the system, single steps: all lead to nowhere, or are refused.

use super::code::register::{R8, RAX, RBX, RCX, RDX};
use super::{Code, Random, World};

/// Selectors: the guest's code, data, user's data and code, its TSS, none, and what there is none of.
const SELECTORS: &[u64] = &[0x08, 0x10, 0x1b, 0x23, 0x28, 0x00, 0x03, 0x38, 0x2b, 0xfff8, 0x0c];

/// Where a transfer leads that works: to nothing, or to what is no address.
fn target(random: &mut Random, world: &World) -> u64 {
    random.one_of(&[world.nowhere, world.nowhere + 0xfff, 1 << 47, 1 << 62, u64::MAX, 0xffff_8000_0000_0000])
}

/// `mov rbx, value`, `push rbx`.
fn push(code: &mut Code, value: u64) {
    code.constant(RBX, value);
    code.put(&[0x53]);
}

pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    let (selector, target) = (random.one_of(SELECTORS), target(random, world));
    match random.below(10) {
        // INT n, of any vector: of an exception, or of an interrupt that none sent.
        // Not 8: that is how a double fault is told, which there is to be none of.
        0 => {
            let vector = random.next() as u8;
            code.put(&[0xcd, if vector == 8 { 9 } else { vector }]);
        }
        // IRETQ, with flags as they come.
        1..=2 => {
            push(code, random.one_of(SELECTORS));
            push(code, random.value());
            push(code, random.value() & 0x3f_7fd7);
            push(code, selector);
            push(code, target);
            code.put(&[0x48, 0xcf]);
        }
        // RETFQ.
        3 => {
            push(code, selector);
            push(code, target);
            code.put(&[0x48, 0xcb]);
        }
        // `jmp` and `call` far, by ten bytes in memory: `mov [r8], rbx`, `mov [r8 + 8], eax`.
        4..=5 => {
            code.constant(R8, world.regions[0].0 + 0x100);
            code.constant(RBX, target);
            code.constant(RAX, selector);
            code.put(&[0x49, 0x89, 0x18, 0x41, 0x89, 0x40, 0x08]);
            code.put(&[0x49, 0xff, if random.below(2) == 0 { 0x28 } else { 0x18 }]);
        }
        // SYSCALL, SYSENTER, to where their MSRs lead, which is nowhere.
        6 => {
            msr(code, 0xc000_0082, world.nowhere);
            msr(code, 0xc000_0081, random.next() << 32 & 0xfffc_fffc_0000_0000);
            code.put(&[0x0f, 0x05]);
        }
        7 => {
            msr(code, 0x174, random.one_of(SELECTORS));
            msr(code, 0x176, world.nowhere);
            code.put(&[0x0f, 0x34]);
        }
        // SYSRET of either width, SYSEXIT: to CPL 3 and nowhere.
        8 => {
            code.constant(RCX, world.nowhere);
            code.constant(RDX, world.nowhere);
            let return_: &[u8] = random.one_of(&[&[0x48, 0x0f, 0x07], &[0x48, 0x0f, 0x35]]);
            code.put(return_);
        }
        // A single step: `pushf`, `or dword ptr [rsp], 0x100`, `popf`; then what is traced.
        _ => {
            code.put(&[0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d]);
            let traced: &[u8] = random.one_of(&[
                &[0x0f, 0xa2],       // cpuid
                &[0x0f, 0x01, 0xd9], // vmmcall
                &[0x0f, 0x32],       // rdmsr
                &[0x90],
                &[0x8e, 0xd0], // mov ss, eax
                &[0xec],       // in al, dx
                &[0xcc],       // int3
            ]);
            code.put(traced);
            code.put(&[0x90]);
        }
    }
}

fn msr(code: &mut Code, msr: u64, value: u64) {
    code.constant(RCX, msr);
    code.constant(RAX, value & 0xffff_ffff);
    code.constant(RDX, value >> 32);
    code.put(&[0x0f, 0x30]);
}
