//! What of a guest's machine is no vdev: its interrupt controller, where registers can be, and how a vCPU starts. Arm's and the
//! PC's side by side: a system has one kind of them only.

use crate::{Gic, Gpa};

/// The machine that a VM is, by its interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Arm, with a GIC.
    Arm(Gic),
    /// A PC, with local APICs.
    Pc(Pc),
}

impl Machine {
    /// The frames of the interrupt controller in guest-physical memory, of a VM with `vcpus` vCPUs: name, start, size.
    pub const fn frames(&self, vcpus: u32) -> [Option<(&'static str, Gpa, u64)>; 2] {
        match self {
            Machine::Arm(gic) => [
                Some(("gic", gic.distributor, gic.distributor_bytes())),
                Some(("gic", gic.cpus, gic.cpus_bytes(vcpus))),
            ],
            Machine::Pc(pc) => [
                Some(("local APIC", Pc::LOCAL_APIC, crate::PAGE_BYTES)),
                match pc.io_apic {
                    Some(gpa) => Some(("ioapic", gpa, crate::PAGE_BYTES)),
                    None => None,
                },
            ],
        }
    }
}

impl Machine {
    /// Where a page of the board's controller goes, if guests are given one: a GICv2's CPU interface. (The first page of it. GICC_DIR
    /// alone is in the second: an exit, so that any vCPU may deactivate what another one, or none, has in its list registers.)
    pub const fn controller_page(&self) -> Option<Gpa> {
        match self {
            Machine::Arm(gic) => Some(gic.cpus),
            Machine::Pc(_) => None,
        }
    }
}

/// What a PC has besides its local APICs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pc {
    /// The I/O APIC's registers, one page; `None` without one.
    pub io_apic: Option<Gpa>,
    /// The pair of 8259s.
    pub has_pic: bool,
}

impl Pc {
    /// Lines into the I/O APIC; the first 16 are those of the 8259s as well.
    pub const LINES: u32 = 24;
    /// Where each vCPU finds its own local APIC out of reset (SDM volume 3, 11.4.1).
    pub const LOCAL_APIC: Gpa = Gpa(0xfee0_0000);
    /// The ports of the 8259s, and of their edge/level registers.
    pub const PIC_PORTS: &[Ports] = &[Ports::new(0x20, 2), Ports::new(0xa0, 2), Ports::new(0x4d0, 2)];
}

/// Where the registers of a device are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In guest-physical memory.
    Memory {
        /// First register; a multiple of [`crate::PAGE_BYTES`].
        gpa: Gpa,
        /// Length of the frame.
        size_bytes: u64,
    },
    /// At x86's ports, in ranges that follow one another in the device's frame.
    Ports(&'static [Ports]),
}

impl Place {
    /// The offset of `gpa` in the device's frame, if it is there.
    #[inline]
    pub fn of_memory(&self, gpa: Gpa) -> Option<u64> {
        let Place::Memory { gpa: start, size_bytes } = self else { return None };
        gpa.offset_from(*start).filter(|offset| offset < size_bytes)
    }

    /// The offset of `port` in the device's frame, if it is there.
    #[inline]
    pub fn of_port(&self, port: u16) -> Option<u64> {
        let Place::Ports(ranges) = self else { return None };
        let mut before = 0_u64;
        for range in *ranges {
            if range.contains(port) {
                return before.checked_add(port.wrapping_sub(range.first).into());
            }
            before = before.saturating_add(range.count.into());
        }
        None
    }
}

/// A range of x86's ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first one.
    pub first: u16,
    /// How many.
    pub count: u16,
}

impl Ports {
    /// `count` ports from `first` on.
    pub const fn new(first: u16, count: u16) -> Ports {
        Ports { first, count }
    }

    /// Whether `port` is one of them.
    pub const fn contains(&self, port: u16) -> bool {
        port.wrapping_sub(self.first) < self.count
    }
}

/// The state that a vCPU starts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// arm64, at EL1.
    Arm {
        /// First instruction.
        pc: Gpa,
        /// Its x0: of the first vCPU the device tree's address, by the Linux boot protocol, zero without a tree.
        x0: u64,
    },
    /// x86 in real mode, as after a start-up IPI: CS's base is the address, less what IP holds of it.
    Real {
        /// First instruction, below 1 MiB; a multiple of 16.
        pc: Gpa,
    },
    /// x86 in protected mode without paging: flat segments of 32 bits.
    Protected {
        /// First instruction.
        pc: Gpa,
        /// Where a GDT with these segments is, if the protocol asks for one (see [`Start::GDT`]).
        gdt: Option<Gpa>,
        /// EAX: what a multiboot loader calls itself.
        eax: u32,
        /// EBX: multiboot's and PVH's information.
        ebx: u32,
        /// ESI: Linux's zero page.
        esi: u32,
    },
    /// x86 in 64-bit mode.
    Long {
        /// First instruction.
        pc: Gpa,
        /// Where a GDT with its segments is.
        gdt: Gpa,
        /// The root of page tables that map the first 4 GiB, at least, to themselves.
        cr3: Gpa,
        /// RSI: Linux's zero page.
        rsi: u64,
    },
}

impl Start {
    /// The GDT of those starts that have one, with the selectors of Linux's boot protocols: 0x10 is code (64-bit code for
    /// [`Start::Long`]), 0x18 is data.
    pub const fn gdt(is_long: bool) -> [u64; 4] {
        let code = if is_long { 0x00af_9b00_0000_ffff } else { 0x00cf_9b00_0000_ffff };
        [0, 0, code, 0x00cf_9300_0000_ffff]
    }

    /// The first instruction.
    pub const fn pc(&self) -> Gpa {
        match self {
            Start::Arm { pc, .. } | Start::Real { pc } | Start::Protected { pc, .. } | Start::Long { pc, .. } => *pc,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_one_another_in_a_frame() {
        let place = Place::Ports(Pc::PIC_PORTS);
        let offsets: Vec<_> =
            [0x1f, 0x20, 0x21, 0x22, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x4d2].map(|port| place.of_port(port)).into();
        assert_eq!(offsets, [None, Some(0), Some(1), None, Some(2), Some(3), Some(4), Some(5), None]);
        assert_eq!(place.of_memory(Gpa(0x20)), None);
        const LAST: &[Ports] = &[Ports::new(0xfff8, 8)];
        let last = Place::Ports(LAST);
        assert_eq!((last.of_port(0xffff), last.of_port(0)), (Some(7), None));
    }
}
