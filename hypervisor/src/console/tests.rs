//! The mux on a UART that is fast, slow or stuck.

use super::*;
use model::Direction::{Both, Input, Output};
use proptest::prelude::*;
use std::cell::RefCell;
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

/// What a scroll-back keeps here.
const SCROLLBACK_BYTES: usize = 2048;

struct Bench {
    wires: Rc<RefCell<Wires>>,
    sources: &'static [Source],
    mux: Mux<FakeUart>,
}

impl Bench {
    fn new(speakers: &[(&'static str, Speaker)]) -> Bench {
        // The board's endpoints are statics; a test's few kilobytes may stay behind.
        let sources = speakers.iter().map(|&(name, speaker)| Source {
            name,
            endpoint: Box::leak(Box::new(Endpoint::new())),
            speaker,
        });
        let sources: &'static [Source] = Vec::leak(sources.collect());
        let wires = Rc::new(RefCell::new(Wires { room: usize::MAX, ..Default::default() }));
        let notes = sources.iter().map(|_| Note::new(Vec::leak(vec![0; SCROLLBACK_BYTES])));
        let notes = Vec::leak(notes.collect());
        Bench { mux: Mux::new(FakeUart(wires.clone()), sources, notes).unwrap(), wires, sources }
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
    }

    /// Pumps, and gives what came out.
    fn shown(&mut self) -> String {
        let _ = self.mux.pump();
        String::from_utf8(std::mem::take(&mut self.wires.borrow_mut().sent)).unwrap()
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

#[test]
fn the_guest_in_focus_is_raw_and_the_others_have_names() {
    let mut bench = Bench::usual();
    bench.print(1, b"login: \x1b[1m");
    assert_eq!(bench.shown(), "login: \x1b[1m");
    bench.print(2, b"hello: alive 1\r\n");
    assert_eq!(bench.shown(), "\r\n[hello] hello: alive 1\r\n");
    bench.print(0, b"VM hello stopped\n");
    assert_eq!(bench.shown(), "\x1e[ostler] VM hello stopped\r\n");
    bench.print(1, b"root\r\n");
    bench.print(2, b"x\n");
    assert_eq!(bench.shown(), "root\r\n[hello] x\r\n", "no empty line where the cursor is at a line's start");
}

#[test]
fn a_line_is_shown_when_it_is_whole() {
    let mut bench = Bench::usual();
    bench.print(2, b"half");
    assert_eq!(bench.shown(), "");
    assert!(!bench.wants_interrupt());
    bench.print(2, b" a line\nand");
    assert_eq!(bench.shown(), "[hello] half a line\r\n");
    assert_eq!(bench.mux.close(2), None);
    assert_eq!(bench.shown(), "[hello] and\r\n", "what a guest said last is shown without an end");
}

#[test]
fn long_lines_are_cut_with_a_mark() {
    let mut bench = Bench::usual();
    bench.print(2, &[b'x'; 256]);
    assert_eq!(bench.shown(), "");
    bench.print(2, b"\n");
    assert_eq!(bench.shown(), format!("[hello] {}\r\n", "x".repeat(256)));
    bench.print(2, &[b'x'; 300]);
    assert_eq!(bench.shown(), format!("[hello] {} \\\r\n", "x".repeat(256)));
    bench.print(2, b"\n");
    assert_eq!(bench.shown(), format!("[hello] {}\r\n", "x".repeat(44)));
}

#[test]
fn a_guest_cannot_speak_for_the_hypervisor() {
    let mut bench = Bench::usual();
    bench.print(1, b"\n\x1e[ostler] lies\r\n");
    bench.print(2, b"\x1e[ostler] lies\r\n\x1b[2J\r\n");
    assert_eq!(bench.shown(), "\n[ostler] lies\r\n[hello] [ostler] lies\r\n[hello] ^[[2J\r\n");
}

#[test]
fn a_character_at_the_cut_stays_whole() {
    let mut bench = Bench::usual();
    bench.print(2, &[b'x'; 255]);
    bench.print(2, "ü!\n".as_bytes());
    assert_eq!(bench.shown(), format!("[hello] {}ü \\\r\n[hello] !\r\n", "x".repeat(255)));
}

#[test]
fn input_goes_to_the_focus_and_wakes_its_device() {
    let mut bench = Bench::usual();
    bench.wires.borrow_mut().typed.extend(b"ls\r");
    assert_eq!(bench.mux.on_interrupt().collect::<Vec<_>>(), [1]);
    assert_eq!(bench.wires.borrow().acknowledged, 1);
    assert_eq!(bench.typed_to(1), b"ls\r");
    assert_eq!(bench.mux.pump(), Wake::default());
}

#[test]
fn the_focus_moves_on_when_its_guest_ends() {
    let mut bench = Bench::new(&[
        ("one", Speaker::Guest(Both)),
        ("out", Speaker::Guest(Output)),
        ("two", Speaker::Guest(Both)),
        ("in", Speaker::Guest(Input)),
    ]);
    bench.print(0, b"one");
    bench.print(2, b"two");
    assert_eq!(bench.shown(), "one");
    assert_eq!(bench.mux.close(0), Some("two"));
    assert_eq!(bench.shown(), "\r\ntwo", "raw, but not on another's line");
    bench.print(0, b"last words");
    assert_eq!(bench.shown(), "\r\n[one] last words\r\n");
    bench.wires.borrow_mut().typed.extend(b"2");
    assert_eq!(bench.mux.pump().collect::<Vec<_>>(), [2]);
    assert_eq!(bench.mux.close(1), None);
    assert_eq!(bench.mux.close(2), Some("in"));
    bench.wires.borrow_mut().typed.extend(b"3");
    assert_eq!(bench.mux.pump().collect::<Vec<_>>(), [3]);
    assert_eq!(bench.mux.close(3), None);
    bench.wires.borrow_mut().typed.extend(b"4");
    assert_eq!(bench.mux.pump().count(), 0, "nobody is left to type to");
    assert_eq!((bench.typed_to(2), bench.typed_to(3)), (b"2".to_vec(), b"3".to_vec()));
}

#[test]
fn the_focus_can_come_to_a_guest_in_the_middle_of_a_line() {
    let mut bench = Bench::new(&[("one", Speaker::Guest(Both)), ("two", Speaker::Guest(Both))]);
    bench.print(1, b"long line\nnext");
    bench.set_room(8);
    assert_eq!(bench.shown(), "[two] lo");
    bench.mux.close(0);
    bench.set_room(usize::MAX);
    assert_eq!(bench.shown(), "ng line\r\nnext");
    bench.print(1, b" is raw\n");
    assert_eq!(bench.shown(), " is raw\n");
}

#[test]
fn what_an_input_only_guest_prints_is_not_shown() {
    let mut bench = Bench::new(&[("in", Speaker::Guest(Input))]);
    bench.print(0, &[b'x'; 5000]);
    assert_eq!(bench.shown(), "");
    assert!(bench.sources[0].endpoint.output.is_empty());
}

#[test]
fn a_full_uart_interrupts_when_it_has_room() {
    let mut bench = Bench::usual();
    bench.print(2, b"alive\n");
    for (room, shown, more) in [(0, "", true), (3, "[he", true), (9, "llo] aliv", true), (9, "e\r\n", false)] {
        bench.set_room(room);
        assert_eq!(bench.shown(), shown);
        assert_eq!(bench.wants_interrupt(), more);
        assert_eq!(bench.mux.is_idle(), !more);
    }
}

#[test]
fn a_device_that_waits_for_room_is_woken_when_there_is_some() {
    let mut bench = Bench::usual();
    bench.set_room(0);
    bench.print(1, &[b'x'; 4096]);
    bench.sources[1].endpoint.wait_for_room();
    assert_eq!(bench.mux.pump().count(), 1, "the first byte went to the stage");
    bench.sources[1].endpoint.wait_for_room();
    assert_eq!(bench.mux.pump().count(), 0);
    bench.set_room(1);
    assert_eq!(bench.mux.pump().collect::<Vec<_>>(), [1]);
}

#[test]
fn lost_output_is_told_once_the_burst_is_over() {
    let mut bench = Bench::usual();
    bench.print(1, &[b'x'; 4100]);
    let _ = bench.mux.pump();
    assert!(bench.shown().ends_with("xxx\r\n\x1e[ostler] console: linux lost 4 bytes of output\r\n"));
    assert_eq!(bench.shown(), "");
}

#[test]
fn one_pump_is_bounded() {
    let mut bench = Bench::usual();
    bench.print(1, &[b'x'; 4096]);
    let first = bench.shown().len();
    assert!(first < 4200 && bench.wants_interrupt());
    assert_eq!(first + bench.shown().len(), 4096);
    assert!(!bench.wants_interrupt());
    bench.wires.borrow_mut().typed.extend([0; 2000]);
    let _ = bench.mux.pump();
    assert_eq!(bench.wires.borrow().typed.len(), 976);
}

#[test]
fn a_guest_that_never_stops_printing_lets_the_others_speak() {
    let mut bench = Bench::usual();
    bench.print(1, &[b'x'; 4096]);
    bench.print(2, &b"alive\n".repeat(100));
    bench.print(0, b"line\n");
    let shown = bench.shown();
    let at = |what: &str| shown.find(what).unwrap();
    assert!(at("[hello] alive") < 1200 && at("[ostler] line") < 1200, "{shown}");
    // And the one in focus is not held up by a hundred lines of another.
    assert!(shown.rfind("xxxx").unwrap() > at("[hello] alive"));
    // At a line's end if there is one.
    bench.print(1, b"\n");
    while !bench.shown().is_empty() {}
    let text = "0123456789\n".repeat(90);
    bench.print(1, text.as_bytes());
    bench.print(0, b"first\nsecond\n");
    let shown = bench.shown();
    assert!(shown.find("second").unwrap() < 400);
    assert_eq!(shown.replace("\x1e[ostler] first\r\n", "").replace("\x1e[ostler] second\r\n", ""), text);
}

#[test]
fn too_many_sources_are_refused() {
    static ENDPOINT: Endpoint = Endpoint::new();
    let list = |count: usize| -> &'static [Source] {
        let source = |_| Source { name: "x", endpoint: &ENDPOINT, speaker: Speaker::Guest(Output) };
        Vec::leak((0..count).map(source).collect())
    };
    let notes = |count: usize| Vec::leak((0..count).map(|_| Note::new(&mut [])).collect());
    let uart = FakeUart(Rc::default());
    assert!(Mux::new(uart.clone(), list(MAX_SOURCES), notes(MAX_SOURCES)).is_some());
    assert!(Mux::new(uart.clone(), list(MAX_SOURCES + 1), notes(MAX_SOURCES + 1)).is_none());
    assert!(Mux::new(uart.clone(), list(2), notes(1)).is_none(), "a note for each");
    let mut nobody = Mux::new(uart, list(0), notes(0)).unwrap();
    assert_eq!(nobody.pump().count(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Print(usize, Vec<u8>),
    Room(usize),
    Pump,
    Type(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    // Each source has an alphabet of its own, so that the stream can be taken apart again.
    let print = (0usize..3).prop_flat_map(|index| {
        let alphabet: Vec<u8> = [&b"ABCDEFGH\n"[..], b"01234\n\x1e\x1b\r", b"56789\n\x1e\x1b\r\xff"][index].to_vec();
        let text = prop::collection::vec(prop::sample::select(alphabet), 0..400);
        text.prop_map(move |text| Step::Print(index, text))
    });
    prop_oneof![
        4 => print,
        3 => prop_oneof![0usize..10, 0usize..1000].prop_map(Step::Room),
        3 => Just(Step::Pump),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Step::Type),
    ]
}

proptest! {
    /// Nothing that had room in its ring is lost or comes out of order, lines stay whole, and only the hypervisor's
    /// lines begin with its mark.
    #[test]
    fn nothing_is_lost_mixed_or_forged(steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = Bench::new(&[
            ("ostler", Speaker::Hypervisor),
            ("x", Speaker::Guest(Both)),
            ("y", Speaker::Guest(Output)),
        ]);
        let mut printed = [vec![], vec![], vec![]];
        let mut typed = vec![];
        let mut received = vec![];
        bench.set_room(0);
        for step in steps {
            match step {
                Step::Print(index, text) => {
                    let room = bench.sources[index].endpoint.output.room();
                    let text = &text[..text.len().min(room)];
                    bench.print(index, text);
                    printed[index].extend_from_slice(text);
                }
                Step::Room(room) => bench.set_room(room),
                Step::Pump => {
                    let wake = bench.mux.pump();
                    prop_assert!(wake.count() <= 1);
                }
                Step::Type(bytes) => {
                    // The console's own keys have their own test.
                    let bytes: Vec<u8> = bytes.into_iter().filter(|&byte| byte != ESCAPE).collect();
                    typed.extend_from_slice(&bytes);
                    bench.wires.borrow_mut().typed.extend(bytes);
                }
            }
            received.extend(bench.typed_to(1));
        }
        bench.set_room(usize::MAX);
        for index in 0..3 {
            bench.mux.close(index);
        }
        let _ = bench.mux.pump();
        while bench.wants_interrupt() {
            let _ = bench.mux.pump();
        }
        received.extend(bench.typed_to(1));
        prop_assert!(typed.starts_with(&received));

        let sent = std::mem::take(&mut bench.wires.borrow_mut().sent);
        for (index, alphabet) in [&b"ABCDEFGH"[..], b"01234", b"56789"].into_iter().enumerate() {
            let of = |bytes: &[u8]| bytes.iter().copied().filter(|byte| alphabet.contains(byte)).collect::<Vec<_>>();
            prop_assert_eq!(of(&sent), of(&printed[index]), "source {}", index);
        }
        let mut marks = 0;
        for line in sent.split(|&byte| byte == b'\n') {
            let has = |alphabet: &[u8]| line.iter().any(|byte| alphabet.contains(byte));
            let own = line.first() == Some(&RECORD_SEPARATOR);
            prop_assert_eq!(own, line.starts_with(b"\x1e[ostler] "));
            prop_assert!(own || !has(b"ABCDEFGH"));
            prop_assert!(!has(b"56789") || line.starts_with(b"[y] "));
            prop_assert!(usize::from(has(b"ABCDEFGH")) + usize::from(has(b"01234")) + usize::from(has(b"56789")) <= 1);
            marks += line.iter().filter(|&&byte| byte == RECORD_SEPARATOR).count();
            prop_assert!(usize::from(own) == line.iter().filter(|&&byte| byte == RECORD_SEPARATOR).count());
        }
        prop_assert_eq!(marks > 0, !printed[0].is_empty());
    }
}

#[test]
fn the_escape_key_moves_the_focus_and_no_guest_sees_it() {
    let mut bench = Bench::new(&[
        ("ostler", Speaker::Hypervisor),
        ("linux", Speaker::Guest(Both)),
        ("hello", Speaker::Guest(Output)),
        ("rtos", Speaker::Guest(Both)),
    ]);
    bench.wires.borrow_mut().typed.extend(b"a\x1dn");
    bench.shown();
    assert_eq!(bench.mux.take_command(), Some(Command::Next));
    assert_eq!(bench.mux.focus_next(), Some("rtos"));
    bench.wires.borrow_mut().typed.extend(b"b");
    // Who lost the focus is prefixed now, and who has it is raw.
    bench.print(1, b"one\n");
    bench.print(3, b"$ ");
    assert_eq!(bench.shown(), "[linux] one\r\n$ ");
    let input = |index: usize| std::iter::from_fn(|| bench.sources[index].endpoint.input.pop()).collect::<Vec<_>>();
    assert_eq!((input(1), input(3)), (b"a".to_vec(), b"b".to_vec()));

    // A number that nobody has changes nothing; the next after the last is the first.
    assert_eq!(bench.mux.focus_number(2), None);
    assert_eq!(bench.mux.focus_number(9), None);
    let short = |listed: Listed| (listed.number, listed.name, listed.takes_input, listed.in_focus);
    let listed: Vec<_> = bench.mux.list().map(short).collect();
    assert_eq!(listed, [(1, "linux", true, false), (2, "hello", false, false), (3, "rtos", true, true)]);
    assert_eq!(bench.mux.focus_next(), Some("linux"));
    assert_eq!(bench.mux.focus_number(3), Some("rtos"));
    bench.mux.close(1);
    assert_eq!(bench.mux.focus_next(), Some("rtos"));
}
