//! Reading the files that `load` names, and the table of blobs that they become.

use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use model::images::Kind;

use super::{Blob, sha256};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::LoadSpec;

/// Largest image that is unpacked: far above any kernel, far below what would exhaust a developer's machine.
const UNPACKED_LIMIT_BYTES: u64 = 1 << 30;

/// Whether the files that `load` names are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Images {
    /// Yes.
    #[default]
    Read,
    /// No: they need not be there, and nothing that depends on their content is checked.
    Absent,
}

/// The files read and the blobs made of them so far.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) images: Images,
    pub(super) blobs: Vec<Blob>,
    pub(super) inputs: Vec<PathBuf>,
    by_hash: HashMap<[u8; 32], u16>,
}

impl Files {
    /// None yet.
    pub(super) fn new(images: Images) -> Files {
        Files { images, ..Files::default() }
    }

    /// The bytes of the file that `load` names; a file that cannot be read, or is empty, is reported.
    pub(super) fn read(&mut self, load: &LoadSpec, diagnostics: &mut Diagnostics) -> Option<Vec<u8>> {
        let path = &load.path.value;
        // A file that is missing now is an input too: it may be there the next time.
        if !self.inputs.contains(path) {
            self.inputs.push(path.clone());
        }
        let error = |what: String| {
            let message = format!("cannot read `{}`: {what}", path.display());
            Diagnostic::error(codes::FILE_UNREADABLE, message).at(load.path.span)
        };
        match std::fs::read(path) {
            Ok(bytes) if bytes.is_empty() => diagnostics.push(error("it is empty".into())),
            Ok(bytes) => return Some(bytes),
            Err(_) if path.is_dir() => diagnostics.push(error("it is a folder".into())),
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                let hint = "paths are relative to the folder of the qvm file";
                diagnostics.push(error("there is no such file".into()).hint(hint));
            }
            Err(cause) => diagnostics.push(error(cause.to_string())),
        }
        None
    }

    /// The index of a blob with these bytes, which is made unless there is one.
    pub(super) fn blob(&mut self, name: &str, kind: Kind, bytes: Vec<u8>) -> u16 {
        let sha256 = sha256(&bytes);
        *self.by_hash.entry(sha256).or_insert_with(|| {
            self.blobs.push(Blob { name: name.to_owned(), kind, bytes, sha256 });
            u16::try_from(self.blobs.len() - 1).expect("nobody loads 65,536 files")
        })
    }
}

/// A path's last part, for people and for the image table.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Unpacks a gzip file. The error says what is wrong with it.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(bytes).take(UNPACKED_LIMIT_BYTES + 1);
    match decoder.read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() as u64 > UNPACKED_LIMIT_BYTES => {
            Err(format!("the gzip file unpacks to more than {UNPACKED_LIMIT_BYTES} bytes"))
        }
        Ok(_) => Ok(unpacked),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err("the gzip file is truncated".into()),
        Err(error) => Err(format!("the gzip file is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn gzip_is_unpacked_and_damage_is_named() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let text = vec![7; if cfg!(miri) { 1_000 } else { 100_000 }];
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(gunzip(&packed), Ok(text));
        assert_eq!(gunzip(&packed[..packed.len() - 9]), Err("the gzip file is truncated".into()));
        let mut damaged = packed.clone();
        let crc = damaged.len() - 8;
        damaged[crc] ^= 1;
        assert!(gunzip(&damaged).unwrap_err().starts_with("the gzip file is damaged"));
    }

    #[test]
    fn equal_blobs_are_stored_once() {
        let mut files = Files::default();
        assert_eq!(files.blob("a", Kind::Guest, vec![1]), 0);
        assert_eq!(files.blob("b", Kind::Data, vec![2]), 1);
        assert_eq!(files.blob("c", Kind::Initrd, vec![1]), 0);
        assert_eq!(files.blobs.len(), 2);
    }
}
