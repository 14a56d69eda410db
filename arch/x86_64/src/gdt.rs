//! Segments, as far as long mode still has them: one code segment, one for data, and a task-state segment whose only use is the
//! stacks that exceptions switch to (APM volume 2, 4.8 and 12.2.5).
//!
//! They are written where they stay, behind a shared reference. The tables of crate `x86_64` are made elsewhere and moved: two `Once`
//! for that would be 450 bytes of code, and its checks another hundred.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use x86_64::instructions::tables::{DescriptorTablePointer, lgdt, load_tss};
use x86_64::registers::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::structures::gdt::{DescriptorFlags, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;
use x86_64::{PrivilegeLevel, VirtAddr};

/// The hypervisor's code.
pub(crate) const CODE: SegmentSelector = SegmentSelector::new(1, PrivilegeLevel::Ring0);
/// The hypervisor's data.
const DATA: SegmentSelector = SegmentSelector::new(2, PrivilegeLevel::Ring0);
/// The task-state segment.
const TASK: SegmentSelector = SegmentSelector::new(3, PrivilegeLevel::Ring0);
/// The entry of the interrupt stack table that all exceptions use but NMIs. None of them comes back, so one stack is enough; one that
/// strikes while another is told of overwrites what nobody will read.
pub(crate) const FATAL_STACK: u8 = 1;
/// The one that NMIs use, which may strike while a fatal exception is told of.
pub(crate) const NMI_STACK: u8 = 2;

/// Bytes of the task-state segment.
const TASK_BYTES: u64 = size_of::<TaskStateSegment>() as u64;
/// The same in words of 4 bytes, as its fields are aligned.
const TASK_WORDS: usize = size_of::<TaskStateSegment>() / 4;
/// Word of IST1's low half; the others follow.
const IST1: usize = offset_of!(TaskStateSegment, interrupt_stack_table) / 4;
/// Words of an NMI's stack: what its stub calls needs little (`complaint`).
const NMI_WORDS: usize = 128;
/// The descriptor table's last byte.
const DESCRIPTORS_LIMIT: u16 = size_of::<[AtomicU64; 5]>() as u16 - 1;

/// A CPU's descriptor table and task-state segment.
#[repr(C, align(16))]
#[derive(Debug)]
pub(crate) struct Segments {
    descriptors: [AtomicU64; 5],
    task: [AtomicU32; TASK_WORDS],
    nmi_stack: [AtomicU64; NMI_WORDS],
}

impl Segments {
    /// Segments that nobody has loaded.
    pub(crate) const fn new() -> Segments {
        Segments {
            descriptors: [const { AtomicU64::new(0) }; 5],
            task: [const { AtomicU32::new(0) }; TASK_WORDS],
            nmi_stack: [const { AtomicU64::new(0) }; NMI_WORDS],
        }
    }

    /// Makes them this CPU's, with the stack that ends at `fatal_stack`, a multiple of 16, for fatal exceptions. FS and GS keep
    /// what they have: in 64-bit mode only their bases count, which have registers of their own.
    ///
    /// # Safety
    /// No other CPU uses them, ever; and nothing else grows into that stack.
    pub(crate) unsafe fn load(&'static self, fatal_stack: u64) {
        let nmi_stack = self.nmi_stack.as_ptr_range().end as u64;
        self.task[IST1].store(fatal_stack as u32, Ordering::Relaxed);
        self.task[IST1 + 1].store((fatal_stack >> 32) as u32, Ordering::Relaxed);
        self.task[IST1 + 2].store(nmi_stack as u32, Ordering::Relaxed);
        self.task[IST1 + 3].store((nmi_stack >> 32) as u32, Ordering::Relaxed);
        // No I/O permission bitmap: its offset is the segment's end.
        self.task[TASK_WORDS - 1].store((TASK_BYTES as u32) << 16, Ordering::Relaxed);
        // An available 64-bit TSS, present, in two entries (APM volume 2, 4.8.3). `ltr` will mark it busy.
        let task = self.task.as_ptr() as u64;
        let low = (TASK_BYTES - 1) | (task & 0xff_ffff) << 16 | 0x89 << 40 | ((task >> 24) & 0xff) << 56;
        let [code, data] = [DescriptorFlags::KERNEL_CODE64, DescriptorFlags::KERNEL_DATA].map(|flags| flags.bits());
        for (entry, value) in self.descriptors.iter().zip([0, code, data, low, task >> 32]) {
            entry.store(value, Ordering::Relaxed);
        }
        let base = VirtAddr::new_truncate(self.descriptors.as_ptr() as u64);
        // SAFETY: the table is static and right: its segments are like those in use (APM volume 2, 4.7.2, 4.8.1), and the task-state
        // segment is this CPU's.
        unsafe {
            lgdt(&DescriptorTablePointer { limit: DESCRIPTORS_LIMIT, base });
            CS::set_reg(CODE);
            SS::set_reg(DATA);
            DS::set_reg(DATA);
            ES::set_reg(DATA);
            load_tss(TASK);
        }
    }
}

impl Default for Segments {
    fn default() -> Segments {
        Segments::new()
    }
}
