//! The set of texts that one run reads, and where in them a byte stands.
//!
//! Every qvm file of a run is kept here whole, so that a complaint can show the line it is about and so that
//! the configuration's hash covers exactly the bytes that were read. A file is read once, however often it is pulled
//! in. A leading byte-order mark is not part of the text; line ends of both kinds (LF, CRLF) are left as they are and
//! mean the same to the lexer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, Read};
use std::path::{Path, PathBuf};

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{FileId, Span};

/// All texts of a run, numbered by [`FileId`] in the order they were read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    /// The files that were read, by their real path; without an id, what is wrong with one was said already.
    read: HashMap<PathBuf, Option<FileId>>,
}

/// What words on a command line are called in place of a file's path.
const COMMAND_LINE: &str = "<command line>";

/// One text.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    folder: PathBuf,
    on_disk: bool,
    bytes: Vec<u8>,
    text: String,
}

/// A place in a text as people count: both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Character in the line.
    pub column: usize,
}

impl Source {
    /// The path that the text was read by, or what it is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What relative paths in the text count from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it is a file, and not words of a command line.
    pub fn is_file(&self) -> bool {
        self.on_disk
    }

    /// Every byte of the file, as read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text that [`Span`]s count in: the bytes without a byte-order mark.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Sources {
    /// An empty set.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Largest file that is read: many times more than anybody writes, and no image, no device without an end.
    pub const MOST_BYTES: usize = 1 << 20;

