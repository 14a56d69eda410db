//! Options that are about qvm itself, which is a process of a QNX host: Ostler is none.

use super::super::lexer::Word;
use super::super::suggest;
use super::super::vocabulary::{Entry, Refusal, Status};
use super::Parser;

/// Classes of qvm's messages, and where they can go to.
const FILTERS: [&str; 7] = ["fatal", "internal", "error", "warn", "info", "debug", "verbose"];
const DESTINATIONS: [&str; 4] = ["stdout", "stderr", "slog", "none"];

impl Parser<'_> {
    /// `logger FILTER[,FILTER…] TO`, also as `log` of a vdev: checked, and without effect.
    pub(super) fn logger(&mut self, entry: &'static Entry, word: &Word) {
        self.note_no_meaning(entry, word);
        // The classes' names are options of other places too: they are read as what they can be here.
        let Some(filters) = self.text_argument(entry, word) else { return };
        for filter in filters.split(',', usize::MAX) {
            self.one_of(filter.value, &FILTERS, "class of messages", filter.span);
        }
        let Some(to) = self.argument(entry, word) else { return };
        self.one_of(&to.text, &DESTINATIONS, "destination of messages", to.span);
    }

    fn one_of(&mut self, text: &str, known: &[&'static str], what: &str, span: crate::spec::Span) {
        if !known.contains(&text) {
            let hint = match suggest::nearest(text, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("there are `{}`", known.join("`, `")),
            };
            self.bad_value(span, format!("`{text}` is no {what}"), hint);
        }
    }

    /// `safety none|warn|required`.
    pub(super) fn safety(&mut self, entry: &'static Entry, word: &Word) {
        let Some(level) = self.argument(entry, word) else { return };
        match level.text.as_str() {
            "none" | "warn" => self.note_no_meaning(entry, word),
            "required" => {
                let instead = "no part of Ostler is certified, so what this asks for cannot be had: leave it out, or write \
                    `safety warn`";
                self.refuse("safety required", level.span, Refusal::not_yet(instead));
            }
            text => {
                let message = format!("`{text}` is no level of `safety`");
                self.bad_value(level.span, message, "levels are `none`, `warn` and `required`");
            }
        }
    }

    /// Says that the option `word` is accepted and does nothing.
    pub(super) fn note_no_meaning(&mut self, entry: &Entry, word: &Word) {
        if let Status::NoMeaning(why) = self.status(entry) {
            self.no_meaning(entry.word, word, why);
        }
    }
}
