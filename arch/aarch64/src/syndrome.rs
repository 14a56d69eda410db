//! Why the guest left: ESR_EL2 taken apart into plain enums (Arm ARM DDI 0487, D24.2 "ESR_EL2").
//!
//! Only the exception classes that the trap bits of [`crate::sysreg`] and the second stage can cause get a name; any
//! other is [`Cause::Other`] and has no emulation. Nothing here reads a register: the values come in as arguments.

mod frequent;
mod own;
#[cfg(test)]
mod tests;

pub use frequent::Frequent;
pub use own::OwnException;

use model::Gpa;

/// A value of ESR_EL2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syndrome(pub u64);

/// What the guest did, by exception class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// EC 0x00: an instruction that the CPU has no better word for.
    Unknown,
    /// EC 0x01: a wait.
    Wait(Wait),
    /// EC 0x03 to 0x06, 0x08 and 0x0c: a coprocessor access by 32-bit EL0.
    Coprocessor(Coprocessor),
    /// EC 0x16: `hvc` with its immediate. ELR_EL2 is the instruction after it.
    HypervisorCall(u16),
    /// EC 0x17: `smc` with its immediate, trapped by HCR_EL2.TSC. ELR_EL2 is the `smc` itself.
    SecureMonitorCall(u16),
    /// EC 0x18: a system register or instruction.
    SystemRegister(SystemAccess),
    /// An instruction of an extension that guests are told the CPU does not have: undefined to them. EC 0x19 (SVE,
    /// CPTR_EL2.TZ), 0x1d (SME, CPTR_EL2.TSM), 0x0a (LD64B and ST64B, HCRX_EL2), 0x1b (TSTART, HCR_EL2.TME).
    Hidden,
    /// EC 0x20: a fetch.
    InstructionAbort(Abort),
    /// EC 0x24: a load, store or cache operation.
    DataAbort(DataAbort),
    /// EC 0x2f: an asynchronous external abort.
    SystemError,
    /// Any other class.
    Other(u8),
}

/// Which wait (ISS.TI).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// WFI
    Interrupt,
    /// WFE
    Event,
    /// WFIT: until an interrupt or a time.
    InterruptOrTime,
    /// WFET: until an event or a time.
    EventOrTime,
}

/// A trapped 32-bit instruction. Its condition may have failed: the CPU is free to trap it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coprocessor {
    /// The condition of an A32 instruction; `None` for T32, where PSTATE.IT has it.
    condition: Option<u8>,
}

/// A trapped `msr`, `mrs`, `sys` or `sysl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemAccess {
    /// What was accessed.
    pub register: SysReg,
    /// The general register, 31 for XZR.
    pub rt: u8,
    /// `mrs` or `sysl`.
    pub is_read: bool,
}

/// The encoding of a system register or instruction: op0, op1, CRn, CRm, op2, as in `S3_0_C1_C0_0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SysReg(u16);

/// What instruction and data aborts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abort {
    /// The kind of fault.
    pub fault: Fault,
    /// S1PTW: the second stage refused the walk of the guest's own tables.
    pub on_table_walk: bool,
    /// FAR_EL2 is valid (ISS.FnV = 0).
    pub far_is_valid: bool,
}

/// A data abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataAbort {
    /// What it shares with instruction aborts.
    pub abort: Abort,
    /// A write, or a cache operation.
    pub is_write: bool,
    /// A cache maintenance or address translation instruction.
    pub is_cache_operation: bool,
    /// The instruction, if the CPU describes it (ISS.ISV): one register, no write-back of the base.
    pub transfer: Option<Transfer>,
}

/// A load or store of one general register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// 1, 2, 4 or 8.
    pub size_bytes: u8,
    /// The general register, 31 for XZR; for 32-bit EL0 in AArch64's numbering.
    pub register: u8,
    /// A load that extends the sign.
    is_signed: bool,
    /// The register is 64 bits wide.
    is_wide: bool,
}

/// A fault status code (DFSC, IFSC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is mapped.
    Translation,
    /// Something is mapped, and does not allow this.
    Permission,
    /// The access flag is clear.
    AccessFlag,
    /// An address beyond what the tables or the CPU can express.
    AddressSize,
    /// A synchronous external abort, on a table walk or not: real hardware refused.
    External,
    /// An alignment fault.
    Alignment,
    /// An exclusive or atomic access to memory that does not support it.
    UnsupportedExclusive,
    /// Any other code.
    Other(u8),
}

