//! The exits that are answered without the loop, in the vector's handlers.

use model::{GicVersion, Gpa};

use super::{Vcpu, code};
use crate::coverage::{self, Way};
use crate::exit::{Access, At, Exit, Unsupported};
use crate::gic::{self, Hardware};
use crate::guest::Frame;
use crate::inject::Exception;
use crate::registers::{read, write};
use crate::syndrome::{Abort, Cause, DataAbort, Fault, Syndrome, SystemAccess, Wait, fault_address};
use crate::sysreg::{self, Answer};
use crate::vgic::{self, KickMask, Read};
use crate::{intid, psci};

/// Which view of the virtual GIC guests have: known when this is compiled.
pub(super) const IS_V2: bool = matches!(crate::GIC, GicVersion::V2);

/// What became of an exit.
pub(super) enum Done {
    /// Answered: back into the guest.
    Yes,
    /// The loop's.
    Exit(Exit),
}

impl Vcpu {
    /// Hands `exit` to [`Vcpu::run`].
    pub(super) fn leave(&mut self, exit: Exit) -> u64 {
        self.exit = Some(exit);
        code::EXIT
    }

    /// Back into the guest, unless another vCPU of this pCPU has been given something to do.
    #[inline]
    pub(super) fn resume(&mut self) -> u64 {
        self.flush();
        if self.others_wait { self.leave(Exit::Kicked) } else { self.resume_at_once() }
    }

    /// Back into the guest: nothing was done that it, or another vCPU of this pCPU, would have to look at. (What others did
    /// meanwhile comes with a ring.)
    #[inline]
    pub(super) fn resume_at_once(&mut self) -> u64 {
        if core::mem::take(&mut self.changed_all) { code::RESUME_ALL } else { code::RESUME }
    }

    /// Sets a general register of the guest, 31 being none.
    #[inline]
    pub(super) fn set(&mut self, index: u8, value: u64) {
        self.changed_all |= index >= 19;
        self.context.set(index, value);
    }

    /// Tells vCPUs of the VM to look. This one does so before it goes on.
    #[inline]
    pub(super) fn kick(&mut self, vcpus: KickMask) {
        let others = vcpus.without(self.index);
        if !others.is_empty() {
            self.others_wait |= self.guest.kick(others);
        }
    }

    pub(super) fn quick_synchronous(&mut self) -> u64 {
        let syndrome = Syndrome(read!("ESR_EL2"));
        if let Some(code) = self.frequent(syndrome) {
            return code;
        }
        match self.synchronous(syndrome) {
            Done::Yes => self.resume(),
            Done::Exit(exit) => self.leave(exit),
        }
    }

    /// Any synchronous exit.
    #[inline(never)]
    fn synchronous(&mut self, syndrome: Syndrome) -> Done {
        let cause = syndrome.cause();
        coverage::cause(&cause);
        match cause {
            Cause::HypervisorCall(0) => self.call(),
            Cause::HypervisorCall(_) => {
                // Not a call of the convention (DEN 0028 section 2.9): an instruction that nobody emulates. Unlike others that
                // trap, HVC has moved the PC already.
                // SAFETY: the guest's own PC.
                unsafe { write!("ELR_EL2", self.pc().wrapping_sub(syndrome.instruction_bytes())) };
                Done::Exit(Exit::Unsupported(Unsupported::Instruction(syndrome.0)))
            }
            Cause::SecureMonitorCall(0) => {
                // Unlike HVC, a trapped SMC has not moved the PC (DDI 0487 D1.15.3).
                self.skip();
                self.call()
            }
            Cause::SystemRegister(access) => self.system_register(access),
            Cause::DataAbort(abort) => self.data_abort(abort),
            Cause::InstructionAbort(abort) => match fault_gpa(&abort) {
                Some(gpa) => Done::Exit(Exit::Unsupported(Unsupported::Access {
                    gpa,
                    is_fetch: true,
                    on_table_walk: abort.on_table_walk,
                    is_instruction: false,
                })),
                None => Done::Yes,
            },
            Cause::Coprocessor(access) if !access.is_executed(self.pstate()) => {
                coverage::took(Way::Skipped);
                self.skip();
                Done::Yes
            }
            // Both trap only where the pCPU is shared, and only if the guest would have waited.
            Cause::Wait(kind) => {
                self.skip();
                Done::Exit(match kind {
                    Wait::Interrupt => Exit::WaitForInterrupt,
                    // (The timed forms are hidden; as for events, to come back early is no mistake.)
                    Wait::Event | Wait::InterruptOrTime | Wait::EventOrTime => Exit::WaitForEvent,
                })
            }
            Cause::Hidden => {
                self.inject(Exception::Undefined);
                Done::Yes
            }
            _ => Done::Exit(Exit::Unsupported(Unsupported::Instruction(syndrome.0))),
        }
    }

