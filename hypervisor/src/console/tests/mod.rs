//! The mux on a UART that is fast, slow or stuck.

mod flow;
mod focus;
mod lines;
mod properties;
mod replay;

use super::*;
use model::Direction::{Both, Input, Output};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

#[derive(Debug, Default)]
struct Wires {
    sent: Vec<u8>,
    typed: VecDeque<u8>,
    /// Bytes that are taken before the UART is full.
    room: usize,
    interrupt: bool,
    acknowledged: usize,
    overruns: u64,
}

#[derive(Clone, Debug)]
struct FakeUart(Rc<RefCell<Wires>>);

impl BoardUart for FakeUart {
    fn try_put(&mut self, byte: u8) -> bool {
        let mut wires = self.0.borrow_mut();
        let taken = wires.room > 0;
        if taken {
            wires.room -= 1;
            wires.sent.push(byte);
        }
        taken
    }

    fn try_get(&mut self) -> Option<u8> {
        self.0.borrow_mut().typed.pop_front()
    }

    fn want_transmit_interrupt(&mut self, on: bool) {
        let mut wires = self.0.borrow_mut();
        assert_ne!(wires.interrupt, on, "told twice");
        wires.interrupt = on;
    }

    fn acknowledge_interrupts(&mut self) {
        self.0.borrow_mut().acknowledged += 1;
    }

    fn overruns(&self) -> u64 {
        self.0.borrow().overruns
    }
}

struct Bench {
    wires: Rc<RefCell<Wires>>,
    sources: &'static [Source],
    /// Who has printed since the last pump: the mux is told of nobody else.
    printed: Cell<u64>,
    mux: Mux<FakeUart>,
}

impl Bench {
    fn new(speakers: &[(&'static str, Speaker)]) -> Bench {
        Bench::keeping(2048, speakers)
    }

    /// With scroll-backs of `scrollback_bytes`.
    fn keeping(scrollback_bytes: usize, speakers: &[(&'static str, Speaker)]) -> Bench {
        // The board's endpoints are statics; a test's few kilobytes may stay behind.
        let sources = speakers.iter().map(|&(name, speaker)| Source {
            name,
            endpoint: Box::leak(Box::new(Endpoint::new())),
            speaker,
        });
        let sources: &'static [Source] = Vec::leak(sources.collect());
        let wires = Rc::new(RefCell::new(Wires { room: usize::MAX, ..Default::default() }));
        let notes = sources.iter().map(|_| Note::new(Vec::leak(vec![0; scrollback_bytes])));
        let notes = Vec::leak(notes.collect());
        Bench { mux: Mux::new(FakeUart(wires.clone()), sources, notes).unwrap(), wires, sources, printed: Cell::new(0) }
    }

    /// Hypervisor, a guest with the focus, a guest that only prints.
    fn usual() -> Bench {
        Bench::new(&[
            ("ostler", Speaker::Hypervisor),
            ("linux", Speaker::Guest(Both)),
            ("hello", Speaker::Guest(Output)),
        ])
    }

    fn print(&self, index: usize, text: &[u8]) {
        for &byte in text {
            self.sources[index].endpoint.output.push(byte);
        }
        self.printed.set(self.printed.get() | 1 << index);
    }

    /// Pumps what was printed.
    fn pump(&mut self) -> Wake {
        self.mux.stir(self.printed.take());
        self.mux.pump()
    }

    /// Pumps, and gives what came out.
    fn shown(&mut self) -> String {
        let _ = self.pump();
        String::from_utf8(std::mem::take(&mut self.wires.borrow_mut().sent)).unwrap()
    }

    /// Pumps until nothing is left, and gives what came out.
    fn all_shown(&mut self) -> String {
        let mut all = self.shown();
        while self.wants_interrupt() {
            all += &self.shown();
        }
        all
    }

    fn set_room(&self, room: usize) {
        self.wires.borrow_mut().room = room;
    }

    fn wants_interrupt(&self) -> bool {
        self.wires.borrow().interrupt
    }

    fn typed_to(&self, index: usize) -> Vec<u8> {
        std::iter::from_fn(|| self.sources[index].endpoint.input.pop()).collect()
    }
}
