//! This pCPU: who it is, its own data, waiting, and cache maintenance.

use core::arch::asm;
use core::mem::offset_of;

use aarch64_cpu::registers::{CurrentEL, MPIDR_EL1, Readable};
use arch_common::doorbell::Rung;

use crate::gic;
use crate::in_hand::InHand;
use crate::mailbox::Mailbox;
use crate::recorder::Recorder;
use crate::registers::{read, write};

/// What belongs to one pCPU. TPIDR_EL2 holds its address from the moment the CPU is up.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct PerCpu {
    /// Top of the stack that fatal exceptions switch to.
    pub emergency_stack: u64,
    /// Which pCPU this is, counted in the order of the board's tree.
    pub index: u32,
    /// What [`crate::gic::send`] takes to ring this pCPU.
    pub doorbell: u64,
    /// What others leave for it.
    pub mailbox: Mailbox,
    /// Its last exits.
    pub recorder: Recorder,
    /// The vCPU that it has in hand.
    pub in_hand: InHand,
}

impl PerCpu {
    /// Of pCPU `index`, with the top of its emergency stack, what rings it, and its recorder.
    pub const fn new(index: u32, emergency_stack: u64, doorbell: u64, recorder: Recorder) -> PerCpu {
        PerCpu { emergency_stack, index, doorbell, mailbox: Mailbox::new(), recorder, in_hand: InHand::new() }
    }
}

impl Rung for PerCpu {
    #[inline]
    fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    #[inline]
    fn is_here(&self) -> bool {
        local().is_some_and(|local| core::ptr::eq(local, self))
    }

    #[inline]
    fn ring(&self) {
        gic::send(self.doorbell);
    }
}

/// Offset of [`PerCpu::emergency_stack`] for the vectors.
pub(crate) const EMERGENCY: usize = offset_of!(PerCpu, emergency_stack);

/// Offset of [`PerCpu::recorder`] for the vectors.
pub(crate) const RECORDER: usize = offset_of!(PerCpu, recorder);

/// The affinity fields of MPIDR_EL1.
pub const AFFINITY_MASK: u64 = 0xff_00ff_ffff;

/// The number that this CPU knows itself by: its affinity (MPIDR_EL1 without its flag bits).
pub fn own_id() -> u64 {
    MPIDR_EL1.get() & AFFINITY_MASK
}

/// The exception level that the CPU is in.
pub fn exception_level() -> u64 {
    CurrentEL.read(CurrentEL::EL)
}

/// Makes `data` this pCPU's own.
pub fn set_local(data: &'static PerCpu) {
    // SAFETY: TPIDR_EL2 is ours alone; the address stays valid for good.
    unsafe { write!("TPIDR_EL2", core::ptr::from_ref(data) as u64) };
}

/// This pCPU's own data; `None` before [`set_local`].
pub fn local() -> Option<&'static PerCpu> {
    let address = read!("TPIDR_EL2") as *const PerCpu;
    // SAFETY: TPIDR_EL2 is zero (see `clear_local`) or was set from a `&'static PerCpu`.
    unsafe { address.as_ref() }
}

/// Before anything else on a CPU: TPIDR_EL2 is UNKNOWN out of reset.
pub fn clear_local() {
    // SAFETY: TPIDR_EL2 is ours alone.
    unsafe { write!("TPIDR_EL2", 0) };
}

/// Which pCPU this is; zero before it is known.
pub fn index() -> u32 {
    local().map_or(0, |data| data.index)
}

/// Waits until an interrupt is pending, although interrupts are masked (DDI 0487 D1.7.2).
pub fn wait_for_interrupt() {
    // SAFETY: `wfi` waits; the barrier completes what others may be waiting for.
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) };
}

/// Executes an instruction that there is none of: for tests of what happens then.
#[inline(always)]
pub fn execute_nonsense() {
    // SAFETY: the exception is what it is for; nothing follows.
    unsafe { asm!("udf #0") };
}

