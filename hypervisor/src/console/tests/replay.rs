//! Scroll-back and mute: what is shown again, or later, is what was printed, and nothing else.

use super::*;
use proptest::prelude::*;

#[test]
fn the_last_lines_of_the_focus_are_shown_again() {
    let mut bench = Bench::usual();
    bench.print(1, b"\x1b[1mone\x1b[0m\r\n\x1e[ostler] lies\r\nlogin: ");
    bench.print(2, b"another's\n");
    bench.shown();
    assert!(bench.mux.scroll_back());
    bench.print(1, b"root\n");
    assert_eq!(
        bench.shown(),
        "\x1e[ostler] console: linux's last 3 lines\r\n\
         [linux] ^[[1mone^[[0m\r\n\
         [linux] [ostler] lies\r\n\
         [linux] login: \r\n\
         \x1e[ostler] console: end of linux's lines\r\n\
         root\n",
        "and what was printed meanwhile comes behind it"
    );
    assert_eq!(bench.shown(), "", "once");
}

#[test]
fn nothing_in_focus_has_nothing_to_show_again() {
    let mut bench = Bench::new(&[("ostler", Speaker::Hypervisor), ("hello", Speaker::Guest(Output))]);
    bench.print(1, b"one\n");
    bench.shown();
    assert!(!bench.mux.scroll_back());
    assert_eq!(bench.shown(), "");
}

#[test]
fn long_lines_are_cut_alike_when_they_are_shown_again() {
    let mut bench = Bench::usual();
    for length in [255, 256, 257, 600] {
        bench.print(2, &vec![b'x'; length]);
        bench.print(2, b"\n");
    }
    let live = bench.shown();
    bench.mux.toggle_mute();
    for length in [255, 256, 257, 600] {
        bench.print(2, &vec![b'x'; length]);
        bench.print(2, b"\n");
    }
    assert_eq!(bench.shown(), "");
    bench.mux.toggle_mute();
    let told = "\x1e[ostler] console: hello while it was muted\r\n";
    assert_eq!(bench.shown(), format!("{told}{live}\x1e[ostler] console: end of hello's lines\r\n"));
}

#[test]
fn a_muted_guest_is_shown_when_it_gets_the_focus() {
    let mut bench =
        Bench::new(&[("ostler", Speaker::Hypervisor), ("one", Speaker::Guest(Both)), ("two", Speaker::Guest(Both))]);
    assert!(bench.mux.toggle_mute());
    bench.print(0, b"the hypervisor is never muted\n");
    bench.print(1, b"one\n");
    bench.print(2, b"two\nlogin: ");
    assert_eq!(bench.shown(), "\x1e[ostler] the hypervisor is never muted\r\none\n");
    bench.mux.focus_next();
    bench.print(0, b"the console is two's now\n");
    assert_eq!(
        bench.shown(),
        "\x1e[ostler] the console is two's now\r\n\
         \x1e[ostler] console: two while it was muted\r\n\
         [two] two\r\n\
         \x1e[ostler] console: end of two's lines\r\n\
         login: ",
        "a prompt is no line, and as good as new"
    );
    bench.print(1, b"unheard\n");
    assert_eq!(bench.shown(), "");
    assert!(!bench.mux.toggle_mute());
    assert!(bench.shown().contains("[one] unheard\r\n"));
}

#[test]
fn the_last_words_of_a_muted_guest_are_shown() {
    let mut bench = Bench::usual();
    bench.mux.toggle_mute();
    bench.print(2, b"panic\nhalf a line");
    assert_eq!(bench.shown(), "");
    bench.mux.close(2);
    assert_eq!(
        bench.shown(),
        "\x1e[ostler] console: hello while it was muted\r\n\
         [hello] panic\r\n\
         \x1e[ostler] console: end of hello's lines\r\n\
         [hello] half a line\r\n"
    );
}

