//! From text to words.
//!
//! Words are separated by white space, and line ends are only that. `#` starts a comment. Double quotes make one
//! word of several, anywhere in a word (`0x80000,"my file"`); a quoted text ends on its line unless `\` is the
//! line's last character. In quotes, `\"`, `\\` and `\$` stand for the second character; any other `\` is itself.

use super::substitution::{Dollar, Environment};
use super::work;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{FileId, Span, Spanned};

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Without quotes, and with values put in.
    pub(super) text: String,
    /// Where it stands, quotes included.
    pub(super) span: Span,
    /// Some of it was in quotes.
    pub(super) quoted: bool,
    /// It is in the file just as it is in `text`, so that parts of it can be underlined.
    verbatim: bool,
    /// A mistake in it was reported already; its text means nothing.
    pub(super) broken: bool,
}

impl Word {
    /// The word as one piece.
    pub(super) fn piece(&self) -> Spanned<&str> {
        Spanned { value: &self.text, span: self.span }
    }

    /// The byte range `start..end` of the text, as exactly placed as the file allows.
    pub(super) fn part(&self, start: usize, end: usize) -> Spanned<&str> {
        let span = match self.verbatim {
            true => Span { file: self.span.file, start: self.span.start + start, end: self.span.start + end },
            false => self.span,
        };
        Spanned { value: self.text.get(start..end).unwrap_or(""), span }
    }

    /// The pieces between `separator`s, at most `limit` of them.
    pub(super) fn split(&self, separator: char, limit: usize) -> Vec<Spanned<&str>> {
        let mut start = 0;
        let mut pieces = Vec::new();
        for piece in self.text.splitn(limit, separator) {
            pieces.push(self.part(start, start + piece.len()));
            start += piece.len() + separator.len_utf8();
        }
        pieces
    }

    /// What follows `prefix`, if the word starts with it.
    pub(super) fn strip_prefix(&self, prefix: &str) -> Option<Word> {
        let rest = self.part(prefix.len(), self.text.len());
        self.text.starts_with(prefix).then(|| Word { text: rest.value.to_owned(), span: rest.span, ..self.clone() })
    }
}

