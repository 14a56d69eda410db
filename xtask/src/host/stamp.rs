//! A stamp says that a set of files is whole and what it was made from.
//!
//! It is a small text file: a line with the key (a hash of all that went in), then a line for each file: SHA-256, size,
//! time of last change in nanoseconds, name. A file whose size and time are as stamped is taken as whole; one whose time
//! differs is hashed. So a second run costs a few `stat`s, and a damaged file is made again.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::failure::{OnFile, Result};
use crate::host::files;

/// One stamped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    /// Name, relative to the stamp's folder.
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    size_bytes: u64,
    changed_ns: u128,
}

/// Stamps files of a folder: they are whole now, made from what `key` stands for.
pub(crate) fn put(folder: &Path, stamp: &str, key: &str, names: &[&str]) -> Result<()> {
    let mut text = format!("{key}\n");
    for name in names {
        let path = folder.join(name);
        let (size_bytes, changed_ns) = size_and_time(&path)?;
        text += &format!("{} {size_bytes} {changed_ns} {name}\n", files::sha256_of(&path)?);
    }
    files::write(&folder.join(stamp), text.as_bytes()).map(|_| ())
}

/// The stamped files, if the stamp is there, has this key (`None`: any) and each file is as it was stamped.
pub(crate) fn check(folder: &Path, stamp: &str, key: Option<&str>) -> Option<Vec<Stamped>> {
    let text = fs::read_to_string(folder.join(stamp)).ok()?;
    let (stamped_key, rest) = text.split_once('\n')?;
    if key.is_some_and(|key| key != stamped_key) {
        return None;
    }
    let entries: Vec<Stamped> = rest.lines().map(parse).collect::<Option<_>>()?;
    let mut touched = false;
    for entry in &entries {
        let path = folder.join(&entry.name);
        let (size_bytes, changed_ns) = size_and_time(&path).ok()?;
        if size_bytes != entry.size_bytes {
            return None;
        }
        if changed_ns != entry.changed_ns {
            if files::sha256_of(&path).ok()? != entry.sha256 {
                return None;
            }
            touched = true;
        }
    }
    if touched {
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        // If it can't be written, the next run hashes again.
        let _ = put(folder, stamp, stamped_key, &names);
    }
    Some(entries)
}

fn parse(line: &str) -> Option<Stamped> {
    let mut words = line.splitn(4, ' ');
    let sha256 = words.next()?.to_string();
    let size_bytes = words.next()?.parse().ok()?;
    let changed_ns = words.next()?.parse().ok()?;
    Some(Stamped { name: words.next()?.to_string(), sha256, size_bytes, changed_ns })
}

fn size_and_time(path: &Path) -> Result<(u64, u128)> {
    let data = fs::metadata(path).on("look at", path)?;
    let changed = data.modified().on("look at", path)?;
    Ok((data.len(), changed.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_until_a_file_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        files::write(&folder.join("a b"), b"one").unwrap();
        put(&folder, "stamp", "key", &["a b"]).unwrap();
        assert_eq!(check(&folder, "stamp", Some("key")).unwrap()[0].name, "a b");
        assert!(check(&folder, "stamp", Some("other")).is_none());

        // Another time but the same bytes: hashed, whole, stamped anew.
        let before = fs::read(folder.join("stamp")).unwrap();
        fs::File::open(folder.join("a b")).unwrap().set_modified(UNIX_EPOCH).unwrap();
        assert!(check(&folder, "stamp", None).is_some());
        assert_ne!(fs::read(folder.join("stamp")).unwrap(), before);

        // Damaged, with the size kept.
        fs::write(folder.join("a b"), b"two").unwrap();
        assert!(check(&folder, "stamp", None).is_none());
        files::remove(&folder.join("a b")).unwrap();
        assert!(check(&folder, "stamp", None).is_none());
        files::remove(&folder).unwrap();
    }
}
