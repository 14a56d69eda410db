//! Where the pCPUs' stacks are in the hypervisor's address space: a slot for each, with unmapped pages that guard it.
//!
//! ```text
//! guard │ emergency stack │ guard │ stack        a slot, from its start to its end
//! ```
//! A stack grows down; who overflows it hits the guard below, and is known by the address that he hit.

use crate::memory::Span;

/// Where the slots begin: in the lower half, which every CPU has, and in a top-level entry of their own, far above all memory.
pub const STACKS: u64 = 0x4080_0000_0000;
/// Virtual bytes of one pCPU's slot.
const SLOT_BYTES: u64 = 0x1_0000;
/// The emergency stack in a slot.
const EMERGENCY: Span = Span { start: 0x1000, end: 0x3000 };
/// The stack in a slot: it ends where the slot does. What is largest on it is the report of a failed VM, of 7 KiB on x86, twice.
const STACK: Span = Span { start: 0x8000, end: SLOT_BYTES };
/// Physical bytes that a slot needs.
pub const SLOT_MEMORY: u64 = EMERGENCY.size() + STACK.size();
/// Slots that there can be, so that no slot reaches the end of the address space.
const SLOTS: u64 = 1 << 16;

/// The stacks of one pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stacks {
    /// For all that the hypervisor does.
    pub stack: Span,
    /// For fatal exceptions only.
    pub emergency: Span,
}

/// What of a slot an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Below the stack: who comes here has overflowed it.
    StackGuard,
    /// The stack.
    Stack,
    /// Below the emergency stack.
    EmergencyGuard,
    /// The emergency stack.
    Emergency,
}

/// The stacks of pCPU `index`; `None` if there can be no such pCPU.
pub fn of(index: u32) -> Option<Stacks> {
    let slot = u64::from(index);
    let start = (slot < SLOTS).then(|| STACKS.checked_add(slot.checked_mul(SLOT_BYTES)?)).flatten()?;
    let behind = |part: Span| Some(Span { start: start.checked_add(part.start)?, end: start.checked_add(part.end)? });
    Some(Stacks { stack: behind(STACK)?, emergency: behind(EMERGENCY)? })
}

/// The pCPU in whose slot `address` lies, and what of it that is; `None` if it lies in no slot.
pub fn place(address: u64) -> Option<(u32, Part)> {
    let offset = address.checked_sub(STACKS)?;
    let (slot, inside) = (offset.checked_div(SLOT_BYTES)?, offset.checked_rem(SLOT_BYTES)?);
    let parts =
        [(EMERGENCY.start, Part::EmergencyGuard), (EMERGENCY.end, Part::Emergency), (STACK.start, Part::StackGuard)];
    let part = parts.into_iter().find(|&(end, _)| inside < end).map_or(Part::Stack, |(_, part)| part);
    (slot < SLOTS).then_some((slot as u32, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_slot_has_its_place() {
        for index in [0, 1, 7, 65535] {
            let Stacks { stack, emergency } = of(index).unwrap();
            let at = |address| place(address).unwrap();
            assert_eq!(at(stack.start), (index, Part::Stack));
            assert_eq!(at(stack.end - 1), (index, Part::Stack));
            assert_eq!(at(stack.start - 1), (index, Part::StackGuard));
            assert_eq!(at(emergency.end), (index, Part::StackGuard));
            assert_eq!(at(emergency.end - 1), (index, Part::Emergency));
            assert_eq!(at(emergency.start - 1), (index, Part::EmergencyGuard));
            assert_eq!(stack.size() + emergency.size(), SLOT_MEMORY);
        }
    }

    #[test]
    fn elsewhere_is_no_stack() {
        assert_eq!(of(65536), None);
        for address in [0, STACKS - 1, of(65535).unwrap().stack.end, u64::MAX] {
            assert_eq!(place(address), None, "{address:#x}");
        }
    }
}
