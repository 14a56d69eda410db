//! The console on this board: the mux, its sources, the UART, and the hypervisor's own lines.
//!
//! Any pCPU may print or pump. Whoever finds the mux taken leaves a note and goes on; the holder looks for the note
//! after it let go. So nothing is left behind, and nobody waits for a UART or for another CPU's turn at it.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::log::{Level, Log, Metadata, Record};
use arch::uart::Uart;
use model::{Console, System};
use spin::{Mutex, Once};
use vdev::Endpoint;

use crate::bus::Device;
use crate::console::{Command, Listed, Lost, MAX_SOURCES, Mux, Note, RECORD_SEPARATOR, Source, Speaker, Wake};
use crate::direct::Direct;
use crate::vm::Vm;
use crate::{board, lifecycle, log, power};

/// The hypervisor's own lines on their way to the mux.
static LOG: Endpoint = Endpoint::new();
/// Held while one line goes into [`LOG`]: the ring has one producer at a time, and lines do not mix.
static LOG_PRODUCER: Mutex<()> = Mutex::new(());
static MUX: Once<Mutex<Mux<Uart>>> = Once::new();
/// Somebody wanted to pump while the mux was taken.
static AGAIN: AtomicBool = AtomicBool::new(false);
/// Errors that were told: what should not be, and was survived.
static FAILURES: AtomicU64 = AtomicU64::new(0);
/// The sources, by their bits, that have printed since the mux was last told.
static STIRRED: AtomicU64 = AtomicU64::new(0);
/// The bit of [`LOG`].
const LOG_BIT: u64 = 1;
/// Where the UART is, for [`Emergency`].
static UART: Once<u64> = Once::new();
/// The device at the guest's end of each source, by the mux's index.
static DEVICES: [Once<(&'static Vm, usize)>; MAX_SOURCES] = [const { Once::new() }; MAX_SOURCES];
/// What a guest's serial device printed last is kept, this much of it: some hundred lines.
const SCROLLBACK_BYTES: usize = 16 << 10;
/// Rounds of pumping that one call may take on behalf of others.
const ROUNDS: usize = 2;
/// Rounds of pumping that the end of the board may take: far more than a full set of rings needs.
const DRAIN_ROUNDS: usize = 10_000_000;

struct Line;

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| {
            LOG.output.push(byte);
        });
        Ok(())
    }
}

/// Takes the hypervisor's own lines; they go to nowhere as long as the console is not open.
pub struct Lines;

impl Log for Lines {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        MUX.get().is_some()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let kind = match record.level() {
            Level::Error => {
                FAILURES.fetch_add(1, Ordering::Relaxed);
                "error: "
            }
            Level::Warn => "warning: ",
            _ => "",
        };
        {
            let _producer = LOG_PRODUCER.lock();
            // `Line` never fails: what does not fit is counted by the ring, and the mux tells of it.
            let _ = writeln!(Line, "{kind}{}", record.args());
        }
        printed(LOG_BIT);
    }

    fn flush(&self) {
        pump();
    }
}

/// Opens the console on the UART at `uart`; makes one endpoint for each serial device of `system` that is joined to it,
/// in the order of VMs and devices. Without a UART all is printed to nowhere. `None` if memory or sources run out.
pub fn open(system: &'static System, uart: Option<u64>, memory: &mut Direct<'_>) -> Option<&'static [Endpoint]> {
    let serials = || {
        system.vms.iter().flat_map(|vm| {
            let directions = vm.vdevs.iter().filter_map(|vdev| match vdev.kind.console() {
                Some(Console::Board(direction)) => Some((vdev.name, direction)),
                _ => None,
            });
            let alone = directions.clone().nth(1).is_none();
            directions.map(move |(name, direction)| (if alone { vm.name } else { name }, direction))
        })
    };
    let endpoints: &'static [Endpoint] = memory.place_list(serials().count(), |_, _| Some(Endpoint::new()))?;
    let mut guests = serials().zip(endpoints);
    let sources: &'static [Source] = memory.place_list(endpoints.len().checked_add(1)?, |_, index| match index {
        0 => Some(Source { name: "ostler", endpoint: &LOG, speaker: Speaker::Hypervisor }),
        _ => {
            let ((name, direction), endpoint) = guests.next()?;
            Some(Source { name, endpoint, speaker: Speaker::Guest(direction) })
        }
    })?;
    if let Some(base) = uart {
        UART.call_once(|| base);
        // SAFETY: the board says that its console is there; it is mapped as device memory by now, if it is memory.
        let uart = unsafe { Uart::new(base) };
        let notes = memory.place_list(sources.len(), |memory, index| {
            // The hypervisor's own lines are never muted, and nobody asks for them again.
            let kept = if index == 0 { 0 } else { SCROLLBACK_BYTES };
            memory.place_list(kept, |_, _| Some(0)).map(Note::new)
        })?;
        let mux = Mux::new(uart, sources, notes)?;
        MUX.call_once(|| Mutex::new(mux));
    }
    Some(endpoints)
}

