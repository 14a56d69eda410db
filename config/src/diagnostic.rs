//! What is said to the user about a configuration: errors, warnings and notes, each with the text it is about.
//!
//! A run collects everything in one [`Diagnostics`] and shows it together, in rustc's look.

use std::collections::HashSet;

use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet};

use crate::source::{Source, Sources};
use crate::spec::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For information: accepted, with less effect than the words suggest.
    Note,
    /// Accepted, but probably not what was meant.
    Warning,
    /// Nothing can be built.
    Error,
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// One of [`crate::codes`].
    pub code: &'static str,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// The text at fault, underlined; `None` when there is no text, as with a missing file.
    pub span: Option<Span>,
    /// Other places of interest ("first claimed here"). One that equals `span` is said at the underlined text.
    pub labels: Vec<(Span, String)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Something that stops the build.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Level::Error, code, message.into())
    }

    /// Something that is probably not what was meant.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Level::Warning, code, message.into())
    }

    /// Something good to know.
    pub fn note(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Level::Note, code, message.into())
    }

    fn new(level: Level, code: &'static str, message: String) -> Diagnostic {
        Diagnostic { level, code, message, span: None, labels: Vec::new(), hint: None }
    }

    /// The same, about the text under `span`.
    pub fn at(mut self, span: Span) -> Diagnostic {
        self.span = Some(span);
        self
    }

    /// The same, with `text` beside the place `span`.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push((span, text.into()));
        self
    }

    /// The same, with advice.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// The text for a terminal, without a line end; with escape sequences only if `colour`.
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        let title = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
            Level::Note => Title::NOTE,
        };
        let mut group = Group::with_title(title.primary_title(&self.message).id(self.code));
        for snippet in self.snippets(sources) {
            group = group.element(snippet);
        }
        if let Some(hint) = &self.hint {
            group = group.element(Title::HELP.message(hint));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// One snippet for each file that is shown, the one with the primary span first.
    fn snippets<'a>(&'a self, sources: &'a Sources) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let mut files = Vec::new();
        let spans = self.span.iter().chain(self.labels.iter().map(|(span, _)| span));
        for file in spans.map(|span| span.file) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        let mut snippets = Vec::new();
        for (file, source) in files.into_iter().filter_map(|file| Some((file, sources.get(file)?))) {
            let mut snippet = Snippet::source(source.text()).path(source.path().to_string_lossy());
            if let Some(span) = self.span.filter(|span| span.file == file) {
                let said_here = self.labels.iter().find(|(other, _)| *other == span).map(|(_, text)| text.as_str());
                snippet = snippet.annotation(AnnotationKind::Primary.span(range(span, source)).label(said_here));
            }
            for (span, text) in &self.labels {
                if span.file == file && Some(*span) != self.span {
                    let annotation = AnnotationKind::Context.span(range(*span, source)).label(text.as_str());
                    snippet = snippet.annotation(annotation);
                }
            }
            snippets.push(snippet);
        }
        snippets
    }
}

/// The span as a range that is sure to lie in the text, on borders of characters: the renderer relies on it.
fn range(span: Span, source: &Source) -> std::ops::Range<usize> {
    let text = source.text();
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.max(start));
    start..end
}

/// Everything that a run has to say, in the order it was found.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
}

impl Diagnostics {
    /// Nothing to say yet.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.level == Level::Error);
        self.list.push(diagnostic);
    }

    /// Adds those of one VM, in the order of its texts. What was said already, about a text that several VMs pull in or
    /// one of them twice, is not said again.
    pub(crate) fn append_in_order(&mut self, mut other: Diagnostics) {
        let place = |span: Option<Span>| span.map(|span| (span.file, span.start));
        other.list.sort_by_key(|diagnostic| place(diagnostic.span));
        let mut said: HashSet<_> =
            self.list.iter().filter_map(|it| Some((it.code, it.span?, it.message.clone()))).collect();
        for diagnostic in other.list {
            let new =
                diagnostic.span.is_none_or(|span| said.insert((diagnostic.code, span, diagnostic.message.clone())));
            if new {
                self.push(diagnostic);
            }
        }
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Number of errors.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// All of them as text, an empty line after each; empty if there is nothing to say.
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        self.list.iter().map(|diagnostic| diagnostic.render(sources, colour) + "\n\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::codes;
    use crate::spec::FileId;

    fn sources() -> Sources {
        let mut sources = Sources::new();
        for (path, text) in [("a.qvmconf", "ram 1M\nram 2M\n"), ("b.qvmconf", "rom 3M\n")] {
            sources.add(Path::new(path), text.into(), &mut Diagnostics::new()).unwrap();
        }
        sources
    }

    fn span(file: usize, start: usize, end: usize) -> Span {
        Span { file: FileId(file), start, end }
    }

    #[test]
    fn labels_of_two_files_and_a_hint() {
        let diagnostic = Diagnostic::error(codes::UNREADABLE, "these overlap")
            .at(span(0, 11, 13))
            .label(span(0, 11, 13), "this")
            .label(span(0, 4, 6), "first claimed here")
            .label(span(1, 4, 6), "and here")
            .hint("move one");
        insta::assert_snapshot!(diagnostic.render(&sources(), false), @"
        error[Q0001]: these overlap
         --> a.qvmconf:2:5
          |
        1 | ram 1M
          |     -- first claimed here
        2 | ram 2M
          |     ^^ this
          |
         ::: b.qvmconf:1:5
          |
        1 | rom 3M
          |     -- and here
          |
          = help: move one
        ");
    }

    #[test]
    fn colour_only_when_told() {
        let diagnostic = Diagnostic::warning(codes::UNREADABLE, "odd").at(span(0, 0, 3));
        assert!(!diagnostic.render(&sources(), false).contains('\x1b'));
        assert!(diagnostic.render(&sources(), true).contains('\x1b'));
    }

    #[test]
    fn a_span_past_the_end_is_shown_at_the_end() {
        let diagnostic = Diagnostic::note(codes::UNREADABLE, "nothing follows").at(span(1, 7, 900));
        insta::assert_snapshot!(diagnostic.render(&sources(), false), @"
        note[Q0001]: nothing follows
         --> b.qvmconf:1:8
          |
        1 | rom 3M
          |       ^
        ");
    }

    #[test]
    fn only_errors_are_errors() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(Diagnostic::note(codes::UNREADABLE, "a"));
        diagnostics.push(Diagnostic::warning(codes::UNREADABLE, "b"));
        assert!(!diagnostics.has_errors());
        diagnostics.push(Diagnostic::error(codes::UNREADABLE, "c"));
        assert_eq!(diagnostics.errors(), 1);
    }
}
