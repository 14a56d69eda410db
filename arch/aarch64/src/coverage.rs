//! Which ways through the handlers of exits were taken, and how often: for tests that attack, so that an attack that reaches
//! nothing shows. Without the feature `coverage` nothing of it is in the image.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use crate::exit::{Exit, Unsupported};
use crate::inject::Exception;
use crate::psci::Outcome;
use crate::smccc::Reply;
use crate::syndrome::Cause;
use crate::sysreg::Answer;

macro_rules! ways {
    ($($name:ident $text:literal)*) => {
        /// A way through the handlers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the texts say it")]
        pub enum Way { $($name),* }

        const NAMES: &[&str] = &[$($text),*];
    };
}

ways! {
    // By the vectors' handlers.
    FrequentCall "frequent-call" FrequentSgi "frequent-sgi" FrequentLoad "frequent-load"
    Timer "timer" TimerAgain "timer-again" Maintenance "maintenance" Kick "kick" BoardInterrupt "board-interrupt"
    // Causes of exceptions.
    Hvc "hvc" HvcImmediate "hvc-immediate" Smc "smc" SmcImmediate "smc-immediate" Register "register" Data "data-abort"
    Fetch "fetch-abort" Skipped "condition-failed" Coprocessor "coprocessor" Wait "wait" Hidden "hidden" Other "other-class"
    // Answers to system registers.
    Value "value" Ignored "ignored" Undefined "undefined" Sgi "sgi" Sgi0 "sgi-group-0" Deactivate "deactivate" SetWay "set-way"
    Translation "translation" Unlisted "unlisted"
    // Aborts.
    Maintained "maintained" Walk "walk" Undescribed "undescribed" Described "described" Refused "refused"
    ByTranslation "at" TablesChanged "tables-changed"
    // Frames of the interrupt controller.
    DistributorRead "gicd-read" DistributorWrite "gicd-write" RedistributorRead "gicr-read" RedistributorWrite "gicr-write"
    InterfaceRead "gicc-read" InterfaceWrite "gicc-write"
    // By the loop.
    Memory "memory" Clean "clean" Device "device" Nobody "nobody" SystemError "system-error"
    Returned "call-returned" Uid "call-uid" TurnOn "cpu-on" TurnOff "cpu-off" Suspend "suspend" Off "system-off" Reset "reset"
    // Exceptions that were injected; what `unsupported` is asked about.
    InjectUndefined "inject-undefined" InjectData "inject-data" InjectFetch "inject-fetch"
    UnsupportedInstruction "unsupported-instruction" UnsupportedRegister "unsupported-register"
    UnsupportedFetch "unsupported-fetch" UnsupportedAccess "unsupported-access"
}

const COUNT: usize = if cfg!(feature = "coverage") { NAMES.len() } else { 0 };
static COUNTS: [AtomicU64; COUNT] = [const { AtomicU64::new(0) }; COUNT];

/// `way` was taken.
#[inline(always)]
pub fn took(way: Way) {
    if cfg!(feature = "coverage")
        && let Some(count) = COUNTS.get(way as usize)
    {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The ways with their counts; none without the feature.
pub fn counts() -> impl Iterator<Item = (&'static str, u64)> {
    NAMES.iter().copied().zip(COUNTS.iter().map(|count| count.load(Ordering::Relaxed)))
}

/// A synchronous exception; whether its condition failed is [`Way::Skipped`].
#[inline(always)]
pub fn cause(cause: &Cause) {
    took(match cause {
        Cause::HypervisorCall(0) => Way::Hvc,
        Cause::HypervisorCall(_) => Way::HvcImmediate,
        Cause::SecureMonitorCall(0) => Way::Smc,
        Cause::SecureMonitorCall(_) => Way::SmcImmediate,
        Cause::SystemRegister(_) => Way::Register,
        Cause::DataAbort(_) => Way::Data,
        Cause::InstructionAbort(_) => Way::Fetch,
        Cause::Coprocessor(_) => Way::Coprocessor,
        Cause::Wait(_) => Way::Wait,
        Cause::Hidden => Way::Hidden,
        Cause::Unknown | Cause::SystemError | Cause::Other(_) => Way::Other,
    });
}

/// The answer to a system register.
#[inline(always)]
pub fn answer(answer: Answer) {
    took(match answer {
        Answer::Value(_) => Way::Value,
        Answer::Ignore => Way::Ignored,
        Answer::Undefined => Way::Undefined,
        Answer::Sgi => Way::Sgi,
        Answer::Sgi0 => Way::Sgi0,
        Answer::Deactivate => Way::Deactivate,
        Answer::SetWay => Way::SetWay,
        Answer::Translation => Way::Translation,
        Answer::Unlisted => Way::Unlisted,
    });
}

/// An exception that is injected.
#[inline(always)]
pub fn injected(exception: &Exception) {
    took(match exception {
        Exception::Undefined => Way::InjectUndefined,
        Exception::DataAbort { .. } => Way::InjectData,
        Exception::InstructionAbort { .. } => Way::InjectFetch,
    });
}

/// An exit that the loop handles.
#[inline(always)]
pub fn exit(exit: &Exit) {
    took(match exit {
        Exit::CleanMemory => Way::Clean,
        Exit::Access(_) => Way::Memory,
        Exit::Unsupported(Unsupported::Instruction(_)) => Way::UnsupportedInstruction,
        Exit::Unsupported(Unsupported::Register { .. }) => Way::UnsupportedRegister,
        Exit::Unsupported(Unsupported::Access { is_fetch: true, .. }) => Way::UnsupportedFetch,
        Exit::Unsupported(Unsupported::Access { .. }) => Way::UnsupportedAccess,
        Exit::Failed { .. } => Way::SystemError,
        // Elsewhere by what they ask for.
        _ => return,
    });
}

/// What a call came to.
#[inline(always)]
pub fn call(reply: &Reply) {
    took(match reply {
        Reply::Registers(_) => Way::Uid,
        Reply::Power(Outcome::Return(_)) => Way::Returned,
        Reply::Power(Outcome::TurnOn { .. }) => Way::TurnOn,
        Reply::Power(Outcome::TurnOff) => Way::TurnOff,
        Reply::Power(Outcome::Suspend) => Way::Suspend,
        Reply::Power(Outcome::SystemOff) => Way::Off,
        Reply::Power(Outcome::SystemReset) => Way::Reset,
    });
}