impl Syndrome {
    /// EC, the exception class.
    pub const fn class(self) -> u8 {
        (self.0 >> 26 & 0x3f) as u8
    }

    /// What the exception class is, in words.
    pub const fn class_name(self) -> &'static str {
        match self.class() {
            0x01 => "WFI or WFE",
            0x03..=0x06 | 0x08 | 0x0c => "32-bit coprocessor access",
            0x16 => "HVC",
            0x17 => "SMC",
            0x18 => "system register",
            0x20 => "fetch",
            // WnR, which cache maintenance sets too.
            0x24 if self.0 & 1 << 6 != 0 => "store",
            0x24 => "load",
            0x2f => "SError",
            _ => "instruction",
        }
    }

    /// An instruction or data abort: FAR_EL2 and HPFAR_EL2 say where.
    pub const fn is_abort(self) -> bool {
        matches!(self.class(), 0x20 | 0x24)
    }

    /// IL: the length of the instruction.
    pub const fn instruction_bytes(self) -> u64 {
        if self.0 & 1 << 25 != 0 { 4 } else { 2 }
    }

    /// Everything else.
    pub fn cause(self) -> Cause {
        let iss = self.0;
        match self.class() {
            0x00 => Cause::Unknown,
            0x01 => Cause::Wait(match iss & 0b11 {
                0b00 => Wait::Interrupt,
                0b01 => Wait::Event,
                0b10 => Wait::InterruptOrTime,
                _ => Wait::EventOrTime,
            }),
            0x03..=0x06 | 0x08 | 0x0c => Cause::Coprocessor(Coprocessor {
                // CV, COND
                condition: (iss & 1 << 24 != 0).then_some((iss >> 20 & 0xf) as u8),
            }),
            0x16 => Cause::HypervisorCall(iss as u16),
            0x17 => Cause::SecureMonitorCall(iss as u16),
            0x18 => Cause::SystemRegister(SystemAccess {
                register: SysReg::from_iss(iss),
                rt: (iss >> 5 & 31) as u8,
                is_read: iss & 1 != 0,
            }),
            0x0a | 0x19 | 0x1b | 0x1d => Cause::Hidden,
            0x20 => Cause::InstructionAbort(Abort::from_iss(iss)),
            0x24 => Cause::DataAbort(DataAbort {
                abort: Abort::from_iss(iss),
                is_write: iss & 1 << 6 != 0,
                is_cache_operation: iss & 1 << 8 != 0,
                transfer: (iss & 1 << 24 != 0).then(|| Transfer {
                    size_bytes: 1 << (iss >> 22 & 0b11), // SAS
                    is_signed: iss & 1 << 21 != 0,       // SSE
                    register: (iss >> 16 & 31) as u8,    // SRT
                    is_wide: iss & 1 << 15 != 0,         // SF
                }),
            }),
            0x2f => Cause::SystemError,
            class => Cause::Other(class),
        }
    }
}

impl Abort {
    fn from_iss(iss: u64) -> Abort {
        Abort {
            fault: Fault::from_code((iss & 0x3f) as u8),
            on_table_walk: iss & 1 << 7 != 0,
            far_is_valid: iss & 1 << 10 == 0,
        }
    }

    /// HPFAR_EL2 has the page: always on a walk of the guest's tables, and not for a permission fault otherwise
    /// (DDI 0487 D24.2, HPFAR_EL2). Where it is not, `at s1e1r` of FAR_EL2 finds the page.
    pub fn hpfar_is_valid(&self) -> bool {
        let is_stage_2 = matches!(self.fault, Fault::Translation | Fault::AccessFlag | Fault::AddressSize);
        self.on_table_walk || is_stage_2
    }
}

impl Fault {
    fn from_code(code: u8) -> Fault {
        match code {
            // The low bits are the level of the walk.
            0b00_0000..=0b00_0011 | 0b10_1001 => Fault::AddressSize,
            0b00_0100..=0b00_0111 | 0b10_1011 => Fault::Translation,
            0b00_1000..=0b00_1011 => Fault::AccessFlag,
            0b00_1100..=0b00_1111 => Fault::Permission,
            // Also parity and ECC errors where there is no RAS extension.
            0b01_0000 | 0b01_0011..=0b01_0111 | 0b01_1000 | 0b01_1011..=0b01_1111 => Fault::External,
            0b10_0001 => Fault::Alignment,
            0b11_0101 => Fault::UnsupportedExclusive,
            other => Fault::Other(other),
        }
    }
}

