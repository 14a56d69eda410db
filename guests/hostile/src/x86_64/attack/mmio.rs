//! Instructions with an operand in memory, in every form that the instruction set has for it: those that a hypervisor may emulate, and
//! those that it may not know.

use super::code::register::{R8, R9, RAX, RCX, RDX, RSI};
use super::{Code, Random, World};

/// What is behind the operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Immediate {
    None,
    Byte,
    /// As wide as the operand, at most 4.
    Full,
}
use Immediate::{Byte, Full, None as Nothing};

/// Opcodes of one byte with ModRM: the opcode, the values that its field `reg` may have as a mask (all: a register), what follows.
/// CALL and JMP by memory are left out: they lead to where a device says.
const ONE: &[(u8, u8, Immediate)] = &[
    (0x00, 0, Nothing),
    (0x01, 0, Nothing),
    (0x02, 0, Nothing),
    (0x03, 0, Nothing),
    (0x08, 0, Nothing),
    (0x09, 0, Nothing),
    (0x0b, 0, Nothing),
    (0x11, 0, Nothing),
    (0x13, 0, Nothing),
    (0x19, 0, Nothing),
    (0x21, 0, Nothing),
    (0x23, 0, Nothing),
    (0x29, 0, Nothing),
    (0x2b, 0, Nothing),
    (0x31, 0, Nothing),
    (0x33, 0, Nothing),
    (0x38, 0, Nothing),
    (0x39, 0, Nothing),
    (0x3b, 0, Nothing),
    (0x63, 0, Nothing),
    (0x69, 0, Full),
    (0x6b, 0, Byte),
    (0x80, 0xff, Byte),
    (0x81, 0xff, Full),
    (0x83, 0xff, Byte),
    (0x84, 0, Nothing),
    (0x85, 0, Nothing),
    (0x86, 0, Nothing),
    (0x87, 0, Nothing),
    // Again and again, because they are what is emulated.
    (0x88, 0, Nothing),
    (0x89, 0, Nothing),
    (0x8a, 0, Nothing),
    (0x8b, 0, Nothing),
    (0x89, 0, Nothing),
    (0x8b, 0, Nothing),
    (0xc6, 0x01, Byte),
    (0xc7, 0x01, Full),
    (0x8c, 0, Nothing),
    (0x8f, 0x01, Nothing),
    (0xc0, 0xff, Byte),
    (0xc1, 0xff, Byte),
    (0xd0, 0xff, Nothing),
    (0xd1, 0xff, Nothing),
    (0xd2, 0xff, Nothing),
    (0xd3, 0xff, Nothing),
    // x87, all of whose memory forms fill the field.
    (0xd8, 0xff, Nothing),
    (0xd9, 0xff, Nothing),
    (0xda, 0xff, Nothing),
    (0xdb, 0xff, Nothing),
    (0xdc, 0xff, Nothing),
    (0xdd, 0xff, Nothing),
    (0xde, 0xff, Nothing),
    (0xdf, 0xff, Nothing),
    (0xf6, 0x01, Byte),
    (0xf7, 0x01, Full),
    (0xf6, 0xfc, Nothing),
    (0xf7, 0xfc, Nothing),
    (0xfe, 0x03, Nothing),
    (0xff, 0x43, Nothing),
];

