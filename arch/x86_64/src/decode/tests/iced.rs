//! What `iced-x86` says, in the decoder's words.

use super::super::*;
use super::oracle::IP;
use iced_x86::{Mnemonic, OpKind};

/// What the instruction is by its mnemonic. `Err`: Other will do too.
pub(super) fn expected(theirs: &iced_x86::Instruction) -> Result<Operation, Operation> {
    use Mnemonic as M;
    use System::*;
    let first = theirs.op0_register();
    let source_bytes = || match theirs.op1_kind() {
        OpKind::Memory => theirs.memory_size().size() as u8,
        _ => theirs.op1_register().size() as u8,
    };
    let system = |system| Ok(Operation::System(system));
    // Short forms of registers only.
    let short = |operation| if has_memory(theirs) { Ok(operation) } else { Err(operation) };
    match theirs.mnemonic() {
        M::Mov if first.is_cr() => system(WriteControl(first.number() as u8)),
        M::Mov if first.is_dr() => system(WriteDebug(first.number() as u8)),
        M::Mov if theirs.op1_register().is_cr() => system(ReadControl(theirs.op1_register().number() as u8)),
        M::Mov if theirs.op1_register().is_dr() => system(ReadDebug(theirs.op1_register().number() as u8)),
        M::Mov if first.is_segment_register() || theirs.op1_register().is_segment_register() => Ok(Operation::Other),
        M::Mov => short(Operation::Move),
        M::Movnti => Ok(Operation::Move),
        M::Movzx => Ok(Operation::MoveExtended { source_bytes: source_bytes(), is_signed: false }),
        M::Movsx | M::Movsxd => Ok(Operation::MoveExtended { source_bytes: source_bytes(), is_signed: true }),
        M::Movbe => Ok(Operation::MoveReversed),
        M::Add => Ok(Operation::Alu(Alu::Add)),
        M::Or => Ok(Operation::Alu(Alu::Or)),
        M::Adc => Ok(Operation::Alu(Alu::Adc)),
        M::Sbb => Ok(Operation::Alu(Alu::Sbb)),
        M::And => Ok(Operation::Alu(Alu::And)),
        M::Sub => Ok(Operation::Alu(Alu::Sub)),
        M::Xor => Ok(Operation::Alu(Alu::Xor)),
        M::Cmp => Ok(Operation::Alu(Alu::Cmp)),
        M::Test => Ok(Operation::Test),
        M::Inc => short(Operation::Unary(Unary::Inc)),
        M::Dec => short(Operation::Unary(Unary::Dec)),
        M::Not => Ok(Operation::Unary(Unary::Not)),
        M::Neg => Ok(Operation::Unary(Unary::Neg)),
        M::Xchg => short(Operation::Exchange),
        M::Xadd => Ok(Operation::ExchangeAdd),
        M::Cmpxchg => Ok(Operation::CompareExchange),
        M::Cmpxchg8b | M::Cmpxchg16b => Ok(Operation::CompareExchangePair),
        M::Bt => Ok(Operation::Bit(BitChange::None)),
        M::Bts => Ok(Operation::Bit(BitChange::Set)),
        M::Btr => Ok(Operation::Bit(BitChange::Reset)),
        M::Btc => Ok(Operation::Bit(BitChange::Complement)),
        M::Stosb | M::Stosw | M::Stosd | M::Stosq => Ok(Operation::StoreString),
        M::Lodsb | M::Lodsw | M::Lodsd | M::Lodsq => Ok(Operation::LoadString),
        M::Movsb | M::Movsw | M::Movsq => Ok(Operation::MoveString),
        // And the one of SSE.
        M::Movsd if theirs.is_string_instruction() => Ok(Operation::MoveString),
        M::In => Ok(Operation::In),
        M::Out => Ok(Operation::Out),
        M::Insb | M::Insw | M::Insd => Ok(Operation::InString),
        M::Outsb | M::Outsw | M::Outsd => Ok(Operation::OutString),
        M::Clts => system(Clts),
        M::Lmsw => system(Lmsw),
        M::Smsw => system(Smsw),
        M::Invlpg => system(Invlpg),
        M::Invlpga => system(Invlpga),
        M::Invpcid => system(Invpcid),
        M::Cpuid => system(Cpuid),
        M::Rdmsr => system(Rdmsr),
        M::Wrmsr => system(Wrmsr),
        M::Rdtsc => system(Rdtsc),
        M::Rdtscp => system(Rdtscp),
        M::Rdpmc => system(Rdpmc),
        M::Rdpru => system(Rdpru),
        M::Hlt => system(Hlt),
        M::Pause => system(Pause),
        M::Monitor => system(Monitor),
        M::Mwait => system(Mwait),
        M::Monitorx => system(Monitorx),
        M::Mwaitx => system(Mwaitx),
        M::Invd => system(Invd),
        M::Wbinvd => system(Wbinvd),
        M::Wbnoinvd => system(Wbnoinvd),
        M::Xsetbv => system(Xsetbv),
        M::Vmcall => system(Vmcall),
        M::Vmmcall => system(Vmmcall),
        M::Vmrun => system(Vmrun),
        M::Vmload => system(Vmload),
        M::Vmsave => system(Vmsave),
        M::Stgi => system(Stgi),
        M::Clgi => system(Clgi),
        M::Skinit => system(Skinit),
        M::Rsm => system(Rsm),
        M::Iret | M::Iretd | M::Iretq => system(Iret),
        M::Pushf | M::Pushfd | M::Pushfq => system(Pushf),
        M::Popf | M::Popfd | M::Popfq => system(Popf),
        M::Int => system(Int),
        M::Int3 => system(Int3),
        M::Into => system(Into),
        M::Int1 => system(Icebp),
        M::Sgdt => system(Sgdt),
        M::Sidt => system(Sidt),
        M::Lgdt => system(Lgdt),
        M::Lidt => system(Lidt),
        M::Sldt => system(Sldt),
        M::Str => system(Str),
        M::Lldt => system(Lldt),
        M::Ltr => system(Ltr),
        _ => Ok(Operation::Other),
    }
}

