//! Is an image a function of its input alone? Builds one again, in another folder with another target folder, and
//! compares the bytes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, OnFile, Result};
use crate::host::{files, paths, process};

/// What is made, not written: it does not belong to a copy of the project.
const MADE: [&str; 3] = ["target", ".ostler", ".git"];

/// Builds `qvm_files` (relative to the project's root) from a copy of the project and compares the image with `image`,
/// which was built here. Keeps copy and target folder, so that only the first time is slow.
pub(crate) fn same_bytes_elsewhere(qvm_files: &[&str], image: &Path) -> Result<()> {
    let elsewhere = paths::made().join("elsewhere");
    let copy = elsewhere.join("a copy");
    mirror(&paths::root(), &copy, &MADE)?;
    // This very xtask, which takes its root from the variable. Not by its path: cargo may have built another there
    // since, for the tests.
    let own = Path::new("/proc/self/exe");
    let out = elsewhere.join("out");
    let mut command = Command::new(own);
    command.env("CARGO_MANIFEST_DIR", copy.join("xtask")).env("CARGO_TARGET_DIR", elsewhere.join("target"));
    command.arg("build").arg("--out").arg(&out).args(qvm_files.iter().map(|file| copy.join(file)));
    if !process::status(&mut command)?.success() {
        return Err(Failure::new("the copy of the project could not be built"));
    }
    let again = out.join("ostler.img");
    if files::sha256_of(image)? == files::sha256_of(&again)? {
        return Ok(());
    }
    let (here, there) = (paths::shown(image), paths::shown(&again));
    Err(Failure::new(format!("{here} and {there} differ although they were built from the same files"))
        .hint("compare the ostler.elf beside each: a path, a time or an order got into one"))
}

/// Makes the folder `to` equal to `from`, but for entries of these names at the top. Equal files keep their times.
fn mirror(from: &Path, to: &Path, but: &[&str]) -> Result<()> {
    files::make_folder(to)?;
    let names: BTreeSet<OsString> =
        names(from)?.into_iter().filter(|name| !but.iter().any(|but| name == but)).collect();
    // What the project lost since the last time; what cargo and xtask made in the copy stays.
    for name in self::names(to)?.difference(&names).filter(|name| !but.iter().any(|but| name == but)) {
        files::remove(&to.join(name))?;
    }
    for name in &names {
        let (from, to) = (from.join(name), to.join(name));
        match from.is_dir() {
            true => mirror(&from, &to, &[])?,
            false => drop(files::write(&to, &files::read(&from)?)?),
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<BTreeSet<OsString>> {
    let entries: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .on("list", folder)?;
    Ok(entries.iter().filter_map(|path| path.file_name().map(OsString::from)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_equal_and_leaves_the_rest_alone() {
        let folder = std::env::temp_dir().join(format!("xtask-mirror-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        for (file, text) in
            [("from/a/new", "1"), ("from/same", "2"), ("from/target/x", "3"), ("to/a/old", "4"), ("to/target/y", "5")]
        {
            files::write(&folder.join(file), text.as_bytes()).unwrap();
        }
        mirror(&from, &to, &["target"]).unwrap();
        assert_eq!(files::read(&to.join("a/new")).unwrap(), b"1");
        assert_eq!(files::read(&to.join("same")).unwrap(), b"2");
        assert!(!to.join("a/old").exists(), "a stale file stayed");
        assert!(to.join("target/y").exists() && !to.join("target/x").exists());
        files::remove(&folder).unwrap();
    }
}
