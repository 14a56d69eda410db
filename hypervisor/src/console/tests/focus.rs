//! Who gets what is typed, and how that changes.

use super::*;

#[test]
fn input_goes_to_the_focus_and_wakes_its_device() {
    let mut bench = Bench::usual();
    bench.wires.borrow_mut().typed.extend(b"ls\r");
    assert_eq!(bench.mux.on_interrupt().collect::<Vec<_>>(), [1]);
    assert_eq!(bench.wires.borrow().acknowledged, 1);
    assert_eq!(bench.typed_to(1), b"ls\r");
    assert_eq!(bench.pump(), Wake::default());
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
    assert_eq!(bench.pump().collect::<Vec<_>>(), [2]);
    assert_eq!(bench.mux.close(1), None);
    assert_eq!(bench.mux.close(2), Some("in"));
    bench.wires.borrow_mut().typed.extend(b"3");
    assert_eq!(bench.pump().collect::<Vec<_>>(), [3]);
    assert_eq!(bench.mux.close(3), None);
    bench.wires.borrow_mut().typed.extend(b"4");
    assert_eq!(bench.pump().count(), 0, "nobody is left to type to");
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
fn the_escape_key_moves_the_focus_and_no_guest_sees_it() {
    let mut bench = Bench::new(&[
        ("ostler", Speaker::Hypervisor),
        ("linux", Speaker::Guest(Both)),
        ("hello", Speaker::Guest(Output)),
        ("rtos", Speaker::Guest(Both)),
    ]);
    bench.wires.borrow_mut().typed.extend(b"a\x1dnb");
    bench.shown();
    assert_eq!(bench.mux.take_command(), Some(Command::Next));
    assert_eq!(bench.mux.focus_next(), Some("rtos"));
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
