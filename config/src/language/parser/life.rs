//! Variables that are about a VM's end: `set ostler-restart` and its kin, `ostler-board-stop`, `ostler-progress-timeout`.

use model::Restart;

use super::super::lexer::Word;
use super::Parser;
use crate::spec::{Spanned, When};

/// Shortest and longest `set ostler-progress-timeout` in milliseconds.
const PROGRESS_MS: (u64, u64) = (100, 3_600_000);

impl Parser<'_> {
    /// `set VARIABLE VALUE`, where `variable` is one of these.
    pub(super) fn life(&mut self, variable: &str, value: &Word) {
        let what = format!("set {variable}");
        let piece = value.piece();
        match variable {
            "ostler-restart" => {
                let when = match value.text.as_str() {
                    "never" => When::Never,
                    "on-failure" => When::OnFailure,
                    "always" => When::Always,
                    text => {
                        let message = format!("`{text}` is not a policy of `{variable}`");
                        return self.bad_value(
                            value.span,
                            message,
                            "policies are `never`, `on-failure` and `always`; without one a VM starts again when its guest asks \
                                for a reset",
                        );
                    }
                };
                let when = Spanned { value: when, span: value.span };
                self.override_with(&what, |spec| Some(&mut spec.life.restart), when);
            }
            "ostler-restart-delay" => {
                let most = Restart::MOST_DELAY_MS.into();
                if let Some(delay) = self.ranged32(value, "a delay in milliseconds", 0, most) {
                    self.override_with(&what, |spec| Some(&mut spec.life.delay), delay);
                }
            }
            "ostler-restart-limit" => {
                if let Some(limit) = self.ranged32(value, "a number of restarts", 1, Restart::MOST_LIMIT.into()) {
                    self.override_with(&what, |spec| Some(&mut spec.life.limit), limit);
                }
            }
            "ostler-restart-group" => {
                if let Some(group) = self.name(value) {
                    self.override_with(&what, |spec| Some(&mut spec.life.group), group);
                }
            }
            "ostler-board-stop" => {
                if let Some(on) = self.boolean(piece) {
                    self.override_with(&what, |spec| Some(&mut spec.life.board_stop), on);
                }
            }
            _ => {
                let (low, high) = PROGRESS_MS;
                if let Some(time) = self.ranged32(value, "a time-out in milliseconds", low, high) {
                    self.override_with(&what, |spec| Some(&mut spec.life.progress_timeout), time);
                }
            }
        }
    }

    /// A number from `low` to `high`, which 32 bits hold.
    fn ranged32(&mut self, value: &Word, what: &str, low: u64, high: u64) -> Option<Spanned<u32>> {
        let number = self.ranged(value.piece(), what, low, high)?;
        Some(Spanned { value: u32::try_from(number.value).ok()?, span: number.span })
    }
}
