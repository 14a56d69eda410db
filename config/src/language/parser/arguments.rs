//! Taking an option's arguments, and reading values out of them.

use super::super::lexer::Word;
use super::super::number::{self, Bad};
use super::super::vocabulary::Entry;
use super::Parser;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{Span, Spanned};

impl Parser<'_> {
    /// The next word as an argument that no option's name can be. `None` if there is none, which is reported, or
    /// if a mistake in it was reported already.
    pub(super) fn argument(&mut self, entry: &Entry, option: &Word) -> Option<Word> {
        match self.peek() {
            Some(word) if word.quoted || !self.is_option(word) => self.next().filter(|word| !word.broken),
            next => {
                let found = next.map(|word| (word.span, word.text.starts_with('@')));
                let hint = match self.is_pulled_in() || found.is_some_and(|(_, pulls_in)| pulls_in) {
                    true => format!("write `{}`: an argument stands in the same file as its option", entry.synopsis()),
                    false => format!("write `{}`", entry.synopsis()),
                };
                let mut diagnostic =
                    Diagnostic::error(codes::MISSING_ARGUMENT, format!("`{}` needs an argument", entry.word))
                        .at(option.span)
                        .hint(hint);
                if let Some((span, pulls_in)) = found {
                    let next = if pulls_in { "this pulls in a file" } else { "this is the next option" };
                    diagnostic = diagnostic.label(span, next);
                }
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// The next word as an argument that may be any text. One that looks like an option gets a warning.
    pub(super) fn text_argument(&mut self, entry: &'static Entry, option: &Word) -> Option<Word> {
        if let Some(word) = self.peek().filter(|word| !word.quoted && self.is_option(word)) {
            let message = format!("`{}` is read as the argument of `{}`", word.text, entry.word);
            let diagnostic = Diagnostic::warning(codes::ARGUMENT_IS_OPTION, message)
                .at(word.span)
                .label(option.span, "of this option")
                .hint("if that is meant, put it in double quotes");
            self.diagnostics.push(diagnostic);
            let word = self.next();
            self.last_text = Some((entry.word, self.taken()));
            return word;
        }
        let word = self.argument(entry, option);
        self.last_text = Some((entry.word, self.taken()));
        word
    }

    /// Says that an argument is not what was asked for.
    pub(super) fn bad_value(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(codes::BAD_VALUE, message).at(span).hint(hint));
    }

    /// Reads an address.
    pub(super) fn address(&mut self, piece: Spanned<&str>) -> Option<Spanned<u64>> {
        let address = self.number(piece, "an address", number::address)?;
        self.tell_address_radix(piece, address.value);
        Some(Spanned { value: address.value.value, span: address.span })
    }

    /// Reads a length.
    pub(super) fn size(&mut self, piece: Spanned<&str>) -> Option<Spanned<u64>> {
        self.number(piece, "a length", number::size)
    }

    /// Reads a number that is neither; `what` names it with its article.
    pub(super) fn plain(&mut self, piece: Spanned<&str>, what: &str) -> Option<Spanned<u64>> {
        self.number(piece, what, number::plain)
    }

    /// Reads a number from `low` to `high`.
    pub(super) fn ranged(&mut self, piece: Spanned<&str>, what: &str, low: u64, high: u64) -> Option<Spanned<u64>> {
        let number = self.plain(piece, what)?;
        if (low..=high).contains(&number.value) {
            return Some(number);
        }
        let diagnostic = Diagnostic::error(codes::OUT_OF_RANGE, format!("{} is not {what}", number.value))
            .at(piece.span)
            .hint(format!("it must be from {low} to {high}"));
        self.diagnostics.push(diagnostic);
        None
    }

    /// Reads a number that has 32 bits.
    pub(super) fn word32(&mut self, piece: Spanned<&str>, what: &str) -> Option<Spanned<u32>> {
        let number = self.ranged(piece, what, 0, u32::MAX.into())?;
        Some(Spanned { value: u32::try_from(number.value).ok()?, span: number.span })
    }

    fn number<T>(
        &mut self,
        piece: Spanned<&str>,
        what: &str,
        read: impl FnOnce(&str) -> Result<T, Bad>,
    ) -> Option<Spanned<T>> {
        match read(piece.value) {
            Ok(value) => Some(Spanned { value, span: piece.span }),
            Err(bad) => {
                let message = match (piece.value, bad.too_large) {
                    ("", _) => format!("{what} is missing here"),
                    (text, true) => format!("`{text}` does not fit 64 bits"),
                    (text, false) => format!("`{text}` is not {what}"),
                };
                let mut diagnostic = Diagnostic::error(codes::BAD_NUMBER, message).at(piece.span);
                diagnostic.hint = bad.hint.filter(|_| !piece.value.is_empty());
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// Reads one of qvm's spellings of a truth value.
    pub(super) fn boolean(&mut self, piece: Spanned<&str>) -> Option<Spanned<bool>> {
        let value = match piece.value {
            "1" | "yes" | "on" | "true" => true,
            "0" | "no" | "off" | "false" => false,
            text => {
                let hint = "write `true` or `false` (or `on` `off`, `yes` `no`, `1` `0`)";
                self.bad_value(piece.span, format!("`{text}` is not a boolean"), hint);
                return None;
            }
        };
        Some(Spanned { value, span: piece.span })
    }

    /// Puts `value` into `slot`; an earlier value gives way, and a note says so.
    pub(super) fn override_with<T>(
        &mut self,
        what: &str,
        slot: impl FnOnce(&mut crate::spec::VmSpec) -> Option<&mut Option<Spanned<T>>>,
        value: Spanned<T>,
    ) {
        let span = value.span;
        let Some(earlier) = slot(&mut self.spec).and_then(|slot| slot.replace(value)) else { return };
        let diagnostic = Diagnostic::note(codes::OVERRIDDEN, format!("`{what}` is given again: the last one counts"))
            .at(span)
            .label(earlier.span, "this one has no effect");
        self.diagnostics.push(diagnostic);
    }
}
