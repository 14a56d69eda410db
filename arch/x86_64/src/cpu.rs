//! This pCPU: who it is, its own data, waiting, and its tables.

use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arch_common::doorbell::Rung;
use arch_common::recorder::Recorder;
use x86_64::instructions::{hlt, interrupts};
use x86_64::registers::control::{Cr2, Cr3, Cr3Flags};
use x86_64::registers::model_specific::{ApicBase, ApicBaseFlags, GsBase};
use x86_64::registers::rflags::RFlags;
use x86_64::structures::paging::PhysFrame;
use x86_64::{PhysAddr, VirtAddr};

use crate::controller;
use crate::gdt::Segments;
use crate::in_hand::InHand;
use crate::mailbox::Mailbox;
use crate::registers::cpuid;
use crate::svm::Host;

/// What belongs to one pCPU. GS's base is its address from the moment the CPU is up.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct PerCpu {
    /// Its own address, once it is some CPU's: how a pCPU gets from GS to a pointer in one instruction.
    own: AtomicU64,
    /// The vector that was taken and not yet asked for, in the low byte; zero if there is none.
    pub(crate) taken: AtomicU64,
    /// Which pCPU this is, counted in the order of the board's tables.
    pub index: u32,
    /// Top of the stack that fatal exceptions switch to.
    pub emergency_stack: u64,
    /// What [`crate::controller::send`] takes to ring this pCPU.
    pub doorbell: u64,
    /// What others leave for it.
    pub mailbox: Mailbox,
    /// Its last exits.
    pub recorder: Recorder,
    /// The vCPU that it has in hand.
    pub in_hand: InHand,
    /// Its segments.
    segments: Segments,
    /// What SVM needs of it.
    pub(crate) host: Host,
    /// When the loop, and when the vCPU that is loaded, wants to be called: see [`crate::alarm`].
    pub(crate) alarms: [AtomicU64; 2],
    /// The vCPU that is loaded is to find no translations of another one's.
    pub(crate) forgets: AtomicBool,
}

impl PerCpu {
    /// What pCPU `index` will have, whose emergency stack ends at `emergency_stack`, a multiple of 16.
    pub fn new(index: u32, emergency_stack: u64, doorbell: u64, recorder: Recorder) -> PerCpu {
        PerCpu {
            own: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            index,
            emergency_stack,
            doorbell,
            mailbox: Mailbox::new(),
            recorder,
            in_hand: InHand::new(),
            segments: Segments::new(),
            host: Host::new(),
            alarms: [const { AtomicU64::new(u64::MAX) }; 2],
            forgets: AtomicBool::new(false),
        }
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
        controller::send(self.doorbell);
    }
}

/// Offset of the noted vector, for the stubs.
pub(crate) const TAKEN: usize = offset_of!(PerCpu, taken);
/// Offset of [`PerCpu::recorder`] for the entry's assembly.
pub(crate) const RECORDER: usize = offset_of!(PerCpu, recorder);
const OWN: usize = offset_of!(PerCpu, own);

/// RFLAGS.IF.
pub(crate) const INTERRUPTS_ON: u32 = RFlags::INTERRUPT_FLAG.bits() as u32;

/// What GS points to on a CPU that has no data of its own yet: [`PerCpu::own`] of nobody.
static NOBODY: AtomicU64 = AtomicU64::new(0);

/// This CPU's number: its APIC ID.
pub fn own_id() -> u64 {
    // Leaf 0xb has the whole ID, if it describes any level at all (APM volume 3, CPUID Fn0000_000B; SDM volume 2).
    match cpuid(0xb, 0) {
        [_, levels, _, id] if levels != 0 => u64::from(id),
        _ => u64::from(cpuid(1, 0)[1] >> 24),
    }
}

/// Whether this is the CPU that the board started on (APM volume 2, 16.3.1, APIC_BASE.BSC).
pub fn is_boot_cpu() -> bool {
    ApicBase::read().1.contains(ApicBaseFlags::BSP)
}

/// Makes `data` this pCPU's own, its segments and emergency stack with it.
pub fn set_local(data: &'static PerCpu) {
    let address = core::ptr::from_ref(data) as u64;
    data.own.store(address, Ordering::Relaxed);
    // GS is ours alone, and the address stays valid for good.
    GsBase::write(VirtAddr::new_truncate(address));
    // SAFETY: what belongs to one pCPU is loaded by one.
    unsafe { data.segments.load(data.emergency_stack) };
}

/// This pCPU's own data; `None` before [`set_local`].
#[inline]
pub fn local() -> Option<&'static PerCpu> {
    let address: *const PerCpu;
    // SAFETY: GS points to a word that is zero (see `clear_local`) or the address of a `&'static PerCpu`.
    unsafe {
        asm!("mov {}, gs:[{own}]", out(reg) address, own = const OWN, options(nostack, preserves_flags, readonly));
        address.as_ref()
    }
}

/// Before anything else on a CPU: GS is whatever boot left.
pub fn clear_local() {
    // GS is ours alone; the first word behind it is all that is read until `set_local`.
    GsBase::write(VirtAddr::new_truncate(NOBODY.as_ptr() as u64));
}

/// Which pCPU this is; zero before it is known.
pub fn index() -> u32 {
    local().map_or(0, |data| data.index)
}

/// Waits until an interrupt is pending; it is left for `controller::take`. Not before [`set_local`].
pub fn wait_for_interrupt() {
    if local().is_some_and(|local| local.taken.load(Ordering::Relaxed) == 0) {
        // SAFETY: an interrupt is delivered after the `hlt` at the earliest, and so ends it (APM volume 2, 8.1.4, STI); its
        // stub notes it and masks interrupts again. So does the `cli`, should the CPU wake up for another reason.
        unsafe { ostler_sleep() };
    }
}

