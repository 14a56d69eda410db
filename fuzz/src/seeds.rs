//! What a search begins with.

use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

/// The seeds of target `name`: those in `seeds/NAME`, among which is everything that the fuzzer ever found; and for `qvm`
/// every qvm file of the project and every example of docs/qvm.md. `root` is the project's folder.
///
/// # Errors
/// A file or folder that cannot be read.
pub fn seeds(root: &Path, name: &str) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = files_in(&root.join("fuzz/seeds").join(name))?;
    let mut seeds = Vec::new();
    if name == "qvm" {
        for folder in fs::read_dir(root.join("guests"))? {
            files.extend(files_in(&folder?.path()).unwrap_or_default());
        }
        files.extend(files_in(&root.join("qemu-tests/systems"))?);
        files.retain(|file| file.extension().is_none_or(|extension| extension == "qvmconf"));
        let page = root.join("docs/qvm.md");
        let text = fs::read_to_string(&page)?;
        seeds.extend(examples(&text).map(|example| (page.clone(), example.into_bytes())));
    }
    files.sort();
    for file in files {
        let bytes = fs::read(&file)?;
        seeds.push((file, bytes));
    }
    Ok(seeds)
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>>>()?;
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect())
}

/// The third column of the tables, as `| word | works | `EXAMPLE` | …`.
fn examples(page: &str) -> impl Iterator<Item = String> {
    page.lines().filter_map(|line| {
        let cell = line.strip_prefix("| `")?.split(" | ").nth(2)?;
        Some(cell.strip_prefix('`')?.strip_suffix('`')?.replace("\\|", "|"))
    })
}
