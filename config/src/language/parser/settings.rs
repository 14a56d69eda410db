//! Options that are one value each: `system`, `cmdline`, `set`, `unsupported`.

use model::ExitBudget;

use super::super::lexer::Word;
use super::super::suggest;
use super::super::vocabulary::{self, Entry, Place, Status};
use super::Parser;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{Action, Spanned};

/// Longest name of a VM or vdev in bytes.
const NAME_BYTES: usize = 64;

/// Why `name` cannot be the name of a VM or vdev; `None` if it can.
///
/// Names go into prompts, logs and file names, so they hold nothing that could be taken for something else there.
pub fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > NAME_BYTES {
        Some("is longer than 64 bytes")
    } else if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/') {
        Some("has white space, a control character or a `/` in it")
    } else {
        None
    }
}

impl Parser<'_> {
    /// `system NAME`.
    pub(super) fn system(&mut self, entry: &'static Entry, word: &Word) {
        if let Some(first) = self.first {
            let diagnostic = Diagnostic::error(codes::ORDER, "`system` is not the first entry")
                .at(word.span)
                .label(first, "this comes before it")
                .hint("write it once, before everything else");
            self.diagnostics.push(diagnostic);
        }
        let Some(name) = self.text_argument(entry, word).and_then(|argument| self.name(&argument)) else { return };
        self.spec.system = Some(name);
    }

    /// A name that can be one.
    pub(super) fn name(&mut self, argument: &Word) -> Option<Spanned<String>> {
        if let Some(problem) = name_problem(&argument.text) {
            let message = format!("the name `{}` {problem}", argument.text);
            let hint = "a name has 1 to 64 bytes, and no white space, control character or `/` among them";
            self.diagnostics.push(Diagnostic::error(codes::WRONG_NAME, message).at(argument.span).hint(hint));
            return None;
        }
        Some(Spanned { value: argument.text.clone(), span: argument.span })
    }

    /// `cmdline TEXT`.
    pub(super) fn cmdline(&mut self, entry: &'static Entry, word: &Word) {
        let Some(argument) = self.text_argument(entry, word) else { return };
        let text = Spanned { value: argument.text, span: argument.span };
        self.override_with("cmdline", |spec| Some(&mut spec.cmdline), text);
    }

    /// `set VARIABLE VALUE`.
    pub(super) fn set(&mut self, entry: &'static Entry, word: &Word) {
        let is_variable = |entry: &Entry| entry.place == Place::Variable;
        // `debug` is a variable and an option: after `set` it is the variable.
        let named = self.peek().and_then(|next| vocabulary::find(&next.text, is_variable));
        let name = match named {
            Some(_) => self.next(),
            None => self.argument(entry, word),
        };
        let Some(name) = name else { return self.skip_line(word) };
        let Some(variable) = named else {
            let hint = match suggest::nearest(&name.text, vocabulary::words(is_variable)) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "docs/qvm.md lists all variables".to_owned(),
            };
            let diagnostic = Diagnostic::error(codes::UNKNOWN_WORD, format!("there is no variable `{}`", name.text));
            self.diagnostics.push(diagnostic.at(name.span).hint(hint));
            return self.skip(&name, 1);
        };
        if let Status::Refused(refusal) = self.status(variable) {
            self.refuse(&format!("set {}", variable.word), name.span, refusal);
            return self.skip(&name, 1);
        }
        match variable.word {
            "fdt-dump-file" => self.fdt_dump_file(variable, &name),
            _ => {
                if let Some(value) = self.argument(variable, &name) {
                    self.variable(variable, &name, &value);
                }
            }
        }
    }

    fn fdt_dump_file(&mut self, variable: &'static Entry, name: &Word) {
        let Some(argument) = self.text_argument(variable, name) else { return };
        if argument.text.is_empty() {
            return self.bad_value(argument.span, "the file's name is missing here", "write `set fdt-dump-file FILE`");
        }
        let path = Spanned { value: self.resolve(&argument.text), span: argument.span };
        self.override_with("set fdt-dump-file", |spec| Some(&mut spec.fdt_dump_file), path);
    }

    fn variable(&mut self, variable: &'static Entry, name: &Word, value: &Word) {
        let piece = value.piece();
        let what = variable.synopsis();
        if let Status::NoMeaning(why) = self.status(variable) {
            self.no_meaning(&format!("set {}", variable.word), name, why);
        }
        match variable.word {
            "counter-offset" => {
                if let Some(ticks) = self.plain(piece, "a number of ticks") {
                    self.override_with("set counter-offset", |spec| Some(&mut spec.counter_offset), ticks);
                }
            }
            "exit-on-halt" => {
                if let Some(on) = self.boolean(piece) {
                    self.override_with("set exit-on-halt", |spec| Some(&mut spec.exit_on_halt), on);
                }
            }
            "ostler-exit-budget" => {
                if let Some(budget) = self.exit_budget(value) {
                    self.override_with("set ostler-exit-budget", |spec| Some(&mut spec.exit_budget), budget);
                }
            }
            "ostler-poweroff-timeout" => {
                if let Some(time) = self.ranged(piece, "a number of seconds", 1, 86_400) {
                    self.override_with("set ostler-poweroff-timeout", |spec| Some(&mut spec.poweroff_timeout), time);
                }
            }
            word if word.starts_with("ostler-restart")
                || word == "ostler-board-stop"
                || word == "ostler-progress-timeout" =>
            {
                self.life(word, value);
            }
            "gic-hwassist" => {
                if self.boolean(piece).is_some_and(|on| !on.value) {
                    let instead = "a guest's GIC always uses the hardware's help: leave it out";
                    self.not_supported("set gic-hwassist false", value.span, instead);
                }
            }
            "message-block-timeout" | "vdev-message-block-timeout" => {
                let Some(time) = self.plain(piece, "a number of milliseconds") else { return };
                if time.value != 0 && !(5..=10_000).contains(&time.value) {
                    let diagnostic = Diagnostic::error(codes::OUT_OF_RANGE, "the time is out of range").at(time.span);
                    self.diagnostics.push(diagnostic.hint("it must be from 5 to 10000 milliseconds, or 0 for never"));
                }
            }
            "debug" => drop(self.boolean(piece)),
            _ if what.ends_with("LENGTH") => drop(self.size(piece)),
            _ => drop(self.address(piece)),
        }
    }

    /// `EXITS/MILLISECONDS`.
    fn exit_budget(&mut self, value: &Word) -> Option<Spanned<ExitBudget>> {
        let [exits, period] = value.split('/', 3)[..] else {
            self.bad_value(
                value.span,
                format!("`{}` is not a budget of exits", value.text),
                "write how many exits in how many milliseconds: `set ostler-exit-budget 10000/100`",
            );
            return None;
        };
        let exits = self.ranged(exits, "a number of exits", ExitBudget::LEAST.into(), u32::MAX.into());
        let period = self.ranged(period, "a number of milliseconds", 1, ExitBudget::LONGEST_MS.into());
        let word = |number: Spanned<u64>| u32::try_from(number.value).ok();
        let budget = ExitBudget { exits: word(exits?)?, period_ms: word(period?)? };
        Some(Spanned { value: budget, span: value.span })
    }

    /// Says that an option is accepted and does nothing; once in a file.
    pub(super) fn no_meaning(&mut self, what: &str, word: &Word, why: &str) {
        if !self.without_meaning.insert((word.span.file, what.to_owned())) {
            return;
        }
        let diagnostic =
            Diagnostic::note(codes::NO_MEANING, format!("`{what}` has no meaning here")).at(word.span).hint(why);
        self.diagnostics.push(diagnostic);
    }

    /// `unsupported TYPE ACTION`.
    pub(super) fn unsupported(&mut self, entry: &'static Entry, word: &Word) {
        let Some(kind) = self.argument(entry, word) else { return };
        let Some(argument) = self.argument(entry, word) else { return };
        let action = match argument.text.as_str() {
            "abort" => Some(Action::Abort),
            "fail" => Some(Action::Fail),
            "ignore" => Some(Action::Ignore),
            text => {
                let message = format!("`{text}` is not an action of `unsupported`");
                self.bad_value(argument.span, message, "actions are `abort`, `fail` and `ignore`");
                None
            }
        };
        if !matches!(kind.text.as_str(), "instruction" | "reference" | "register") {
            let message = format!("`{}` is not a type of `unsupported`", kind.text);
            return self.bad_value(kind.span, message, "types are `instruction`, `reference` and `register`");
        }
        let Some(value) = action else { return };
        let action = Spanned { value, span: argument.span };
        let what = format!("unsupported {}", kind.text);
        self.override_with(
            &what,
            |spec| {
                Some(match kind.text.as_str() {
                    "instruction" => &mut spec.unsupported_instruction,
                    "reference" => &mut spec.unsupported_reference,
                    _ => &mut spec.unsupported_register,
                })
            },
            action,
        );
    }
}
