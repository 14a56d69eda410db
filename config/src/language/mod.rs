//! The qvm language: one file's text to one [`VmSpec`].
//!
//! ```text
//! text ─ lexer (substitution) ─▶ words ─ parser (vocabulary, number, suggest) ─▶ VmSpec
//! ```
//!
//! The vocabulary knows the whole of qvm's language, so that what Ostler does not have is refused by name. Nothing
//! is skipped in silence: a word works, or is accepted with a note that it has no meaning here, or is an error.
//! docs/qvm.md is the same for users.

mod lexer;
mod locate;
mod number;
mod parser;
mod substitution;
mod suggest;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::collections::BTreeMap;
use std::path::Path;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{FileId, VmSpec};

pub(crate) use locate::locate;
pub use parser::name_problem;
pub(crate) use suggest::nearest;

/// After so many errors the rest of a file is not read: it is no qvm file, and nobody reads more of them.
const MOST_ERRORS: usize = 100;

/// Reads the qvm file at `path` and gives what it says.
///
/// All mistakes of the file are added to `diagnostics`, in the order of the text; with an error among them the
/// result is `None`. `env` is the environment for `$env{NAME}`; each variable that was asked for, and what came, is
/// added to `used_env`, because the result depends on it.
pub fn parse(
    sources: &mut Sources,
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    diagnostics: &mut Diagnostics,
    used_env: &mut BTreeMap<String, Option<String>>,
) -> Option<VmSpec> {
    let file = sources.read(path, diagnostics)?;
    parse_source(sources, file, env, diagnostics, used_env)
}

/// [`parse`] for a text that is in `sources` already.
fn parse_source(
    sources: &Sources,
    file: FileId,
    env: &dyn Fn(&str) -> Option<String>,
    diagnostics: &mut Diagnostics,
    used_env: &mut BTreeMap<String, Option<String>>,
) -> Option<VmSpec> {
    let source = sources.get(file)?;
    let mut own = Diagnostics::new();
    let mut environment = substitution::Environment { lookup: env, used: used_env };
    let words = lexer::words(file, source.text(), &mut environment, &mut own);
    let spec = parser::Parser::new(file, source, words, &mut own).run();
    let errors = own.errors();
    diagnostics.append_in_order(own);
    if errors >= MOST_ERRORS {
        let message = format!("too many errors: the rest of `{}` is not read", source.path().display());
        diagnostics.push(Diagnostic::error(codes::TOO_MANY, message).hint("is this a qvm file at all?"));
    }
    (errors == 0).then_some(spec)
}
