//! The exits that are answered without the loop, in the assembly's handler.

use super::{Done, Vcpu, code_of, frequent};
use crate::coverage::{self, Way};
use crate::exit::Exit;
use crate::inject::{self, Event};
use crate::interrupts::{ALARM, KICK};
use crate::machine_check;
use crate::svm::vmcb::virtual_interrupt;
use crate::svm::{self, consistency, exit_code};

impl Vcpu {
    /// Fetches what the guest has made of CR8.
    #[inline]
    pub(super) fn take_priority(&mut self) {
        self.apic.set_cr8((self.vmcb.control.interrupt & virtual_interrupt::TPR) as u8);
    }

    /// Any exit.
    #[inline(never)]
    pub(super) fn general(&mut self) -> u64 {
        self.take_priority();
        self.event = self.take_back(self.vmcb.control.exit_interrupt_info);
        match self.vmcb.control.exit_code {
            exit_code::INTERRUPT => self.interrupted(),
            exit_code::MSR => {
                let done = self.model_specific_register();
                self.after(done)
            }
            exit_code::NESTED_PAGE_FAULT => {
                let done = self.nested_page_fault();
                self.after(done)
            }
            exit_code::PORT => {
                let done = self.port();
                self.after(done)
            }
            exit_code::CPUID => {
                coverage::took(Way::Cpuid);
                self.changed_all |= self.cpuid() == code_of::RESUME_ALL;
                self.skip(0xa20f, 2);
                self.resume()
            }
            exit_code::VMMCALL => {
                coverage::took(Way::Call);
                frequent::call(&mut self.vmcb.state);
                self.skip(0x00d9_010f, 3);
                self.resume()
            }
            code => {
                let done = self.other(code);
                self.after(done)
            }
        }
    }

    #[inline]
    fn after(&mut self, done: Done) -> u64 {
        match done {
            Done::Yes => self.resume(),
            Done::Exit(exit) => self.leave(exit),
        }
    }

    /// The exits that do not matter to a guest's speed.
    #[inline(never)]
    fn other(&mut self, code: u64) -> Done {
        match code {
            exit_code::INTERRUPT_WINDOW => coverage::took(Way::Window),
            exit_code::HLT => {
                coverage::took(Way::Halt);
                self.skip(0xf4, 1);
                if !self.has_interrupt() {
                    return Done::Exit(Exit::WaitForInterrupt);
                }
            }
            exit_code::PAUSE => {
                coverage::took(Way::Pause);
                self.skip(0x90f3, 2);
                return Done::Exit(Exit::WaitForEvent);
            }
            exit_code::CR0_WRITE | exit_code::CR4_WRITE | exit_code::CR8_WRITE => return self.write_control(),
            exit_code::XSETBV => self.xsetbv(),
            exit_code::IRET => self.before_iret(),
            exit_code::DEBUG_EXCEPTION => {
                coverage::took(Way::Debug);
                self.stepped();
            }
            exit_code::ALIGNMENT_CHECK => {
                coverage::took(Way::Alignment);
                self.inject(Event::ALIGNMENT);
            }
            exit_code::WBINVD | exit_code::INVD => {
                coverage::took(Way::Caches);
                let last = if code == exit_code::INVD { 0x080f } else { 0x090f };
                self.skip(last, 2);
            }
            // No counter exists that it could name.
            exit_code::RDPMC => self.inject(Event::PROTECTION),
            exit_code::RSM
            | exit_code::INVLPGA
            | exit_code::VMRUN
            | exit_code::VMLOAD..=exit_code::SKINIT
            | exit_code::MONITOR..=exit_code::MWAIT_ARMED
            | exit_code::RDPRU
            | exit_code::INVLPGB
            | exit_code::INVLPGB_ILLEGAL
            | exit_code::MCOMMIT
            | exit_code::TLBSYNC => {
                coverage::took(Way::Hidden);
                self.inject(Event::UNDEFINED);
            }
            exit_code::SHUTDOWN => {
                if machine_check::has_happened() {
                    svm::machine_check();
                }
                coverage::took(Way::Shutdown);
                return Done::Exit(self.shutdown());
            }
            exit_code::INVALID | exit_code::INVALID_OF_TCG | exit_code::BUSY => {
                let why = consistency::broken(self.vmcb, svm::physical_bits());
                let action = why.unwrap_or("VMRUN refuses, for a reason that is not known, at");
                return Done::Exit(Exit::Failed { action, what: self.pc() });
            }
            // An NMI is pending, and strikes the hypervisor as soon as GIF is set. (INIT, too, is the board's.)
            exit_code::NMI | exit_code::INIT => return Done::Exit(Exit::Kicked),
            exit_code::MACHINE_CHECK => svm::machine_check(),
            _ => return Done::Exit(Exit::Failed { action: "exit that nobody asked for, code", what: code }),
        }
        Done::Yes
    }

