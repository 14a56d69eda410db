//! The seam holds: nothing but this folder, `boot/`, `linker/` and the guests, which are programs for one CPU each, asks which CPU it is
//! built for.

use std::fs;
use std::path::{Path, PathBuf};

/// The question, as code and manifests put it. (In two parts, so that this file does not ask it.)
const QUESTION: &str = concat!("target_", "arch");
/// Who may ask it, and what is not the project's source.
const EXEMPT: [&str; 6] = ["arch", "boot", "linker", "guests", "target", "fuzz/target"];

/// All Rust sources and manifests in `folder`, which is `here` below the root, that are not exempt.
fn sources(folder: &Path, here: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = here.join(entry.file_name());
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if is_hidden || EXEMPT.iter().any(|exempt| name == Path::new(exempt)) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            sources(&entry.path(), &name, found);
        } else if name.extension().is_some_and(|kind| kind == "rs" || kind == "toml") {
            found.push(entry.path());
        }
    }
}

#[test]
fn nobody_else_asks_for_the_cpu() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    sources(root, Path::new(""), &mut found);
    assert!(found.len() > 100, "the sources were not found");
    let asks: Vec<_> = found.iter().filter(|file| fs::read_to_string(file).unwrap().contains(QUESTION)).collect();
    assert!(asks.is_empty(), "outside of the seam: {asks:?}");
}