fn has_memory(theirs: &iced_x86::Instruction) -> bool {
    theirs.op_kinds().any(|kind| kind == OpKind::Memory)
}

/// The parts of iced's memory operand in our words.
pub(super) fn memory(theirs: &iced_x86::Instruction) -> Option<Address> {
    use iced_x86::Register as R;
    if !has_memory(theirs) {
        return None;
    }
    let next = IP.wrapping_add(theirs.len() as u64);
    let (base, bytes) = match theirs.memory_base() {
        R::None => (Base::None, 0),
        R::RIP => (Base::Rip, 8),
        R::EIP => (Base::Rip, 4),
        register => (Base::Register(register.number() as u8), register.size()),
    };
    let index = theirs.memory_index();
    let bytes = if bytes != 0 { bytes } else { index.size() };
    let displacement = theirs.memory_displacement64();
    Some(Address {
        segment: Segment::from_number(theirs.memory_segment().number() as u8),
        base,
        index: (index != R::None).then(|| index.number() as u8),
        // Without an index iced keeps the factor of none.
        scale: if index == R::None { 0 } else { theirs.memory_index_scale().trailing_zeros() as u8 },
        bytes: bytes as u8,
        displacement: if base == Base::Rip { displacement.wrapping_sub(next) } else { displacement },
    })
}

/// The operand of iced's in our words, and its width; `None` if it is something that we have no word for.
pub(super) fn operand(theirs: &iced_x86::Instruction, index: u32) -> Option<(Operand, Option<u8>)> {
    use OpKind as K;
    Some(match theirs.op_kind(index) {
        K::Register => {
            let register = theirs.op_register(index);
            if !register.is_gpr() {
                return None;
            }
            // R8B to R15B have numbers as the others.
            let is_high = (iced_x86::Register::AH..=iced_x86::Register::BH).contains(&register);
            let number = register.full_register().number() as u8;
            (
                Operand::Register(Register::raw(if is_high { 0x10 | number } else { number })),
                Some(register.size() as u8),
            )
        }
        K::Memory
        | K::MemoryESDI
        | K::MemoryESEDI
        | K::MemoryESRDI
        | K::MemorySegSI
        | K::MemorySegESI
        | K::MemorySegRSI => (Operand::Memory, Some(theirs.memory_size().size() as u8)),
        K::Immediate8
        | K::Immediate16
        | K::Immediate32
        | K::Immediate64
        | K::Immediate8to16
        | K::Immediate8to32
        | K::Immediate8to64
        | K::Immediate32to64 => (Operand::Immediate, None),
        _ => return None,
    })
}