    #[inline]
    pub(super) fn call(&mut self) -> Done {
        let [x0, x1, x2, x3, ..] = self.context.x;
        if x0 as u32 == psci::VERSION_FUNCTION {
            self.context.set(0, psci::VERSION);
            return Done::Yes;
        }
        Done::Exit(Exit::Call([x0, x1, x2, x3]))
    }

    fn system_register(&mut self, access: SystemAccess) -> Done {
        let value = self.context.get(access.rt);
        let answer = if access.is_read {
            sysreg::read(access.register, &self.guest.ids)
        } else {
            sysreg::write(access.register)
        };
        coverage::answer(answer);
        match answer {
            Answer::Value(value) => self.set(access.rt, value),
            Answer::Ignore => {}
            Answer::Undefined => {
                self.inject(Exception::Undefined);
                return Done::Yes;
            }
            Answer::Sgi => {
                let kick = self.guest.vgic.send_sgi(self.index, value);
                self.kick(kick);
            }
            Answer::Sgi0 => {
                let kick = self.guest.vgic.send_group0_sgi(self.index, value);
                self.kick(kick);
            }
            Answer::Deactivate => {
                let synced = self.interface.sync(&self.guest.vgic, &mut Hardware);
                let kick = synced | self.guest.vgic.deactivate(self.index, value as u32);
                self.kick(kick);
            }
            Answer::SetWay | Answer::Translation => {
                let cleans = match answer {
                    Answer::SetWay => self.maintain_by_set_and_way(),
                    _ => self.write_translation_register(access.register, value),
                };
                self.skip();
                return if cleans { Done::Exit(Exit::CleanMemory) } else { Done::Yes };
            }
            Answer::Unlisted => {
                let target = access.is_read.then_some(access.rt);
                return Done::Exit(Exit::Unsupported(Unsupported::Register { register: access.register, target }));
            }
        }
        self.skip();
        Done::Yes
    }

    fn data_abort(&mut self, data: DataAbort) -> Done {
        let Some(gpa) = fault_gpa(&data.abort) else { return Done::Yes };
        // Cache maintenance of what is not there has nothing to do: there is nothing to cache.
        if data.is_cache_operation && !data.abort.on_table_walk {
            coverage::took(Way::Maintained);
            self.skip();
            return Done::Yes;
        }
        let described = data.transfer.filter(|_| !data.abort.on_table_walk && data.abort.fault == Fault::Translation);
        let Some(transfer) = described else {
            coverage::took(match data.abort {
                Abort { on_table_walk: true, .. } => Way::Walk,
                Abort { fault: Fault::Translation, .. } => Way::Undescribed,
                _ => Way::Refused,
            });
            return Done::Exit(Exit::Unsupported(Unsupported::Access {
                gpa,
                is_fetch: false,
                on_table_walk: data.abort.on_table_walk,
                // A translation fault would have been a reference to nothing, had the CPU described the instruction.
                is_instruction: data.abort.fault == Fault::Translation && !data.abort.on_table_walk,
            }));
        };
        coverage::took(Way::Described);
        let store = data.is_write.then(|| transfer.stored(self.context.get(transfer.register)));
        let access = Access { at: At::Memory(gpa), size_bytes: transfer.size_bytes, store, transfer };
        match self.guest.frame(gpa) {
            Some(frame) => self.interrupt_controller(&access, frame),
            None => return Done::Exit(Exit::Access(access)),
        }
        Done::Yes
    }

