//! The decoder against `iced-x86` with its options for AMD's CPUs.
//!
//! What both must agree on: whether the instruction exists (as far as the decoder promises it), its length, its memory
//! operand, and of what has an [`Operation`]: which, its operands and their width.
//!
//! `OSTLER_DECODE_CASES` is the number of random cases.

use super::super::*;
use super::{Random, decoded};
use iced_x86::{DecoderError, DecoderOptions, Mnemonic, OpKind};

const CASES: u64 = 200_000;
/// How many operations there are, with registers' numbers and widths.
const OPERATIONS: usize = 109;
const IP: u64 = 0x1234_5678;
const MODES: [Mode; 3] = [Mode::Bits16, Mode::Bits32, Mode::Bits64];

fn iced(bytes: &[u8], mode: Mode) -> Result<iced_x86::Instruction, DecoderError> {
    let bitness = match mode {
        Mode::Bits16 => 16,
        Mode::Bits32 => 32,
        Mode::Bits64 => 64,
    };
    let mut decoder = iced_x86::Decoder::with_ip(bitness, bytes, IP, DecoderOptions::AMD);
    let instruction = decoder.decode();
    if instruction.is_invalid() { Err(decoder.last_error()) } else { Ok(instruction) }
}

/// What the instruction is by its mnemonic. `Err`: Other will do too.
fn expected(theirs: &iced_x86::Instruction) -> Result<Operation, Operation> {
    use Mnemonic as M;
    use System::*;
    let first = theirs.op0_register();
    let source_bytes = || match theirs.op1_kind() {
        OpKind::Memory => theirs.memory_size().size() as u8,
        _ => theirs.op1_register().size() as u8,
    };
    let system = |system| Ok(Operation::System(system));
    // Short forms of registers only.
    let short = |operation| if has_memory(theirs) { Ok(operation) } else { Err(operation) };
    match theirs.mnemonic() {
        M::Mov if first.is_cr() => system(WriteControl(first.number() as u8)),
        M::Mov if first.is_dr() => system(WriteDebug(first.number() as u8)),
        M::Mov if theirs.op1_register().is_cr() => system(ReadControl(theirs.op1_register().number() as u8)),
        M::Mov if theirs.op1_register().is_dr() => system(ReadDebug(theirs.op1_register().number() as u8)),
        M::Mov if first.is_segment_register() || theirs.op1_register().is_segment_register() => Ok(Operation::Other),
        M::Mov => short(Operation::Move),
        M::Movnti => Ok(Operation::Move),
        M::Movzx => Ok(Operation::MoveExtended { source_bytes: source_bytes(), is_signed: false }),
        M::Movsx | M::Movsxd => Ok(Operation::MoveExtended { source_bytes: source_bytes(), is_signed: true }),
        M::Movbe => Ok(Operation::MoveReversed),
        M::Add => Ok(Operation::Alu(Alu::Add)),
        M::Or => Ok(Operation::Alu(Alu::Or)),
        M::Adc => Ok(Operation::Alu(Alu::Adc)),
        M::Sbb => Ok(Operation::Alu(Alu::Sbb)),
        M::And => Ok(Operation::Alu(Alu::And)),
        M::Sub => Ok(Operation::Alu(Alu::Sub)),
        M::Xor => Ok(Operation::Alu(Alu::Xor)),
        M::Cmp => Ok(Operation::Alu(Alu::Cmp)),
        M::Test => Ok(Operation::Test),
        M::Inc => short(Operation::Unary(Unary::Inc)),
        M::Dec => short(Operation::Unary(Unary::Dec)),
        M::Not => Ok(Operation::Unary(Unary::Not)),
        M::Neg => Ok(Operation::Unary(Unary::Neg)),
        M::Xchg => short(Operation::Exchange),
        M::Xadd => Ok(Operation::ExchangeAdd),
        M::Cmpxchg => Ok(Operation::CompareExchange),
        M::Cmpxchg8b | M::Cmpxchg16b => Ok(Operation::CompareExchangePair),
        M::Bt => Ok(Operation::Bit(BitChange::None)),
        M::Bts => Ok(Operation::Bit(BitChange::Set)),
        M::Btr => Ok(Operation::Bit(BitChange::Reset)),
        M::Btc => Ok(Operation::Bit(BitChange::Complement)),
        M::Stosb | M::Stosw | M::Stosd | M::Stosq => Ok(Operation::StoreString),
        M::Lodsb | M::Lodsw | M::Lodsd | M::Lodsq => Ok(Operation::LoadString),
        M::Movsb | M::Movsw | M::Movsq => Ok(Operation::MoveString),
        // And the one of SSE.
        M::Movsd if theirs.is_string_instruction() => Ok(Operation::MoveString),
        M::In => Ok(Operation::In),
        M::Out => Ok(Operation::Out),
        M::Insb | M::Insw | M::Insd => Ok(Operation::InString),
        M::Outsb | M::Outsw | M::Outsd => Ok(Operation::OutString),
        M::Clts => system(Clts),
        M::Lmsw => system(Lmsw),
        M::Smsw => system(Smsw),
        M::Invlpg => system(Invlpg),
        M::Invlpga => system(Invlpga),
        M::Invpcid => system(Invpcid),
        M::Cpuid => system(Cpuid),
        M::Rdmsr => system(Rdmsr),
        M::Wrmsr => system(Wrmsr),
        M::Rdtsc => system(Rdtsc),
        M::Rdtscp => system(Rdtscp),
        M::Rdpmc => system(Rdpmc),
        M::Rdpru => system(Rdpru),
        M::Hlt => system(Hlt),
        M::Pause => system(Pause),
        M::Monitor => system(Monitor),
        M::Mwait => system(Mwait),
        M::Monitorx => system(Monitorx),
        M::Mwaitx => system(Mwaitx),
        M::Invd => system(Invd),
        M::Wbinvd => system(Wbinvd),
        M::Wbnoinvd => system(Wbnoinvd),
        M::Xsetbv => system(Xsetbv),
        M::Vmcall => system(Vmcall),
        M::Vmmcall => system(Vmmcall),
        M::Vmrun => system(Vmrun),
        M::Vmload => system(Vmload),
        M::Vmsave => system(Vmsave),
        M::Stgi => system(Stgi),
        M::Clgi => system(Clgi),
        M::Skinit => system(Skinit),
        M::Rsm => system(Rsm),
        M::Iret | M::Iretd | M::Iretq => system(Iret),
        M::Pushf | M::Pushfd | M::Pushfq => system(Pushf),
        M::Popf | M::Popfd | M::Popfq => system(Popf),
        M::Int => system(Int),
        M::Int3 => system(Int3),
        M::Into => system(Into),
        M::Int1 => system(Icebp),
        M::Sgdt => system(Sgdt),
        M::Sidt => system(Sidt),
        M::Lgdt => system(Lgdt),
        M::Lidt => system(Lidt),
        M::Sldt => system(Sldt),
        M::Str => system(Str),
        M::Lldt => system(Lldt),
        M::Ltr => system(Ltr),
        _ => Ok(Operation::Other),
    }
}

