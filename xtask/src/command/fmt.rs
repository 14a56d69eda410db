//! `cargo xtask fmt`: the usual look of qvm files.

use std::path::PathBuf;

use clap::Args;
use config::diagnostic::Diagnostics;
use config::language;
use config::source::Sources;

use crate::failure::{Failure, Result};
use crate::host::{files, paths};
use crate::image::Findings;

/// Format qvm files.
///
/// Only white space changes: one option a line, sub-options of a context on its line or indented below it, comments where
/// they stand. A file with unclosed quotes or stray characters is left alone and reported. Exit status: 0; 65 if a file
/// was left alone; with --check, 1 if a file would change.
#[derive(Args, Debug)]
pub(crate) struct Fmt {
    /// Write nothing: name the files that would change, and their first line that would.
    #[arg(long)]
    check: bool,
    /// qvm files.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(options: &Fmt) -> Result<()> {
    let (mut findings, mut changes) = (Findings::default(), 0);
    for path in &options.files {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let file = sources.read(path, None, &mut diagnostics);
        let text = file.and_then(|file| language::format(&sources, file, &mut diagnostics));
        findings.say(&diagnostics, &sources)?;
        let (Some(text), Some(source)) = (text, file.and_then(|file| sources.get(file))) else { continue };
        if text.as_bytes() == source.bytes() {
            continue;
        }
        changes += 1;
        match options.check {
            true => print!("{}", difference(&paths::shown(path), source.text(), &text)),
            false => drop(files::write(path, text.as_bytes())?),
        }
    }
    findings.verdict()?;
    match (options.check, changes) {
        (true, 1..) => Err(Failure::new(format!("{changes} of {} files would change", options.files.len()))
            .hint("`cargo xtask fmt FILE…` changes them")),
        _ => Ok(()),
    }
}

/// The first line that would change, as it is and as it would be.
fn difference(path: &str, old: &str, new: &str) -> String {
    let (mut olds, mut news) = (old.lines(), new.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (olds.next(), news.next()) {
            (None, None) => return format!("{path}: line ends or a byte-order mark\n"),
            (old, new) if old == new => {}
            (old, new) => {
                let line = |sign, line: Option<&str>| line.map_or(String::new(), |line| format!("{sign}{line}\n"));
                return format!("{path}:{number}:\n{}{}", line('-', old), line('+', new));
            }
        }
    }
}