/// Stops this CPU for good.
pub fn halt() -> ! {
    loop {
        // SAFETY: waiting has no effect.
        unsafe { asm!("wfi", options(nomem, nostack, preserves_flags)) };
    }
}

/// The physical counter.
pub fn counter() -> u64 {
    // SAFETY: the barrier only orders the read (DDI 0487 D11.2.1).
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
    read!("CNTPCT_EL0")
}

/// Ticks of the counter in a second.
pub fn counter_hz() -> u64 {
    read!("CNTFRQ_EL0")
}

/// Makes earlier stores visible to other CPUs before a later interrupt or event that tells them (DDI 0487 B2.3.11).
pub fn publish() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
}

/// The smallest data cache line of the system in bytes (CTR_EL0.DminLine).
fn data_line_bytes() -> u64 {
    4u64 << ((read!("CTR_EL0") >> 16) & 0xf)
}

/// Bytes that one `DC ZVA` zeroes; `None` if it is prohibited (DCZID_EL0).
fn zero_block_bytes() -> Option<u64> {
    let dczid = read!("DCZID_EL0");
    (dczid & (1 << 4) == 0).then_some(4u64 << (dczid & 0xf))
}

/// Cache instructions for each block of `$block` bytes from `$start`, a multiple of it, to `$end`. Guests have millions of
/// blocks: the loop is unrolled 32 times, so that a block costs these instructions and an addition.
macro_rules! for_each_block {
    ($start:expr, $end:expr, $block:expr, $($instruction:literal),+) => {{
        let (start, end, block): (u64, u64, u64) = ($start, $end, $block);
        let whole_rounds = end.saturating_sub(start) & block.saturating_mul(32).wrapping_neg();
        asm!(
            "b      3f",
            "2:",
            ".rept  32",
            $(concat!($instruction, ", {at}"),)+
            "add    {at}, {at}, {block}",
            ".endr",
            "3:",
            "cmp    {at}, {unrolled}",
            "b.lo   2b",
            "b      5f",
            "4:",
            $(concat!($instruction, ", {at}"),)+
            "add    {at}, {at}, {block}",
            "5:",
            "cmp    {at}, {end}",
            "b.lo   4b",
            at = inout(reg) start => _,
            unrolled = in(reg) start.saturating_add(whole_rounds),
            end = in(reg) end,
            block = in(reg) block,
            options(nostack)
        )
    }};
}

/// Completes cache maintenance, for observers of any kind.
fn complete_maintenance() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
}

/// Cleans and invalidates `size` bytes at `address` to the point of coherency, so that an observer with its caches
/// off (a guest before it turns its MMU on, a CPU that starts) sees them (DDI 0487 D7.5.9).
pub fn clean_to_coherency(address: u64, size: u64) {
    let line = data_line_bytes();
    // SAFETY: maintenance of memory that is mapped changes no value.
    unsafe { for_each_block!(address & line.wrapping_neg(), address.saturating_add(size), line, "dc civac") };
    complete_maintenance();
}

/// Zeroes `size` bytes at `address` by `DC ZVA`, and cleans them as [`clean_to_coherency`] does: line by line in one pass
/// where the CPU zeroes by lines. A line's clean is ordered after the stores to it before (DDI 0487 D7.5.9.6).
///
/// # Safety
/// As for [`zero_pages`].
pub unsafe fn scrub_pages(address: u64, size: u64) {
    let line = data_line_bytes();
    if zero_block_bytes() == Some(line) {
        // SAFETY: the caller's range; a line divides a page.
        unsafe { for_each_block!(address, address.saturating_add(size), line, "dc zva", "dc civac") };
        complete_maintenance();
    } else {
        // SAFETY: the caller's promise.
        unsafe { zero_pages(address, size) };
        clean_to_coherency(address, size);
    }
}

/// Invalidates every instruction cache after code was written by data accesses (DDI 0487 B2.4.4).
pub fn invalidate_instructions() {
    // SAFETY: cache maintenance changes no value.
    unsafe { asm!("dsb ish", "ic ialluis", "dsb ish", "isb", options(nostack, preserves_flags)) };
}

