//! Privileged instructions, and those of extensions that a guest may not have.

use super::code::register::{R8, RAX, RCX, RDX};
use super::{Code, Random, World};

/// Whole instructions. Operands in memory are at r8, a stack's worth of the memory that may be spoilt.
const INSTRUCTIONS: &[&[u8]] = &[
    &[0x0f, 0xa2],                         // cpuid
    &[0x0f, 0x01, 0xd9],                   // vmmcall
    &[0x0f, 0x01, 0xc1],                   // vmcall
    &[0x0f, 0x01, 0xd8],                   // vmrun
    &[0x0f, 0x01, 0xda],                   // vmload
    &[0x0f, 0x01, 0xdb],                   // vmsave
    &[0x0f, 0x01, 0xdc],                   // stgi
    &[0x0f, 0x01, 0xdd],                   // clgi
    &[0x0f, 0x01, 0xde],                   // skinit
    &[0x0f, 0x01, 0xdf],                   // invlpga
    &[0x0f, 0x01, 0xc2],                   // vmlaunch
    &[0x0f, 0x01, 0xc3],                   // vmresume
    &[0x0f, 0x01, 0xc4],                   // vmxoff
    &[0x41, 0x0f, 0xc7, 0x30],             // vmptrld
    &[0xf3, 0x41, 0x0f, 0xc7, 0x30],       // vmxon
    &[0x66, 0x41, 0x0f, 0xc7, 0x30],       // vmclear
    &[0x41, 0x0f, 0xc7, 0x38],             // vmptrst
    &[0x0f, 0x78, 0xc0],                   // vmread
    &[0x0f, 0x79, 0xc0],                   // vmwrite
    &[0x66, 0x41, 0x0f, 0x38, 0x80, 0x00], // invept
    &[0x66, 0x41, 0x0f, 0x38, 0x82, 0x00], // invpcid
    &[0x0f, 0x37],                         // getsec
    &[0x0f, 0xaa],                         // rsm
    &[0x0f, 0x01, 0xc8],                   // monitor
    &[0x0f, 0x01, 0xfa],                   // monitorx
    &[0x0f, 0x01, 0xd0],                   // xgetbv
    &[0x0f, 0x01, 0xd1],                   // xsetbv
    &[0x0f, 0x01, 0xd4],                   // vmfunc
    &[0x0f, 0x01, 0xd5],                   // xend
    &[0x0f, 0x01, 0xca],                   // clac
    &[0x0f, 0x01, 0xcb],                   // stac
    &[0x0f, 0x01, 0xcf],                   // encls
    &[0x0f, 0x01, 0xf9],                   // rdtscp
    &[0x0f, 0x01, 0xee],                   // rdpkru
    &[0x0f, 0x01, 0xef],                   // wrpkru
    &[0x0f, 0x31],                         // rdtsc
    &[0x0f, 0x33],                         // rdpmc
    &[0x0f, 0x06],                         // clts
    &[0x0f, 0x08],                         // invd
    &[0x0f, 0x09],                         // wbinvd
    &[0xf3, 0x0f, 0x09],                   // wbnoinvd
    &[0x41, 0x0f, 0x01, 0x38],             // invlpg [r8]
    &[0x41, 0x0f, 0x01, 0x00],             // sgdt [r8]
    &[0x41, 0x0f, 0x01, 0x08],             // sidt [r8]
    &[0x0f, 0x00, 0xc0],                   // sldt
    &[0x0f, 0x00, 0xc8],                   // str
    &[0x0f, 0x01, 0xe0],                   // smsw
    &[0x0f, 0x00, 0xd0],                   // lldt
    &[0x0f, 0x00, 0xd8],                   // ltr
    &[0x0f, 0x02, 0xc0],                   // lar
    &[0x0f, 0x03, 0xc0],                   // lsl
    &[0x0f, 0x00, 0xe0],                   // verr
    &[0x8e, 0xd8],                         // mov ds, eax
    &[0x8e, 0xd0],                         // mov ss, eax
    &[0x8e, 0xe0],                         // mov fs, eax
    &[0xf3, 0x0f, 0xae, 0xd0],             // wrfsbase eax
    &[0x0f, 0xa1],                         // pop fs, of what is on the stack
    &[0x0f, 0xc7, 0xf0],                   // rdrand
    &[0x0f, 0xc7, 0xf8],                   // rdseed
    &[0xf3, 0x0f, 0xc7, 0xf8],             // rdpid
    &[0xf3, 0x90],                         // pause
    &[0xd9, 0xd0],                         // fnop
    &[0x9b],                               // fwait
    &[0x0f, 0x77],                         // emms
    &[0x0f, 0x0b],                         // ud2
    &[0x0f, 0xff],                         // ud0
    &[0x0f, 0x04],                         // none
    &[0x0f, 0x0e],                         // femms
    &[0x0f, 0x24, 0xc0],                   // mov to a test register
    &[0xd6],                               // salc
    &[0x9a],                               // a far call by address, of 32-bit code
    &[0xf1],                               // icebp
    &[0xcc],                               // int3
    &[0xf0, 0x0f, 0xa2],                   // lock cpuid
    // Longer than 15 bytes.
    &[0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90],
];

/// Whole instructions that only a hypervisor keeps from doing something.
fn is_for_guests(instruction: &[u8], world: &World) -> bool {
    // MONITOR arms, and what is a halt to a board is left to `halt`.
    world.is_virtual || !matches!(instruction, [0x0f, 0x01, 0xc8 | 0xfa])
}

/// `sti`, `hlt`: with an interrupt of its own pending, so that it ends.
fn halt(world: &World, code: &mut Code) {
    code.constant(R8, world.local_apic + 0x300);
    code.constant(RAX, 1 << 18 | 0x41);
    code.put(&[0x41, 0x89, 0x00, 0xfb, 0xf4]);
}

fn put(random: &mut Random, world: &World, code: &mut Code, instruction: &[u8]) {
    if !is_for_guests(instruction, world) {
        return code.put(&[0x90]);
    }
    // Not LTR of a null selector: a CPU refuses it, QEMU takes it, and ends itself at the next interrupt (`invalid tss`).
    let is_task = instruction == [0x0f, 0x00, 0xd8];
    code.constant(RAX, random.value() | if is_task { 0x28 } else { 0 });
    code.constant(RCX, random.value());
    code.constant(RDX, random.value());
    code.constant(R8, if random.below(4) == 0 { world.nowhere } else { world.regions[0].0 + random.below(0x800) });
    code.put(instruction);
}

pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    if random.below(64) == 0 {
        return halt(world, code);
    }
    put(random, world, code, random.clone().one_of(INSTRUCTIONS));
    random.next();
}

/// Each with several operands.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    const EACH: u64 = 16;
    let Some(instruction) = INSTRUCTIONS.get((index / EACH) as usize) else { return false };
    put(&mut Random::new(index), world, code, instruction);
    true
}
