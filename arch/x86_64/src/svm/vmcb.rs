//! The virtual machine control block: what VMRUN reads and an exit writes (APM volume 2, appendix B).
//!
//! All of it is plain memory of the vCPU's. Between two VMRUNs it is ours alone; what the CPU keeps of it in the meantime it
//! forgets when the clean bits say so (15.15), and here they always do.
#![forbid(unsafe_code)]

use core::mem::offset_of;

use crate::segment::Segment;

/// A vCPU as VMRUN takes it. Zero is a valid value of every field.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Vmcb {
    /// What leaves the guest, and why it was left.
    pub control: Control,
    /// The guest's registers.
    pub state: State,
}

/// The control area (table B-1).
#[repr(C)]
#[derive(Debug)]
pub struct Control {
    /// Bit n: a read of CRn leaves; bit 16 + n: a write.
    pub cr_intercepts: u32,
    /// The same of debug registers.
    pub dr_intercepts: u32,
    /// Bit n: exception n leaves.
    pub exception_intercepts: u32,
    /// Instructions and events: [`super::intercepts`].
    pub intercepts: [u32; 3],
    reserved_18: [u32; 9],
    /// Pauses further apart than so many cycles begin a new count.
    pub pause_threshold: u16,
    /// So many pauses in a row do not leave.
    pub pause_count: u16,
    /// Host-physical address of the bitmap of ports.
    pub io_bitmap: u64,
    /// Host-physical address of the bitmap of model-specific registers.
    pub msr_bitmap: u64,
    /// Guest's time stamp less the host's.
    pub tsc_offset: u64,
    /// Tags the guest's translations. Never zero, which is the host.
    pub asid: u32,
    /// What VMRUN forgets first: [`TLB_FLUSH_ALL`], [`TLB_FLUSH_ASID`] or nothing.
    pub tlb_control: u32,
    /// V_TPR, V_IRQ and their likes: [`virtual_interrupt`].
    pub interrupt: u64,
    /// Bit 0: the guest is in an interrupt shadow. Bit 1: its IF, for encrypted guests.
    pub shadow: u64,
    /// Why the guest was left: [`super::exit_code`].
    pub exit_code: u64,
    /// More about that.
    pub exit_info_1: u64,
    /// More about that: the guest-physical address of a nested page fault.
    pub exit_info_2: u64,
    /// What was being delivered when the guest was left: an event as [`super::event`] has them.
    pub exit_interrupt_info: u64,
    /// Bit 0: nested paging.
    pub nested_paging: u64,
    reserved_98: [u64; 2],
    /// What VMRUN makes the guest take first.
    pub event: u64,
    /// The root of the nested tables.
    pub nested_cr3: u64,
    /// Bit 0: last-branch records are the guest's own. Bit 1: VMLOAD and VMSAVE are.
    pub virtualization: u64,
    /// What has not changed since the last VMRUN of this VMCB: nothing is claimed.
    pub clean: u64,
    /// Where the next instruction is, if the CPU saves that (CPUID 0x8000_000a EDX bit 3) and the exit has one.
    pub next_rip: u64,
    /// How many of [`Control::bytes`] the CPU fetched (decode assists).
    pub fetched: u8,
    /// The instruction, of a nested page fault by a load or store.
    pub bytes: [u8; 15],
    reserved_e0: [u64; 100],
}

/// The state save area (table B-2). FS, GS, TR, LDTR and the registers of system calls are moved by VMLOAD and VMSAVE only
/// (15.5.2).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the manual's names of registers")]
pub struct State {
    pub es: Segment,
    pub cs: Segment,
    pub ss: Segment,
    pub ds: Segment,
    pub fs: Segment,
    pub gs: Segment,
    pub gdtr: Segment,
    pub ldtr: Segment,
    pub idtr: Segment,
    pub tr: Segment,
    reserved_a0: [u8; 43],
    pub cpl: u8,
    reserved_cc: u32,
    pub efer: u64,
    reserved_d8: [u64; 14],
    pub cr4: u64,
    pub cr3: u64,
    pub cr0: u64,
    pub dr7: u64,
    pub dr6: u64,
    pub rflags: u64,
    pub rip: u64,
    reserved_180: [u64; 11],
    pub rsp: u64,
    pub s_cet: u64,
    pub ssp: u64,
    pub interrupt_ssp_table: u64,
    pub rax: u64,
    pub star: u64,
    pub lstar: u64,
    pub cstar: u64,
    pub sfmask: u64,
    pub kernel_gs_base: u64,
    pub sysenter_cs: u64,
    pub sysenter_esp: u64,
    pub sysenter_eip: u64,
    pub cr2: u64,
    reserved_248: [u64; 4],
    pub pat: u64,
    pub debug_control: u64,
    pub last_branch_from: u64,
    pub last_branch_to: u64,
    pub last_exception_from: u64,
    pub last_exception_to: u64,
    reserved_298: [u64; 9],
    /// The guest's SPEC_CTRL, where the CPU switches that (CPUID 0x8000_000a EDX bit 20).
    pub speculation_control: u64,
    reserved_2e8: [u64; 291],
}

