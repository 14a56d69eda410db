//! What a started CPU finds: its first instructions store every register before they change one.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::Verdict;
use guest_runtime::say;

/// Registers of a CPU at its first instruction, in the order of [`NAMES`] behind x0 to x30 and the stack pointer.
/// Its address has a lowest byte of zero, which tells it from the context ids of others.
#[repr(align(256))]
pub(super) struct Record([AtomicU64; 32 + NAMES.len()]);

/// System registers, with the value each has out of reset: what DDI 0487 says (D1.10 and each register's page) or, where
/// that leaves it UNKNOWN, zero, so that nothing leaks into a CPU's next life.
const NAMES: [(&str, u64); 18] = [
    ("CurrentEL", 1 << 2),
    ("SPSel", 1),
    ("DAIF", 0xf << 6),
    ("SCTLR_EL1.{M,A,C,I,WXN,EE}", 0),
    ("VBAR_EL1", 0),
    ("TTBR0_EL1", 0),
    ("TTBR1_EL1", 0),
    ("TCR_EL1", 0),
    ("MAIR_EL1", 0),
    ("CPACR_EL1", 0),
    ("TPIDR_EL0", 0),
    ("TPIDRRO_EL0", 0),
    ("TPIDR_EL1", 0),
    ("CNTKCTL_EL1", 0),
    ("CNTV_CTL_EL0.ENABLE", 0),
    ("CNTP_CTL_EL0.ENABLE", 0),
    ("SP_EL0", 0),
    ("ELR_EL1", 0),
];

global_asm!(
    r#"
    .macro record name, index
        mrs     x1, \name
        str     x1, [x0, #8 * (32 + \index)]
    .endm

    .macro record_bits name, mask, index
        mrs     x1, \name
        mov     x2, #(\mask & 0xffff)
        movk    x2, #(\mask >> 16), lsl #16
        and     x1, x1, x2
        str     x1, [x0, #8 * (32 + \index)]
    .endm

    .section .text.probe, "ax"
    .global probe_start
    // The context id is the record's address.
    probe_start:
        stp     x0, x1, [x0, #0]
        stp     x2, x3, [x0, #16]
        stp     x4, x5, [x0, #32]
        stp     x6, x7, [x0, #48]
        stp     x8, x9, [x0, #64]
        stp     x10, x11, [x0, #80]
        stp     x12, x13, [x0, #96]
        stp     x14, x15, [x0, #112]
        stp     x16, x17, [x0, #128]
        stp     x18, x19, [x0, #144]
        stp     x20, x21, [x0, #160]
        stp     x22, x23, [x0, #176]
        stp     x24, x25, [x0, #192]
        stp     x26, x27, [x0, #208]
        stp     x28, x29, [x0, #224]
        mov     x1, sp
        stp     x30, x1, [x0, #240]
        record  CurrentEL, 0
        record  SPSel, 1
        record  DAIF, 2
        record_bits sctlr_el1, 0x02081007, 3
        record  vbar_el1, 4
        record  ttbr0_el1, 5
        record  ttbr1_el1, 6
        record  tcr_el1, 7
        record  mair_el1, 8
        record  cpacr_el1, 9
        record  tpidr_el0, 10
        record  tpidrro_el0, 11
        record  tpidr_el1, 12
        record  cntkctl_el1, 13
        record_bits cntv_ctl_el0, 1, 14
        record_bits cntp_ctl_el0, 1, 15
        record  sp_el0, 16
        record  elr_el1, 17
        dsb     sy
        b       secondary_start
    "#
);

unsafe extern "C" {
    /// Never called from Rust.
    fn probe_start();
}

/// Where a CPU is to start that is to fill the record whose address is its context id, and then to run the program's second
/// part.
pub(super) fn entry() -> u64 {
    probe_start as *const () as u64
}

impl Record {
    /// One that no CPU has filled.
    pub(super) const fn new() -> Record {
        Record([const { AtomicU64::new(u64::MAX) }; 32 + NAMES.len()])
    }

    /// The context id for it.
    pub(super) fn context(&self) -> u64 {
        core::ptr::from_ref(self) as u64
    }

    /// All of it is as out of reset, and x0 is the context id.
    pub(super) fn check(&self) -> Verdict {
        let value = |index: usize| self.0[index].load(Relaxed);
        if value(0) != self.context() {
            return Err("x0 is not the context id");
        }
        if let Some(index) = (1..32).find(|&index| value(index) != 0) {
            say!("register {index} (31: sp) is {:#x}", value(index));
            return Err("a general register is not zero in a vCPU that was started");
        }
        for (index, (name, expected)) in NAMES.into_iter().enumerate() {
            if value(32 + index) != expected {
                say!("{name} is {:#x} instead of {expected:#x}", value(32 + index));
                return Err("a register of a vCPU that was started is not as out of reset");
            }
        }
        Ok(())
    }
}
