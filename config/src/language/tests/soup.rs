//! No input makes the parser panic, whatever it is, and what it says about it can be shown.

use proptest::prelude::*;

use super::super::vocabulary::WORDS;
use super::read;

/// Words of an input, at most: Miri takes seconds for what is said about one.
pub(in crate::language) const MOST: usize = if cfg!(miri) { 6 } else { 40 };

/// Words and scraps of words that bring the parser into its corners.
pub(in crate::language) fn token() -> impl Strategy<Value = String> {
    let vocabulary: Vec<String> = WORDS.iter().map(|entry| entry.word.to_owned()).collect();
    let scraps = [
        "\"",
        "\"a b\"",
        "\\\n",
        "\"\\\n\"",
        "#",
        "# x\n",
        "\n",
        "\r\n",
        "$env{SIZE}",
        "$env{NO}",
        "$env{",
        "$asinfo_start{x}",
        "${x}",
        "$",
        "0x",
        "0d",
        "64M",
        "0x80000000",
        "80000000",
        ",",
        "1,2,3",
        "0x1000,4096",
        "ffffffffffffffff,1M",
        "-",
        ">-",
        "gic:37",
        ":",
        "pic:1",
        ":1",
        "mem:0x1000",
        "io:1",
        "pci:0:1.0",
        "@file",
        "@Cargo.toml",
        "@\"src/language/tests/diagnostics/values.qvmconf\"",
        "@src/language/tests/diagnostics/pulled_in.qvmconf",
        "@src/language/tests/diagnostics/not_utf8.qvmconf",
        "$asinfo_start{guestmem1}",
        "/dev/ser1",
        "pci:8086/10d3",
        "io:0x3f8,8",
        "_cpu-1",
        "\r",
        "forever",
        "2",
        "on",
        "ignore",
        "register",
        "17179869184G",
        "'x'",
        "“x”",
        "\u{a0}",
        "\u{feff}",
        "\0",
        "ä",
        "",
    ];
    prop_oneof![
        4 => proptest::sample::select(vocabulary),
        4 => proptest::sample::select(scraps.to_vec()).prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
    ]
}

/// Options with their arguments, as people write them.
pub(in crate::language) fn option() -> impl Strategy<Value = String> {
    let options = [
        "ram 1M",
        "cpu",
        "sched 8",
        "runmask 0,1",
        "vdev pl011",
        "vdev vdev-pl061.so",
        "loc 0x1000",
        "intr gic:37",
        "hostdev -",
        "vdev gic version 3",
        "reserve",
        "guest load Image",
        "guest pass",
        "pass",
        "set exit-on-halt off",
        "cmdline \"a  b \\\n c\"",
        "@more.conf",
        "nonsense",
        "set",
        "load x\\",
    ];
    proptest::sample::select(options.to_vec()).prop_map(str::to_owned)
}

fn check(bytes: &[u8]) {
    let outcome = read("vm.qvmconf", bytes);
    assert_eq!(outcome.spec.is_none(), outcome.diagnostics.has_errors());
    outcome.diagnostics.render(&outcome.sources, false);
    for diagnostic in outcome.diagnostics.iter() {
        for span in diagnostic.span.iter().chain(diagnostic.labels.iter().map(|(span, _)| span)) {
            let text = outcome.sources.get(span.file).expect("a file of this set").text();
            assert!(text.get(span.start..span.end).is_some(), "{diagnostic:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        check(&bytes);
    }

    #[test]
    fn any_text(text: String) {
        check(text.as_bytes());
    }

    #[test]
    fn any_words(tokens in proptest::collection::vec((token(), " ?"), 0..MOST)) {
        check(tokens.into_iter().flat_map(|(token, space)| [token, space]).collect::<String>().as_bytes());
    }

    #[test]
    fn any_words_apart(tokens in proptest::collection::vec(token(), 0..MOST)) {
        check(tokens.join(" ").as_bytes());
    }
}
