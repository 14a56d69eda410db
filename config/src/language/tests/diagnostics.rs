//! What every diagnostic of the language looks like: one file of mistakes and one snapshot for each kind.
//!
//! `INSTA_UPDATE=always cargo test -p config` writes the snapshots anew; read the difference before you commit it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::read;
use crate::codes;

/// The files of mistakes, by name.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/language/tests/diagnostics");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "qvmconf"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_diagnostic_looks_as_it_did() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut seen = BTreeSet::new();
    for case in cases() {
        let stem = case.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
        let path = case.to_str().expect("a plain path");
        let outcome = read(path, &std::fs::read(&case).expect("a readable case"));
        let rendered = outcome.diagnostics.render(&outcome.sources, false);
        let rendered = rendered.replace(&path.replace(&format!("{stem}.qvmconf"), ""), "");
        seen.extend(outcome.diagnostics.iter().map(|diagnostic| diagnostic.code));
        settings.bind(|| insta::assert_snapshot!(stem, rendered));
    }
    // Too many errors are shown by the next test, too much text by the tests of `@FILE`.
    seen.extend([codes::TOO_MANY, codes::TOO_MUCH_TEXT]);
    let missing: Vec<_> =
        codes::ALL.iter().filter(|(code, _)| code.starts_with("Q00") && !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn after_a_hundred_errors_the_rest_is_not_read() {
    for text in ["word\n".repeat(1_000), "'\n".repeat(1_000)] {
        let outcome = read("vm.qvmconf", text.as_bytes());
        assert_eq!(outcome.diagnostics.errors(), 101);
        let last = outcome.diagnostics.iter().last().expect("an error");
        insta::allow_duplicates! {
            insta::assert_snapshot!(last.render(&outcome.sources, false), @r"
            error[Q0027]: too many errors: the rest of `vm.qvmconf` is not read
             |
             = help: is this a qvm file at all?
            ");
        }
    }
    let zeros = read("vm.qvmconf", &[0; 10_000]);
    assert_eq!(
        zeros.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(),
        [codes::STRAY_CHARACTER]
    );
}
