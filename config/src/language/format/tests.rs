//! Whatever a text is, its words and comments are the same afterwards.

use std::path::Path;

use proptest::prelude::*;

use super::super::tests::{MOST, option, token};
use super::*;

/// The text in its usual look; `None` if it does not fall into words.
fn formatted(text: &str) -> Option<String> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(Path::new("vm.qvmconf"), text.into(), &mut diagnostics)?;
    format(&sources, file, &mut diagnostics)
}

/// The words of a text as they are written, and its comments.
fn content(text: &str) -> (Vec<String>, Vec<String>) {
    let host = Host {
        env: &|_| Some("x".to_owned()),
        architecture: crate::assemble::Architecture::Aarch64,
        regions: None,
        consoles: &[],
    };
    let (used, own) = (&mut Default::default(), &mut Diagnostics::new());
    let words = lexer::words(FileId(0), text, &mut Environment { host: &host, used }, own);
    assert!(!own.has_errors(), "{text:?}");
    let (mut end, mut comments) = (0, Vec::new());
    for (start, next) in words.iter().map(|word| (word.span.start, word.span.end)).chain([(text.len(), 0)]) {
        let lines = text[end..start].lines().filter_map(|line| line.split_once('#'));
        comments.extend(lines.map(|(_, comment)| comment.trim_ascii_end().to_owned()));
        end = next;
    }
    (words.iter().map(|word| text[word.span.start..word.span.end].to_owned()).collect(), comments)
}

fn check(text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(once) = formatted(text) else { return };
    assert_eq!(content(text), content(&once), "{text:?} became {once:?}");
    assert_eq!(formatted(&once).as_ref(), Some(&once), "of {text:?}");
}

#[test]
fn a_file_gets_its_usual_look() {
    let text = "\n\n# A guest.\n  system   linux\n\n\n\nram 0x40000000,512M # main\nrom 4K     # table\ncpu sched 8 cpu\n\
        guest load\n   Image cmdline \"a  b \\\n   c\"\nvdev   pl011   loc 0x1c090000  intr gic:37 hostdev -\n\
        vdev pl061 loc 0x1c1d0000\n# the line\n  intr gic:38\n    # of the key\ncpu ram 32M sched 9\n\
        set exit-on-halt # really\n off\n\n\n# the end";
    insta::assert_snapshot!(formatted(text).unwrap(), @r#"
    # A guest.
    system linux

    ram 0x40000000,512M  # main
    rom 4K               # table
    cpu sched 8
    cpu
    guest load Image
    cmdline "a  b \
       c"
    vdev pl011 loc 0x1c090000 intr gic:37 hostdev -
    vdev pl061
        loc 0x1c1d0000
        # the line
        intr gic:38
        # of the key
    cpu
    ram 32M
        sched 9
    set exit-on-halt  # really
            off

    # the end
    "#);
}

#[test]
fn what_is_not_known_stays_where_it_is() {
    insta::assert_snapshot!(formatted("vdev pl011\n@more.conf\n  hostdev -\n  nonsense 1 2\nother\n 3 cpu").unwrap(), @r#"
    vdev pl011
    @more.conf
        hostdev -
        nonsense 1 2
    other
        3
    cpu
    "#);
}

#[test]
fn a_text_that_does_not_fall_into_words_is_left_alone() {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(Path::new("vm.qvmconf"), b"cmdline \"a\nram 1M".into(), &mut diagnostics).unwrap();
    assert_eq!(format(&sources, file, &mut diagnostics), None);
    assert_eq!(diagnostics.errors(), 1);
}

#[test]
fn line_ends_stay_of_their_kind() {
    assert_eq!(formatted("ram 1M\r\n\r\n\r\ncpu").unwrap(), "ram 1M\r\n\r\ncpu\r\n");
    assert_eq!(formatted("").unwrap(), "");
    assert_eq!(formatted("cmdline a\\ cpu").unwrap(), "cmdline a\\ \ncpu\n");
    // A line that ends within a word says nothing of the others.
    assert_eq!(formatted("guest\tsystem\r\n\"\\\n\"").as_deref(), Some("guest system \"\\\n\"\r\n"));
}

#[test]
fn the_projects_own_files_look_as_they_should() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("guests");
    let folders = std::fs::read_dir(guests).unwrap().flatten().flat_map(|it| std::fs::read_dir(it.path())).flatten();
    let mut count = 0;
    for file in folders.flatten().map(|it| it.path()).filter(|it| it.extension().is_some_and(|it| it == "qvmconf")) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(formatted(&text).unwrap(), text, "{}: `cargo xtask fmt` has work there", file.display());
        count += 1;
    }
    assert!(count > 2);
}

proptest! {
    #[test]
    fn words_and_comments_survive_and_once_is_enough(tokens in proptest::collection::vec(
        (token(), "( |\n|\r\n|\n\n\n| # c\n|\t)?"), 0..MOST)) {
        check(&tokens.into_iter().flat_map(|(token, gap)| [token, gap]).collect::<String>());
    }

    #[test]
    fn of_known_words_too(tokens in proptest::collection::vec((option(),
        "( |  |\n|\n    |\n\n|  # c\n|\n# d\n|\n  # e\n)"), 0..MOST)) {
        check(&tokens.into_iter().flat_map(|(token, gap)| [token, gap]).collect::<String>());
    }
}
