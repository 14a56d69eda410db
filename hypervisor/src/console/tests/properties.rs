//! Random prints, pumps and keys on a UART of random speed.

use super::*;
use proptest::prelude::*;

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
                    let wake = bench.pump();
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
        let _ = bench.pump();
        while bench.wants_interrupt() {
            let _ = bench.pump();
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
