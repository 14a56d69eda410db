//! The virtual interrupt controllers of one PC: local APICs, an I/O APIC, and a pair of 8259s.
//!
//! Two parts, by who may touch them:
//! - [`Vapic`] holds what the whole VM shares. All its functions take `&self` and may run on any number of pCPUs at once. What is
//!   sent to a vCPU lies in its [`Posted`], words of atomics. I/O APIC and 8259s have a lock each, which is held for
//!   a register access or a change of a line and for nothing else. What needs a vCPU's attention comes back as a [`KickMask`].
//! - [`LocalApic`] belongs to one vCPU and only its pCPU touches it.
//!
//! | event | on which pCPU | what to call |
//! |---|---|---|
//! | nested page fault in [`LocalApic::page`] | the vCPU's | [`LocalApic::read`], [`LocalApic::write`] |
//! | MSR of [`is_apic`] | the vCPU's | [`LocalApic::read_msr`], [`LocalApic::write_msr`] |
//! | CR8 | the vCPU's | [`LocalApic::cr8`], [`LocalApic::set_cr8`] |
//! | access in the I/O APIC's page, or to a port of the 8259s | any | [`Vapic::io_apic_read`] …, [`Vapic::pic_read`] … |
//! | a device's line | any | [`Vapic::set_line`] |
//! | an interrupt of the board's | any | [`Vapic::passed_pending`] |
//! | a message-signalled interrupt | any | [`Vapic::message`] |
//! | before every entry, interrupts masked | the vCPU's | unless [`LocalApic::is_idle`]: [`LocalApic::take_signals`], [`LocalApic::pending`] |
//! | the guest takes a vector | the vCPU's | [`LocalApic::accept`]; of the 8259s' [`Vapic::acknowledge_external`] |
//! | it was kept from it before its first instruction | the vCPU's | [`LocalApic::give_back`] |
//! | [`LocalApic::deadline`] is over | the vCPU's | [`LocalApic::tick`] |
//! | VM resets, all vCPUs stopped | any | [`Vapic::reset`], and [`LocalApic::reset`] of each |
//!
//! An interrupt's way: a device's line is an input of I/O APIC and 8259s alike. An entry of the I/O APIC, an MSI and an IPI are all
//! messages; [`message`] says whom one addresses, [`Vapic::deliver`] posts it, and the vCPU's [`LocalApic`] collects it
//! before it looks what comes next. EOI of a level-triggered vector goes back to the I/O APIC.
//!
//! APIC IDs are indices of vCPUs.
#![forbid(unsafe_code)]

mod arrive;
mod atomic;
mod io_apic;
mod local;
mod message;
mod msr;
mod passed;
mod pic;
mod posted;
mod registers;
mod send;
#[cfg(test)]
mod tests;
mod timer;
mod vectors;

pub use arch_common::{ends::Ends, kick::KickMask};
pub use arrive::Signals;
pub use local::{LocalApic, Pending};
pub use msr::{APIC_BASE, GeneralProtection, TSC_DEADLINE, is_apic};
pub use posted::Posted;
pub use registers::COMMAND;

use arch_common::{
    bits::{bit, ones},
    kick::MAX_VCPUS,
};
use atomic::{AtomicBool, AtomicU32, SeqCst};
use io_apic::{Fired, IoApic};
use message::{Delivery, Destination, Message};
use pic::Pic;
use spin::Mutex;

/// What all vCPUs of one VM share. It may be placed in any memory and needs no heap.
#[derive(Debug)]
pub struct Vapic<'a> {
    cpus: &'a [Posted],
    /// Bits of guest-physical addresses.
    physical_bits: u32,
    io_apic: Mutex<IoApic>,
    /// `None` without a pair of 8259s.
    pic: Option<Mutex<Pic>>,
    /// The 8259s' output: changes under their lock only.
    pic_output: AtomicBool,
    /// The board's interrupts that the guest is not done with: changes to zero under the lock of who says so only.
    passed: AtomicU32,
    /// Who is told when it is.
    ends: Option<&'a dyn Ends>,
}

/// What became of a message.
#[derive(Clone, Copy)]
struct Delivered {
    /// Somebody took it.
    is_accepted: bool,
    kick: KickMask,
}

