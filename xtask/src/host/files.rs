//! Files: written whole or not at all, left alone when nothing changed, and hashed.

use std::fs;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::failure::{OnFile, Result};
use crate::host::interrupt::PartialFile;

/// A SHA-256 in the usual hexadecimal form.
pub(crate) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256_of(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).on("open", path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).on("read", path)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).on("make the folder", path)
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).on("read", path)
}

/// Writes a file so that nobody ever sees half of it, and only if its content changes: a tool that looks at time
/// stamps must not think that there is work. Returns whether it wrote.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<bool> {
    let same_size = fs::metadata(path).is_ok_and(|data| data.len() == bytes.len() as u64);
    if same_size && read(path)? == bytes {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = PartialFile::new(path.with_file_name(name));
    fs::write(partial.path(), bytes).on("write", path)?;
    partial.keep_as(path).on("write", path)?;
    Ok(true)
}

/// Removes a file or a folder with all in it; absent is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    gone.on("remove", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_not_written() {
        let folder = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        let file = folder.join("deep").join("file");
        assert!(write(&file, b"one").unwrap());
        assert!(!write(&file, b"one").unwrap());
        assert!(write(&file, b"two").unwrap());
        assert_eq!(read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "a partial file was left");
        assert_eq!(sha256_of(&file).unwrap(), sha256(b"two"));
        remove(&folder).unwrap();
    }
}
