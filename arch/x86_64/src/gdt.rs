//! Segments, as far as long mode still has them: one code segment, one for data, and a task-state segment whose only use is the
//! stacks that exceptions switch to (APM volume 2, 4.8 and 12.2.5).

use core::arch::asm;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Selector of the hypervisor's code.
pub(crate) const CODE: u16 = 0x08;
/// Selector of the hypervisor's data.
pub(crate) const DATA: u16 = 0x10;
/// Selector of the task-state segment.
pub(crate) const TASK: u16 = 0x18;
/// The entry of the interrupt stack table that all exceptions use but NMIs. None of them comes back, so one stack is enough; one that
/// strikes while another is told of overwrites what nobody will read.
pub(crate) const FATAL_STACK: u8 = 1;
/// The one that NMIs use, which may strike while a fatal exception is told of.
pub(crate) const NMI_STACK: u8 = 2;

/// 64-bit code, present, readable, accessed; the segment's base and limit do not count (APM volume 2, 4.8.1).
const CODE_DESCRIPTOR: u64 = 0x00af_9b00_0000_ffff;
/// Data, present, writable, accessed.
const DATA_DESCRIPTOR: u64 = 0x00cf_9300_0000_ffff;

/// Words of the 64-bit task-state segment (APM volume 2, 12.2.5), of 4 bytes as its fields are aligned.
const TASK_WORDS: usize = 26;
/// Word of IST1's low half; the others follow.
const IST1: usize = 9;
/// Words of an NMI's stack: what its stub calls needs little (`complaint`).
const NMI_WORDS: usize = 128;
/// The descriptor table's last byte.
const DESCRIPTORS_LIMIT: u16 = size_of::<[AtomicU64; 5]>() as u16 - 1;
/// Bytes of the task-state segment.
const TASK_BYTES: u64 = 4 * TASK_WORDS as u64;

/// A CPU's descriptor table and task-state segment.
#[repr(C, align(16))]
#[derive(Debug)]
pub(crate) struct Segments {
    descriptors: [AtomicU64; 5],
    task: [AtomicU32; TASK_WORDS],
    nmi_stack: [AtomicU64; NMI_WORDS],
}

/// What `lgdt` and `lidt` read.
#[repr(C, packed)]
pub(crate) struct TablePointer {
    pub(crate) limit: u16,
    pub(crate) base: u64,
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
        for (entry, value) in self.descriptors.iter().zip([0, CODE_DESCRIPTOR, DATA_DESCRIPTOR, low, task >> 32]) {
            entry.store(value, Ordering::Relaxed);
        }
        let pointer = TablePointer { limit: DESCRIPTORS_LIMIT, base: self.descriptors.as_ptr() as u64 };
        // SAFETY: the table is static and right: its segments are like those in use, so the far return goes on at the next
        // instruction (APM volume 2, 4.7.2, 4.8.1).
        unsafe {
            asm!(
                "lgdt   [{pointer}]",
                "push   {code}",
                "lea    {scratch}, [rip + 2f]",
                "push   {scratch}",
                "retfq",
                "2:",
                "mov    ss, {data:e}",
                "mov    ds, {data:e}",
                "mov    es, {data:e}",
                "ltr    {task:x}",
                pointer = in(reg) &raw const pointer,
                code = in(reg) u64::from(CODE),
                data = in(reg) u32::from(DATA),
                task = in(reg) TASK,
                scratch = out(reg) _,
                options(preserves_flags)
            );
        }
    }
}

impl Default for Segments {
    fn default() -> Segments {
        Segments::new()
    }
}