    /// An access to the virtual GIC: a frame of its own for each part, one way for all.
    fn interrupt_controller(&mut self, access: &Access, frame: Frame) {
        coverage::took(match (frame, access.store) {
            (Frame::Distributor(_), None) => Way::DistributorRead,
            (Frame::Distributor(_), _) => Way::DistributorWrite,
            (Frame::Redistributor(..), None) => Way::RedistributorRead,
            (Frame::Redistributor(..), _) => Way::RedistributorWrite,
            (Frame::CpuInterface(_), None) => Way::InterfaceRead,
            (Frame::CpuInterface(_), _) => Way::InterfaceWrite,
        });
        let vgic = &self.guest.vgic;
        let mut kick = KickMask::NONE;
        let (Frame::Distributor(offset) | Frame::Redistributor(_, offset) | Frame::CpuInterface(offset)) = frame;
        let shows_list_registers =
            if IS_V2 { vgic::v2_shows_list_registers(offset) } else { vgic::shows_list_registers(offset) };
        if shows_list_registers {
            kick |= self.interface.sync(vgic, &mut Hardware);
        }
        let (size, own) = (access.size_bytes, self.index);
        match access.store {
            Some(value) => {
                kick |= match frame {
                    Frame::Distributor(offset) if IS_V2 => vgic.distributor_v2_write(own, offset, size, value),
                    Frame::Distributor(offset) => vgic.distributor_write(own, offset, size, value),
                    Frame::Redistributor(vcpu, offset) => vgic.redistributor_write(vcpu, offset, size, value),
                    Frame::CpuInterface(offset) => vgic.cpu_interface_v2_write(own, offset, size, value),
                };
                self.skip();
            }
            None => {
                let read = match frame {
                    Frame::Distributor(offset) if IS_V2 => vgic.distributor_v2_read(own, offset, size),
                    Frame::Distributor(offset) => vgic.distributor_read(own, offset, size),
                    Frame::Redistributor(vcpu, offset) => vgic.redistributor_read(own, vcpu, offset, size),
                    // GICC_DIR, the only register that is not the pCPU's own, is write-only.
                    Frame::CpuInterface(_) => Read::from(0),
                };
                kick |= read.kick;
                self.changed_all |= access.transfer.register >= 19;
                self.finish_load(access, read.value);
            }
        }
        self.kick(kick);
    }

    /// A physical interrupt while the guest ran.
    pub(super) fn interrupted(&mut self) -> u64 {
        let intid = gic::acknowledge();
        // The most frequent ones first.
        if matches!(intid, intid::VIRTUAL_TIMER | intid::PHYSICAL_TIMER) {
            gic::drop_priority(intid);
            if self.interface.hardware_again(&self.guest.vgic, &mut Hardware, intid) {
                coverage::took(Way::TimerAgain);
                return code::RESUME;
            }
            coverage::took(Way::Timer);
            self.interrupt(intid);
            return self.resume();
        }
        if intid >= intid::SPECIAL {
            return code::RESUME;
        }
        gic::drop_priority(intid);
        if self.interrupt(intid) {
            coverage::took(Way::Maintenance);
            return self.resume();
        }
        if intid == intid::KICK {
            coverage::took(Way::Kick);
            gic::deactivate(intid);
            return self.leave(Exit::Kicked);
        }
        coverage::took(Way::BoardInterrupt);
        self.leave(Exit::Interrupt(intid))
    }
}

/// The guest-physical address at fault; `None` if the guest's own tables, which another of its vCPUs may change, have none for it any
/// more: the instruction is to be executed again, and finds what the tables are now.
fn fault_gpa(abort: &Abort) -> Option<Gpa> {
    let far = read!("FAR_EL2");
    if abort.hpfar_is_valid() {
        return Some(fault_address(read!("HPFAR_EL2"), far));
    }
    // A permission fault: the guest's own tables have the page (DDI 0487 D8.13, `AT`). PAR_EL1 is the guest's.
    coverage::took(Way::ByTranslation);
    let par = read!("PAR_EL1");
    // SAFETY: translates without access; PAR_EL1 is put back below.
    unsafe { core::arch::asm!("at s1e1r, {}", "isb", in(reg) far, options(nostack, preserves_flags)) };
    let found = read!("PAR_EL1");
    // SAFETY: the guest's own value.
    unsafe { write!("PAR_EL1", par) };
    // F: no page.
    if found & 1 == 0 {
        return Some(Gpa((found & 0x000f_ffff_ffff_f000) | (far & 0xfff)));
    }
    coverage::took(Way::TablesChanged);
    // An abort that the board gave (DFSC external) says nothing about tables; it is not to come again for ever.
    (abort.fault != Fault::Permission).then_some(Gpa(far & 0xfff))
}
