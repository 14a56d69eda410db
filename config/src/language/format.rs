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
    // What a word is does not depend on the board, only whether it works.
    let architecture = crate::assemble::Architecture::Aarch64;
    let host = Host { env: &|_| Some("x".to_owned()), architecture, regions: None, consoles: &[] };
    let mut own = Diagnostics::new();
    let words = lexer::words(file, text, &mut Environment { host: &host, used: &mut Default::default() }, &mut own);
    if own.has_errors() {
        diagnostics.append_in_order(own);
        return None;
    }
    let roles = roles(&words, text);
    let mut page = Page::default();
    let (mut end, mut ends_in_cr) = (0, None);
    for (index, word) in words.iter().enumerate() {
        let gap = text.get(end..word.span.start).unwrap_or("");
        ends_in_cr = ends_in_cr.or_else(|| first_line_ends_in_cr(gap));
        page.gap(gap, roles.get(index).copied());
        page.word(text.get(word.span.start..word.span.end).unwrap_or(""), roles.get(index).copied());
        end = word.span.end;
    }
    let gap = text.get(end..).unwrap_or("");
    page.gap(gap, None);
    let ends_in_cr = ends_in_cr.or_else(|| first_line_ends_in_cr(gap)).unwrap_or(false);
    Some(page.finish(if ends_in_cr { "\r\n" } else { "\n" }))
}

/// How the first line of what stands between two words ends; a line that ends within a word is the word's own.
fn first_line_ends_in_cr(gap: &str) -> Option<bool> {
    gap.split_once('\n').map(|(line, _)| line.ends_with('\r'))
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
            let end = index.checked_sub(1).and_then(|last| words.get(last)).map_or(0, |last| last.span.end);
            roles.push(as_written(text.get(end..word.span.start).unwrap_or(""), index == 0));
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

/// The role of a word that the vocabulary does not know here; `before` is what stands between it and the word before.
fn as_written(before: &str, is_first: bool) -> Role {
    let (line, begins_line) = match before.rsplit_once('\n') {
        Some((_, line)) => (line, true),
        None => (before, is_first),
    };
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
            if let Some(role) = roles.get_mut(sub) {
                *role = Role::Joined;
            }
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
mod tests;
