//! Ports. The CPU says all about IN and OUT but how long they are, and that it says by the address behind (APM volume 2, 15.10.2).

use super::emulate::Hand;
use super::{Done, Vcpu};
use crate::coverage::{self, Way};
use crate::decode::Register;
use crate::exit::{Access, At, Exit};
use model::Pc;

/// Bits of EXITINFO1.
pub(super) const IN: u64 = 1 << 0;
pub(super) const STRING: u64 = 1 << 2;
pub(super) const BYTE: u64 = 1 << 4;

impl Vcpu {
    #[inline]
    pub(super) fn port(&mut self) -> Done {
        let control = &self.vmcb.control;
        let info = control.exit_info_1;
        if info & STRING != 0 {
            return self.port_string((info >> 16) as u16);
        }
        // SZ8, SZ16, SZ32 are bits 6:4.
        let size_bytes = (info >> 4) as u8 & 7;
        let length = control.exit_info_2.wrapping_sub(self.vmcb.state.rip) as u8 & 0xf;
        let port = (info >> 16) as u16;
        self.hand = Hand::Port { length };
        coverage::took(if info & IN != 0 { Way::In } else { Way::Out });
        let store = (info & IN == 0).then(|| Register::AX.read(self, size_bytes));
        self.settle(Access { at: At::Port(port), size_bytes, store, transfer: () })
    }

    /// IN has `value`, or OUT is done.
    #[inline]
    pub(super) fn finish_port(&mut self, access: &Access, value: u64, length: u8) {
        if access.store.is_none() {
            Register::AX.write(self, access.size_bytes, value);
        }
        self.step_over(length);
    }

    /// Ports of the 8259s are answered here, byte by byte.
    pub(super) fn pic(&mut self, port: u16, size_bytes: u8, store: Option<u64>) -> Option<u64> {
        if !self.guest.has_pic {
            return None;
        }
        let mut ranges = Pc::PIC_PORTS.iter();
        let mut before = 0_u64;
        let offset = loop {
            let range = ranges.next()?;
            let at = port.wrapping_sub(range.first);
            if at < range.count {
                break before.wrapping_add(at.into());
            }
            before = before.wrapping_add(range.count.into());
        };
        let vapic = &self.guest.vapic;
        let mut value = 0;
        let mut kick = crate::kick::KickMask::NONE;
        // The next byte is the next port's; behind the pair there is none.
        for byte in 0..u64::from(size_bytes) {
            let at = offset.wrapping_add(byte);
            if at >> 1 != offset >> 1 {
                value |= 0xff << (byte << 3);
                continue;
            }
            match store {
                Some(value) => kick |= vapic.pic_write(at, (value >> (byte << 3)) as u8),
                None => {
                    let (read, more) = vapic.pic_read(at);
                    kick |= more;
                    value |= u64::from(read) << (byte << 3);
                }
            }
        }
        coverage::took(if store.is_some() { Way::PicWrite } else { Way::PicRead });
        self.kick(kick);
        Some(value)
    }

    /// The access is somebody else's.
    #[inline]
    pub(super) fn not_here(&self, access: Access) -> Done {
        Done::Exit(Exit::Access(access))
    }
}
