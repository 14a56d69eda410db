//! Exceptions: that they are the right ones, with the right words beside them.

use guest_runtime::exceptions::{Exception, vector};
use guest_runtime::{Verdict, attempt, read_control, say};

fn expect(name: &str, taken: Result<(), Exception>, expected: (u32, u32)) -> Verdict {
    match taken {
        Err(Exception { vector, error, .. }) if (vector, error) == expected => Ok(()),
        other => {
            say!("{name}: {other:x?}");
            Err("another exception than the one that is due, or none")
        }
    }
}

/// An address beyond what the page tables map.
const UNMAPPED: u64 = 1 << 40;
/// One that is no address at all: not canonical.
const NO_ADDRESS: u64 = 1 << 62;

/// Of an architecture's instructions.
pub(super) fn test() -> Verdict {
    expect("UD2", attempt!("ud2"), (vector::INVALID_OPCODE, 0))?;
    expect("INT3", attempt!("int3"), (vector::BREAKPOINT, 0))?;
    expect("DIV", attempt!("div {by}", by = in(reg) 0_u64, inout("rax") 1_u64 => _, inout("rdx") 0_u64 => _), (0, 0))?;
    // By the selector of a segment that is none: its index.
    expect("MOV DS", attempt!("mov ds, {to:e}", to = in(reg) 0x28), (vector::GENERAL_PROTECTION, 0x28))?;
    let load = attempt!("mov {at}, [{at}]", at = inout(reg) NO_ADDRESS => _);
    expect("a load from no address", load, (vector::GENERAL_PROTECTION, 0))?;
    let store = attempt!("mov [{at}], {at}", at = in(reg) UNMAPPED);
    expect("a store to an unmapped page", store, (vector::PAGE_FAULT, 2))?;
    if store.is_err_and(|taken| taken.address != UNMAPPED) {
        return Err("CR2 is not the address of the page fault");
    }
    say!("exceptions are the right ones, with their codes and addresses");
    Ok(())
}

/// Of reserved bits (APM volume 2, 3.1): QEMU's own CPU lets some of them pass.
pub(super) fn of_reserved_bits() -> Verdict {
    let refused = (vector::GENERAL_PROTECTION, 0);
    let (cr0, cr4) = (read_control!("cr0"), read_control!("cr4"));
    expect("CR0, upper half", attempt!("mov cr0, {to}", to = in(reg) cr0 | 1 << 32), refused)?;
    expect("CR0.NW without CD", attempt!("mov cr0, {to}", to = in(reg) cr0 | 1 << 29), refused)?;
    expect("CR0.PG without PE", attempt!("mov cr0, {to}", to = in(reg) cr0 & !1), refused)?;
    expect("CR4, reserved", attempt!("mov cr4, {to}", to = in(reg) cr4 | 1 << 30), refused)?;
    expect("CR4.PAE in long mode", attempt!("mov cr4, {to}", to = in(reg) cr4 & !(1 << 5)), refused)?;
    let efer = attempt!("wrmsr", in("ecx") 0xc000_0080_u32, in("eax") 0xffff_ffff_u32, in("edx") 0);
    expect("EFER, reserved", efer, refused)?;
    expect("MOV CR1", attempt!("mov {to}, cr1", to = out(reg) _), (vector::INVALID_OPCODE, 0))?;
    if (read_control!("cr0"), read_control!("cr4")) != (cr0, cr4) {
        return Err("a control register changed although it was refused");
    }
    say!("reserved bits of CR0, CR4 and EFER are refused");
    Ok(())
}