/// Reads all words of `text`. Mistakes are reported, and reading goes on behind them.
pub(super) fn words(
    file: FileId,
    text: &str,
    environment: &mut Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Word> {
    let mut lexer = Lexer { file, text, at: 0, environment, diagnostics };
    let mut words = Vec::new();
    while let Some(c) = lexer.peek().filter(|_| lexer.diagnostics.errors() < super::MOST_ERRORS) {
        match c {
            '#' => lexer.skip_comment(),
            _ if c.is_ascii_whitespace() || c == '\x0b' => lexer.bump(c),
            _ => words.extend(lexer.word()),
        }
    }
    words
}

struct Lexer<'a, 'e> {
    file: FileId,
    text: &'a str,
    at: usize,
    environment: &'a mut Environment<'e>,
    diagnostics: &'a mut Diagnostics,
}

impl Lexer<'_, '_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        work::step();
        self.rest().chars().next()
    }

    fn bump(&mut self, c: char) {
        self.at += c.len_utf8();
    }

    fn span_from(&self, start: usize) -> Span {
        Span { file: self.file, start, end: self.at }
    }

    /// How many bytes the line end at the start of `text` has; 0 if there is none.
    fn line_end_bytes(text: &str) -> usize {
        [("\r\n", 2), ("\n", 1)].iter().find(|(end, _)| text.starts_with(end)).map_or(0, |&(_, bytes)| bytes)
    }

    /// Passes over a comment. One with a carriage return in it may hide what its writer takes for lines.
    fn skip_comment(&mut self) {
        let start = self.at;
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        let comment = self.text.get(start..self.at).unwrap_or("");
        if let Some(at) = comment.strip_suffix('\r').unwrap_or(comment).find('\r') {
            let span = Span { file: self.file, start: start + at, end: start + at + 1 };
            let message = "a carriage return in a comment ends no line: what follows is not read";
            let hint = "save the file with line ends of one of the kinds LF and CRLF";
            self.diagnostics.push(Diagnostic::error(codes::STRAY_CHARACTER, message).at(span).hint(hint));
        }
    }

    /// Reads one word; `None` if nothing of it is left after an error.
    fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let mut word =
            Word { text: String::new(), span: self.span_from(start), quoted: false, verbatim: true, broken: false };
        while let Some(c) = self.peek() {
            match c {
                _ if c.is_ascii_whitespace() || c == '\x0b' => break,
                '#' => {
                    self.comment_in_word();
                    break;
                }
                '"' => self.quoted(&mut word),
                '$' => self.dollar(&mut word),
                '\\' if Self::line_end_bytes(self.rest().get(1..).unwrap_or("")) > 0 => {
                    self.bump(c);
                    let message = "`\\` at the line's end, but not in quotes";
                    let hint = "line ends mean nothing outside of quotes: leave the `\\` out";
                    self.error(self.at - 1, codes::STRAY_CONTINUATION, message, hint);
                    break;
                }
                '\'' | '“' | '”' | '„' | '‘' | '’' if self.at == start => {
                    self.bump(c);
                    let hint = "only `\"` quotes; a word that begins with another kind goes in `\"` itself";
                    self.error(start, codes::WRONG_QUOTE, format!("`{c}` does not quote"), hint);
                    word.broken = true;
                }
                _ if is_stray(c) => self.stray(c, &mut word),
                _ => {
                    self.bump(c);
                    word.text.push(c);
                }
            }
        }
        word.span = self.span_from(start);
        (word.quoted || word.broken || !word.text.is_empty()).then_some(word)
    }

    fn comment_in_word(&mut self) {
        let span = Span { file: self.file, start: self.at, end: self.at + 1 };
        let diagnostic = Diagnostic::warning(codes::COMMENT_IN_WORD, "a comment starts in the middle of a word");
        self.diagnostics.push(
            diagnostic
                .at(span)
                .hint("if `#` belongs to the word, put the word in double quotes; else put a space before"),
        );
    }

    /// Reads a quoted text into `word`, from one quote to the other.
    fn quoted(&mut self, word: &mut Word) {
        let start = self.at;
        (word.quoted, word.verbatim) = (true, false);
        self.bump('"');
        while let Some(c) = self.peek() {
            let after = self.rest().get(c.len_utf8()..).unwrap_or("");
            match c {
                '"' => return self.bump(c),
                '\\' => match after.chars().next() {
                    Some(escaped @ ('"' | '\\' | '$')) => {
                        self.at += 2;
                        word.text.push(escaped);
                    }
                    Some('\r' | '\n') if Self::line_end_bytes(after) > 0 => self.at += 1 + Self::line_end_bytes(after),
                    _ => {
                        self.bump(c);
                        word.text.push(c);
                    }
                },
                '\r' | '\n' if Self::line_end_bytes(self.rest()) > 0 => break,
                '$' => self.dollar(word),
                _ if c.is_ascii_control() && c != '\t' => self.stray(c, word),
                _ => {
                    self.bump(c);
                    word.text.push(c);
                }
            }
        }
        word.broken = true;
        let before = self.text.get(start..self.at).unwrap_or("");
        let hint = match before.trim_end() != before && before.trim_end().ends_with('\\') {
            true => "`\\` must be the last character of the line: remove the white space after it",
            false => "close it with `\"`, or end the line with `\\` to go on in the next one",
        };
        self.error(start, codes::UNCLOSED_QUOTE, "quoted text has no end on its line", hint);
    }

    fn dollar(&mut self, word: &mut Word) {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        match self.environment.dollar(rest) {
            Dollar::Literal => {
                self.bump('$');
                word.text.push('$');
            }
            Dollar::Substitution(bytes, value) => {
                self.at += bytes;
                word.verbatim = false;
                match value {
                    Ok(value) => word.text.push_str(&value),
                    Err(diagnostic) => {
                        word.broken = true;
                        let span = self.span_from(start);
                        diagnostic.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic.at(span)));
                    }
                }
            }
        }
    }

    /// A character that cannot be in a file of words, or a run of it: said, and left out.
    fn stray(&mut self, c: char, word: &mut Word) {
        let start = self.at;
        self.at += self.rest().find(|other| other != c).unwrap_or(self.rest().len());
        word.broken = true;
        let (message, hint) = match c.is_control() {
            true => (format!("control character U+{:04X}", u32::from(c)), "remove it; is this a qvm file at all?"),
            false => {
                let message = format!("U+{:04X} looks like a space and is none", u32::from(c));
                (message, "write a plain space, or put the text in double quotes")
            }
        };
        self.error(start, codes::STRAY_CHARACTER, message, hint);
    }

    /// Reports an error about the text from `start` to here.
    fn error(&mut self, start: usize, code: &'static str, message: impl Into<String>, hint: &str) {
        self.diagnostics.push(Diagnostic::error(code, message).at(self.span_from(start)).hint(hint));
    }
}

