//! Which ways through the handlers of exits were taken, and how often: for tests that attack, so that an attack that reaches
//! nothing shows. Without the feature `coverage` nothing of it is in the image.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use crate::exit::{Exit, Unsupported};
use crate::msr::{Answer, Own};

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
    // By the assembly's handler.
    Timer "timer" Kick "kick" BoardInterrupt "board-interrupt" Window "window" Cpuid "cpuid" Call "vmmcall" Halt "hlt" Pause "pause"
    Cr0 "cr0" Cr4 "cr4" ControlRefused "control-refused" Xsetbv "xsetbv" XsetbvRefused "xsetbv-refused" Debug "debug"
    Alignment "alignment" Caches "caches" Hidden "hidden" Shutdown "shutdown"
    // Answers to model-specific registers.
    Value "msr-value" Ignored "msr-ignored" Refused "msr-refused" Tsc "msr-tsc" Efer "msr-efer" Apic "msr-apic" Mtrr "msr-mtrr"
    Barrier "msr-barrier" Clock "msr-clock" Unlisted "msr-unlisted"
    // Nested page faults.
    Walk "walk" Fetch "fetch" Delivery "delivery" ReadOnly "read-only" Undescribed "undescribed" Crosses "crosses" Load "load" Store "store"
    Change "change" String "string" ApicRead "apic-read" ApicWrite "apic-write" IoApicRead "ioapic-read" IoApicWrite "ioapic-write"
    // Ports.
    In "in" Out "out" InString "ins" OutString "outs" PicRead "pic-read" PicWrite "pic-write"
    // By the loop.
    Access "access" Device "device" Nobody "nobody" Failed "failed" StartUp "start-up" Reset "reset" TurnedOff "turned-off"
    UnsupportedInstruction "unsupported-instruction" UnsupportedRegister "unsupported-register"
    UnsupportedAccess "unsupported-access"
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

/// The answer to a model-specific register.
#[inline(always)]
pub fn answer(answer: Answer) {
    took(match answer {
        Answer::Value(_) => Way::Value,
        Answer::Ignore => Way::Ignored,
        Answer::Refused => Way::Refused,
        Answer::Own(Own::Tsc | Own::TscAdjust) => Way::Tsc,
        Answer::Own(Own::Efer) => Way::Efer,
        Answer::Own(Own::LocalApic) => Way::Apic,
        Answer::Own(Own::Mtrr(_)) => Way::Mtrr,
        Answer::Own(Own::Barrier) => Way::Barrier,
        Answer::Own(Own::Clock) => Way::Clock,
        Answer::Unlisted => Way::Unlisted,
    });
}

/// An exit that the loop handles.
#[inline(always)]
pub fn exit(exit: &Exit) {
    took(match exit {
        Exit::Access(_) => Way::Access,
        Exit::Call(call) if call.vcpu == 0 => Way::Reset,
        Exit::Call(_) => Way::StartUp,
        Exit::TurnedOff => Way::TurnedOff,
        Exit::Failed { .. } => Way::Failed,
        Exit::Unsupported(Unsupported::Instruction { .. }) => Way::UnsupportedInstruction,
        Exit::Unsupported(Unsupported::Register { .. }) => Way::UnsupportedRegister,
        Exit::Unsupported(Unsupported::Access { .. }) => Way::UnsupportedAccess,
        _ => return,
    });
}
