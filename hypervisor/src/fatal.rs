//! The hypervisor's own failures: a panic, or an exception of its own.
//!
//! Neither is ever a guest's doing; if one is, that is the bug. The other pCPUs are stopped, so that no guest goes on
//! without the hypervisor. What is known is printed, past the console's rings and locks, and left for the next boot
//! (`epitaph`). Then the board does what its configuration says.
//!
//! Nothing here is trusted: every loop is bounded, only memory that is mapped is read, and a failure while telling of one
//! ends at once.

mod trace;

use core::fmt::{self, Display, Write};
use core::sync::atomic::{AtomicU32, Ordering};

use arch::cpu::PerCpu;
use arch::entry::FatalFrame;
use arch::fault::Fault;
use model::{OnFailure, System};
use spin::Once;

use crate::epitaph::{self, Text};
use crate::stacks::{self, Part};
use crate::terminal::Emergency;
use trace::Trace;

/// The pCPU that failed first, counted from 1; zero as long as none has.
static FAILED: AtomicU32 = AtomicU32::new(0);
/// pCPUs that have been stopped.
static STOPPED: AtomicU32 = AtomicU32::new(0);
/// Looks at [`STOPPED`] before one that does not come is given up: it holds no guest, or it would have come.
const PATIENCE: u32 = 10_000_000;
/// Return addresses that the epitaph has room for.
const EPITAPH_CALLS: usize = 8;
/// Exits from guests that are told.
const EXITS: usize = 8;

static SYSTEM: Once<&'static System> = Once::new();
static PCPUS: Once<&'static [PerCpu]> = Once::new();

/// Keeps what was configured: names, and what to do after a failure.
pub fn know_system(system: &'static System) {
    SYSTEM.call_once(|| system);
}

/// From here on a failure stops these pCPUs.
pub fn know_pcpus(pcpus: &'static [PerCpu]) {
    PCPUS.call_once(|| pcpus);
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let frame = FatalFrame::here();
    fail(&Failure { what: What::Panic(info), frame: &frame })
}

/// Where the vectors go with an exception of our own.
#[unsafe(no_mangle)]
extern "C" fn ostler_fatal(vector: u64, frame: &FatalFrame) -> ! {
    fail(&Failure { what: What::Fault(Fault::read(vector, frame)), frame })
}

/// Another pCPU has failed: this one stops for good.
pub fn stopped() -> ! {
    STOPPED.fetch_add(1, Ordering::AcqRel);
    arch::cpu::halt()
}

struct Failure<'a> {
    what: What<'a>,
    frame: &'a FatalFrame,
}

enum What<'a> {
    Panic(&'a core::panic::PanicInfo<'a>),
    Fault(Fault),
}

impl Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Panic(info) => {
                write!(f, "panic: {}", info.message())?;
                info.location().map_or(Ok(()), |at| write!(f, " at {}:{}", at.file(), at.line()))
            }
            What::Fault(fault) => {
                let guard = fault.data_address().and_then(stacks::place);
                if let Some((index, Part::StackGuard | Part::EmergencyGuard)) = guard
                    && index == arch::cpu::index()
                {
                    f.write_str("stack overflow: ")?;
                }
                write!(f, "{fault}")
            }
        }
    }
}

/// The vCPU that this pCPU has in hand, by names.
struct InHand;

impl Display for InHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_hand = arch::cpu::local().and_then(|local| local.in_hand.get());
        let Some((vm, vcpu)) = in_hand else { return f.write_str("no vCPU") };
        match SYSTEM.get().and_then(|system| system.vms.get(vm as usize)) {
            Some(config) => write!(f, "vCPU {vcpu} of VM {}", config.name),
            None => write!(f, "vCPU {vcpu} of VM number {vm}"),
        }
    }
}

fn fail(failure: &Failure<'_>) -> ! {
    let own = arch::cpu::index().saturating_add(1);
    match FAILED.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => tell(failure),
        // It failed while it told: nothing more is to be hoped for.
        Err(first) if first == own => {}
        // The other one tells, and ends the board.
        Err(_) => stopped(),
    }
    end()
}

fn tell(failure: &Failure<'_>) {
    let others = stop_others();
    let Failure { what, frame } = failure;
    let pcpu = arch::cpu::index();
    let trace = Trace::of(frame.link(), frame.sp());
    // Should telling more fail, so much is left. A text takes what fits and never fails.
    let mut text = Text::new();
    let _ = write!(text, "pCPU {pcpu}, with {InHand}: ");
    epitaph::leave(&text);

    let mut lines = Emergency::open();
    lines.line(format_args!("failure of the hypervisor on pCPU {pcpu}, with {InHand}:"));
    lines.line(format_args!("{what}"));

    let _ = write!(text, "{what}\n  called from");
    trace.clone().take(EPITAPH_CALLS).for_each(|call| {
        let _ = write!(text, " {:#x}", call.to);
    });
    epitaph::leave(&text);

    if let What::Fault(fault) = what {
        lines.line(format_args!("{}", fault.registers()));
    }
    (0..).map_while(|index| frame.row(index)).for_each(|row| lines.line(format_args!("{row}")));
    lines.line(format_args!("calls, as far as they can be guessed from the stack (cargo xtask symbolize names them):"));
    trace.for_each(|call| lines.line(format_args!("  called from {call}")));
    if let Some(local) = arch::cpu::local() {
        lines.line(format_args!("the last exits on this pCPU, the newest first:"));
        local
            .recorder
            .records::<arch::recorder::Said>()
            .take(EXITS)
            .for_each(|exit| lines.line(format_args!("  vCPU {} {exit}", exit.tag.vcpu())));
    }
    if let Some((stopped, all)) = others {
        lines.line(format_args!("{stopped} of {all} other pCPUs have stopped"));
    }
    lines.line(format_args!("the board's configuration says: {}", on_failure().word()));
}

/// Stops the other pCPUs, whatever they do: how many have stopped, and of how many.
fn stop_others() -> Option<(u32, u32)> {
    let pcpus = *PCPUS.get()?;
    let own = arch::cpu::local()?;
    let others = || pcpus.iter().filter(|pcpu| !core::ptr::eq(*pcpu, own));
    others().for_each(|pcpu| arch::controller::send_stop(pcpu.doorbell));
    let all = u32::try_from(others().count()).ok()?;
    let stopped = || STOPPED.load(Ordering::Acquire);
    // Who waits for a lock at EL2 does not come, and runs no guest.
    let _ = (0..PATIENCE).any(|_| stopped() >= all);
    Some((stopped(), all))
}

fn on_failure() -> OnFailure {
    SYSTEM.get().map_or(OnFailure::Reset, |system| system.board.on_failure)
}

fn end() -> ! {
    match on_failure() {
        OnFailure::Reset => crate::board::end(false),
        OnFailure::Halt => arch::cpu::halt(),
    }
}
