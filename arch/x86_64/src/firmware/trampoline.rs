//! The start of another CPU: INIT, then two start-up messages (SDM volume 3, 9.4.4; APM volume 2, 16.5), which let it begin in
//! real mode at a page below 1 MiB.
//!
//! A few instructions are copied to that page, with what they need behind them. They go to 32-bit protected mode and on to
//! code of boot's, which turns paging on. The page is not executable in our own tables, and need not be.

use core::arch::global_asm;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::cpu::{counter, counter_hz, tables_in_use};
use crate::{board, controller};

// What the instructions need, as offsets in their page; behind them, filled in for each CPU.
/// Three descriptors: none, 32-bit code, data, each of all memory.
const DESCRIPTORS: u64 = 0xf00;
/// What `lgdt` reads: limit and address.
const DESCRIPTORS_POINTER: u64 = 0xf20;
/// Where 32-bit code goes on: offset and selector.
const PROTECTED: u64 = 0xf28;
const ENTRY: u64 = 0xf30;
const ROOT: u64 = 0xf34;
const ARGUMENT: u64 = 0xf38;
/// Not zero once the CPU does not need the page any more.
const GONE: u64 = 0xf40;

global_asm!(
    r#"
    .section .rodata.trampoline, "a"
    .balign 16
    .global __trampoline, __trampoline_protected, __trampoline_end
__trampoline:
    .code16
    cli
    cld
    mov     ax, cs
    mov     ds, ax
    movzx   ebx, ax
    shl     ebx, 4                      // the page
    lgdt    [{descriptors_pointer}]
    mov     eax, cr0
    or      al, 1
    mov     cr0, eax
    .byte   0x66, 0xff, 0x2e            // jmp far, 32 bits, as told at
    .2byte  {protected}
__trampoline_protected:
    .code32
    mov     eax, 0x10
    mov     ds, eax
    mov     es, eax
    mov     ss, eax
    mov     edi, [ebx + {root}]
    mov     esi, [ebx + {argument}]
    mov     edx, [ebx + {argument} + 4]
    mov     ecx, [ebx + {entry}]
    mov     dword ptr [ebx + {gone}], 1 // the next CPU's instructions are the same ones
    jmp     ecx
__trampoline_end:
    .code64
    "#,
    descriptors_pointer = const DESCRIPTORS_POINTER,
    protected = const PROTECTED,
    root = const ROOT,
    argument = const ARGUMENT,
    entry = const ENTRY,
    gone = const GONE,
);

unsafe extern "C" {
    static __trampoline: u8;
    static __trampoline_protected: u8;
    static __trampoline_end: u8;
}

/// Delivery modes of a command (APM volume 2, 16.5).
const INIT: u32 = 0b101 << 8;
const START_UP: u32 = 0b110 << 8;

/// Waits `us` microseconds.
fn wait(us: u64) {
    let start = counter();
    let ticks = (counter_hz() / 1_000_000).saturating_mul(us);
    while counter().wrapping_sub(start) < ticks {
        core::hint::spin_loop();
    }
}

/// Why a CPU does not start.
#[derive(Clone, Copy, Debug)]
pub enum NotStarted {
    /// No memory below 1 MiB is free.
    NoPage,
    /// What it needs first lies above 4 GiB.
    TooHigh,
    /// It was told to, and nothing happened.
    NoAnswer,
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotStarted::NoPage => "there is no free page below 1 MiB to start it in",
            NotStarted::TooHigh => "the hypervisor lies above 4 GiB",
            NotStarted::NoAnswer => "it does not answer",
        })
    }
}

/// Starts CPU `id` at physical address `entry`, below 4 GiB, in 32-bit protected mode without paging: flat segments, interrupts
/// masked, edi = the root of this CPU's tables, esi and edx = the low and the high half of `argument`. One at a
/// time.
pub fn start_cpu(id: u64, entry: u64, argument: u64) -> Result<(), NotStarted> {
    let page = board::get().and_then(|board| board.trampoline).ok_or(NotStarted::NoPage)?.0;
    let root = u32::try_from(tables_in_use()).map_err(|_| NotStarted::TooHigh)?;
    let entry = u32::try_from(entry).map_err(|_| NotStarted::TooHigh)?;
    let start = &raw const __trampoline;
    let behind = |symbol: *const u8| (symbol as u64).wrapping_sub(start as u64);
    let size = behind(&raw const __trampoline_end) as usize;
    let protected = page.wrapping_add(behind(&raw const __trampoline_protected));
    let words = [
        (DESCRIPTORS, 0),
        (DESCRIPTORS + 8, 0x00cf_9b00_0000_ffff),
        (DESCRIPTORS + 16, 0x00cf_9300_0000_ffff),
        (DESCRIPTORS_POINTER, 23 | page.wrapping_add(DESCRIPTORS) << 16),
        (PROTECTED, protected | 0x08 << 32),
        (ENTRY, u64::from(entry) | u64::from(root) << 32),
        (ARGUMENT, argument),
        (GONE, 0),
    ];
    // SAFETY: the page is Ostler's, mapped writable at its own address for good (`Board::pages`), and nobody else uses it: CPUs are
    // started one at a time, and the last one has gone. The instructions are shorter than the offset of what they need.
    let gone = unsafe {
        core::ptr::copy_nonoverlapping(start, page as *mut u8, size);
        for (offset, word) in words {
            (page.wrapping_add(offset) as *mut u64).write_volatile(word);
        }
        AtomicU32::from_ptr(page.wrapping_add(GONE) as *mut u32)
    };
    crate::cpu::publish();
    let local = controller::local();
    let id = id as u32;
    let page = (page >> 12) as u32;
    // The manual's 10 ms are enough for a CPU. One of an emulator on a busy machine may not have been reset by then, and is told again.
    for reset_us in [10_000, 100_000, 1_000_000] {
        local.send(id, INIT);
        wait(reset_us);
        // The second message is for CPUs that missed the first: one that did not is beyond caring (SDM volume 3, 9.4.4.1).
        for patience_us in [200, 1_000_000] {
            local.send(id, START_UP | page);
            let start = counter();
            let ticks = (counter_hz() / 1_000_000).saturating_mul(patience_us);
            while counter().wrapping_sub(start) < ticks {
                if gone.load(Ordering::Acquire) != 0 {
                    return Ok(());
                }
                core::hint::spin_loop();
            }
        }
    }
    Err(NotStarted::NoAnswer)
}