global_asm!(
    r#"
    .section .text.vectors, "ax"
    .global ostler_sleep
ostler_sleep:
    sti
    .global ostler_sleep_hlt
ostler_sleep_hlt:
    hlt
    cli
    ret
    "#
);

unsafe extern "C" {
    /// Waits for an interrupt, with interrupts on until it comes. (Not `enable_and_hlt`: an NMI has to know where the HLT is.)
    fn ostler_sleep();
    /// Its HLT.
    static ostler_sleep_hlt: u8;
}

/// Where the HLT of [`wait_for_interrupt`] is.
pub(crate) fn sleeping_place() -> u64 {
    &raw const ostler_sleep_hlt as u64
}

/// How long it is.
pub(crate) const HLT_BYTES: u64 = 1;

/// Lets one pending interrupt through, if there is one. Not before [`set_local`].
#[inline]
pub(crate) fn open_window() {
    // The stub notes the interrupt and masks interrupts again. STI holds it off for one instruction, which is `enable`'s NOP.
    interrupts::enable();
    interrupts::disable();
}

/// Executes an instruction that there is none of: for tests of what happens then.
#[inline(always)]
pub fn execute_nonsense() {
    // SAFETY: the exception is what it is for; nothing follows.
    unsafe { asm!("ud2") };
}

/// Stops this CPU for good.
pub fn halt() -> ! {
    loop {
        interrupts::disable();
        hlt();
    }
}

/// The time-stamp counter.
#[inline]
pub fn counter() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter; the fence keeps it from being read early (APM volume 3, RDTSC).
    unsafe { asm!("lfence", "rdtsc", out("eax") low, out("edx") high, options(nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Ticks of the counter in a second; zero before [`crate::tsc::calibrate`].
#[inline]
pub fn counter_hz() -> u64 {
    crate::tsc::hz()
}

/// Makes earlier stores visible to other CPUs before a later interrupt that tells them: x2APIC's registers are written in no
/// order with memory (APM volume 2, 16.11.2; SDM volume 3, 11.12.3).
pub fn publish() {
    // SAFETY: a barrier.
    unsafe { asm!("mfence", "lfence", options(nostack, preserves_flags)) };
}

/// Nothing to do: caches are coherent for whoever starts (APM volume 2, 7.3).
pub fn clean_to_coherency(_address: u64, _size: u64) {}

/// Nothing to do: instruction caches follow stores (APM volume 2, 7.6.1).
pub fn invalidate_instructions() {}

/// Forgets what this CPU's TLB holds of the guest that is loaded, before it goes on. For a vCPU that comes after another one of its
/// VM: translations are tagged by VM, and what a guest maps or invalidates for one vCPU alone says nothing about another.
pub fn forget_guest_translations() {
    if let Some(local) = local() {
        local.forgets.store(true, Ordering::Relaxed);
    }
}

/// Zeroes `size` bytes at `address`.
///
/// # Safety
/// The range is mapped writable, a multiple of a page at a multiple of a page, and nobody else uses it.
pub unsafe fn zero_pages(address: u64, size: u64) {
    // SAFETY: the caller's range; the direction flag is clear (System V ABI, x86-64, 3.2.1).
    unsafe {
        asm!("rep stosq", inout("rdi") address => _, inout("rcx") size / 8 => _, in("rax") 0_u64,
            options(nostack, preserves_flags));
    }
}

/// Zeroes `size` bytes at `address`.
///
/// # Safety
/// As for [`zero_pages`].
pub unsafe fn scrub_pages(address: u64, size: u64) {
    // SAFETY: the caller's promise.
    unsafe { zero_pages(address, size) };
}

/// Replaces the tables in use by the ones at `root`.
///
/// # Safety
/// `root` maps everything that is in use at the same virtual addresses.
pub unsafe fn use_tables(root: u64) {
    // SAFETY: the caller's promise. Nothing is global, so this forgets all old translations (APM volume 2, 5.5.2).
    unsafe { Cr3::write(PhysFrame::containing_address(PhysAddr::new_truncate(root)), Cr3Flags::empty()) };
}

/// The root of the tables that this CPU uses.
pub fn tables_in_use() -> u64 {
    Cr3::read().0.start_address().as_u64()
}

/// Goes on in `next`, handing it `argument`, with an empty stack that ends at `stack`.
///
/// # Safety
/// `stack` is the 16-byte aligned top of memory that is this CPU's alone from now on.
pub unsafe fn switch_stack(stack: u64, next: extern "C" fn(u64) -> !, argument: u64) -> ! {
    // SAFETY: the caller's promise; nothing on the old stack is used again. The call leaves the stack as a function expects it.
    unsafe {
        asm!("mov rsp, {stack}", "xor ebp, ebp", "call {next}", "ud2",
            stack = in(reg) stack, next = in(reg) next, in("rdi") argument, options(noreturn))
    }
}

/// What the CPU says about its last page fault.
#[derive(Clone, Copy, Debug)]
pub struct FaultRegisters {
    /// The address.
    pub cr2: u64,
    /// The tables that translated it.
    pub cr3: u64,
}

impl FaultRegisters {
    /// The last page fault's.
    pub fn read() -> FaultRegisters {
        FaultRegisters { cr2: Cr2::read_raw(), cr3: tables_in_use() }
    }
}
