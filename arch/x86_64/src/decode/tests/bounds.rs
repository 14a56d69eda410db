//! Where instructions end, and addresses.

use super::super::*;
use super::{Cpu, decoded};

#[test]
fn fifteen_bytes_are_the_most() {
    let mut bytes = [0x66; 20];
    bytes[14] = 0x90;
    assert_eq!(decoded(&bytes, Mode::Bits32).unwrap().length, 15);
    assert_eq!(decoded(&bytes[..14], Mode::Bits32), Err(Error::NeedsMoreBytes));
    bytes[14] = 0x66;
    bytes[15] = 0x90;
    assert_eq!(decoded(&bytes, Mode::Bits32), Err(Error::TooLong));
    assert_eq!(decoded(&bytes[..15], Mode::Bits32), Err(Error::TooLong));
    assert_eq!(decoded(&[], Mode::Bits64), Err(Error::NeedsMoreBytes));
}

fn address(bytes: &[u8], mode: Mode, cpu: &Cpu) -> (Segment, u64) {
    let instruction = decoded(bytes, mode).unwrap();
    (instruction.memory.unwrap().segment, instruction.memory_offset(cpu, 0x1_0000_0000).unwrap())
}

#[test]
fn addresses() {
    let mut cpu = Cpu::default();
    cpu.general[3] = 0xffff_ffff_ffff_fff0; // BX
    cpu.general[5] = 0x1000; // BP
    cpu.general[6] = 0x20; // SI
    cpu.general[12] = 0x1_0000_0000;
    // mov eax, [rbx + rsi * 4 - 1]
    assert_eq!(address(&[0x8b, 0x44, 0xb3, 0xff], Mode::Bits64, &cpu), (Segment::Ds, 0x6f));
    // mov eax, [ebx + esi * 4 - 1]
    assert_eq!(address(&[0x67, 0x8b, 0x44, 0xb3, 0xff], Mode::Bits64, &cpu), (Segment::Ds, 0x6f));
    // mov eax, fs:[r12 - 1]
    assert_eq!(address(&[0x64, 0x41, 0x8b, 0x44, 0x24, 0xff], Mode::Bits64, &cpu), (Segment::Fs, 0xffff_ffff));
    // mov eax, [rip - 4] and with 32 bits
    assert_eq!(address(&[0x8b, 0x05, 0xfc, 0xff, 0xff, 0xff], Mode::Bits64, &cpu), (Segment::Ds, 0xffff_fffc));
    assert_eq!(address(&[0x67, 0x8b, 0x05, 4, 0, 0, 0], Mode::Bits64, &cpu), (Segment::Ds, 4));
    // mov ax, [bp + si], which wraps at 64 KiB
    assert_eq!(address(&[0x8b, 0x02], Mode::Bits16, &cpu), (Segment::Ss, 0x1020));
    assert_eq!(address(&[0x8b, 0x00], Mode::Bits16, &cpu), (Segment::Ds, 0x10));
    // mov eax, moffs
    assert_eq!(address(&[0xa1, 8, 7, 6, 5, 4, 3, 2, 1], Mode::Bits64, &cpu), (Segment::Ds, 0x102_0304_0506_0708));
    // rep movsb: DS may be overridden, ES not.
    let instruction = decoded(&[0xf3, 0x64, 0xa4], Mode::Bits32).unwrap();
    assert_eq!(instruction.memory.unwrap().segment, Segment::Fs);
    assert_eq!(instruction.memory_offset(&cpu, 0), Some(0x20));
    assert_eq!(instruction.string_destination().segment, Segment::Es);
}

#[test]
fn bits_far_away() {
    let mut cpu = Cpu::default();
    cpu.general[0] = 0x1000;
    // bts [rax], ecx: with the sign of ECX, whatever is above it.
    for (number, offset) in
        [(31, 0x1000), (32, 0x1004), (u64::MAX, 0xffc), (0xffff_ffe0, 0xffc), (0x7fff_ffff, 0x1000_0ffc)]
    {
        cpu.general[1] = number;
        let instruction = decoded(&[0x0f, 0xab, 0x08], Mode::Bits64).unwrap();
        assert_eq!(instruction.memory_offset(&cpu, 0), Some(offset), "{number:#x}");
    }
}

#[test]
fn lock_is_for_changes_of_memory() {
    // lock add [rax], eax; lock add eax, eax; lock cmp [rax], eax; lock mov cr0, eax, which is cr8; lock nop
    assert!(decoded(&[0xf0, 0x01, 0x00], Mode::Bits64).unwrap().is_locked);
    assert_eq!(decoded(&[0xf0, 0x01, 0xc0], Mode::Bits64), Err(Error::Undefined));
    assert_eq!(decoded(&[0xf0, 0x39, 0x00], Mode::Bits64), Err(Error::Undefined));
    let cr8 = decoded(&[0xf0, 0x0f, 0x22, 0xc0], Mode::Bits32).unwrap();
    assert_eq!(cr8.operation, Operation::System(System::WriteControl(8)));
    assert_eq!(decoded(&[0xf0, 0x90], Mode::Bits64), Err(Error::Undefined));
}

#[test]
fn what_is_none_takes_the_exception_of_its_kind() {
    let refused = |bytes: &[u8]| decoded(bytes, Mode::Bits64).expect_err("it is none").event();
    assert_eq!(refused(&[0xf0, 0x0f, 0xa2]), Some(Event::UNDEFINED), "CPUID with LOCK");
    assert_eq!(refused(&[0x66; 16]), Some(Event::PROTECTION));
    assert_eq!(refused(&[0x66, 0x0f]), None, "who knows what follows");
}