fn has_memory(theirs: &iced_x86::Instruction) -> bool {
    theirs.op_kinds().any(|kind| kind == OpKind::Memory)
}

/// The parts of iced's memory operand in our words.
fn memory(theirs: &iced_x86::Instruction) -> Option<Address> {
    use iced_x86::Register as R;
    if !has_memory(theirs) {
        return None;
    }
    let next = IP.wrapping_add(theirs.len() as u64);
    let (base, bytes) = match theirs.memory_base() {
        R::None => (Base::None, 0),
        R::RIP => (Base::Rip, 8),
        R::EIP => (Base::Rip, 4),
        register => (Base::Register(register.number() as u8), register.size()),
    };
    let index = theirs.memory_index();
    let bytes = if bytes != 0 { bytes } else { index.size() };
    let displacement = theirs.memory_displacement64();
    Some(Address {
        segment: Segment::from_number(theirs.memory_segment().number() as u8),
        base,
        index: (index != R::None).then(|| index.number() as u8),
        // Without an index iced keeps the factor of none.
        scale: if index == R::None { 0 } else { theirs.memory_index_scale().trailing_zeros() as u8 },
        bytes: bytes as u8,
        displacement: if base == Base::Rip { displacement.wrapping_sub(next) } else { displacement },
    })
}

/// The operand of iced's in our words, and its width; `None` if it is something that we have no word for.
fn operand(theirs: &iced_x86::Instruction, index: u32) -> Option<(Operand, Option<u8>)> {
    use OpKind as K;
    Some(match theirs.op_kind(index) {
        K::Register => {
            let register = theirs.op_register(index);
            if !register.is_gpr() {
                return None;
            }
            // R8B to R15B have numbers as the others.
            let is_high = (iced_x86::Register::AH..=iced_x86::Register::BH).contains(&register);
            let number = register.full_register().number() as u8;
            (
                Operand::Register(Register::raw(if is_high { 0x10 | number } else { number })),
                Some(register.size() as u8),
            )
        }
        K::Memory
        | K::MemoryESDI
        | K::MemoryESEDI
        | K::MemoryESRDI
        | K::MemorySegSI
        | K::MemorySegESI
        | K::MemorySegRSI => (Operand::Memory, Some(theirs.memory_size().size() as u8)),
        K::Immediate8
        | K::Immediate16
        | K::Immediate32
        | K::Immediate64
        | K::Immediate8to16
        | K::Immediate8to32
        | K::Immediate8to64
        | K::Immediate32to64 => (Operand::Immediate, None),
        _ => return None,
    })
}