    /// A physical interrupt while the guest ran.
    #[inline(never)]
    pub(super) fn interrupted(&mut self) -> u64 {
        if self.vmcb.control.shadow & 1 != 0 {
            return self.interrupted_in_shadow();
        }
        match svm::take() {
            Some(ALARM) => match self.ticked() {
                Some(vector) => {
                    coverage::took(Way::Timer);
                    match vector {
                        Some(vector) => self.resume_with(vector),
                        None => self.resume(),
                    }
                }
                None => self.leave(Exit::Interrupt(ALARM)),
            },
            None => self.resume(),
            Some(number) => self.took(number),
        }
    }

    /// It came behind STI or a load of SS, where a guest's own interrupt must not come. QEMU's TCG forgets that when the guest is entered again
    /// (`helper_vmrun` does not load the shadow), and a guest would sleep over it that has HLT next. So such a HLT is done with here, and
    /// what has come still waits.
    #[cold]
    fn interrupted_in_shadow(&mut self) -> u64 {
        let halts = self.vmcb.state.cpl == 0 && matches!(self.bytes(), Ok((bytes, 1..)) if bytes as u8 == 0xf4);
        if halts {
            let done = self.other(exit_code::HLT);
            return self.after(done);
        }
        match svm::take() {
            Some(number) if number != ALARM || !self.tick() => self.took(number),
            _ => self.resume(),
        }
    }

    /// This one was taken, which is not a guest's timer.
    fn took(&mut self, number: u32) -> u64 {
        if number == KICK {
            coverage::took(Way::Kick);
            return self.leave(Exit::Kicked);
        }
        coverage::took(Way::BoardInterrupt);
        self.leave(Exit::Interrupt(number))
    }

    /// An interrupt of this pCPU that only concerns the vCPU that is loaded, outside of the guest. False if it is not one of these.
    pub fn interrupt(&mut self, number: u32) -> bool {
        number == ALARM && self.tick()
    }

    /// Goes on behind the instruction that left, which is expected to be `bytes`, `count` of them, the first in the low bits.
    #[inline]
    pub(super) fn skip(&mut self, bytes: u32, count: u8) {
        if let Some(length) = self.length(bytes, count) {
            self.step_over(length);
        }
    }

    /// Goes on behind an instruction of `length` bytes.
    #[inline]
    pub(super) fn step_over(&mut self, length: u8) {
        let is_64_bit = self.is_64_bit();
        let state = &mut self.vmcb.state;
        let behind = inject::behind(state.rip, length.into(), state.rflags, is_64_bit);
        state.rip = behind.rip;
        state.rflags = behind.rflags;
        self.vmcb.control.shadow = 0;
        if behind.steps {
            self.vmcb.state.dr6 |= inject::DR6_STEP;
            self.stepped();
        }
    }

    /// What the CPU is to forget before the guest goes on.
    #[inline]
    pub(super) fn forget(&mut self) {
        self.vmcb.control.tlb_control = if core::mem::take(&mut self.forgets) {
            let is_fine = self.guest.features.flush_by_asid;
            if is_fine { crate::svm::vmcb::TLB_FLUSH_ASID } else { crate::svm::vmcb::TLB_FLUSH_ALL }
        } else {
            0
        };
    }
}

const _: () = assert!(code_of::RESUME == 0);