/// Source number `index` of the guests' ends in device `device` of `vm`.
pub fn connect(index: usize, vm: &'static Vm, device: usize) {
    let Some(source) = index.checked_add(1) else { return };
    if let Some((slot, device_itself)) = DEVICES.get(source).zip(vm.devices.get(device)) {
        slot.call_once(|| (vm, device));
        if let Some(serial) = device_itself.serial() {
            serial.connect(1u64.checked_shl(source as u32).unwrap_or(0));
        }
    }
}

/// The sources with these bits have printed: moves what can be moved between endpoints and UART, and looks at nobody else.
pub fn printed(sources: u64) {
    STIRRED.fetch_or(sources, Ordering::SeqCst);
    with_mux(Mux::pump);
}

/// Whether a line of the hypervisor's own with so many bytes would fit now.
pub fn has_room(bytes: usize) -> bool {
    LOG.output.room() >= bytes
}

/// Moves what can be moved, of all sources.
pub fn pump() {
    printed(u64::MAX);
}

/// The UART interrupted.
pub fn interrupt() {
    with_mux(Mux::on_interrupt);
}

/// All sources of `vm` have ended.
pub fn close(vm: &'static Vm) {
    let Some(mux) = MUX.get() else { return };
    for (index, slot) in DEVICES.iter().enumerate() {
        if slot.get().is_some_and(|&(owner, _)| core::ptr::eq(owner, vm)) {
            let focus = mux.lock().close(index);
            if let Some(name) = focus {
                told_of_focus(name);
            }
        }
    }
    pump();
}

fn with_mux(mut action: impl FnMut(&mut Mux<Uart>) -> Wake) {
    let Some(mux) = MUX.get() else { return };
    AGAIN.store(true, Ordering::SeqCst);
    for round in 1..=ROUNDS {
        // Each round takes the note; who leaves one later finds the mux free or is found by the next round.
        if !AGAIN.load(Ordering::SeqCst) {
            return;
        }
        let Some(mut held) = mux.try_lock() else { return };
        AGAIN.store(false, Ordering::SeqCst);
        held.stir(STIRRED.swap(0, Ordering::SeqCst));
        let wake = action(&mut held);
        let mut deed = None;
        if let Some(command) = held.take_command() {
            deed = obey(command, &mut held);
            // There may be more behind it.
            AGAIN.store(true, Ordering::SeqCst);
        }
        if round == ROUNDS {
            // A note left from here on is the interrupt's: a guest that prints without end keeps no other's pCPU here.
            held.come_back();
        }
        drop(held);
        if let Some((deed, vm)) = deed {
            deed(vm);
        }
        for (vm, device) in wake.filter_map(|index| DEVICES.get(index)?.get()) {
            if let Some(serial) = vm.devices.get(*device).and_then(Device::serial) {
                serial.poll(&vm.guest);
            }
        }
    }
}

