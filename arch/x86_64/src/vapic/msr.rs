//! Model-specific registers of a local APIC: IA32_APIC_BASE, IA32_TSC_DEADLINE, and in x2APIC mode 0x800 and up (SDM volume 3,
//! 11.4.4, 11.5.4.1 and 11.12).

use super::{
    KickMask, LocalApic, Vapic,
    local::{BASE_BSP, BASE_ENABLED, BASE_X2APIC},
    registers::{COMMAND_BITS, DIVIDE_BITS, Register, SVR_BITS},
};

/// IA32_APIC_BASE.
pub const APIC_BASE: u32 = 0x1b;
/// IA32_TSC_DEADLINE.
pub const TSC_DEADLINE: u32 = 0x6e0;
/// The first of x2APIC's registers.
const X2APIC: u32 = 0x800;
/// The last.
const X2APIC_LAST: u32 = 0x8ff;

/// The access gives the guest #GP(0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneralProtection;

/// What an MSR reads as, or what comes of writing it.
type Result<T> = core::result::Result<T, GeneralProtection>;

/// Whether the MSR is one of a local APIC's.
#[inline]
pub const fn is_apic(msr: u32) -> bool {
    matches!(msr, APIC_BASE | TSC_DEADLINE | X2APIC..=X2APIC_LAST)
}

impl LocalApic {
    /// RDMSR. `now` is asked for the guest's TSC if that matters.
    #[inline]
    pub fn read_msr(&mut self, vapic: &Vapic<'_>, msr: u32, now: impl FnOnce() -> u64) -> Result<u64> {
        match msr {
            APIC_BASE => return Ok(self.base),
            TSC_DEADLINE => {
                // One in the past is over (SDM volume 3, 11.5.4.1).
                self.tick(now());
                return Ok(self.timer.tsc_deadline());
            }
            _ => {}
        }
        match self.x2apic_register(msr)? {
            Register::Command => Ok(self.command),
            // Written only.
            Register::End | Register::SelfIpi => Err(GeneralProtection),
            register => Ok(self.read_common(vapic, register, now).into()),
        }
    }

    /// WRMSR. The kicks are of other vCPUs' interrupts.
    #[inline]
    pub fn write_msr(
        &mut self,
        vapic: &Vapic<'_>,
        msr: u32,
        value: u64,
        now: impl FnOnce() -> u64,
    ) -> Result<KickMask> {
        match msr {
            TSC_DEADLINE => {
                self.timer.set_tsc_deadline(value);
                return Ok(KickMask::NONE);
            }
            APIC_BASE => return self.write_base(vapic, value),
            _ => {}
        }
        let register = self.x2apic_register(msr)?;
        if value & !register.writable()? != 0 {
            return Err(GeneralProtection);
        }
        Ok(match register {
            Register::Command => {
                self.command = value;
                self.send_command(vapic)
            }
            Register::SelfIpi => self.send_self(value as u8),
            _ => self.write_common(vapic, register, value as u32, now),
        })
    }

    #[inline]
    fn x2apic_register(&self, msr: u32) -> Result<Register> {
        let number = msr.wrapping_sub(X2APIC);
        let register = Register::from_number(number).filter(|_| self.is_enabled() && self.is_x2apic());
        match register {
            None | Some(Register::ArbitrationPriority | Register::Format | Register::CommandHigh) => {
                Err(GeneralProtection)
            }
            Some(register) => Ok(register),
        }
    }

    /// IA32_APIC_BASE: reserved bits, and the ways between its modes (SDM volume 3, 11.12.5).
    fn write_base(&mut self, vapic: &Vapic<'_>, value: u64) -> Result<KickMask> {
        const MODE: u64 = BASE_ENABLED | BASE_X2APIC;
        let address = vapic.physical_mask() & !0xfff;
        if value & !(address | MODE | BASE_BSP) != 0 {
            return Err(GeneralProtection);
        }
        match (self.base & MODE, value & MODE) {
            // x2APIC alone is no mode; it is entered from xAPIC only, and left to off only.
            (_, BASE_X2APIC) | (0, MODE) | (MODE, BASE_ENABLED) => return Err(GeneralProtection),
            (before, 0) if before != 0 => {
                // As it comes on again, all is as at power-on (11.4.3).
                self.base = value & address;
                if let Some(posted) = vapic.posted(self.vcpu) {
                    self.initialise(vapic, posted);
                }
            }
            (BASE_ENABLED, MODE) => self.logical = self.x2apic_logical(),
            _ => {}
        }
        // Which CPU started the others does not change.
        let bsp = if self.vcpu == 0 { BASE_BSP } else { 0 };
        self.base = value & (address | MODE) | bsp;
        self.publish_to(vapic);
        Ok(KickMask::NONE)
    }
}

impl Register {
    /// The bits that may be written in x2APIC mode; others give #GP, and so do registers that are read only.
    #[inline]
    fn writable(self) -> Result<u64> {
        Ok(match self {
            Register::TaskPriority | Register::SelfIpi => 0xff,
            // Only zero.
            Register::End | Register::Errors => 0,
            Register::SpuriousVector => SVR_BITS.into(),
            Register::Command => 0xffff_ffff_0000_0000 | COMMAND_BITS as u64,
            Register::Lvt(lvt) => lvt.bits().into(),
            Register::InitialCount => u32::MAX.into(),
            Register::Divide => DIVIDE_BITS.into(),
            _ => return Err(GeneralProtection),
        })
    }
}