const _: () = {
    assert!(size_of::<Vmcb>() == 4096 && offset_of!(Vmcb, state) == 0x400);
    assert!(offset_of!(Control, pause_threshold) == 0x3c && offset_of!(Control, io_bitmap) == 0x40);
    assert!(offset_of!(Control, asid) == 0x58 && offset_of!(Control, interrupt) == 0x60);
    assert!(offset_of!(Control, exit_code) == 0x70 && offset_of!(Control, exit_interrupt_info) == 0x88);
    assert!(offset_of!(Control, nested_paging) == 0x90 && offset_of!(Control, event) == 0xa8);
    assert!(offset_of!(Control, clean) == 0xc0 && offset_of!(Control, next_rip) == 0xc8);
    assert!(offset_of!(Control, fetched) == 0xd0 && offset_of!(Control, bytes) == 0xd1);
    assert!(offset_of!(State, tr) == 0x90 && offset_of!(State, cpl) == 0xcb && offset_of!(State, efer) == 0xd0);
    assert!(offset_of!(State, cr4) == 0x148 && offset_of!(State, dr6) == 0x168 && offset_of!(State, rip) == 0x178);
    assert!(offset_of!(State, rsp) == 0x1d8 && offset_of!(State, rax) == 0x1f8 && offset_of!(State, star) == 0x200);
    assert!(offset_of!(State, cr2) == 0x240 && offset_of!(State, pat) == 0x268);
    assert!(offset_of!(State, last_exception_to) == 0x290 && offset_of!(State, speculation_control) == 0x2e0);
};

/// Forgets every ASID's translations.
pub const TLB_FLUSH_ALL: u32 = 1;
/// Forgets those of the guest's own ASID, where the CPU can (CPUID 0x8000_000a EDX bit 6).
pub const TLB_FLUSH_ASID: u32 = 3;

/// Bits of [`Control::interrupt`].
pub mod virtual_interrupt {
    /// The guest's CR8.
    pub const TPR: u64 = 0xf;
    /// A virtual interrupt is pending.
    pub const PENDING: u64 = 1 << 8;
    /// Lowest bit of its priority, which counts against the TPR.
    pub const PRIORITY_SHIFT: u32 = 16;
    /// Its priority.
    pub const PRIORITY: u64 = 0xf << PRIORITY_SHIFT;
    /// The priority does not count.
    pub const IGNORES_TPR: u64 = 1 << 20;
    /// The guest's IF and TPR are its own; the host's IF masks the board's interrupts.
    pub const MASKING: u64 = 1 << 24;
    /// Lowest bit of its vector.
    pub const VECTOR_SHIFT: u32 = 32;

    /// Vector `vector` is pending, whatever the TPR.
    pub const fn offer(vector: u8) -> u64 {
        PENDING | IGNORES_TPR | (vector as u64) << VECTOR_SHIFT
    }
}

impl Vmcb {
    /// All zero.
    pub const ZERO: Vmcb = Vmcb {
        control: Control {
            cr_intercepts: 0,
            dr_intercepts: 0,
            exception_intercepts: 0,
            intercepts: [0; 3],
            reserved_18: [0; 9],
            pause_threshold: 0,
            pause_count: 0,
            io_bitmap: 0,
            msr_bitmap: 0,
            tsc_offset: 0,
            asid: 0,
            tlb_control: 0,
            interrupt: 0,
            shadow: 0,
            exit_code: 0,
            exit_info_1: 0,
            exit_info_2: 0,
            exit_interrupt_info: 0,
            nested_paging: 0,
            reserved_98: [0; 2],
            event: 0,
            nested_cr3: 0,
            virtualization: 0,
            clean: 0,
            next_rip: 0,
            fetched: 0,
            bytes: [0; 15],
            reserved_e0: [0; 100],
        },
        state: State::ZERO,
    };
}

impl State {
    const ZERO: State = {
        const NONE: Segment = Segment { selector: 0, attributes: 0, limit: 0, base: 0 };
        State {
            es: NONE,
            cs: NONE,
            ss: NONE,
            ds: NONE,
            fs: NONE,
            gs: NONE,
            gdtr: NONE,
            ldtr: NONE,
            idtr: NONE,
            tr: NONE,
            reserved_a0: [0; 43],
            cpl: 0,
            reserved_cc: 0,
            efer: 0,
            reserved_d8: [0; 14],
            cr4: 0,
            cr3: 0,
            cr0: 0,
            dr7: 0,
            dr6: 0,
            rflags: 0,
            rip: 0,
            reserved_180: [0; 11],
            rsp: 0,
            s_cet: 0,
            ssp: 0,
            interrupt_ssp_table: 0,
            rax: 0,
            star: 0,
            lstar: 0,
            cstar: 0,
            sfmask: 0,
            kernel_gs_base: 0,
            sysenter_cs: 0,
            sysenter_esp: 0,
            sysenter_eip: 0,
            cr2: 0,
            reserved_248: [0; 4],
            pat: 0,
            debug_control: 0,
            last_branch_from: 0,
            last_branch_to: 0,
            last_exception_from: 0,
            last_exception_to: 0,
            reserved_298: [0; 9],
            speculation_control: 0,
            reserved_2e8: [0; 291],
        }
    };
}