impl<'a> Vapic<'a> {
    /// Controllers at power-on, with one [`Posted`] for each vCPU in the order of their indices. Those after the first
    /// [`MAX_VCPUS`] are not used. Guest-physical addresses have `physical_bits` bits (CPUID 0x80000008).
    pub const fn new(cpus: &'a [Posted], has_pic: bool, physical_bits: u32) -> Vapic<'a> {
        let cpus = match cpus.split_at_checked(MAX_VCPUS) {
            Some((first, _)) => first,
            None => cpus,
        };
        Vapic {
            cpus,
            physical_bits,
            io_apic: Mutex::new(IoApic::new()),
            pic: if has_pic { Some(Mutex::new(Pic::new())) } else { None },
            pic_output: AtomicBool::new(false),
            passed: AtomicU32::new(0),
            ends: None,
        }
    }

    /// Back to power-on. All vCPUs must have been stopped; each resets its own local APIC when it starts, and until then others find it
    /// as it is after that, with nothing sent. Lines keep their level until their devices change it.
    pub fn reset(&self) {
        self.io_apic.lock().reset();
        if let Some(pic) = &self.pic {
            let mut pic = pic.lock();
            pic.reset();
            self.pic_output.store(pic.output(), SeqCst);
        }
        self.passed.store(0, SeqCst);
        (0..self.cpus.len() as u32).for_each(|vcpu| LocalApic::new(vcpu).reset(self));
    }

    #[inline]
    fn posted(&self, vcpu: u32) -> Option<&'a Posted> {
        self.cpus.get(vcpu as usize)
    }

    fn physical_mask(&self) -> u64 {
        1_u64.checked_shl(self.physical_bits).map_or(u64::MAX, |bit| bit.wrapping_sub(1))
    }

    /// Whether the 8259s' output is high.
    #[inline]
    fn pic_output(&self) -> bool {
        self.pic_output.load(SeqCst)
    }

    /// All vCPUs.
    fn all(&self) -> KickMask {
        KickMask(if self.cpus.len() >= 32 { u32::MAX } else { bit(self.cpus.len() as u32).wrapping_sub(1) })
    }

    /// The vCPUs that `destination` addresses.
    fn addressed(&self, destination: Destination) -> KickMask {
        let addresses = |vcpu| self.posted(vcpu).is_some_and(|posted| destination.addresses(vcpu, posted.identity()));
        match destination {
            // One that exists: mostly.
            Destination::Physical(id) if id < self.cpus.len() as u32 && addresses(id) => KickMask::of(id),
            _ => (0_u32..).zip(self.cpus).fold(KickMask::NONE, |set, (vcpu, posted)| {
                if destination.addresses(vcpu, posted.identity()) { set | KickMask::of(vcpu) } else { set }
            }),
        }
    }

    /// Sends `message` to all of `targets`, or to one if its delivery mode says so.
    fn deliver(&self, targets: KickMask, message: Message) -> Delivered {
        let mut delivered = Delivered { is_accepted: false, kick: KickMask::NONE };
        for vcpu in targets.iter() {
            let Some(posted) = self.posted(vcpu) else { continue };
            let takes_vectors = posted.identity().accepts();
            delivered.kick |= match message.delivery {
                Delivery::Fixed | Delivery::Lowest if !takes_vectors => continue,
                Delivery::Fixed | Delivery::Lowest if message.vector < 16 => posted.hint(vcpu, posted::ILLEGAL),
                // Which of them is the chipset's business (SDM volume 3, 11.6.2.4): the first.
                Delivery::Lowest => {
                    let kick = posted.send(vcpu, message.vector, message.is_level);
                    return Delivered { is_accepted: true, kick };
                }
                Delivery::Fixed => posted.send(vcpu, message.vector, message.is_level),
                Delivery::Nmi => posted.send_nmi(vcpu),
                Delivery::Init => posted.send_init(vcpu),
                Delivery::StartUp => posted.send_start_up(vcpu, message.vector),
                Delivery::External => posted.hint(vcpu, posted::EXTERNAL),
                Delivery::Management | Delivery::Reserved => continue,
            };
            delivered.is_accepted = true;
        }
        delivered
    }

    /// A device's line changes, or is said to be as it was: input `gsi` of the I/O APIC, and below 16 of the 8259s.
    pub fn set_line(&self, gsi: u32, level: bool) -> KickMask {
        // The 8259s first: an entry of the I/O APIC may announce their vector.
        let kick = if gsi < 16 { self.with_pic(|pic| pic.set_line(gsi, level)).1 } else { KickMask::NONE };
        kick | self.with_io_apic(|io_apic| if io_apic.set_line(gsi, level) { bit(gsi) } else { 0 })
    }

