//! What instructions do.

use super::{Alu, BitChange, Unary, address::ModRm, prefix::Prefixes, register::Register};

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// There is none.
    None,
    /// In a general register.
    Register(Register),
    /// At [`super::Instruction::memory`].
    Memory,
    /// In [`super::Instruction::immediate`].
    Immediate,
}

/// What an instruction does with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// MOV, MOVNTI: destination = source.
    Move,
    /// MOVZX, MOVSX, MOVSXD: a shorter source.
    MoveExtended {
        /// Bytes of the source.
        source_bytes: u8,
        /// Its sign is extended, else zeros.
        is_signed: bool,
    },
    /// MOVBE: the bytes in reverse.
    MoveReversed,
    /// ADD … CMP: two operands and flags.
    Alu(Alu),
    /// TEST: AND that only sets flags.
    Test,
    /// INC, DEC, NOT, NEG.
    Unary(Unary),
    /// XCHG, which locks without a prefix.
    Exchange,
    /// XADD
    ExchangeAdd,
    /// CMPXCHG; AX is an operand too.
    CompareExchange,
    /// CMPXCHG8B, CMPXCHG16B.
    CompareExchangePair,
    /// BT, BTS, BTR, BTC: the source is a bit's number.
    Bit(BitChange),
    /// STOS: AX to memory at ES:DI.
    StoreString,
    /// LODS: memory at SI to AX.
    LoadString,
    /// MOVS: memory at SI to memory at ES:DI.
    MoveString,
    /// IN: destination AX; the source, an immediate or DX, is the port.
    In,
    /// OUT: source AX; the destination, an immediate or DX, is the port.
    Out,
    /// INS: port DX to memory at ES:DI.
    InString,
    /// OUTS: memory at SI to port DX.
    OutString,
    /// What can leave a guest as such.
    System(System),
    /// Anything else: of these only the length is known, and they may be undefined.
    Other,
}

/// Instructions that the CPU lets a hypervisor intercept (APM volume 2, 15.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the manual's mnemonics")]
pub enum System {
    /// MOV from CRn to the destination.
    ReadControl(u8),
    /// MOV of the source to CRn.
    WriteControl(u8),
    /// MOV from DRn to the destination.
    ReadDebug(u8),
    /// MOV of the source to DRn.
    WriteDebug(u8),
    Clts,
    /// The source has 2 bytes.
    Lmsw,
    /// The destination has 2 bytes if it is memory.
    Smsw,
    /// The address itself is the operand.
    Invlpg,
    Invlpga,
    Invpcid,
    Cpuid,
    Rdmsr,
    Wrmsr,
    Rdtsc,
    Rdtscp,
    Rdpmc,
    Rdpru,
    Hlt,
    Pause,
    Monitor,
    Mwait,
    Monitorx,
    Mwaitx,
    Invd,
    Wbinvd,
    Wbnoinvd,
    Xsetbv,
    Vmcall,
    Vmmcall,
    Vmrun,
    Vmload,
    Vmsave,
    Stgi,
    Clgi,
    Skinit,
    Rsm,
    Iret,
    Pushf,
    Popf,
    /// INT with its vector.
    Int,
    /// INT3: 0xcc.
    Int3,
    Into,
    /// INT1: 0xf1.
    Icebp,
    Sgdt,
    Sidt,
    Lgdt,
    Lidt,
    Sldt,
    Str,
    Lldt,
    Ltr,
}

/// An operation and its operands, before it is known where they are.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    pub(super) operation: Operation,
    pub(super) bytes: u8,
    pub(super) destination: Operand,
    pub(super) source: Operand,
    /// What points to memory, of a string operation.
    pub(super) string: Option<Register>,
}

impl Meaning {
    /// Nothing that anybody wants to know.
    pub(super) const OTHER: Meaning = Meaning {
        operation: Operation::Other,
        bytes: 0,
        destination: Operand::None,
        source: Operand::None,
        string: None,
    };

    #[inline]
    pub(super) fn new(operation: Operation, bytes: u8, destination: Operand, source: Operand) -> Meaning {
        Meaning { operation, bytes, destination, source, string: None }
    }

    /// Of a string operation with memory at `register`.
    #[inline]
    pub(super) fn string(self, register: Register) -> Meaning {
        Meaning { string: Some(register), ..self }
    }

    /// Of no operands, or of implied ones.
    #[inline]
    pub(super) fn system(system: System) -> Meaning {
        Meaning { operation: Operation::System(system), ..Meaning::OTHER }
    }

    /// What is stored: r/m is the destination.
    #[inline]
    pub(super) fn rm_reg(operation: Operation, bytes: u8, mod_rm: &ModRm, prefixes: &Prefixes) -> Meaning {
        Meaning::new(operation, bytes, mod_rm.rm(bytes, prefixes), mod_rm.reg(bytes, prefixes))
    }

    /// What is loaded: r/m is the source.
    #[inline]
    pub(super) fn reg_rm(operation: Operation, bytes: u8, mod_rm: &ModRm, prefixes: &Prefixes) -> Meaning {
        Meaning::new(operation, bytes, mod_rm.reg(bytes, prefixes), mod_rm.rm(bytes, prefixes))
    }

    /// Whether LOCK may stand before it: what changes memory (APM volume 3, 1.2.5).
    pub(super) fn may_be_locked(&self) -> bool {
        match self.operation {
            Operation::CompareExchangePair => true,
            // Without a prefix that is CR8: AltMovCr8 (APM volume 3, MOV CRn).
            Operation::System(System::ReadControl(8) | System::WriteControl(8)) => true,
            Operation::Alu(Alu::Cmp) | Operation::Bit(BitChange::None) => false,
            Operation::Alu(_)
            | Operation::Unary(_)
            | Operation::Exchange
            | Operation::ExchangeAdd
            | Operation::CompareExchange
            | Operation::Bit(_) => self.destination == Operand::Memory,
            _ => false,
        }
    }
}
