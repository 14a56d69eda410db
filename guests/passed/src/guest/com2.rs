//! The second UART (PC16550D): a line by its transmit interrupts, and interrupts without end.

use super::{COM2, Count, open};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use guest_runtime::cpu::{in8, out8};
use guest_runtime::machine::Trigger;
use guest_runtime::wait::wait_for;
use guest_runtime::{Verdict, mask_interrupts, say, timer, unmask_interrupts};

const DATA: u16 = 0x2f8;
const ENABLE: u16 = 0x2f9;
const IDENTIFICATION: u16 = 0x2fa;
const LINE_CONTROL: u16 = 0x2fb;
const MODEM_CONTROL: u16 = 0x2fc;
/// IER: THR is empty.
const TRANSMIT: u8 = 1 << 1;

const TEXT: &[u8] = b"passed: a line by the second port\n";
/// What of it is sent.
static SENT: AtomicUsize = AtomicUsize::new(0);
/// It is to be sent, and not only seen that it could be.
static SENDS: AtomicBool = AtomicBool::new(false);
static COUNT: Count = Count::new();

fn begin() {
    out8(ENABLE, 0);
    out8(LINE_CONTROL, 0x80);
    out8(DATA, 1);
    out8(ENABLE, 0);
    out8(LINE_CONTROL, 0x03);
    // FIFOs, and the interrupt's line driven (MCR.OUT2).
    out8(IDENTIFICATION, 0x07);
    out8(MODEM_CONTROL, 0x0b);
    open(3, Trigger::Edge, COM2);
}

/// Writes the line.
pub(super) fn write() -> Verdict {
    begin();
    SENDS.store(true, Relaxed);
    timer::start(10);
    out8(ENABLE, TRANSMIT);
    wait_for("the second UART stopped interrupting", || SENT.load(Relaxed) == TEXT.len())?;
    out8(ENABLE, 0);
    SENDS.store(false, Relaxed);
    say!("wrote a line of {} by {} interrupts", TEXT.len(), COUNT.get());
    Ok(())
}

/// Makes it interrupt as often as the program can for a while, without waiting for any; then once more, which is not to be missed.
pub(super) fn storm() -> Verdict {
    begin();
    timer::start(10);
    for _ in 0..4 {
        let (before, end) = (COUNT.get(), timer::now() + timer::frequency() / 10);
        unmask_interrupts();
        while timer::now() < end {
            out8(ENABLE, TRANSMIT);
            out8(ENABLE, 0);
        }
        mask_interrupts();
        say!("{} interrupts in 100 ms", COUNT.get() - before);
    }
    for round in 0..3 {
        timer::tick_for(3)?;
        let before = COUNT.get();
        out8(ENABLE, TRANSMIT);
        wait_for("an edge after the storm was missed", || COUNT.get() > before)?;
        out8(ENABLE, 0);
        timer::tick_for(3)?;
        if COUNT.get() > before + 1 {
            say!("round {round}: {} interrupts", COUNT.get() - before);
            return Err("an edge after the storm came twice");
        }
    }
    say!("and not one is missed after it");
    Ok(())
}

/// Its interrupt, of which a look at IIR is the end.
pub(super) fn took() {
    COUNT.one();
    in8(IDENTIFICATION);
    if SENDS.load(Relaxed) {
        let sent = SENT.load(Relaxed);
        match TEXT.get(sent) {
            Some(&byte) => {
                out8(DATA, byte);
                SENT.store(sent + 1, Relaxed);
            }
            None => out8(ENABLE, 0),
        }
    }
}
