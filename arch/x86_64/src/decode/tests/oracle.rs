//! The decoder against `iced-x86` with its options for AMD's CPUs.
//!
//! What both must agree on: whether the instruction exists (as far as the decoder promises it), its length, its memory
//! operand, and of what has an [`Operation`]: which, its operands and their width.
//!
//! Where they differ, on purpose:
//! - Of [`Operation::Other`] the decoder does not say that it is defined: what iced calls invalid may be that, or undefined.
//! - UD0, UD1 and UD2 are instructions to iced; here they are undefined, as they are meant.
//! - MOV, XCHG, INC and DEC in their short forms for registers are Other: they touch no memory and leave no guest.
//! - Operands in memory of VEX, EVEX and XOP have rules of their own (compressed displacements, vectors of indices), and none here.
//! - In 64-bit mode iced names the segment of an override that has no effect (ES, CS, SS, DS); here that is the default.
//! - iced has a scale where there is no index, and an operand in memory for XLAT, which is implied.
//!
//! `OSTLER_DECODE_CASES` is the number of random cases.

use super::super::*;
use super::iced::{expected, memory, operand};
use super::{Cpu, Random, decoded};
use iced_x86::{DecoderError, DecoderOptions, Mnemonic};

const CASES: u64 = 200_000;
/// How many operations there are, with registers' numbers and widths.
const OPERATIONS: usize = 109;
pub(super) const IP: u64 = 0x1234_5678;
const MODES: [Mode; 3] = [Mode::Bits16, Mode::Bits32, Mode::Bits64];

fn theirs(bytes: &[u8], mode: Mode) -> Result<iced_x86::Instruction, DecoderError> {
    let bitness = match mode {
        Mode::Bits16 => 16,
        Mode::Bits32 => 32,
        Mode::Bits64 => 64,
    };
    let mut decoder = iced_x86::Decoder::with_ip(bitness, bytes, IP, DecoderOptions::AMD);
    let instruction = decoder.decode();
    if instruction.is_invalid() { Err(decoder.last_error()) } else { Ok(instruction) }
}

fn compare(bytes: &[u8; 15], mode: Mode) {
    let context = || format!("{mode:?} {bytes:02x?}: {:?}, {:?}", decoded(bytes, mode), theirs(bytes, mode));
    // What fewer bytes say, more do not take back.
    let few = decoded(&bytes[..usize::from(bytes[14] & 15) % 15], mode);
    assert!(few == Err(Error::NeedsMoreBytes) || few == decoded(bytes, mode), "{few:?}, then {}", context());
    let (ours, theirs) = match (decoded(bytes, mode), theirs(bytes, mode)) {
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
    // Whatever it does, it can be asked to, with any values.
    let mut cpu = Cpu { general: [u64::from_le_bytes(*bytes.last_chunk().unwrap()); 16], flags: IP };
    let _ = (ours.memory_offset(&cpu, u64::MAX), ours.is_empty(&cpu), ours.apply(&mut cpu, u64::MAX));
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
