//! NMIs from the board: what it complains of by a signal that nobody can mask, such as an error on an old bus. Nothing here ever asks
//! for one.
//!
//! One is counted and told of, and harms nobody. In a guest it is an exit; it stays pending, and strikes as soon as the hypervisor sets
//! GIF (APM volume 2, 15.13.2, 15.17). It strikes anywhere in the hypervisor, so the stub has a stack of its own, which is free again
//! before the next one comes (8.2.3), and what it calls only adds to a counter and leaves a note for its own pCPU as any other pCPU
//! would: it takes no lock and prints nothing. The loop finds the note.

use core::arch::global_asm;
use core::fmt::{self, Display};
use core::sync::atomic::{AtomicU64, Ordering};

use crate::controller;
use crate::cpu;
use crate::registers::read_port;

/// NMIs of all CPUs since the board started.
static COUNT: AtomicU64 = AtomicU64::new(0);
/// Those of them that were told of.
static TOLD: AtomicU64 = AtomicU64::new(0);

global_asm!(
    r#"
    .section .text.vectors, "ax"
    // The registers that a function may use (System V ABI, x86-64, 3.2.1). The CPU has aligned the stack (APM volume 2, 8.9.3):
    // after five words of its frame and nine of ours it is aligned for a call.
    .balign 16
    .global __nmi_stub
__nmi_stub:
    push    rax
    push    rcx
    push    rdx
    push    rsi
    push    rdi
    push    r8
    push    r9
    push    r10
    push    r11
    cld
    lea     rdi, [rsp + 8 * 9]
    call    {struck}
    pop     r11
    pop     r10
    pop     r9
    pop     r8
    pop     rdi
    pop     rsi
    pop     rdx
    pop     rcx
    pop     rax
    iretq
    "#,
    struck = sym struck,
);

/// One has come, to this CPU, before the instruction at `rip`.
extern "C" fn struck(rip: &mut u64) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    // Where the shadow of STI does not hold NMIs off, it has ended now: what is pending would be taken before the HLT, which would then
    // wait for the next one, with interrupts masked.
    if *rip == cpu::sleeping_place() {
        *rip = rip.wrapping_add(cpu::HLT_BYTES);
    }
    // Before that there is no loop to find the note.
    if let Some(local) = cpu::local()
        && local.mailbox.post(u64::MAX)
    {
        controller::kick_self();
    }
}

/// NMIs that have not been told of.
#[derive(Clone, Copy, Debug)]
pub struct Complaint {
    count: u64,
    /// Port 0x61, which has two bits of causes (ICH9, NMI_SC).
    status: u8,
}

/// What the board has complained of since it was asked last.
#[inline]
pub fn take() -> Option<Complaint> {
    let count = COUNT.load(Ordering::Relaxed);
    (TOLD.load(Ordering::Relaxed) != count).then(|| {
        TOLD.store(count, Ordering::Relaxed);
        Complaint { count, status: read_port(0x61) }
    })
}

impl Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match (self.status >> 6, self.status) {
            // Nobody answers there.
            (0b00, _) | (_, 0xff) => "the chipset names no cause",
            (0b01, _) => "I/O channel check",
            (0b10, _) => "system error on PCI",
            _ => "I/O channel check, and system error on PCI",
        };
        write!(f, "NMI from the board, {} so far: {cause}", self.count)
    }
}
