//! The qvm language: the texts of one VM to one [`VmSpec`].
//!
//! ```text
//! text ─ lexer (substitution) ─▶ words ─ parser (vocabulary, number, suggest) ─▶ VmSpec
//!   ▲                                      │ @FILE
//!   └──────────────────────────────────────┘
//! ```
//! `format` takes the same words and gives the text its usual look.
//!
//! The vocabulary knows the whole of qvm's language, so that what Ostler does not have is refused by name. Nothing
//! is skipped in silence: a word works, or is accepted with a note that it has no meaning here, or is an error.
//! docs/qvm.md is the same for users.

mod format;
mod lexer;
mod locate;
mod number;
mod parser;
mod substitution;
mod suggest;
#[cfg(test)]
mod tests;
mod vocabulary;
mod work;

use std::collections::BTreeMap;
use std::path::Path;

use crate::VmSource;
use crate::assemble::{Architecture, Region};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{FileId, VmSpec};

pub use format::format;
pub(crate) use locate::locate;
pub use parser::name_problem;
pub(crate) use suggest::nearest;
#[cfg(test)]
pub(crate) use work::steps_of;

/// After so many errors the rest of a file is not read: it is no qvm file, and nobody reads more of them.
const MOST_ERRORS: usize = 100;

/// What a text may ask of the world outside.
pub struct Host<'a> {
    /// The value of an environment variable, if it is set: `$env{NAME}`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Whose guests are described.
    pub architecture: Architecture,
    /// The memory regions that the board names: `$asinfo_start{NAME}`; `None` if there is no board, which was reported.
    pub regions: Option<&'a BTreeMap<String, Region>>,
    /// Names of host devices that mean the board's console: `hostdev /dev/ser1`.
    pub consoles: &'a [String],
}

/// Reads what `vm` says, with the files that it pulls in; relative paths of files count from `root`.
///
/// All mistakes are added to `diagnostics`, in the order of the texts; with an error among them the result is `None`.
/// Each environment variable that was asked for, and what came, is added to `used_env`, because the result depends
/// on it.
pub fn parse(
    sources: &mut Sources,
    root: &Path,
    vm: &VmSource,
    host: &Host<'_>,
    diagnostics: &mut Diagnostics,
    used_env: &mut BTreeMap<String, Option<String>>,
) -> Option<VmSpec> {
    let file = match vm {
        VmSource::File(path) => sources.read(&root.join(path), None, diagnostics)?,
        VmSource::Words { text, folder } => sources.words(text, folder),
    };
    parse_source(sources, file, host, diagnostics, used_env)
}

/// [`parse`] for a text that is in `sources` already.
fn parse_source(
    sources: &mut Sources,
    file: FileId,
    host: &Host<'_>,
    diagnostics: &mut Diagnostics,
    used_env: &mut BTreeMap<String, Option<String>>,
) -> Option<VmSpec> {
    let name = sources.get(file)?.path().display().to_string();
    let mut own = Diagnostics::new();
    let environment = substitution::Environment { host, used: used_env };
    let spec = parser::Parser::new(sources, file, environment, &mut own).run();
    let errors = own.errors();
    diagnostics.append_in_order(own);
    if errors >= MOST_ERRORS {
        let message = format!("too many errors: the rest of `{name}` is not read");
        diagnostics.push(Diagnostic::error(codes::TOO_MANY, message).hint("is this a qvm file at all?"));
    }
    (errors == 0).then_some(spec)
}
