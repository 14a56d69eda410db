//! Nobody waits, nobody is starved, and what is lost is told.

use super::*;

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
    assert_eq!(bench.pump().count(), 1, "the first byte went to the stage");
    bench.sources[1].endpoint.wait_for_room();
    assert_eq!(bench.pump().count(), 0);
    bench.set_room(1);
    assert_eq!(bench.pump().collect::<Vec<_>>(), [1]);
}

#[test]
fn lost_output_is_told_once_the_burst_is_over() {
    let mut bench = Bench::usual();
    bench.print(1, &[b'x'; 4100]);
    let _ = bench.pump();
    assert!(bench.shown().ends_with("xxx\r\n\x1e[ostler] console: linux lost 4 bytes of output\r\n"));
    assert_eq!(bench.shown(), "");
}

#[test]
fn lost_input_is_told() {
    let mut bench = Bench::new(&[("ostler", Speaker::Hypervisor), ("in", Speaker::Guest(Input))]);
    bench.wires.borrow_mut().typed.extend([b'x'; 1030]);
    assert_eq!(bench.all_shown(), "");
    assert_eq!(bench.shown(), "\x1e[ostler] console: in lost 6 bytes of input\r\n");
    let listed: Vec<_> = bench.mux.list().map(|listed| listed.lost).collect();
    assert_eq!(listed, [Lost { output: 0, input: 6 }]);
    bench.wires.borrow_mut().overruns = 2;
    assert_eq!(bench.shown(), "\x1e[ostler] console: the board's UART lost input\r\n");
    assert_eq!((bench.shown(), bench.mux.overruns()), (String::new(), 2));
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
    let _ = bench.pump();
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