    /// A store of `data` at `address` by a device, if that is where messages go (SDM volume 3, 11.11).
    pub fn message(&self, address: u64, data: u32) -> KickMask {
        if address >> 20 != 0xfee {
            return KickMask::NONE;
        }
        let destination = Destination::of_device(address & 1 << 2 != 0, (address >> 12) as u8);
        let mut message = Message::from_bits(data);
        // Redirection hint: to one of the addressed.
        if address & 1 << 3 != 0 && message.delivery == Delivery::Fixed {
            message.delivery = Delivery::Lowest;
        }
        // INIT and others come from CPUs only.
        match message.delivery {
            Delivery::Init | Delivery::StartUp => KickMask::NONE,
            _ => self.deliver(self.addressed(destination), message).kick,
        }
    }

    /// An NMI to `vcpu`, by none of its CPUs.
    pub fn send_nmi(&self, vcpu: u32) -> KickMask {
        self.posted(vcpu).map_or(KickMask::NONE, |posted| posted.send_nmi(vcpu))
    }

    /// The page of a start-up IPI that was sent to `vcpu`, which waits for one: whoever gets it starts the vCPU.
    pub fn take_start_up(&self, vcpu: u32) -> Option<u8> {
        self.posted(vcpu)?.take_start_up()
    }

    /// Sends the messages of `fired` entries.
    fn fire(&self, io_apic: &mut IoApic, fired: Fired) -> KickMask {
        ones(fired).fold(KickMask::NONE, |kick, pin| {
            let (destination, message) = io_apic.message(pin);
            let delivered = self.deliver(self.addressed(destination), message);
            if delivered.is_accepted {
                io_apic.accepted(pin);
            }
            kick | delivered.kick
        })
    }

    /// EOI of a level-triggered vector.
    fn end_of_interrupt(&self, vector: u8) -> KickMask {
        self.with_io_apic(|io_apic| io_apic.end(vector))
    }

    /// Changes the I/O APIC, and sends what comes of it.
    fn with_io_apic(&self, change: impl FnOnce(&mut IoApic) -> Fired) -> KickMask {
        let mut io_apic = self.io_apic.lock();
        let fired = change(&mut io_apic);
        let kick = self.fire(&mut io_apic, fired);
        let over = self.claim_over(io_apic.take_over());
        drop(io_apic);
        if over != 0 {
            self.over(over, || {
                let _ = self.with_pic(|pic| pic.withdraw(over));
            });
        }
        kick
    }

    /// A load at `offset` of the I/O APIC's page; registers have 4 bytes, and all else reads as zero.
    pub fn io_apic_read(&self, offset: u64, width_bytes: u8) -> u32 {
        if width_bytes == 4 { self.io_apic.lock().read(offset) } else { 0 }
    }

    /// A store there. Index and EOI may be written with fewer bytes; all else is ignored.
    pub fn io_apic_write(&self, offset: u64, width_bytes: u8, value: u32) -> KickMask {
        if width_bytes != 4 && offset == 0x10 {
            return KickMask::NONE;
        }
        self.with_io_apic(|io_apic| io_apic.write(offset, value))
    }

    /// A load of a byte at `offset` of the 8259s' ports ([`model::Pc::PIC_PORTS`], one after the other).
    pub fn pic_read(&self, offset: u64) -> (u8, KickMask) {
        let (value, kick) = self.with_pic(|pic| pic.read(offset));
        (value.unwrap_or(0xff), kick)
    }

    /// A store of a byte there.
    pub fn pic_write(&self, offset: u64, value: u8) -> KickMask {
        self.with_pic(|pic| pic.write(offset, value)).1
    }

    /// The vector that [`Pending::External`] announced, as the guest takes it; `None` without 8259s. If the request has gone
    /// in the meantime it is a spurious one.
    pub fn acknowledge_external(&self, apic: &mut LocalApic) -> Option<u8> {
        let (vector, kick) = self.with_pic(Pic::acknowledge);
        apic.external_taken();
        // The output has only fallen, or is this CPU's again.
        let _ = kick;
        vector
    }

    /// Changes the 8259s. Where their output rises, it tells the vCPUs that are wired to it.
    fn with_pic<T>(&self, change: impl FnOnce(&mut Pic) -> T) -> (Option<T>, KickMask) {
        let Some(pic) = &self.pic else { return (None, KickMask::NONE) };
        let mut pic = pic.lock();
        let result = change(&mut pic);
        let over = self.claim_over(pic.take_over());
        let output = pic.output();
        let was_high = self.pic_output.swap(output, SeqCst);
        let mut kick = KickMask::NONE;
        if output && !was_high {
            for (vcpu, posted) in (0_u32..).zip(self.cpus).filter(|(_, posted)| posted.identity().is_wired()) {
                kick |= posted.hint(vcpu, posted::LINT0);
            }
        }
        drop(pic);
        if over != 0 {
            self.over(over, || self.io_apic.lock().withdraw(over));
        }
        (Some(result), kick)
    }
}