/// What is to be done to the VM that has the console, when the mux is not held any more.
type Deed = (fn(&'static Vm), &'static Vm);

/// Does what was typed behind the escape key. The mux is held, so the lines are shown when it pumps next.
fn obey(command: Command, mux: &mut Mux<Uart>) -> Option<Deed> {
    let deed = match command {
        Command::PowerKey => Some(power::press as fn(&'static Vm)),
        Command::PowerCut => Some(power::cut as fn(&'static Vm)),
        // What comes of it is said when all of its vCPUs have let go, or go on.
        Command::Pause => Some((|vm| vm.toggle_pause()) as fn(&'static Vm)),
        _ => None,
    };
    let in_focus = mux.in_focus().and_then(|index| DEVICES.get(index)?.get());
    if let Some((deed, &(vm, _))) = deed.zip(in_focus) {
        return Some((deed, vm));
    }
    let done = match command {
        Command::Next => mux.focus_next().map(told_of_focus),
        Command::Focus(number) => mux.focus_number(number).map(told_of_focus),
        Command::Back => mux.scroll_back().then_some(()),
        Command::Mute => {
            let muted = mux.toggle_mute();
            log::info!("the other guests {}", if muted { "are muted until Ctrl-] m" } else { "speak again" });
            Some(())
        }
        #[cfg(feature = "provoke")]
        Command::Provoke(key) => {
            crate::provoke::typed(key);
            Some(())
        }
        // Nobody has the console.
        Command::PowerKey | Command::PowerCut | Command::Pause | Command::List => None,
    };
    if done.is_none() {
        list(mux);
    }
    None
}

fn told_of_focus(name: &str) {
    log::info!("the console is {name}'s now");
}

/// Says who there is, what was lost, where each VM is, how much memory is left, and which keys there are.
fn list(mux: &Mux<Uart>) {
    for Listed { number, name, takes_input, in_focus, lost } in mux.list() {
        let what = match (takes_input, in_focus) {
            (_, true) => " (has the console)",
            (true, false) => "",
            (false, false) => " (takes no input)",
        };
        match lost {
            Lost { output: 0, input: 0 } => log::info!("{number} {name}{what}"),
            Lost { output, input } => {
                log::info!("{number} {name}{what}, lost {output} bytes of output and {input} of input");
            }
        }
    }
    lifecycle::vms().for_each(|vm| log::info!("{}: {}", vm.config.name, vm.standing()));
    if mux.overruns() != 0 {
        log::info!("the board's UART lost input {} times", mux.overruns());
    }
    log::info!("free memory: {} KiB, failures: {}", board::free_bytes() >> 10, FAILURES.load(Ordering::Relaxed));
    log::info!("Ctrl-] and: a number or n changes the console, b shows its last lines again,");
    log::info!("m mutes the other guests or lets them speak, Ctrl-] types Ctrl-],");
    log::info!("o asks the guest that has the console to power off, x cuts its power,");
    log::info!("p pauses it or lets it go on");
}

/// Shows all that is still in the rings, as long as the UART takes it: the board is about to end.
pub fn drain() {
    for _ in 0..DRAIN_ROUNDS {
        pump();
        if LOG.output.is_empty() && MUX.get().is_none_or(|mux| mux.try_lock().is_some_and(|mux| mux.is_idle())) {
            return;
        }
    }
}

/// Lines past rings and locks: for failures of the hypervisor itself, when nothing else can be relied on.
pub struct Emergency(Option<Uart>);

impl Emergency {
    /// Begins on a line of its own.
    pub fn open() -> Emergency {
        // SAFETY: as in `open`. Another pCPU may drive the same UART; characters may mix, and nothing worse.
        let mut lines = Emergency(UART.get().map(|&base| unsafe { Uart::new(base) }));
        // Writing never fails.
        let _ = lines.write_str("\n");
        lines
    }

    /// Prints a line.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing never fails.
        let _ = writeln!(self, "{}[ostler] {line}", char::from(RECORD_SEPARATOR));
    }

    fn put(&mut self, byte: u8) {
        let Some(uart) = &mut self.0 else { return };
        // A UART that is stuck must not keep the board from ending: it is given up.
        if !(0..DRAIN_ROUNDS).any(|_| uart.try_put(byte)) {
            self.0 = None;
        }
    }
}

impl Write for Emergency {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                self.put(b'\r');
            }
            self.put(byte);
        }
        Ok(())
    }
}
