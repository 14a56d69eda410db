//! What instructions change: registers, flags, memory. The arithmetic itself has tests of its own.

use super::super::{alu::flags::*, *};
use super::{Cpu, decoded};

const MEMORY: u64 = 0x8877_6655_4433_2211;
const AX: usize = 0;
const CX: usize = 1;
const SI: usize = 6;
const DI: usize = 7;

struct Run {
    cpu: Cpu,
    reads: bool,
    bytes: u8,
    applied: Applied,
}

/// Runs `code` with [`MEMORY`] in memory and `general` in AX, CX and so on.
fn run(code: &[u8], mode: Mode, general: &[u64], flags: u64) -> Run {
    let instruction = decoded(code, mode).unwrap();
    assert_eq!(usize::from(instruction.length), code.len());
    let mut cpu = Cpu { flags, ..Cpu::default() };
    cpu.general[..general.len()].copy_from_slice(general);
    let reads = instruction.reads_memory();
    let applied = instruction.apply(&mut cpu, if reads { MEMORY } else { 0 });
    Run { cpu, reads, bytes: instruction.memory_bytes().unwrap(), applied }
}

fn run_64(code: &[u8], general: &[u64]) -> Run {
    run(code, Mode::Bits64, general, 0)
}

#[test]
fn loads() {
    let ax = 0xaaaa_aaaa_aaaa_aaaa;
    for (code, bytes, expected) in [
        (&[0x8a, 0x01][..], 1, 0xaaaa_aaaa_aaaa_aa11),         // mov al, [rcx]
        (&[0x8a, 0x21], 1, 0xaaaa_aaaa_aaaa_11aa),             // mov ah, [rcx]
        (&[0x66, 0x8b, 0x01], 2, 0xaaaa_aaaa_aaaa_2211),       // mov ax, [rcx]
        (&[0x8b, 0x01], 4, 0x4433_2211),                       // mov eax, [rcx]
        (&[0x48, 0x8b, 0x01], 8, MEMORY),                      // mov rax, [rcx]
        (&[0x0f, 0xb6, 0x41, 7], 1, 0x11),                     // movzx eax, byte [rcx + 7]
        (&[0x66, 0x0f, 0xbe, 0x01], 1, 0xaaaa_aaaa_aaaa_0011), // movsx ax, byte [rcx]
        (&[0x48, 0x0f, 0xb7, 0x01], 2, 0x2211),                // movzx rax, word [rcx]
        (&[0x48, 0x63, 0x01], 4, 0x4433_2211),                 // movsxd rax, dword [rcx]
        (&[0x0f, 0x38, 0xf0, 0x01], 4, 0x1122_3344),           // movbe eax, [rcx]
        (&[0x66, 0x0f, 0x38, 0xf0, 0x01], 2, 0xaaaa_aaaa_aaaa_1122),
        (&[0xa1, 0, 0, 0, 0, 0, 0, 0, 0], 4, 0x4433_2211), // mov eax, moffs
    ] {
        let run = run_64(code, &[ax]);
        assert_eq!((run.reads, run.bytes, run.cpu.general[AX]), (true, bytes, expected), "{code:02x?}");
        assert_eq!(run.applied, Applied { write: None, is_done: true });
    }
}

#[test]
fn signs() {
    let instruction = decoded(&[0x48, 0x0f, 0xbe, 0x01], Mode::Bits64).unwrap();
    let mut cpu = Cpu::default();
    let _ = instruction.apply(&mut cpu, 0x80);
    assert_eq!(cpu.general[AX], 0xffff_ffff_ffff_ff80);
    // movsx eax, byte [rcx] clears the upper half.
    let _ = decoded(&[0x0f, 0xbe, 0x01], Mode::Bits64).unwrap().apply(&mut cpu, 0x80);
    assert_eq!(cpu.general[AX], 0xffff_ff80);
}

#[test]
fn stores() {
    let ax = 0x0102_0304_0506_0708;
    for (code, bytes, expected) in [
        (&[0x88, 0x01][..], 1, 0x08),                                   // mov [rcx], al
        (&[0x88, 0x21], 1, 0x07),                                       // mov [rcx], ah
        (&[0x40, 0x88, 0x21], 1, 0),                                    // mov [rcx], spl
        (&[0x66, 0x89, 0x01], 2, 0x0708),                               // mov [rcx], ax
        (&[0x89, 0x01], 4, 0x0506_0708),                                // mov [rcx], eax
        (&[0x48, 0x89, 0x01], 8, ax),                                   // mov [rcx], rax
        (&[0xc6, 0x01, 0xff], 1, 0xff),                                 // mov byte [rcx], -1
        (&[0x66, 0xc7, 0x01, 0xff, 0x7f], 2, 0x7fff),                   // mov word [rcx], imm16
        (&[0x48, 0xc7, 0x01, 0, 0, 0, 0x80], 8, 0xffff_ffff_8000_0000), // mov qword [rcx], imm32
        (&[0x0f, 0xc3, 0x01], 4, 0x0506_0708),                          // movnti [rcx], eax
        (&[0x48, 0x0f, 0x38, 0xf1, 0x01], 8, 0x0807_0605_0403_0201),    // movbe [rcx], rax
    ] {
        let run = run_64(code, &[ax]);
        assert_eq!((run.reads, run.bytes), (false, bytes), "{code:02x?}");
        assert_eq!(run.applied, Applied { write: Some(expected), is_done: true }, "{code:02x?}");
        assert_eq!(run.cpu.general[AX], ax);
    }
}

