//! `$env{NAME}`: values of environment variables, put in while the text is read.
//!
//! A value stays one piece of the word it stands in. It is not split at white space, and nothing in it is looked
//! at again: a `#`, a quote or a `$` in a value is only that character. A value therefore cannot add options.

use std::collections::BTreeMap;

use super::suggest;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// The environment and what was asked of it.
pub(super) struct Environment<'a> {
    /// Gives the value of a variable, if it is set.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Every variable that was asked for, and what came.
    pub(super) used: &'a mut BTreeMap<String, Option<String>>,
}

/// What a `$` in the text turned out to be.
pub(super) enum Dollar {
    /// Just that character.
    Literal,
    /// A substitution of this many bytes, `$` included, and its value or why it has none.
    Substitution(usize, Result<String, Box<Diagnostic>>),
}

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
            return Dollar::Substitution(1 + word_bytes, Err(Box::new(diagnostic)));
        };
        let opening_bytes = 1 + word_bytes + 1;
        let name_bytes = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
        let (name, rest) = inside.split_at(name_bytes);
        if name.is_empty() || !rest.starts_with('}') {
            let diagnostic = Diagnostic::error(codes::BAD_SUBSTITUTION, format!("`${word}{{` needs a name and a `}}`"))
                .hint("a name is made of letters, digits and `_`");
            // If there is a closing brace on the line, all up to it was meant.
            let line = inside.lines().next().unwrap_or("");
            let bytes = line.find('}').map_or(name_bytes, |brace| brace + 1);
            return Dollar::Substitution(opening_bytes + bytes, Err(Box::new(diagnostic)));
        }
        Dollar::Substitution(opening_bytes + name_bytes + 1, self.value(word, name))
    }

    fn value(&mut self, word: &str, name: &str) -> Result<String, Box<Diagnostic>> {
        let diagnostic = match word {
            "env" => {
                let value = (self.lookup)(name);
                self.used.insert(name.to_owned(), value.clone());
                if let Some(value) = value {
                    return Ok(value);
                }
                Diagnostic::error(codes::VARIABLE_NOT_SET, format!("the environment variable `{name}` is not set"))
                    .hint(format!("set it for this command: `{name}=VALUE cargo xtask …`"))
            }
            "asinfo_start" | "asinfo_length" => {
                let message = format!("`${word}{{…}}` is not supported yet");
                Diagnostic::error(codes::NOT_SUPPORTED, message)
                    .hint("there is no host system page to ask: write the number, or take it from `$env{NAME}`")
            }
            _ => {
                let nearest = suggest::nearest(word, NAMES).unwrap_or("env");
                Diagnostic::error(codes::BAD_SUBSTITUTION, format!("there is no substitution `${word}{{…}}`"))
                    .hint(format!("did you mean `${nearest}{{{name}}}`?"))
            }
        };
        Err(Box::new(diagnostic))
    }
}
