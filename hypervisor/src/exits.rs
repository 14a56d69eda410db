//! Answers the exits that the quick handlers leave to the loop.
//!
//! Each ends in one of three ways: emulated; the exception that the architecture names, injected; the VM stopped with a
//! reason. `unsupported` in the VM's file chooses between them where emulation cannot finish.

use arch::coverage::{self, Way};
use arch::{Access, Exit, Kind, Outcome, Unsupported};
use model::{Action, StopReason};
use vdev::{Request, Width};

use crate::pcpu::{Next, Seat};
use crate::{interrupts, log, terminal};

/// Handles one exit of the vCPU in `seat`. (Interrupts are the pCPU's, and so are those who rang.)
pub fn handle(seat: &mut Seat, exit: Exit) -> Next {
    coverage::exit(&exit);
    match exit {
        Exit::Kicked | Exit::Interrupt(_) => {}
        Exit::WaitForInterrupt => return Next::Wait,
        Exit::WaitForEvent => return Next::GiveWay,
        Exit::CleanMemory => return Next::Clean,
        Exit::TurnedOff => return seat.turn_off(),
        Exit::Call(call) => {
            let vm = seat.vm;
            let outcome = seat.vcpu.answer(call, vm.config.stolen_time, |gpa| vm.is_memory(gpa));
            return called(seat, outcome);
        }
        Exit::Access(access) => self::access(seat, &access),
        Exit::Unsupported(event) => unsupported(seat, &event),
        Exit::Failed { action, what } => stop(seat, action, what),
    }
    Next::GoOn
}

/// Does what a call leads to.
fn called(seat: &mut Seat, outcome: Outcome) -> Next {
    let vm = seat.vm;
    match outcome {
        Outcome::Done => {}
        Outcome::TurnOn { vcpu, start } => {
            let has_seat = vm.start(vcpu, start);
            if !has_seat {
                log::error!("{}: vCPU {vcpu} has no seat", vm.config.name);
            }
            seat.vcpu.called(has_seat);
        }
        Outcome::TurnOff => return seat.turn_off(),
        Outcome::Suspend => return Next::Wait,
        Outcome::PowerOff => vm.stop(StopReason::PowerOff),
        Outcome::Reset => vm.stop(StopReason::Reset),
    }
    Next::GoOn
}

/// A load or store where no memory is: a device's, or nobody's.
fn access(seat: &mut Seat, access: &Access) {
    let vm = seat.vm;
    let (Some((device, offset)), Some(width)) = (vm.device_at(access.at), Width::from_bytes(access.size_bytes.into()))
    else {
        return nobody(seat, access);
    };
    coverage::took(Way::Device);
    match access.store {
        Some(value) => {
            let request = device.write(&vm.guest, offset, width, value);
            seat.vcpu.finish_store(access);
            match request {
                Some(Request::Reset) => vm.stop(StopReason::Reset),
                Some(Request::PowerOff) => vm.stop(StopReason::PowerOff),
                Some(Request::ReplaceLegacy(is_replaced)) => vm.replace_legacy(is_replaced),
                None => {}
            }
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

fn nobody(seat: &mut Seat, access: &Access) {
    coverage::took(Way::Nobody);
    match seat.vm.config.unsupported.reference {
        Action::Ignore if access.store.is_some() => seat.vcpu.finish_store(access),
        Action::Ignore => seat.vcpu.finish_load(access, u64::MAX),
        Action::Fail => seat.vcpu.refuse(access),
        Action::Abort => stop(seat, "access to", access.at.number()),
    }
}

fn unsupported(seat: &mut Seat, event: &Unsupported) {
    let vm = seat.vm;
    let actions = vm.config.unsupported;
    let action = match event.kind() {
        Kind::Instruction => actions.instruction,
        Kind::Register => actions.register,
        Kind::Reference => actions.reference,
    };
    match action {
        Action::Ignore => seat.vcpu.ignore(event, |gpa| vm.is_memory(gpa)),
        Action::Fail => seat.vcpu.fail(event),
        Action::Abort => {
            if event.kind() == Kind::Register {
                log::info!("{}: {event}", vm.config.name);
            }
            let (action, what) = event.what();
            stop(seat, action, what);
        }
    }
}

/// Stops the VM because of what this vCPU did. Its pCPU tells of it (`post_mortem`) when it lets go.
fn stop(seat: &mut Seat, action: &'static str, what: u64) {
    let vcpu = &*seat.vcpu;
    seat.vm.stop(StopReason::Unsupported { vcpu: vcpu.index(), pc: vcpu.pc(), what, action });
}