fn compare(bytes: &[u8; 15], mode: Mode) {
    let context = || format!("{mode:?} {bytes:02x?}: {:?}, {:?}", decoded(bytes, mode), iced(bytes, mode));
    let (ours, theirs) = match (decoded(bytes, mode), iced(bytes, mode)) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(Error::NeedsMoreBytes), _) => panic!("{}", context()),
        // No promise.
        (Ok(Instruction { operation: Operation::Other, .. }) | Err(_), Err(_)) => return,
        (Ok(ours), Err(_)) => {
            panic!("{}: {ours:?}", context());
        }
        (Err(error), Ok(theirs)) => {
            // Defined to be undefined.
            let is_ud = matches!(theirs.mnemonic(), Mnemonic::Ud0 | Mnemonic::Ud1 | Mnemonic::Ud2);
            assert!(error == Error::Undefined && is_ud, "{}: {:?}", context(), theirs.code());
            return;
        }
    };
    assert_eq!(usize::from(ours.length), theirs.len(), "{}", context());
    assert_eq!(decoded(&bytes[..theirs.len()], mode), Ok(ours));
    assert_eq!(decode_any(bytes[..].into(), mode), Ok(ours), "not as the frequent way says: {}", context());
    // Any less of it, by an arbitrary byte.
    let cut = usize::from(bytes[14]) % theirs.len();
    assert_eq!(decoded(&bytes[..cut], mode), Err(Error::NeedsMoreBytes), "{} of {}", cut, context());
    let is_vector = !matches!(theirs.encoding(), iced_x86::EncodingKind::Legacy | iced_x86::EncodingKind::D3NOW);
    let expects_other = expected(&theirs) == Ok(Operation::Other);
    // (Of XLAT iced shows the implied operand.)
    if !is_vector && !theirs.is_string_instruction() && theirs.mnemonic() != Mnemonic::Xlatb {
        let theirs = memory(&theirs).map(|theirs| {
            // iced does not say how wide an absolute address is.
            let bytes = if theirs.bytes == 0 { ours.address_bytes } else { theirs.bytes };
            let mask = register::mask(bytes);
            // iced keeps the overrides that 64-bit mode ignores.
            let is_flat = mode == Mode::Bits64 && !matches!(theirs.segment, Segment::Fs | Segment::Gs);
            let segment = if is_flat { ours.memory.unwrap().segment } else { theirs.segment };
            Address { segment, bytes, displacement: theirs.displacement & mask, ..theirs }
        });
        let ours =
            ours.memory.map(|ours| Address { displacement: ours.displacement & register::mask(ours.bytes), ..ours });
        assert_eq!(ours, theirs, "{}", context());
    }
    match expected(&theirs) {
        Ok(operation) => assert_eq!(ours.operation, operation, "{}: {:?}", context(), theirs.code()),
        Err(_) if ours.operation == Operation::Other => return,
        Err(operation) => assert_eq!(ours.operation, operation, "{}: {:?}", context(), theirs.code()),
    }
    if expects_other {
        return;
    }
    compare_operands(&ours, &theirs, &context);
}

