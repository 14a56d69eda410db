//! `$env{NAME}`, `$asinfo_start{NAME}`, `$asinfo_length{NAME}`: values from outside, put in while the text is read.
//!
//! A value stays one piece of the word it stands in. It is not split at white space, and nothing in it is looked
//! at again: a `#`, a quote or a `$` in a value is only that character. A value therefore cannot add options.

use std::collections::BTreeMap;

use super::{Host, suggest};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// What may be asked, and what was asked of it.
pub(super) struct Environment<'a> {
    /// What may be asked.
    pub(super) host: &'a Host<'a>,
    /// Every variable that was asked for, and what came.
    pub(super) used: &'a mut BTreeMap<String, Option<String>>,
}

/// What a `$` in the text turned out to be.
pub(super) enum Dollar {
    /// Just that character.
    Literal,
    /// A substitution of this many bytes, `$` included, and its value or why it has none.
    Substitution(usize, Value),
}

/// A text that a mistake was reported for already has no value, and no diagnostic either.
type Value = Result<String, Option<Box<Diagnostic>>>;

const NAMES: [&str; 3] = ["env", "asinfo_start", "asinfo_length"];

impl Environment<'_> {
    /// Looks at `text`, which begins with a `$`. The diagnostic has no span yet: it is about the whole substitution.
    pub(super) fn dollar(&mut self, text: &str) -> Dollar {
        let after = text.get(1..).unwrap_or("");
        let word_bytes = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (word, rest) = after.split_at(word_bytes);
        let Some(inside) = rest.strip_prefix('{') else {
            if !NAMES.contains(&word) {
                return Dollar::Literal;
            }
            let diagnostic = Diagnostic::error(codes::BAD_SUBSTITUTION, format!("`${word}` has no name in braces"))
                .hint(format!("write `${word}{{NAME}}`; for a plain `$` write `\\$` in double quotes"));
            return Dollar::Substitution(1 + word_bytes, Err(Some(Box::new(diagnostic))));
        };
        let opening_bytes = 1 + word_bytes + 1;
        // A variable's name has no hyphen, but a region's may.
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == '-' && word != "env");
        let name_bytes = inside.find(|c: char| !is_name(c)).unwrap_or(inside.len());
        let (name, rest) = inside.split_at(name_bytes);
        if name.is_empty() || !rest.starts_with('}') {
            let diagnostic = Diagnostic::error(codes::BAD_SUBSTITUTION, format!("`${word}{{` needs a name and a `}}`"))
                .hint(match word {
                    "env" => "a name is made of letters, digits and `_`",
                    _ => "a region goes by its own name, without a path: letters, digits, `_` and `-`",
                });
            // If there is a closing brace on the line, all up to it was meant.
            let line = inside.lines().next().unwrap_or("");
            let bytes = line.find('}').map_or(name_bytes, |brace| brace + 1);
            return Dollar::Substitution(opening_bytes + bytes, Err(Some(Box::new(diagnostic))));
        }
        Dollar::Substitution(opening_bytes + name_bytes + 1, self.value(word, name))
    }

    fn value(&mut self, word: &str, name: &str) -> Value {
        let diagnostic = match word {
            "env" => {
                let value = (self.host.env)(name);
                self.used.insert(name.to_owned(), value.clone());
                if let Some(value) = value {
                    return Ok(value);
                }
                Diagnostic::error(codes::VARIABLE_NOT_SET, format!("the environment variable `{name}` is not set"))
                    .hint(format!("set it for this command: `{name}=VALUE cargo xtask …`"))
            }
            "asinfo_start" | "asinfo_length" => {
                // Without a board nobody knows its regions, and that there is none was said.
                let Some(regions) = self.host.regions else { return Err(None) };
                if let Some(region) = regions.get(name) {
                    // With its prefix it is the same number wherever it stands.
                    let number = if word == "asinfo_start" { region.start } else { region.length_bytes };
                    return Ok(format!("{number:#x}"));
                }
                unknown_region(name, regions.keys().map(String::as_str))
            }
            _ => {
                let nearest = suggest::nearest(word, NAMES).unwrap_or("env");
                Diagnostic::error(codes::BAD_SUBSTITUTION, format!("there is no substitution `${word}{{…}}`"))
                    .hint(format!("did you mean `${nearest}{{{name}}}`?"))
            }
        };
        Err(Some(Box::new(diagnostic)))
    }
}

fn unknown_region<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let message = format!("the board names no memory region `{name}`");
    let names: Vec<_> = known.clone().map(|name| format!("`{name}`")).collect();
    let hint = match (suggest::nearest(name, known), names.as_slice()) {
        (_, []) => format!("it names none at all: add `[regions.{name}]` to its board.toml, or write the number"),
        (Some(nearest), _) => format!("did you mean `{nearest}`? The board names {}", names.join(", ")),
        (None, _) => format!("the board names {}", names.join(", ")),
    };
    Diagnostic::error(codes::UNKNOWN_REGION, message).hint(hint)
}
