//! Why a guest was left (APM volume 2, appendix C), and what a nested page fault says (15.25.6).
#![forbid(unsafe_code)]

macro_rules! codes {
    ($($name:ident $code:literal $text:literal)*) => {
        $(#[doc = $text] pub const $name: u64 = $code;)*

        /// The code in words.
        pub const fn name(code: u64) -> &'static str {
            match code {
                $($name => $text,)*
                0x00..=0x0f => "read of a control register",
                0x10..=0x1f => "write of a control register",
                0x20..=0x2f => "read of a debug register",
                0x30..=0x3f => "write of a debug register",
                0x40..=0x5f => "exception",
                INVALID_OF_TCG => "invalid VMCB",
                _ => "another exit",
            }
        }
    };
}

codes! {
    CR0_WRITE 0x10 "write of CR0"
    CR8_WRITE 0x18 "write of CR8"
    DEBUG_EXCEPTION 0x41 "debug exception"
    ALIGNMENT_CHECK 0x51 "alignment check"
    MACHINE_CHECK 0x52 "machine check"
    INTERRUPT 0x60 "interrupt"
    NMI 0x61 "NMI"
    SMI 0x62 "SMI"
    INIT 0x63 "INIT"
    INTERRUPT_WINDOW 0x64 "interrupt window"
    RDPMC 0x6f "RDPMC"
    CPUID 0x72 "CPUID"
    RSM 0x73 "RSM"
    IRET 0x74 "IRET"
    INVD 0x76 "INVD"
    PAUSE 0x77 "PAUSE"
    HLT 0x78 "HLT"
    INVLPGA 0x7a "INVLPGA"
    PORT 0x7b "port"
    MSR 0x7c "MSR"
    FERR_FREEZE 0x7e "FERR freeze"
    SHUTDOWN 0x7f "shutdown"
    VMRUN 0x80 "VMRUN"
    VMMCALL 0x81 "VMMCALL"
    VMLOAD 0x82 "VMLOAD"
    VMSAVE 0x83 "VMSAVE"
    STGI 0x84 "STGI"
    CLGI 0x85 "CLGI"
    SKINIT 0x86 "SKINIT"
    ICEBP 0x88 "INT1"
    WBINVD 0x89 "WBINVD"
    MONITOR 0x8a "MONITOR"
    MWAIT 0x8b "MWAIT"
    MWAIT_ARMED 0x8c "MWAIT, armed"
    XSETBV 0x8d "XSETBV"
    RDPRU 0x8e "RDPRU"
    INVLPGB 0xa0 "INVLPGB"
    INVLPGB_ILLEGAL 0xa1 "INVLPGB, illegal"
    INVPCID 0xa2 "INVPCID"
    MCOMMIT 0xa3 "MCOMMIT"
    TLBSYNC 0xa4 "TLBSYNC"
    NESTED_PAGE_FAULT 0x400 "nested page fault"
    INVALID 0xffff_ffff_ffff_ffff "VMCB is invalid"
    BUSY 0xffff_ffff_ffff_fffe "VMCB is busy"
}

/// CR4's write.
pub const CR4_WRITE: u64 = 0x14;
/// What QEMU 7.2 says instead of [`INVALID`]: all ones in 32 bits.
pub const INVALID_OF_TCG: u64 = 0xffff_ffff;

/// Bits of a nested page fault's EXITINFO1.
pub mod fault {
    /// The nested tables have the page: it does not allow this.
    pub const PRESENT: u64 = 1 << 0;
    /// A store.
    pub const WRITE: u64 = 1 << 1;
    /// A fetch.
    pub const FETCH: u64 = 1 << 4;
    /// On the walk of the guest's own tables.
    pub const TABLE_WALK: u64 = 1 << 33;
}