#[test]
fn changes_of_memory() {
    // or dword [rcx], eax
    let or = run_64(&[0x09, 0x01], &[0x0f, 0]);
    assert_eq!((or.reads, or.applied.write), (true, Some(0x4433_221f)));
    // sub eax, [rcx] goes to the register.
    let sub = run_64(&[0x2b, 0x01], &[0x4433_2210, 0]);
    assert_eq!((sub.applied.write, sub.cpu.general[AX]), (None, 0xffff_ffff));
    assert_eq!(sub.cpu.flags, CF | PF | AF | SF);
    // cmp byte [rcx], 0x11 and test dword [rcx], imm32 change flags alone.
    let cmp = run_64(&[0x80, 0x39, 0x11], &[]);
    assert_eq!((cmp.applied.write, cmp.cpu.flags), (None, ZF | PF));
    let test = run(&[0xf7, 0x01, 0, 0, 0, 0x80], Mode::Bits32, &[], CF | OF);
    assert_eq!((test.applied.write, test.cpu.flags), (None, ZF | PF));
    // not, neg, inc
    assert_eq!(run_64(&[0xf6, 0x11], &[]).applied.write, Some(0xee));
    assert_eq!(run_64(&[0xf6, 0x19], &[]).applied.write, Some(0xef));
    assert_eq!(run_64(&[0x66, 0xff, 0x01], &[]).applied.write, Some(0x2212));
}

#[test]
fn exchanges() {
    let xchg = run_64(&[0x87, 0x01], &[u64::MAX]);
    assert_eq!((xchg.applied.write, xchg.cpu.general[AX]), (Some(0xffff_ffff), 0x4433_2211));
    let xadd = run_64(&[0x0f, 0xc1, 0x01], &[1]);
    assert_eq!((xadd.applied.write, xadd.cpu.general[AX]), (Some(0x4433_2212), 0x4433_2211));
    // cmpxchg [rdi], ecx
    let same = run_64(&[0x0f, 0xb1, 0x0f], &[0x4433_2211, 5]);
    assert_eq!((same.applied.write, same.cpu.flags & ZF, same.cpu.general[AX]), (Some(5), ZF, 0x4433_2211));
    let other = run_64(&[0x0f, 0xb1, 0x0f], &[0x4433_2212, 5]);
    assert_eq!((other.applied.write, other.cpu.flags & ZF), (Some(0x4433_2211), 0));
    assert_eq!(other.cpu.general[AX], 0x4433_2211);
}

#[test]
fn bits() {
    // bt dword [rax], 4: the number has no sign, and counts modulo 32.
    let bt = run_64(&[0x0f, 0xba, 0x20, 0xe4], &[]);
    assert_eq!((bt.applied.write, bt.cpu.flags), (None, CF));
    // btr dword [rax], ecx
    let btr = run_64(&[0x0f, 0xb3, 0x08], &[0, 36]);
    assert_eq!((btr.applied.write, btr.cpu.flags), (Some(0x4433_2201), CF));
}

#[test]
fn strings() {
    // rep stosd with three elements
    let mut stos = run_64(&[0xf3, 0xab], &[7, 3, 0, 0, 0, 0, 0, 0x1000]);
    assert_eq!((stos.reads, stos.applied), (false, Applied { write: Some(7), is_done: false }));
    assert_eq!((stos.cpu.general[CX], stos.cpu.general[DI]), (2, 0x1004));
    let instruction = decoded(&[0xf3, 0xab], Mode::Bits64).unwrap();
    assert!(!instruction.apply(&mut stos.cpu, 0).is_done);
    assert!(instruction.apply(&mut stos.cpu, 0).is_done);
    assert!(instruction.is_empty(&stos.cpu));
    // The counter is as wide as addresses.
    let stos = run(&[0xf3, 0xab], Mode::Bits16, &[7, 0x1_0001], 0);
    assert!(stos.applied.is_done);
    // lodsb, backwards, once: the count does not matter.
    let lods = run(&[0xac], Mode::Bits32, &[0, 9, 0, 0, 0, 0, 0x1000], DF);
    assert_eq!(lods.applied, Applied { write: None, is_done: true });
    assert_eq!((lods.cpu.general[AX], lods.cpu.general[CX], lods.cpu.general[SI]), (0x11, 9, 0xfff));
    // rep movsw with 16-bit addresses: what is above SI and DI stays.
    let movs = run(&[0xf3, 0xa5], Mode::Bits16, &[0, 1, 0, 0, 0, 0, 0x1_ffff, 0x2_0000], 0);
    assert_eq!((movs.reads, movs.applied), (true, Applied { write: Some(0x2211), is_done: true }));
    assert_eq!((movs.cpu.general[SI], movs.cpu.general[DI]), (0x1_0001, 0x2_0002));
}

#[test]
fn others_have_no_memory() {
    // movdqu xmm0, [rax]; push [rax]; outsb; cmpxchg8b [rax]; lea eax, [rax]; add eax, eax
    for code in
        [&[0xf3, 0x0f, 0x6f, 0x00][..], &[0xff, 0x30], &[0x6e], &[0x0f, 0xc7, 0x08], &[0x8d, 0x00], &[0x01, 0xc0]]
    {
        let instruction = decoded(code, Mode::Bits64).unwrap();
        assert_eq!(instruction.memory_bytes(), None, "{code:02x?}");
        let mut cpu = Cpu::default();
        assert_eq!(instruction.apply(&mut cpu, MEMORY), Applied { write: None, is_done: true });
        assert_eq!(cpu, Cpu::default());
    }
}