#[test]
fn what_a_mute_loses_is_told() {
    let mut bench = Bench::usual();
    bench.mux.toggle_mute();
    for _ in 0..8 {
        bench.print(2, &b"0123456789abcde\n".repeat(256));
        assert_eq!(bench.all_shown(), "");
    }
    bench.print(2, &[b'x'; 5000]);
    assert_eq!(bench.all_shown(), "", "a muted guest's loss is told later");
    bench.mux.toggle_mute();
    let shown = bench.all_shown();
    // Of the last print 4096 bytes had room in the ring, 256 of which are no line yet.
    let lost = 8 * 4096 + 4096 - 256 - 2048;
    let first =
        format!("\x1e[ostler] console: hello while it was muted, without the first {lost} bytes\r\n[hello] xxx");
    assert!(shown.starts_with(&first), "{shown}");
    assert!(shown.ends_with("\x1e[ostler] console: hello lost 904 bytes of output\r\n"), "{shown}");
}

/// What the guests print: numbered lines of many lengths, so that a piece of it is in one place only. Each guest has
/// letters of its own.
fn story(digits: &[u8; 10]) -> Vec<u8> {
    let line = |number: usize| {
        let word: Vec<u8> = format!("{number:03}").bytes().map(|digit| digits[usize::from(digit - b'0')]).collect();
        [word.repeat(1 + number * 7 % 90), b"\n".to_vec()].concat()
    };
    (0..300).flat_map(line).collect()
}

/// Reads what a console shows of stories, and holds it against them.
struct Reader {
    names: [&'static str; 3],
    stories: [Vec<u8>; 3],
    /// There is room for something to show again.
    keeps: bool,
    /// How much of each story was shown for the first time, but for line ends right behind it.
    read: [usize; 3],
    /// Whose replay this is, whether it is shown again, and what of it was shown.
    replay: Option<(usize, bool, Vec<u8>)>,
    /// Bytes that the next piece of a guest leaves out.
    lost: [usize; 3],
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(own) = line.strip_prefix("\x1e[ostler] console: ") {
            return self.own(own);
        }
        let prefixed = line.strip_prefix('[').and_then(|line| line.split_once("] "));
        let named = prefixed.map(|(name, _)| self.index(name));
        let text = prefixed.map_or(line, |(_, text)| text).trim_end_matches(" \\");
        let Some(&first) = text.as_bytes().first() else { return };
        let index = self.stories.iter().position(|story| story.contains(&first)).expect("somebody's letter");
        assert!(named.is_none_or(|named| named == index), "{line} under another's name");
        let read = self.read[index];
        if let Some((who, again, shown)) = &mut self.replay {
            assert_eq!(named, Some(*who), "{line} in the replay of {}", self.names[*who]);
            shown.extend_from_slice(text.as_bytes());
            if *again {
                return;
            }
        }
        // A loss is counted in bytes; whether a line end went before it does not show.
        let lost = std::mem::take(&mut self.lost[index]);
        let story = &self.stories[index];
        let found = (read + lost..read + lost + 2).find_map(|start| {
            let mut letters = (start..story.len()).filter(|&at| story[at] != b'\n');
            let mut end = start;
            let same = text.bytes().all(|byte| {
                letters.next().is_some_and(|at| {
                    end = at + 1;
                    story[at] == byte
                })
            });
            same.then_some(end)
        });
        self.read[index] = found.unwrap_or_else(|| panic!("{line} does not follow byte {read} less {lost}"));
    }

