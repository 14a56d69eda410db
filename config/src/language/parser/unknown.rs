//! Words that are not options here: what they could have meant.

use super::super::lexer::Word;
use super::super::suggest;
use super::super::vocabulary::{self, Entry, Place, Status, WORDS};
use super::{Context, Parser};
use crate::assemble::Architecture;
use crate::codes;
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    /// Reports a word that is no option of the context it stands in.
    pub(super) fn unknown(&mut self, word: &Word) {
        let homes: Vec<&Entry> = WORDS.iter().filter(|entry| entry.word == word.text).collect();
        match homes.first() {
            None => self.no_such_word(word),
            Some(entry) => {
                self.out_of_context(word, &homes);
                self.skip(word, entry.argument_count());
            }
        }
    }

    /// Passes over what follows `word` on its line, up to the next option: most likely it belongs to it. Line ends
    /// mean nothing to the language, but they tell what the writer had in mind.
    pub(super) fn skip_line(&mut self, word: &Word) {
        let mut last = word.span;
        while let Some(next) = self.peek() {
            let is_option = vocabulary::find(&next.text, |entry| entry.place == Place::Top).is_some();
            if is_option || next.text.starts_with('@') || self.between(last, next.span).contains('\n') {
                break;
            }
            last = next.span;
            self.pass_over();
        }
    }

    /// Whether an unknown word seems to be an option of the file itself, and not one of something that was refused.
    pub(super) fn is_near_option(&self, word: &Word) -> bool {
        let options = vocabulary::words(|entry| entry.place == Place::Top);
        suggest::nearest(&word.text, options).is_some() || self.text_before().is_some()
    }

    /// The option whose free text ended just before the word that was taken last.
    fn text_before(&self) -> Option<&'static str> {
        self.last_text.filter(|(_, behind)| behind + 1 == self.taken()).map(|(option, _)| option)
    }

    fn no_such_word(&mut self, word: &Word) {
        let before = self.text_before();
        let here = vocabulary::words(|entry| entry.place == Place::Top || self.takes(entry));
        let hint = match (suggest::nearest(&word.text, here), before) {
            (Some(nearest), _) => {
                if matches!(nearest, "cpu" | "vdev" | "reserve" | "pass") {
                    // What follows is meant for the context that this word should have opened.
                    self.open(Context::Refused);
                }
                format!("did you mean `{nearest}`?")
            }
            (None, Some(option)) => {
                format!("if it belongs to the argument of `{option}`, put the whole argument in double quotes")
            }
            (None, None) => match suggest::nearest(&word.text, WORDS.iter().map(|entry| entry.word)) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "docs/qvm.md lists all options".to_owned(),
            },
        };
        let diagnostic = Diagnostic::error(codes::UNKNOWN_WORD, format!("there is no option `{}`", word.text));
        self.diagnostics.push(diagnostic.at(word.span).hint(hint));
        self.skip_line(word);
    }

    /// Reports a word of the language that stands in the wrong place; `homes` are where it could stand.
    fn out_of_context(&mut self, word: &Word, homes: &[&Entry]) {
        let cpu = self.architecture();
        let works = |entry: &&Entry| matches!(entry.status(cpu), Status::Works | Status::NoMeaning(_));
        let mut places: Vec<String> = homes.iter().copied().filter(works).flat_map(|entry| home(entry, cpu)).collect();
        if places.is_empty() {
            places = homes.iter().copied().flat_map(|entry| home(entry, cpu)).collect();
        }
        let mut diagnostic = Diagnostic::error(codes::OUT_OF_CONTEXT, format!("`{}` does not belong here", word.text))
            .at(word.span)
            .hint(format!("it belongs to {}", places.join(" or to ")));
        let context = match self.context {
            Context::None | Context::Refused => None,
            Context::Cpu(index) => self.spec.cpus.get(index).map(|cpu| cpu.span),
            Context::Vdev(index) => self.spec.vdevs.get(index).map(|vdev| vdev.span),
            Context::Reserve { span, .. } => Some(span),
            Context::Pass { index, .. } => self.spec.passes.get(index).map(|pass| pass.span),
        };
        if let Some(span) = context {
            diagnostic = diagnostic.label(span, "the context of the moment");
        }
        self.diagnostics.push(diagnostic);
    }
}

/// Where an entry belongs, in words.
fn home(entry: &Entry, cpu: Architecture) -> Vec<String> {
    match entry.place {
        Place::Top => Vec::new(),
        Place::Cpu => vec!["a `cpu`".into()],
        Place::AnyVdev => vec!["a `vdev`".into()],
        Place::Resource => vec!["a `reserve`".into()],
        Place::Pass => vec!["a `pass`".into()],
        Place::Variable => vec![format!("`set`: `{}`", entry.synopsis())],
        Place::VdevType => vec![format!("`vdev`: `{}`", entry.synopsis())],
        Place::Vdev(kinds) => {
            let works = |kind: &&str| {
                vocabulary::find(kind, |entry| entry.place == Place::VdevType)
                    .is_some_and(|entry| entry.status(cpu) == Status::Works)
            };
            let working: Vec<_> = kinds.iter().copied().filter(works).map(|kind| format!("`vdev {kind}`")).collect();
            match working.is_empty() {
                false => working,
                true => {
                    let kind = kinds.first().copied().unwrap_or_default();
                    let entry = vocabulary::find(kind, |entry| entry.place == Place::VdevType);
                    match entry.map(|entry| entry.status(cpu)) {
                        Some(Status::Refused(refusal)) => vec![format!("`vdev {kind}`, which {}", refusal.why)],
                        _ => vec![format!("`vdev {kind}`")],
                    }
                }
            }
        }
    }
}