fn compare_operands(ours: &Instruction, theirs: &iced_x86::Instruction, context: &dyn Fn() -> String) {
    let mut theirs_list = (0..theirs.op_count()).map(|index| operand(theirs, index));
    let mut ours_list = [ours.destination, ours.source].into_iter().filter(|&operand| operand != Operand::None);
    match ours.operation {
        Operation::System(system) => match system {
            System::ReadControl(_) | System::ReadDebug(_) => {
                assert_eq!(
                    theirs_list.next().unwrap().unwrap(),
                    (ours.destination, Some(ours.operand_bytes)),
                    "{}",
                    context()
                );
            }
            System::WriteControl(_) | System::WriteDebug(_) => {
                let (operand, bytes) = theirs_list.nth(1).unwrap().unwrap();
                assert_eq!((operand, bytes), (ours.source, Some(ours.operand_bytes)), "{}", context());
            }
            System::Smsw | System::Sldt | System::Str | System::Lmsw | System::Lldt | System::Ltr => {
                assert_eq!(theirs_list.next().unwrap().unwrap().0, ours_list.next().unwrap(), "{}", context());
            }
            _ => {}
        },
        Operation::CompareExchangePair => {}
        operation => {
            for (index, ours_operand) in ours_list.enumerate() {
                let (operand, bytes) = theirs_list.next().unwrap().unwrap();
                assert_eq!(ours_operand, operand, "{}", context());
                let port =
                    matches!(operation, Operation::In | Operation::Out | Operation::InString | Operation::OutString)
                        && operand == Operand::Register(Register::DX);
                let bit = matches!(operation, Operation::Bit(_)) && index == 1;
                if let (Some(bytes), false) = (bytes, port || bit) {
                    let expected = match operation {
                        Operation::MoveExtended { source_bytes, .. } if index == 1 => source_bytes,
                        _ => ours.operand_bytes,
                    };
                    assert_eq!(expected, bytes, "{}: width of {operand:?}", context());
                }
                if operand == Operand::Immediate {
                    let has_sign = !matches!(operation, Operation::Bit(_) | Operation::In | Operation::Out);
                    let mask = register::mask(if has_sign { ours.operand_bytes } else { 8 });
                    let index = (0..theirs.op_count()).find(|&index| operand_is_immediate(theirs, index)).unwrap();
                    assert_eq!(ours.immediate & mask, theirs.immediate(index) & mask, "{}", context());
                }
            }
        }
    }
}

fn operand_is_immediate(theirs: &iced_x86::Instruction, index: u32) -> bool {
    matches!(operand(theirs, index), Some((Operand::Immediate, _)))
}

/// Prefixes, an opcode of any map, and random bytes behind it.
fn structured(random: &mut Random) -> [u8; 15] {
    const PREFIXES: [u8; 11] = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
    let mut bytes: [u8; 15] = core::array::from_fn(|_| random.next() as u8);
    let mut at = 0;
    for _ in 0..random.of(&[0, 0, 0, 1, 1, 2, 3, 9]) {
        bytes[at] = random.of(&PREFIXES);
        at += 1;
    }
    if random.below(2) == 0 {
        bytes[at] = 0x40 | random.below(16) as u8;
        at += 1;
    }
    let escape: &[u8] = random.of(&[&[], &[], &[0x0f], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]]);
    bytes[at..at + escape.len()].copy_from_slice(escape);
    bytes
}

/// A number from the environment.
fn cases() -> u64 {
    std::env::var("OSTLER_DECODE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

#[test]
fn random_instructions() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for case in 0..cases() {
        let bytes = if case & 3 == 0 { core::array::from_fn(|_| random.next() as u8) } else { structured(&mut random) };
        compare(&bytes, MODES[case as usize % 3]);
    }
}

/// Every opcode of every map with every group, with memory and with a register, in every mode; and every operation comes up.
#[test]
fn every_opcode() {
    const PREFIXES: [&[u8]; 8] = [&[], &[0x66], &[0xf2], &[0xf3], &[0xf0], &[0x48], &[0x67, 0x44], &[0xf2, 0x41]];
    const MAPS: [&[u8]; 4] = [&[], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut seen = std::collections::BTreeSet::new();
    let mut check = |random: &mut Random, mode, head: &[u8]| {
        let mut bytes: [u8; 15] = core::array::from_fn(|_| random.next() as u8);
        bytes[..head.len()].copy_from_slice(head);
        compare(&bytes, mode);
        if let Ok(instruction) = decoded(&bytes, mode) {
            seen.insert(format!("{:?}", instruction.operation));
        }
    };
    for mode in MODES {
        for (map, opcode) in MAPS.iter().flat_map(|map| (0..=255).map(move |opcode| (map, opcode))) {
            for group in 0..8 {
                for prefixes in PREFIXES {
                    for high in [0xc0, random.of(&[0, 0x40, 0x80])] {
                        let mod_rm = high | group << 3 | random.below(8) as u8;
                        check(&mut random, mode, &[prefixes, map, &[opcode, mod_rm]].concat());
                    }
                }
            }
        }
        // Absolute addresses.
        for opcode in 0x88..=0x8b {
            check(&mut random, mode, &[opcode, 0x04, 0x25]);
            check(&mut random, mode, &[0x48, opcode, 0x04, 0x25]);
        }
        // Here the whole byte is more of the opcode.
        for mod_rm in 0xc0..=0xff {
            check(&mut random, mode, &[0x0f, 0x01, mod_rm]);
        }
    }
    assert_eq!(seen.len(), OPERATIONS, "{seen:?}");
}