/// The same behind 0F. LGDT and LIDT by memory are left out: they would take what a device says.
const TWO: &[(u8, u8, Immediate)] = &[
    (0x00, 0x33, Nothing), // SLDT, STR, VERR, VERW
    (0x01, 0x93, Nothing), // SGDT, SIDT, SMSW, INVLPG
    (0x02, 0, Nothing),
    (0x0d, 0xff, Nothing),
    (0x10, 0, Nothing),
    (0x11, 0, Nothing),
    (0x12, 0, Nothing),
    (0x13, 0, Nothing),
    (0x16, 0, Nothing),
    (0x17, 0, Nothing),
    (0x18, 0xff, Nothing),
    (0x28, 0, Nothing),
    (0x29, 0, Nothing),
    (0x2a, 0, Nothing),
    (0x2b, 0, Nothing),
    (0x2d, 0, Nothing),
    (0x2e, 0, Nothing),
    (0x40, 0, Nothing),
    (0x4f, 0, Nothing),
    (0x51, 0, Nothing),
    (0x54, 0, Nothing),
    (0x58, 0, Nothing),
    (0x5a, 0, Nothing),
    (0x60, 0, Nothing),
    (0x6e, 0, Nothing),
    (0x6f, 0, Nothing),
    (0x70, 0, Byte),
    (0x7e, 0, Nothing),
    (0x7f, 0, Nothing),
    (0x90, 0xff, Nothing),
    (0x9f, 0xff, Nothing),
    (0xa3, 0, Nothing),
    (0xa4, 0, Byte),
    (0xa5, 0, Nothing),
    (0xab, 0, Nothing),
    (0xad, 0, Nothing),
    (0xae, 0xbf, Nothing), // FXSAVE to XRSTOR, CLFLUSH
    (0xaf, 0, Nothing),
    (0xb0, 0, Nothing),
    (0xb1, 0, Nothing),
    (0xb3, 0, Nothing),
    (0xb6, 0, Nothing),
    (0xb7, 0, Nothing),
    (0xbe, 0, Nothing),
    (0xbf, 0, Nothing),
    (0xba, 0xf0, Byte),
    (0xbb, 0, Nothing),
    (0xbc, 0, Nothing),
    (0xbd, 0, Nothing),
    (0xc0, 0, Nothing),
    (0xc1, 0, Nothing),
    (0xc2, 0, Byte),
    (0xc3, 0, Nothing),
    (0xc4, 0, Byte),
    (0xc6, 0, Byte),
    (0xc7, 0x02, Nothing),
    (0xd4, 0, Nothing),
    (0xe7, 0, Nothing),
    (0xef, 0, Nothing),
    (0xf0, 0, Nothing),
    (0xfe, 0, Nothing),
];
/// Behind 0F 38: MOVBE, CRC32, PSHUFB, MOVNTDQA, ADCX.
const THREE: &[u8] = &[0xf0, 0xf1, 0x00, 0x2a, 0xf6];

/// By the accumulator: the address is in the instruction (MOV with moffs).
const BY_ADDRESS: [u8; 4] = [0xa0, 0xa1, 0xa2, 0xa3];
/// Prefixes that mean something to some, and one that means nothing.
const PREFIXES: [u8; 8] = [0x66, 0xf2, 0xf3, 0xf0, 0x64, 0x65, 0x2e, 0x3e];

/// Registers that may change, as the fields of ModRM have them with REX.
const FREE: [u8; 5] = [RAX, RCX, RDX, RSI, 7];

/// An instruction without its prefixes and its operand.
#[derive(Clone, Copy)]
struct Form {
    /// 0F, 0F 38 or nothing before the opcode.
    escape: &'static [u8],
    opcode: u8,
    fields: u8,
    immediate: Immediate,
}

/// Number `index` of all.
fn form(index: usize) -> Option<Form> {
    let of = |escape, &(opcode, fields, immediate): &(u8, u8, Immediate)| Form { escape, opcode, fields, immediate };
    let three = |&opcode: &u8| Form { escape: &[0x0f, 0x38], opcode, fields: 0, immediate: Nothing };
    let one = ONE.iter().map(|it| of(&[], it));
    one.chain(TWO.iter().map(|it| of(&[0x0f], it))).chain(THREE.iter().map(three)).nth(index)
}

const FORMS: usize = ONE.len() + TWO.len() + THREE.len();