/// The guest-physical address at fault, from HPFAR_EL2 (the page) and FAR_EL2 (the byte in it). FIPA, bits 43:4 of
/// HPFAR_EL2, are bits 51:12 of the address.
pub const fn fault_address(hpfar: u64, far: u64) -> Gpa {
    Gpa((hpfar & 0xfff_ffff_fff0) << 8 | far & 0xfff)
}

impl Transfer {
    /// What the register holds after a load of `value`, of which the bytes beyond the transfer's size are ignored.
    pub fn loaded(&self, value: u64) -> u64 {
        let unused = 64u32.saturating_sub(u32::from(self.size_bytes).saturating_mul(8));
        let top = value.wrapping_shl(unused);
        let extended = if self.is_signed { (top as i64).wrapping_shr(unused) as u64 } else { top.wrapping_shr(unused) };
        // A write to a W register zeroes the upper half of the X register.
        if self.is_wide { extended } else { extended & 0xffff_ffff }
    }

    /// What a store writes when the register holds `register`: as many low bytes as the transfer's size.
    pub fn stored(&self, register: u64) -> u64 {
        let unused = 64u32.saturating_sub(u32::from(self.size_bytes).saturating_mul(8));
        register.wrapping_shl(unused).wrapping_shr(unused)
    }
}

impl Coprocessor {
    /// Whether the instruction's condition holds, by the guest's PSTATE. If not, it does nothing: skip it.
    pub fn is_executed(&self, pstate: u64) -> bool {
        // PSTATE.IT of SPSR (AArch32): IT[1:0] in bits 26:25, IT[7:2] in bits 15:10; the condition is IT[7:4].
        let it = pstate >> 8 & 0xfc | pstate >> 25 & 0b11;
        let condition = self.condition.map_or(if it == 0 { 0xe } else { it >> 4 }, u64::from);
        let flag = |bit: u32| pstate >> bit & 1 != 0;
        let (n, z, c, v) = (flag(31), flag(30), flag(29), flag(28));
        // ConditionHolds(), DDI 0487 J1.
        let base = match condition >> 1 {
            0b000 => z,
            0b001 => c,
            0b010 => n,
            0b011 => v,
            0b100 => c && !z,
            0b101 => n == v,
            0b110 => n == v && !z,
            _ => return true,
        };
        base != (condition & 1 != 0)
    }
}

impl SysReg {
    /// The register of this encoding.
    pub const fn new(op0: u8, op1: u8, crn: u8, crm: u8, op2: u8) -> SysReg {
        SysReg(
            (op0 as u16 & 3) << 14
                | (op1 as u16 & 7) << 11
                | (crn as u16 & 15) << 7
                | (crm as u16 & 15) << 3
                | op2 as u16 & 7,
        )
    }

    /// From the ISS of EC 0x18: Op0 in 21:20, Op2 in 19:17, Op1 in 16:14, CRn in 13:10, CRm in 4:1.
    const fn from_iss(iss: u64) -> SysReg {
        SysReg::new((iss >> 20) as u8, (iss >> 14) as u8, (iss >> 10) as u8, (iss >> 1) as u8, (iss >> 17) as u8)
    }

    /// The encoding as the instruction has it in bits 20:5: op0 in 15:14, op1 in 13:11, CRn in 10:7, CRm in 6:3, op2 in 2:0.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// op0, op1, CRn, CRm, op2.
    pub const fn fields(self) -> (u8, u8, u8, u8, u8) {
        (
            (self.0 >> 14) as u8,
            (self.0 >> 11 & 7) as u8,
            (self.0 >> 7 & 15) as u8,
            (self.0 >> 3 & 15) as u8,
            (self.0 & 7) as u8,
        )
    }
}

impl core::fmt::Display for SysReg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (op0, op1, crn, crm, op2) = self.fields();
        write!(f, "S{op0}_{op1}_C{crn}_C{crm}_{op2}")
    }
}

impl core::fmt::Debug for SysReg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
