//! The look of a qvm file: `cargo xtask fmt`.
//!
//! Only white space changes. Words keep their text and their order, comments stay where they are, blank lines stay (one of several).
//! An option begins a line. A context's sub-options stay on its line if they stood there, else each gets a line of its own, indented.

use super::Host;
use super::lexer::{self, Word};
use super::substitution::Environment;
use super::vocabulary::{self, Entry, Place};
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::spec::FileId;

/// A context on one line is no longer than this.
const LINE_CHARACTERS: usize = 100;
const INDENTATION: usize = 4;

/// The text of `file` in its usual look. A text that does not fall into words has none: what is wrong is added to `diagnostics`.
pub fn format(sources: &Sources, file: FileId, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = sources.get(file)?.text();
    // What stands in the environment does not change where words begin.
    let host = Host { env: &|_| Some("x".to_owned()), regions: None, consoles: &[] };
    let mut own = Diagnostics::new();
    let words = lexer::words(file, text, &mut Environment { host: &host, used: &mut Default::default() }, &mut own);
    if own.has_errors() {
        diagnostics.append_in_order(own);
        return None;
    }
    let roles = roles(&words, text);
    let mut page = Page::default();
    let mut end = 0;
    for (index, word) in words.iter().enumerate() {
        page.gap(text.get(end..word.span.start).unwrap_or(""), roles.get(index).copied());
        page.word(text.get(word.span.start..word.span.end).unwrap_or(""), roles.get(index).copied());
        end = word.span.end;
    }
    page.gap(text.get(end..).unwrap_or(""), None);
    let line_end = match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    };
    Some(page.finish(line_end))
}

/// What a word is to the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Begins a line.
    Option,
    /// A context's option, on a line of its own.
    Indented,
    /// Stays on the line, for as long as no comment ends it.
    Joined,
    /// Unknown here, or pulled in: begins a line if it began one, at this depth.
    AsWritten { begins_line: bool, depth: usize },
}

/// A context that is open while words are looked at.
#[derive(Clone, Copy)]
enum Context<'a> {
    None,
    Cpu,
    Vdev(&'a str),
    Resource,
}

impl Context<'_> {
    fn takes(self, entry: &Entry) -> bool {
        match self {
            Context::None => false,
            Context::Cpu => entry.place == Place::Cpu,
            Context::Vdev(kind) => entry.fits_vdev(kind),
            Context::Resource => entry.place == Place::Resource,
        }
    }
}

/// The role of each word.
fn roles(words: &[Word], text: &str) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::with_capacity(words.len());
    let mut context = Context::None;
    // Where the context began, and the sub-options since then.
    let (mut opened, mut subs) = (0, Vec::new());
    while let Some(word) = words.get(roles.len()) {
        let index = roles.len();
        let entry = vocabulary::find(&word.text, |entry| entry.place == Place::Top || context.takes(entry));
        let Some(entry) = entry.filter(|_| !word.text.starts_with('@')) else {
            roles.push(as_written(word, text));
            continue;
        };
        let next = words.get(index + 1).map(|word| word.text.as_str());
        let is_typed_pass = entry.place == Place::Top
            && matches!(entry.word, "guest" | "initrd" | "data" | "fdt" | "acpi")
            && next == Some("pass");
        let arguments = if is_typed_pass { 1 } else { entry.argument_count() };
        if entry.place == Place::Top {
            roles.push(Role::Option);
            let new = match entry.word {
                "cpu" => Some(Context::Cpu),
                "vdev" => Some(Context::Vdev(next.map_or("", vocabulary::vdev_type))),
                "reserve" | "pass" => Some(Context::Resource),
                _ => is_typed_pass.then_some(Context::Resource),
            };
            if let Some(new) = new {
                join(&mut roles, words, text, opened, &subs);
                (context, opened) = (new, index);
                subs.clear();
            }
        } else {
            roles.push(Role::Indented);
            subs.push(index);
        }
        let rest = words.len() - roles.len();
        roles.extend(std::iter::repeat_n(Role::Joined, arguments.min(rest)));
    }
    join(&mut roles, words, text, opened, &subs);
    roles
}

fn as_written(word: &Word, text: &str) -> Role {
    let before = text.get(..word.span.start).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    let begins_line = line.trim_ascii_start().is_empty();
    Role::AsWritten { begins_line, depth: if line.is_empty() { 0 } else { INDENTATION } }
}

/// Lets the sub-options `subs` stay on the line of their context, which word `opened` begins, if they are there.
fn join(roles: &mut [Role], words: &[Word], text: &str, opened: usize, subs: &[usize]) {
    let Some(&last) = subs.last() else { return };
    let arguments = roles.iter().skip(last + 1).take_while(|role| **role == Role::Joined).count();
    let span = |index: usize| words.get(index).map(|word| word.span);
    let (Some(first), Some(end)) = (span(opened), span(last + arguments)) else { return };
    let written = text.get(first.start..end.end).unwrap_or("");
    let between = roles.get(opened + 1..=last).unwrap_or(&[]);
    let others = between.iter().any(|role| !matches!(role, Role::Joined | Role::Indented));
    let length: usize = words
        .get(opened..=last + arguments)
        .unwrap_or(&[])
        .iter()
        .map(|word| text.get(word.span.start..word.span.end).unwrap_or("").chars().count() + 1)
        .sum();
    if !others && !written.contains('\n') && length <= LINE_CHARACTERS + 1 {
        for &sub in subs {
            roles[sub] = Role::Joined;
        }
    }
}