/// Puts `form` with the operand at `address`, by one of several ways to address it.
fn put(code: &mut Code, form: Form, address: u64, prefixes: &[u8], is_wide: bool, field: u8, way: u8) {
    let has_32 = prefixes.contains(&0x66);
    // REX.B for r8; with an index also REX.X for r9. REX always, so that no register is one of AH to BH.
    let (rex, operand): (u8, &[u8]) = match way {
        0 => (0x41, &[0x00]),
        1 => (0x41, &[0x40, 0x10]),
        2 => (0x43, &[0x04, 0x88]),
        _ => (0x41, &[0x80, 0xf0, 0xff, 0xff, 0xff]),
    };
    let base = match way {
        0 => address,
        1 => address.wrapping_sub(0x10),
        2 => address.wrapping_sub(0x40),
        _ => address.wrapping_add(0x10),
    };
    code.constant(R8, base);
    if way == 2 {
        code.constant(R9, 0x10);
    }
    code.put(prefixes);
    code.put(&[rex | if is_wide { 8 } else { 0 }]);
    code.put(form.escape);
    code.put(&[form.opcode]);
    let (first, rest) = operand.split_first().unwrap_or((&0, &[]));
    code.put(&[first | field << 3]);
    code.put(rest);
    match form.immediate {
        Nothing => {}
        Byte => code.put(&[0x5a]),
        Full if has_32 && !is_wide => code.put(&[0x5a, 0xa5]),
        Full => code.put(&[0x5a, 0xa5, 0x3c, 0x43]),
    }
}

/// A value of the field `reg` that the form has.
fn field(random: &mut Random, form: Form) -> u8 {
    if form.fields == 0 {
        return random.one_of(&FREE);
    }
    loop {
        let field = random.below(8) as u8;
        if form.fields & 1 << field != 0 {
            return field;
        }
    }
}

/// Any instruction at any address.
pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    let address = world.address(random);
    // XSAVE and its like save what these say.
    code.constant(RAX, if random.below(2) == 0 { random.value() } else { 3 });
    code.constant(RDX, 0);
    code.constant(RCX, random.value());
    match random.below(16) {
        0..=12 => {
            let form = form(random.below(FORMS as u64) as usize).unwrap_or(Form {
                escape: &[],
                opcode: 0x8b,
                fields: 0,
                immediate: Nothing,
            });
            let count = random.below(8).saturating_sub(5) as usize;
            let prefixes = [random.one_of(&PREFIXES), random.one_of(&PREFIXES)];
            let (is_wide, way) = (random.below(3) == 0, random.below(4) as u8);
            let field = field(random, form);
            // The state to be saved is of 576 bytes at most.
            if form.opcode == 0xae {
                code.constant(RAX, 3);
            }
            put(code, form, address, &prefixes[..count], is_wide, field, way);
        }
        13 => {
            let wide: &[u8] = if random.below(2) == 0 { &[0x48] } else { &[] };
            code.put(wide);
            code.put(&[random.one_of(&BY_ADDRESS)]);
            code.put(&address.to_le_bytes());
        }
        // VEX: vmovups and vmovdqa, of xmm0 or ymm0, loads and stores.
        14 => {
            code.constant(R8, address);
            let opcode = random.one_of(&[0x10, 0x11, 0x28, 0x29, 0x6f, 0x7f]);
            code.put(&[0xc4, 0xc1, random.one_of(&[0x78, 0x7c, 0x79, 0x7d]), opcode, 0x00]);
        }
        _ => fetch(random, world, code),
    }
}

/// `call r8`: a fetch, from where there is nothing. If zeros are read from there, `add [rax], al` is executed, and does no harm where rax
/// is; the timer ends it: `sti` before.
fn fetch(random: &mut Random, world: &World, code: &mut Code) {
    let (base, size) = world.regions[random.one_of(&world.empty)];
    code.constant(RAX, world.regions[0].0);
    code.constant(R8, base + random.below(size));
    code.put(&[0xfb, 0x41, 0xff, 0xd0]);
}

/// Every form at the beginning, inside, and across the end of every region.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    let (number, place) = (index % FORMS as u64, index / FORMS as u64);
    let Some(&(base, size)) = world.regions.get((place / 6) as usize) else { return false };
    let offset = [0, 4, 0x18, 1, size - 1, size - 4][(place % 6) as usize];
    let Some(form) = form(number as usize) else { return false };
    let field = if form.fields == 0 { RAX } else { form.fields.trailing_zeros() as u8 };
    code.constant(RAX, 3);
    code.constant(RDX, 0);
    code.constant(RCX, 1);
    put(code, form, base + offset, &[], false, field, (place % 4) as u8);
    true
}