    /// A line of the console's own.
    fn own(&mut self, own: &str) {
        if let Some(name) = own.strip_prefix("end of ") {
            let (who, again, shown) = self.replay.take().expect("the end of what was begun");
            assert_eq!(name, format!("{}'s lines", self.names[who]));
            let so_far: Vec<u8> = self.stories[who][..self.read[who]].iter().copied().filter(|&b| b != b'\n').collect();
            assert!(so_far.ends_with(&shown), "the tail of what was shown before");
            assert!(!again || !shown.is_empty() || so_far.is_empty() || !self.keeps, "something, if there is");
            return;
        }
        assert!(self.replay.is_none(), "{own} within a replay");
        if let Some((name, lines)) = own.split_once("'s last ") {
            assert!(lines.ends_with(" lines"));
            self.replay = Some((self.index(name), true, vec![]));
        } else {
            let (name, rest) = own.split_once(" while it was muted").expect("nothing else was to say");
            let who = self.index(name);
            let lost = rest.strip_prefix(", without the first ").and_then(|rest| rest.strip_suffix(" bytes"));
            self.lost[who] += lost.map_or(0, |lost| lost.parse::<usize>().expect("a number"));
            self.replay = Some((who, false, vec![]));
        }
    }

    fn index(&self, name: &str) -> usize {
        self.names.iter().position(|&other| other == name).expect("a guest's name")
    }
}

#[derive(Clone, Debug)]
enum Step {
    Print(usize, usize),
    Room(usize),
    Pump,
    Next,
    Mute,
    Back,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0usize..3, 0usize..700).prop_map(|(who, count)| Step::Print(who, count)),
        3 => prop_oneof![0usize..10, 0usize..2000].prop_map(Step::Room),
        6 => Just(Step::Pump),
        1 => Just(Step::Next),
        1 => Just(Step::Mute),
        1 => Just(Step::Back),
    ]
}

proptest! {
    /// All that guests print is shown once and in order, less what a mute is told to have lost; what is shown again is
    /// the tail of what was shown before; and no replay holds anything of another.
    #[test]
    fn a_replay_is_what_was_printed(
        steps in prop::collection::vec(step(), 1..100),
        scrollback_bytes in prop::sample::select(vec![0usize, 300, 100_000]),
    ) {
        let names = ["x", "y", "z"];
        let mut bench = Bench::keeping(scrollback_bytes, &[
            ("ostler", Speaker::Hypervisor),
            (names[0], Speaker::Guest(Both)),
            (names[1], Speaker::Guest(Both)),
            (names[2], Speaker::Guest(Output)),
        ]);
        let stories = [story(b"ABCDEFGHIJ"), story(b"abcdefghij"), story(b"0123456789")];
        let mut printed = [0; 3];
        bench.set_room(0);
        for step in steps {
            match step {
                Step::Print(who, count) => {
                    let count = count.min(bench.sources[who + 1].endpoint.output.room());
                    bench.print(who + 1, &stories[who][printed[who]..][..count]);
                    printed[who] += count;
                }
                Step::Room(room) => bench.set_room(room),
                Step::Pump => drop(bench.pump()),
                Step::Next => drop(bench.mux.focus_next()),
                Step::Mute => drop(bench.mux.toggle_mute()),
                Step::Back => drop(bench.mux.scroll_back()),
            }
        }
        bench.set_room(usize::MAX);
        for index in 1..4 {
            bench.mux.close(index);
        }
        let mut reader = Reader { names, stories, keeps: scrollback_bytes > 0, read: [0; 3], replay: None, lost: [0; 3] };
        bench.all_shown().lines().for_each(|line| reader.line(line));
        prop_assert!(reader.replay.is_none());
        // Line ends at the very end do not show.
        for (who, story) in reader.stories.iter().enumerate() {
            let end = story[..printed[who]].iter().rposition(|&byte| byte != b'\n').map_or(0, |at| at + 1);
            match reader.lost[who] {
                0 => prop_assert_eq!(reader.read[who], end, "source {}", names[who]),
                // The last of it was told to be lost, and nothing came behind that; as above, a line end before it does not show.
                lost => {
                    let read = reader.read[who] + lost;
                    let shown = |read: usize| story.get(..read)?.iter().rposition(|&byte| byte != b'\n').map(|at| at + 1);
                    let ends = [shown(read), shown(read + 1)];
                    prop_assert!(ends.contains(&Some(end)), "source {}: {:?}, not {}", names[who], ends, end);
                }
            }
        }
    }
}
