//! Answers the exits that the quick handlers leave to the loop.
//!
//! Each ends in one of three ways: emulated; the exception that the architecture names, injected; the VM stopped with a
//! reason. `unsupported` in the VM's file chooses between them where emulation cannot finish.

use arch::coverage::{self, Way};
use arch::inject::Exception;
use arch::psci::{Outcome, status};
use arch::smccc::{self, Reply};
use arch::{Exit, MemoryAccess, Unsupported};
use model::{Action, Start, StopReason};
use vdev::Width;

use crate::pcpu::{Next, Seat};
use crate::{interrupts, terminal};

/// Handles one exit of the vCPU in `seat`. (Interrupts are the pCPU's, and so are those who rang.)
pub fn handle(seat: &mut Seat, exit: Exit) -> Next {
    coverage::exit(&exit);
    match exit {
        Exit::Kicked | Exit::Interrupt(_) => {}
        Exit::Call(registers) => return call(seat, registers),
        Exit::WaitForInterrupt => return Next::Wait,
        Exit::WaitForEvent => return Next::GiveWay,
        Exit::CleanMemory => return Next::Clean,
        Exit::Memory(access) => memory(seat, &access),
        Exit::Unsupported(event) => unsupported(seat, event),
        Exit::SystemError { syndrome } => stop(seat, "system error, syndrome", syndrome),
    }
    Next::GoOn
}

/// A firmware call by HVC or SMC. Nothing of it reaches the board's firmware.
fn call(seat: &mut Seat, registers: [u64; 4]) -> Next {
    let vm = seat.vm;
    let stolen_time = vm.config.stolen_time;
    let reply = smccc::handle(&vm.guest.psci(), seat.vcpu.index(), registers, stolen_time, |gpa| vm.is_memory(gpa));
    coverage::call(&reply);
    match reply {
        Reply::Registers(values) => seat.vcpu.finish_call(&values),
        Reply::Power(Outcome::Return(value)) => seat.vcpu.finish_call(&[value]),
        Reply::Power(Outcome::TurnOn { vcpu, entry, context }) => {
            let answer = if vm.start(vcpu, Start::Arm { pc: entry, x0: context }) {
                status::SUCCESS
            } else {
                log::error!("{}: vCPU {vcpu} has no seat", vm.config.name);
                status::INTERNAL_FAILURE
            };
            seat.vcpu.finish_call(&[answer]);
        }
        Reply::Power(Outcome::TurnOff) => return seat.turn_off(),
        // A standby state of any depth (DEN 0022 section 5.4.5): it waits as for WFI, and has its answer already.
        Reply::Power(Outcome::Suspend) => {
            seat.vcpu.finish_call(&[status::SUCCESS]);
            return Next::Wait;
        }
        Reply::Power(Outcome::SystemOff) => vm.stop(StopReason::PowerOff),
        Reply::Power(Outcome::SystemReset) => vm.stop(StopReason::Reset),
    }
    Next::GoOn
}

/// A load or store where no memory is: a device's, or nobody's.
fn memory(seat: &mut Seat, access: &MemoryAccess) {
    let vm = seat.vm;
    let device = vm.devices.iter().find_map(|device| device.offset(access.gpa).map(|offset| (device, offset)));
    let (Some((device, offset)), Some(width)) = (device, Width::from_bytes(access.size_bytes.into())) else {
        return nobody(seat, access);
    };
    coverage::took(Way::Device);
    match access.store {
        Some(value) => {
            device.write(&vm.guest, offset, width, value);
            seat.vcpu.skip();
            match device.serial() {
                Some(serial) => {
                    let source = serial.printed();
                    if source != 0 {
                        terminal::printed(source);
                    }
                }
                None => vm.rearm(),
            }
        }
        None => {
            let value = device.read(&vm.guest, offset, width);
            seat.vcpu.finish_load(access, value);
        }
    }
    // The UART's interrupt moves all the rest, if it has one.
    if !interrupts::has_console() {
        terminal::pump();
    }
}

fn nobody(seat: &mut Seat, access: &MemoryAccess) {
    coverage::took(Way::Nobody);
    match seat.vm.config.unsupported.reference {
        Action::Ignore if access.store.is_some() => seat.vcpu.skip(),
        Action::Ignore => seat.vcpu.finish_load(access, u64::MAX),
        Action::Fail => {
            let far = seat.vcpu.fault_virtual_address();
            seat.vcpu.inject(Exception::DataAbort { far });
        }
        Action::Abort => stop(seat, "access to", access.gpa.0),
    }
}

fn unsupported(seat: &mut Seat, event: Unsupported) {
    let actions = seat.vm.config.unsupported;
    match event {
        Unsupported::Instruction(syndrome) => match actions.instruction {
            Action::Ignore => seat.vcpu.skip(),
            Action::Fail => seat.vcpu.inject(Exception::Undefined),
            Action::Abort => stop(seat, "instruction with syndrome", syndrome),
        },
        Unsupported::Register { register, target } => match actions.register {
            Action::Ignore => {
                if let Some(target) = target {
                    seat.vcpu.set_register(target, u64::MAX);
                }
                seat.vcpu.skip();
            }
            Action::Fail => seat.vcpu.inject(Exception::Undefined),
            Action::Abort => {
                log::info!("{}: system register {register}", seat.vm.config.name);
                stop(seat, "system register", register.bits().into());
            }
        },
        Unsupported::Access { gpa, is_fetch, on_table_walk, is_instruction } => {
            let action = if is_instruction { actions.instruction } else { actions.reference };
            let far = seat.vcpu.fault_virtual_address();
            match action {
                // A store that finds nobody, or memory that is not writable, has no effect; a fetch or a walk of the guest's
                // own tables cannot go on without what it was after, and neither can a load that nobody described.
                Action::Ignore if !is_fetch && !on_table_walk && seat.vm.is_memory(gpa) => seat.vcpu.skip(),
                Action::Ignore | Action::Fail if is_fetch => {
                    seat.vcpu.inject(Exception::InstructionAbort { far });
                }
                Action::Ignore | Action::Fail => seat.vcpu.inject(Exception::DataAbort { far }),
                Action::Abort => stop(seat, if is_fetch { "fetch from" } else { "access to" }, gpa.0),
            }
        }
    }
}

/// Stops the VM because of what this vCPU did. Its pCPU tells of it (`post_mortem`) when it lets go.
fn stop(seat: &mut Seat, action: &'static str, what: u64) {
    let vcpu = &*seat.vcpu;
    seat.vm.stop(StopReason::Unsupported { vcpu: vcpu.index(), pc: vcpu.pc(), what, action });
}
