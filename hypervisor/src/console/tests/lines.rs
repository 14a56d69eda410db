//! How what is printed looks: raw in focus, whole safe lines out of focus.

use super::*;

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
fn what_an_input_only_guest_prints_is_not_shown() {
    let mut bench = Bench::new(&[("in", Speaker::Guest(Input))]);
    bench.print(0, &[b'x'; 5000]);
    assert_eq!(bench.shown(), "");
    assert!(bench.sources[0].endpoint.output.is_empty());
}
