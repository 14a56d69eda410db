//! The instructions that may go wrong.

use core::arch::asm;
use guest_runtime::attempt;
use guest_runtime::exceptions::{self, Exception};

/// What is stored, as much of it as the width takes.
const VALUE: u64 = 0x0123_4567_89ab_cdef;
/// A port's value, likewise.
const PORT_VALUE: u32 = 0x89ab_cdef;
/// A function that nobody has.
const NO_FUNCTION: u64 = 0x8400_00ff;
/// An MSR of nobody's, in the range that is free for software (APM volume 2, A.1).
const NO_REGISTER: u32 = 0x4000_0333;
/// An address of nobody's: QEMU's q35 has its PCI devices' configuration there.
const NOWHERE: u64 = 0xb000_0000;

/// One register's load of `width` bytes.
pub(in crate::guest) fn load(address: u64, width: u64) -> Result<u64, Exception> {
    let value: u64;
    match width {
        1 => attempt!("movzx {value:e}, byte ptr [{address}]", value = out(reg) value, address = in(reg) address),
        2 => attempt!("movzx {value:e}, word ptr [{address}]", value = out(reg) value, address = in(reg) address),
        4 => attempt!("mov {value:e}, [{address}]", value = out(reg) value, address = in(reg) address),
        _ => attempt!("mov {value}, [{address}]", value = out(reg) value, address = in(reg) address),
    }
    .map(|()| value)
}

/// One register's store of `width` bytes.
pub(in crate::guest) fn store(address: u64, width: u64) -> Result<(), Exception> {
    match width {
        1 => attempt!("mov [{address}], {value}", value = in(reg_byte) VALUE as u8, address = in(reg) address),
        2 => attempt!("mov [{address}], {value:x}", value = in(reg) VALUE, address = in(reg) address),
        4 => attempt!("mov [{address}], {value:e}", value = in(reg) VALUE, address = in(reg) address),
        _ => attempt!("mov [{address}], {value}", value = in(reg) VALUE, address = in(reg) address),
    }
}

/// A load of two registers: CMPXCHG16B with what is not there, which stores nothing but what it has read. The hypervisor emulates no
/// operand that long.
pub(in crate::guest) fn pair(address: u64) -> Result<[u64; 2], Exception> {
    let (first, second): (u64, u64);
    let taken = attempt!("xchg {low}, rbx\ncmpxchg16b [{address}]\nxchg {low}, rbx", low = inout(reg) 0_u64 => _,
        address = in(reg) address, in("rcx") 0, inout("rax") 0_u64 => first, inout("rdx") 0_u64 => second);
    taken.map(|()| [first, second])
}

/// A jump to code at `address`. If the fetch faults, the handler goes on here.
pub(in crate::guest) fn fetch(address: u64) -> Result<(), Exception> {
    attempt!("jmp {address}", address = in(reg) address)
}

/// A read of an MSR that is not there.
pub(in crate::guest) fn register() -> Result<u64, Exception> {
    let (low, high): (u32, u32);
    attempt!("rdmsr", in("ecx") NO_REGISTER, out("eax") low, out("edx") high)
        .map(|()| u64::from(high) << 32 | u64::from(low))
}

/// A load that nobody emulates, from where nothing is: what it took, and whether the instruction after it was executed.
pub(in crate::guest) fn instruction() -> (Result<(), Exception>, bool) {
    let mut ran_on: u64 = 0;
    let taken = attempt!("fld qword ptr [{address}]", address = in(reg) NOWHERE);
    // SAFETY: the register stack is in no use.
    unsafe { asm!("mov {}, 1", "fninit", out(reg) ran_on, options(nostack, preserves_flags)) };
    (taken, ran_on == 1)
}

/// A call of the hypervisor; gives RAX.
pub(super) fn call(function: u64) -> Result<u64, Exception> {
    let result: u64;
    attempt!("vmmcall", inout("rax") function => result).map(|()| result)
}

/// Calls a function that does not exist.
pub(in crate::guest) fn call_is_unknown() -> bool {
    call(NO_FUNCTION) == Ok(u64::MAX)
}

/// IN of `width` bytes.
pub(super) fn port_in(port: u16, width: u64) -> Result<u64, Exception> {
    let value: u32;
    match width {
        1 => attempt!("in al, dx", in("dx") port, inout("eax") 0 => value),
        2 => attempt!("in ax, dx", in("dx") port, inout("eax") 0 => value),
        _ => attempt!("in eax, dx", in("dx") port, out("eax") value),
    }
    .map(|()| value.into())
}

/// OUT of `width` bytes.
pub(super) fn port_out(port: u16, width: u64) -> Result<(), Exception> {
    match width {
        1 => attempt!("out dx, al", in("dx") port, in("eax") PORT_VALUE),
        2 => attempt!("out dx, ax", in("dx") port, in("eax") PORT_VALUE),
        _ => attempt!("out dx, eax", in("dx") port, in("eax") PORT_VALUE),
    }
}

/// An exception without a table of handlers: the CPU shuts down (APM volume 2, 8.2.9).
pub(super) fn shut_down() -> ! {
    exceptions::load_table(0, 1);
    // SAFETY: nothing is executed after it.
    unsafe { asm!("ud2", options(noreturn)) }
}

/// An endless loop that nothing but the hypervisor gets through.
pub(in crate::guest) fn spin() -> ! {
    // SAFETY: masks interrupts, and stays here.
    unsafe { asm!("cli", "2: jmp 2b", options(noreturn)) }
}