/// Control characters, and spaces that are none: no-break space and its kin, zero-width space, byte-order mark.
fn is_stray(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::language::Host;

    fn lex(text: &str) -> (Vec<Word>, Diagnostics) {
        let lookup = |name: &str| (name == "SET").then(|| "two words#\"$env{X}".to_owned());
        let mut diagnostics = Diagnostics::new();
        let host =
            Host { env: &lookup, architecture: crate::assemble::Architecture::Aarch64, regions: None, consoles: &[] };
        let environment = &mut Environment { host: &host, used: &mut BTreeMap::new() };
        (words(FileId(0), text, environment, &mut diagnostics), diagnostics)
    }

    fn texts(text: &str) -> Vec<String> {
        let (words, diagnostics) = lex(text);
        assert_eq!(diagnostics.iter().count(), 0, "{diagnostics:?}");
        words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn white_space_of_every_kind_separates_and_means_nothing_else() {
        assert_eq!(texts("ram 1M\tcpu\r\nsched\n\n 8\x0b\x0c9"), ["ram", "1M", "cpu", "sched", "8", "9"]);
        assert_eq!(texts(" \r\n\t"), [""; 0]);
    }

    #[test]
    fn comments_end_with_their_line() {
        assert_eq!(texts("# a\r\nram # b \"\n1M #"), ["ram", "1M"]);
    }

    #[test]
    fn a_hash_in_a_word_starts_a_comment_with_a_warning() {
        let (words, diagnostics) = lex("ram 1M#x\ncpu");
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["ram", "1M", "cpu"]);
        assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [codes::COMMENT_IN_WORD]);
    }

    #[test]
    fn quotes_make_one_word_anywhere_in_it() {
        assert_eq!(texts(r#"cmdline "a  b #c" x"y z"w """#), ["cmdline", "a  b #c", "xy zw", ""]);
    }

    #[test]
    fn a_backslash_at_the_line_end_continues_a_quoted_text() {
        assert_eq!(texts("\"a \\\n b\\\r\nc\""), ["a  bc"]);
    }

    #[test]
    fn escapes_in_quotes_and_only_there() {
        assert_eq!(texts(r#""a\"b\\c\$env{SET}\n" a\b"#), [r#"a"b\c$env{SET}\n"#, r"a\b"]);
    }

    #[test]
    fn an_unclosed_quote_ends_with_its_line() {
        let (words, diagnostics) = lex("cmdline \"a b\nram 1M");
        assert_eq!(words.len(), 4);
        assert!(words[1].broken && !words[2].broken);
        assert_eq!(diagnostics.errors(), 1);
    }

    #[test]
    fn a_value_stays_in_its_word() {
        assert_eq!(texts("a$env{SET}b c"), ["atwo words#\"$env{X}b", "c"]);
        assert_eq!(texts("\"$env{SET}\" memmap=1K$2M $x"), ["two words#\"$env{X}", "memmap=1K$2M", "$x"]);
    }

    #[test]
    fn pieces_are_placed_exactly_where_the_text_allows_it() {
        let (words, _) = lex("ram 0x8000,\"1\"M 1,22");
        let places = |word: &Word| word.split(',', 9).iter().map(|p| (p.span.start, p.span.end)).collect::<Vec<_>>();
        assert_eq!(places(&words[1]), [(4, 15), (4, 15)]);
        assert_eq!(places(&words[2]), [(16, 17), (18, 20)]);
    }
}
