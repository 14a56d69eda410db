//! An exception that EL2 took from itself, in words. It is a bug of ours: what is left is to say what happened.

use core::fmt::{self, Display, Formatter};

use super::{Abort, Fault, Syndrome};

/// What happened at EL2: the vector that it arrived at, and the registers that describe it.
#[derive(Clone, Copy, Debug)]
pub struct OwnException {
    /// Number of the entry in the vector table, 0 to 15 (DDI 0487 D1.3.6).
    pub vector: u64,
    /// ESR_EL2.
    pub syndrome: Syndrome,
    /// FAR_EL2.
    pub far: u64,
}

impl OwnException {
    /// The data address at fault, if the exception has one.
    pub fn data_address(&self) -> Option<u64> {
        let is_data = self.is_synchronous() && matches!(self.syndrome.class(), 0x24 | 0x25);
        (is_data && Abort::from_iss(self.syndrome.0).far_is_valid).then_some(self.far)
    }

    /// The others of each four are IRQ, FIQ and SError.
    fn is_synchronous(&self) -> bool {
        self.vector & 0b11 == 0
    }

    fn abort(&self, f: &mut Formatter<'_>, what: &str) -> fmt::Result {
        let Abort { fault, on_table_walk, far_is_valid } = Abort::from_iss(self.syndrome.0);
        f.write_str(what)?;
        if far_is_valid {
            write!(f, " {:#x}", self.far)?;
        }
        let why = match fault {
            Fault::Translation => "nothing is mapped there",
            Fault::Permission => "what is mapped there forbids it",
            Fault::AccessFlag => "access flag fault",
            Fault::AddressSize => "address size fault",
            Fault::External => "external abort",
            Fault::Alignment => "alignment fault",
            Fault::UnsupportedExclusive => "unsupported exclusive or atomic",
            Fault::Other(_) => "fault of another kind",
        };
        write!(f, ": {why}{}", if on_table_walk { ", on a table walk" } else { "" })
    }
}

impl Display for OwnException {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.vector & 0b11 {
            1 => return f.write_str("an interrupt was taken, although they are masked"),
            2 => return f.write_str("a fast interrupt was taken, although they are masked"),
            3 => return f.write_str("system error (SError)"),
            _ => {}
        }
        // DDI 0487 D24.2, ESR_EL2.EC, as far as EL2 can take it from itself.
        let class = match self.syndrome.class() {
            0x20 | 0x21 => return self.abort(f, "instruction abort: fetch from"),
            0x24 | 0x25 if self.syndrome.0 & 1 << 6 != 0 => return self.abort(f, "data abort: write to"),
            0x24 | 0x25 => return self.abort(f, "data abort: read of"),
            0x00 => "undefined instruction",
            0x07 => "trapped FP or SIMD instruction",
            0x0d => "branch target exception",
            0x0e => "illegal execution state",
            0x16 => "hvc",
            0x17 => "smc",
            0x18 => "trapped system register access",
            0x1c => "pointer authentication failed",
            0x22 => "the pc is misaligned",
            0x26 => "the stack pointer is misaligned",
            0x2f => "system error (SError)",
            0x30..=0x35 => "debug exception",
            0x3c => "breakpoint instruction (brk)",
            class => return write!(f, "exception of class {class:#x}"),
        };
        f.write_str(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(vector: u64, esr: u64) -> OwnException {
        OwnException { vector, syndrome: Syndrome(esr), far: 0xdead_0000 }
    }

    #[test]
    fn exceptions_have_words() {
        let words = |vector, esr| exception(vector, esr).to_string();
        // As QEMU gave them.
        assert_eq!(words(4, 0x9600_0046), "data abort: write to 0xdead0000: nothing is mapped there");
        assert_eq!(words(4, 0x9600_000f), "data abort: read of 0xdead0000: what is mapped there forbids it");
        assert_eq!(words(4, 0x8600_000f), "instruction abort: fetch from 0xdead0000: what is mapped there forbids it");
        assert_eq!(words(4, 0x9600_0410), "data abort: read of: external abort");
        assert_eq!(words(4, 0x0200_0000), "undefined instruction");
        assert_eq!(words(4, 0xf200_0001), "breakpoint instruction (brk)");
        assert_eq!(words(4, 0x1600_0000), "exception of class 0x5");
        assert_eq!(words(5, 0x9600_0046), "an interrupt was taken, although they are masked");
        assert_eq!(words(7, 0), "system error (SError)");
    }

    #[test]
    fn only_data_aborts_have_a_data_address() {
        assert_eq!(exception(4, 0x9600_0046).data_address(), Some(0xdead_0000));
        assert_eq!(exception(4, 0x9600_0410).data_address(), None, "FnV");
        assert_eq!(exception(4, 0x8600_000f).data_address(), None);
        assert_eq!(exception(5, 0x9600_0046).data_address(), None, "what ESR holds is older");
    }
}