/// Forgets what this CPU's TLB and instruction cache hold of the guest that is loaded. For a vCPU that comes after another
/// one of its VM: TLB entries are tagged by VM, and what a guest maps or invalidates for one vCPU alone says nothing about
/// another (DDI 0487 D8.14.3, TLB entries are per PE; D8.16, CnP).
pub fn forget_guest_translations() {
    // SAFETY: maintenance of this CPU's copies changes no value.
    unsafe { asm!("dsb nshst", "tlbi vmalle1", "ic iallu", "dsb nsh", "isb", options(nostack, preserves_flags)) };
}

/// Zeroes `size` bytes at `address` by `DC ZVA`.
///
/// # Safety
/// The range is mapped writable as Normal memory, a multiple of a page at a multiple of a page, and nobody else uses it.
pub unsafe fn zero_pages(address: u64, size: u64) {
    let end = address.saturating_add(size);
    if let Some(block) = zero_block_bytes() {
        // SAFETY: the caller's range; blocks are at most 2 KiB and so divide a page.
        unsafe { for_each_block!(address, end, block, "dc zva") };
        return;
    }
    let mut at = address;
    while at < end {
        // SAFETY: the caller's range.
        unsafe { (at as *mut u64).write_volatile(0) };
        at = at.saturating_add(8);
    }
}

/// Replaces the early tables by the ones at `root`, at whichever exception level this is.
///
/// # Safety
/// `root` maps everything that is in use at the same virtual addresses, with the layout of `MAIR_EL2` and `TCR_EL2`
/// that boot set.
pub unsafe fn use_tables(root: u64) {
    // SAFETY: the caller's promise. The old tables' entries leave the TLB before anything new is accessed
    // (DDI 0487 D8.17.5); what is running now is translated alike by both.
    unsafe {
        match exception_level() {
            1 => {
                asm!("dsb ishst", "msr TTBR0_EL1, {}", "isb", "tlbi vmalle1", "dsb nsh", "isb", in(reg) root, options(nostack, preserves_flags))
            }
            2 => {
                asm!("dsb ishst", "msr TTBR0_EL2, {}", "isb", "tlbi alle2", "dsb nsh", "isb", in(reg) root, options(nostack, preserves_flags))
            }
            _ => {
                asm!("dsb ishst", "msr TTBR0_EL3, {}", "isb", "tlbi alle3", "dsb nsh", "isb", in(reg) root, options(nostack, preserves_flags))
            }
        }
    }
}

/// The root of the tables that this CPU uses at EL2.
pub fn tables_in_use() -> u64 {
    // BADDR (DDI 0487 D24.2, TTBR0_EL2), without ASID and CnP, which are zero without VHE.
    read!("TTBR0_EL2") & 0x0000_ffff_ffff_fffe
}

/// Goes on in `next`, handing it `argument`, with an empty stack that ends at `stack`.
///
/// # Safety
/// `stack` is the 16-byte aligned top of memory that is this CPU's alone from now on.
pub unsafe fn switch_stack(stack: u64, next: extern "C" fn(u64) -> !, argument: u64) -> ! {
    // SAFETY: the caller's promise; nothing on the old stack is used again.
    unsafe {
        asm!("mov sp, {stack}", "mov x29, xzr", "mov x30, xzr", "br {next}",
            stack = in(reg) stack, next = in(reg) next, in("x0") argument, options(noreturn))
    }
}

/// What the CPU says about an exception taken at EL2.
#[derive(Clone, Copy, Debug)]
pub struct FaultRegisters {
    /// Syndrome.
    pub esr: u64,
    /// Fault address.
    pub far: u64,
    /// Where it happened.
    pub elr: u64,
    /// PSTATE there.
    pub spsr: u64,
}

impl FaultRegisters {
    /// The last exception's.
    pub fn read() -> FaultRegisters {
        FaultRegisters { esr: read!("ESR_EL2"), far: read!("FAR_EL2"), elr: read!("ELR_EL2"), spsr: read!("SPSR_EL2") }
    }
}
