//! `@FILE`: which text is being read, and which ones it was pulled in from.
//!
//! A file stands where it is pulled in as if its words were written there, with two differences: relative paths in it
//! count from its own folder, and no argument reaches over its borders.

use std::path::PathBuf;

use super::super::lexer::{self, Word};
use super::Parser;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Sources};
use crate::spec::{FileId, Span};

/// How many files deep files may be pulled in: nobody finds a word that lies deeper.
const MOST_DEPTH: usize = 16;

/// One text on the way through.
pub(super) struct Text {
    file: FileId,
    words: Vec<Word>,
    /// Index of the next word.
    at: usize,
    /// The `@FILE` that pulled it in.
    pulled: Option<Span>,
}

impl Parser<'_> {
    /// Begins to read `file`, which was pulled in at `pulled`.
    pub(super) fn enter(&mut self, file: FileId, pulled: Option<Span>) {
        let Some(text) = self.sources.get(file).map(Source::text) else { return };
        // A file that is pulled in ten times is ten times as much, and one that does so with another one a hundred times.
        self.bytes = self.bytes.saturating_add(text.len());
        let words = lexer::words(file, text, &mut self.environment, self.diagnostics);
        self.texts.push(Text { file, words, at: 0, pulled });
        self.last_text = None;
    }

    /// The next word that is an option or a mistake: from this text, or from those around it when this one has ended.
    pub(super) fn next_option(&mut self) -> Option<Word> {
        loop {
            match self.next() {
                Some(word) => return Some(word),
                None if self.texts.len() > 1 => self.texts.pop(),
                None => return None,
            };
            self.last_text = None;
        }
    }

    /// Takes the next word of this text.
    pub(super) fn next(&mut self) -> Option<Word> {
        let word = self.peek().cloned();
        self.pass_over();
        word
    }

    /// The next word of this text.
    pub(super) fn peek(&self) -> Option<&Word> {
        self.texts.last().and_then(|text| text.words.get(text.at))
    }

    /// Passes over the next word of this text.
    pub(super) fn pass_over(&mut self) {
        if let Some(text) = self.texts.last_mut() {
            text.at = text.words.len().min(text.at + 1);
        }
    }

    /// Where the word that was taken last stands.
    pub(super) fn last_taken(&self) -> Option<Span> {
        let text = self.texts.last()?;
        text.words.get(text.at.checked_sub(1)?).map(|word| word.span)
    }

    /// How many words of this text were taken.
    pub(super) fn taken(&self) -> usize {
        self.texts.last().map_or(0, |text| text.at)
    }

    /// Whether this text was pulled in by another.
    pub(super) fn is_pulled_in(&self) -> bool {
        self.texts.len() > 1
    }

    /// What stands between two words of one text.
    pub(super) fn between(&self, one: Span, other: Span) -> &str {
        self.sources.text(Span { end: other.start, start: one.end, ..one })
    }

    /// `path` as this text means it: relative to its folder.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let source = self.texts.last().and_then(|text| self.sources.get(text.file));
        source.map_or_else(|| PathBuf::from(path), |source| source.folder().join(path))
    }

    /// `@FILE`.
    pub(super) fn pull_in(&mut self, word: &Word) {
        let name = word.text.get(1..).unwrap_or("");
        if name.is_empty() {
            return self.bad_value(word.span, "the file's name is missing here", "write `@FILE`");
        }
        let path = self.resolve(name);
        let Some(file) = self.sources.read(&path, Some(word.span), self.diagnostics) else { return };
        if let Some(outer) = self.texts.iter().position(|text| text.file == file) {
            return self.cycle(word, outer);
        }
        let all_bytes = self.bytes.saturating_add(self.sources.get(file).map_or(0, |source| source.text().len()));
        let problem = if self.texts.len() >= MOST_DEPTH {
            format!("files are pulled in more than {MOST_DEPTH} deep")
        } else if all_bytes <= Sources::MOST_BYTES {
            return self.enter(file, Some(word.span));
        } else if self.bytes <= Sources::MOST_BYTES {
            // Said once: from now on there is no room for anything.
            self.bytes = usize::MAX;
            "the files of this VM are larger than 1 MiB together".to_owned()
        } else {
            return;
        };
        let hint = "a file that is pulled in several times counts each time";
        self.diagnostics.push(Diagnostic::error(codes::TOO_MUCH_TEXT, problem).at(word.span).hint(hint));
    }

    /// Reports that `word` pulls in what is being read already, as the text with the index `outer`.
    fn cycle(&mut self, word: &Word, outer: usize) {
        let name = |file| self.sources.get(file).map_or(String::new(), |source| source.path().display().to_string());
        let Some(first) = self.texts.get(outer).map(|text| name(text.file)) else { return };
        let mut diagnostic = Diagnostic::error(codes::CYCLE, format!("`{first}` pulls itself in"))
            .at(word.span)
            .hint("leave one of these out: a file stands where it is pulled in");
        for text in self.texts.iter().skip(outer + 1) {
            if let Some(pulled) = text.pulled {
                diagnostic = diagnostic.label(pulled, format!("this pulls in `{}`", name(text.file)));
            }
        }
        self.diagnostics.push(diagnostic.label(word.span, format!("and this `{first}` again")));
    }
}
