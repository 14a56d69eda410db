//! The qvm language.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::VmSource;
use config::assemble::Architecture;
use config::diagnostic::Diagnostics;
use config::language::{self, Host};
use config::source::Sources;

/// How much of what is said of a text is shown: showing takes longer than reading, and all is shown by the same code.
const SHOWN: usize = 2;

/// Any text is read, or refused with errors that can be shown.
pub(crate) fn target(bytes: &[u8]) {
    Architecture::BOTH.into_iter().for_each(|architecture| on(bytes, architecture));
}

fn on(bytes: &[u8], architecture: Architecture) {
    let text = String::from_utf8_lossy(bytes);
    // A file that is pulled in would be one of this machine's.
    if text.contains('@') {
        return;
    }
    let (mut sources, mut diagnostics, mut used) = (Sources::new(), Diagnostics::new(), BTreeMap::new());
    let source = VmSource::Words { text: text.into_owned(), folder: PathBuf::from("/nowhere") };
    let regions = BTreeMap::new();
    let env = |name: &str| name.len().is_multiple_of(2).then(|| format!("{name} $env{{X}} \" # 1"));
    let host = Host { env: &env, architecture, regions: Some(&regions), consoles: &[] };
    let spec = language::parse(&mut sources, Path::new("/nowhere"), &source, &host, &mut diagnostics, &mut used);
    assert_eq!(spec.is_none(), diagnostics.has_errors(), "an error without a word, or the other way round");
    for diagnostic in diagnostics.iter().take(SHOWN) {
        assert!(!diagnostic.render(&sources, false).is_empty());
    }
}