    /// Reads the file at `path`, which the text under `asked` names. One that was read before is the same again. A file
    /// that cannot be read, or is not UTF-8, is reported and gives `None`.
    pub fn read(&mut self, path: &Path, asked: Option<Span>, diagnostics: &mut Diagnostics) -> Option<FileId> {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if let Some(known) = self.read.get(&real) {
            return *known;
        }
        let mut bytes = Vec::new();
        let limit = Sources::MOST_BYTES as u64 + 1;
        // A pipe or a terminal that a file names would be waited for without end; one that the user names is meant.
        let waits = asked.is_some() && std::fs::metadata(path).is_ok_and(|it| !it.is_file());
        let opened = if waits { Err(Error::other("it is no regular file")) } else { File::open(path) };
        let problem = match opened.and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
            Ok(length) if length <= Sources::MOST_BYTES => {
                let file = self.add(path, bytes, diagnostics);
                self.read.insert(real, file);
                return file;
            }
            Ok(_) => "it is larger than 1 MiB; is it a qvm file at all?".to_owned(),
            Err(error) => error.to_string(),
        };
        let message = format!("cannot read `{}`: {problem}", path.display());
        let mut diagnostic = Diagnostic::error(codes::UNREADABLE, message);
        if let Some(asked) = asked {
            diagnostic = diagnostic.at(asked).hint("paths are relative to the folder of the file that they stand in");
        }
        diagnostics.push(diagnostic);
        None
    }

    /// Takes words of a command line, whose relative paths count from `folder`.
    pub fn words(&mut self, text: &str, folder: &Path) -> FileId {
        let path = PathBuf::from(COMMAND_LINE);
        let bytes = text.as_bytes().to_vec();
        self.files.push(Source { path, folder: folder.to_owned(), on_disk: false, bytes, text: text.to_owned() });
        FileId(self.files.len() - 1)
    }

    /// Takes `bytes` as the content of a file at `path`. Bytes that are not UTF-8 are reported and give `None`.
    pub fn add(&mut self, path: &Path, bytes: Vec<u8>, diagnostics: &mut Diagnostics) -> Option<FileId> {
        let file = FileId(self.files.len());
        let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        // The lossy text of a bad file is kept too: it is what the complaint shows.
        let text = String::from_utf8_lossy(body).into_owned();
        let good = match std::str::from_utf8(body) {
            Ok(_) => true,
            Err(error) => {
                let start = error.valid_up_to();
                let hint = match bytes.as_slice() {
                    [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this looks like UTF-16: save the file as UTF-8",
                    _ => "save the file as UTF-8; is this a qvm file at all?",
                };
                let span = Span { file, start, end: start + char::REPLACEMENT_CHARACTER.len_utf8() };
                let byte = body.get(start).copied().unwrap_or_default();
                let message = format!("byte {byte:#04x} is not UTF-8 text");
                diagnostics.push(Diagnostic::error(codes::NOT_UTF8, message).at(span).hint(hint));
                false
            }
        };
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        self.files.push(Source { path: path.to_owned(), folder, on_disk: true, bytes, text });
        good.then_some(file)
    }

    /// The text of `file`; `None` for an id of another set.
    pub fn get(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0)
    }

    /// The texts, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// The text under `span`; empty if there is none.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|source| source.text.get(span.start..span.end)).unwrap_or("")
    }

    /// Line and column of a span's first byte; `None` for a span of another set.
    pub fn place(&self, span: Span) -> Option<Place> {
        let before = self.get(span.file)?.text.get(..span.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some(Place { line: before.matches('\n').count() + 1, column: before.get(line_start..)?.chars().count() + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(bytes: &[u8]) -> (Sources, Option<FileId>, Diagnostics) {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let file = sources.add(Path::new("vm.qvmconf"), bytes.to_vec(), &mut diagnostics);
        (sources, file, diagnostics)
    }

    #[test]
    fn a_byte_order_mark_is_kept_in_the_bytes_and_not_in_the_text() {
        let (sources, file, diagnostics) = add(b"\xef\xbb\xbfram 1M");
        let source = sources.get(file.unwrap()).unwrap();
        assert_eq!((source.text(), source.bytes().len()), ("ram 1M", 9));
        assert!(!diagnostics.has_errors());
    }

    #[test]
    fn places_count_characters_and_lines_of_both_kinds() {
        let (sources, file, _) = add("ä ö\r\nram\n\ncpu".as_bytes());
        let file = file.unwrap();
        let at = |start| sources.place(Span { file, start, end: start }).unwrap();
        assert_eq!(at(3), Place { line: 1, column: 3 });
        assert_eq!(at(7), Place { line: 2, column: 1 });
        assert_eq!(at(12), Place { line: 4, column: 1 });
    }

    #[test]
    fn what_is_not_utf8_is_shown_where_it_is() {
        let (sources, file, diagnostics) = add(b"ram 1M\ncmdline \xe4\n");
        assert_eq!(file, None);
        insta::assert_snapshot!(diagnostics.render(&sources, false), @"
        error[Q0002]: byte 0xe4 is not UTF-8 text
         --> vm.qvmconf:2:9
          |
        2 | cmdline �
          |         ^
          |
          = help: save the file as UTF-8; is this a qvm file at all?
        ");
    }

    #[test]
    fn utf16_is_recognised() {
        let (sources, file, diagnostics) = add(b"\xff\xfer\0a\0m\0");
        assert_eq!(file, None);
        insta::assert_snapshot!(diagnostics.render(&sources, false), @"
        error[Q0002]: byte 0xff is not UTF-8 text
         --> vm.qvmconf:1:1
          |
        1 | ��r␀a␀m␀
          | ^
          |
          = help: this looks like UTF-16: save the file as UTF-8
        ");
    }

    #[test]
    fn a_file_is_read_once_and_not_beyond_all_measure() {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let roundabout = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/../Cargo.toml");
        let first = sources.read(&own, None, &mut diagnostics);
        assert_eq!((first, sources.read(&roundabout, None, &mut diagnostics)), (Some(FileId(0)), Some(FileId(0))));
        assert_eq!(sources.read(Path::new("/dev/zero"), None, &mut diagnostics), None);
        insta::assert_snapshot!(diagnostics.render(&sources, false), @"error[Q0001]: cannot read `/dev/zero`: it is larger than 1 MiB; is it a qvm file at all?");
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has words of its own for what the system says")]
    fn a_missing_file_is_reported_without_a_place() {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        assert_eq!(sources.read(Path::new("no/such.qvmconf"), None, &mut diagnostics), None);
        insta::assert_snapshot!(diagnostics.render(&sources, false), @"error[Q0001]: cannot read `no/such.qvmconf`: No such file or directory (os error 2)");
    }
}