/// One line of the page under construction.
#[derive(Default)]
struct Line {
    depth: usize,
    /// Words with one space between them.
    code: String,
    comment: Option<String>,
}

#[derive(Default)]
struct Page {
    lines: Vec<Line>,
    /// The last line takes no more words.
    ended: bool,
    /// An empty line comes before the next one.
    blank: bool,
    /// The depth of the option at hand.
    depth: usize,
}

impl Page {
    fn begin(&mut self, depth: usize) {
        if self.blank && !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line { depth, ..Line::default() });
        (self.ended, self.blank) = (false, false);
    }

    /// White space and comments before a word of this role, or before the end.
    fn gap(&mut self, gap: &str, next: Option<Role>) {
        let mut newlines = 0;
        for (index, piece) in gap.split('\n').enumerate() {
            newlines += usize::from(index > 0);
            let Some(at) = piece.find('#') else { continue };
            let comment = piece.get(at..).unwrap_or("").trim_ascii_end().to_owned();
            self.blank |= newlines > 1;
            match self.lines.last_mut() {
                Some(line) if newlines == 0 => line.comment = Some(comment),
                _ => {
                    let depth = match next {
                        // A comment that is indented belongs to what is above it.
                        None | Some(Role::Option) if at > 0 && self.depth > 0 => self.depth,
                        None | Some(Role::Option) => 0,
                        Some(Role::Indented) => INDENTATION,
                        Some(Role::Joined) => self.depth + 2 * INDENTATION,
                        Some(Role::AsWritten { depth, .. }) => depth,
                    };
                    self.begin(depth);
                    if let Some(line) = self.lines.last_mut() {
                        line.comment = Some(comment);
                    }
                }
            }
            self.ended = true;
            newlines = 0;
        }
        self.blank |= newlines > 1;
    }

    fn word(&mut self, word: &str, role: Option<Role>) {
        let depth = match role {
            Some(Role::Option) => Some(0),
            Some(Role::Indented) => Some(INDENTATION),
            Some(Role::AsWritten { begins_line: true, depth }) => Some(depth),
            _ => None,
        };
        match depth {
            Some(depth) => {
                self.begin(depth);
                self.depth = depth;
            }
            None if self.ended || self.lines.is_empty() => self.begin(self.depth + 2 * INDENTATION),
            None => self.blank = false,
        }
        if let Some(line) = self.lines.last_mut() {
            let space = if line.code.is_empty() { "" } else { " " };
            line.code.push_str(space);
            line.code.push_str(word);
        }
    }

    /// The text. Comments behind words stand in a column, for as many lines as have one.
    fn finish(self, line_end: &str) -> String {
        let width = |line: &Line| line.depth + line.code.chars().count();
        let in_column = |line: &Line| line.comment.is_some() && !line.code.is_empty() && !line.code.contains('\n');
        let mut text = String::new();
        for run in self.lines.chunk_by(|one, next| in_column(one) == in_column(next)) {
            let column = run.iter().filter(|line| in_column(line)).map(width).max().unwrap_or(0) + 2;
            for line in run {
                if !line.code.is_empty() || line.comment.is_some() {
                    text.extend(std::iter::repeat_n(' ', line.depth));
                }
                text.push_str(&line.code);
                if let Some(comment) = &line.comment {
                    let padding = match (in_column(line), line.code.is_empty()) {
                        (true, _) => column.saturating_sub(width(line)),
                        (false, true) => 0,
                        (false, false) => 2,
                    };
                    text.extend(std::iter::repeat_n(' ', padding));
                    text.push_str(comment);
                } else if line.code.ends_with('\\') {
                    // At a line's end it would look like a continuation.
                    text.push(' ');
                }
                text.push_str(line_end);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// The text in its usual look; `None` if it does not fall into words.
    fn formatted(text: &str) -> Option<String> {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let file = sources.add(Path::new("vm.qvmconf"), text.into(), &mut diagnostics)?;
        format(&sources, file, &mut diagnostics)
    }

    /// The words of a text as they are written, and its comments.
    fn content(text: &str) -> (Vec<String>, Vec<String>) {
        let host = Host { env: &|_| Some("x".to_owned()), regions: None, consoles: &[] };
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
    }

    #[test]
    fn the_projects_own_files_look_as_they_should() {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("guests");
        let folders =
            std::fs::read_dir(guests).unwrap().flatten().flat_map(|it| std::fs::read_dir(it.path())).flatten();
        let mut count = 0;
        for file in folders.flatten().map(|it| it.path()).filter(|it| it.extension().is_some_and(|it| it == "qvmconf"))
        {
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(formatted(&text).unwrap(), text, "{}: `cargo xtask fmt` has work there", file.display());
            count += 1;
        }
        assert!(count > 2);
    }

    proptest! {
        #[test]
        fn words_and_comments_survive_and_once_is_enough(tokens in proptest::collection::vec(
            (super::super::tests::token(), "( |\n|\r\n|\n\n\n| # c\n|\t)?"), 0..40)) {
            check(&tokens.into_iter().flat_map(|(token, gap)| [token, gap]).collect::<String>());
        }

        #[test]
        fn of_known_words_too(tokens in proptest::collection::vec((super::super::tests::option(),
            "( |  |\n|\n    |\n\n|  # c\n|\n# d\n|\n  # e\n)"), 0..40)) {
            check(&tokens.into_iter().flat_map(|(token, gap)| [token, gap]).collect::<String>());
        }
    }
}
