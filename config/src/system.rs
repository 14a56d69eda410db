//! `system.toml`: a whole board on one small page: which VMs on which variant of it, and what host names in qvm files mean.
//!
//! It is resolved to a [`Request`] before anything is assembled; docs/system.md explains it to users. TOML's own mistakes are said one at
//! a time, because nothing behind one can be trusted; all others at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{GicVersion, OnFailure, PAGE_BYTES};
use serde::Deserialize;
use toml::Spanned;

use crate::assemble::{Region, parse_size};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{FileId, Span};
use crate::{Request, VmSource, codes, language};

/// What a `system.toml` says; relative paths are resolved against its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `[board] name`.
    pub board: Option<String>,
    /// `[board] cpus`.
    pub cpus: Option<u32>,
    /// `[board] memory`.
    pub memory_bytes: Option<u64>,
    /// `[board] gic`.
    pub gic: Option<GicVersion>,
    /// `[board] on-failure`.
    pub on_failure: Option<OnFailure>,
    /// `[[vm]]`.
    pub vms: Vec<VmSource>,
    /// `[regions.NAME]`.
    pub regions: BTreeMap<String, Region>,
    /// `consoles`.
    pub consoles: Vec<String>,
}

impl System {
    /// Reads the file at `path`. What is wrong with it is added to `diagnostics`; `None` if it is no such file at all.
    pub fn read(path: &Path, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<System> {
        let file = sources.read(path, None, diagnostics)?;
        let text = sources.get(file)?.text();
        let page: Page = match toml::from_str(text) {
            Ok(page) => page,
            Err(error) => {
                diagnostics.push(mistake(file, &error));
                return None;
            }
        };
        let mut own = Diagnostics::new();
        let mut reader = Reader { file, folder: path.parent().unwrap_or(Path::new("")), diagnostics: &mut own };
        let system = reader.system(page);
        diagnostics.append_in_order(own);
        Some(system)
    }

    /// This system as a request for the project at `root`, on `board` if the file names none.
    pub fn request(self, root: PathBuf, board: &str) -> Request {
        Request {
            root,
            board: self.board.unwrap_or_else(|| board.to_owned()),
            cpus: self.cpus,
            memory_bytes: self.memory_bytes,
            gic: self.gic,
            on_failure: self.on_failure,
            regions: self.regions,
            consoles: self.consoles,
            vms: self.vms,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    board: BoardPart,
    #[serde(default)]
    vm: Vec<VmPart>,
    #[serde(default)]
    regions: BTreeMap<Spanned<String>, RegionPart>,
    #[serde(default)]
    disks: BTreeMap<Spanned<String>, DiskPart>,
    #[serde(default)]
    uplinks: BTreeMap<Spanned<String>, UplinkPart>,
    #[serde(default)]
    consoles: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BoardPart {
    name: Option<String>,
    gic: Option<Spanned<u32>>,
    cpus: Option<Spanned<u32>>,
    memory: Option<Spanned<String>>,
    on_failure: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VmPart {
    file: Spanned<PathBuf>,
    name: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionPart {
    start: Spanned<u64>,
    length: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiskPart {
    file: Spanned<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UplinkPart {}

struct Reader<'a> {
    file: FileId,
    folder: &'a Path,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn system(&mut self, page: Page) -> System {
        let board = page.board;
        let known_gic = |number: &u32| GicVersion::from_number(*number);
        let some_cpus = |cpus: &u32| Some(*cpus).filter(|&cpus| cpus > 0);
        let a_size = |text: &String| parse_size(text).filter(|&bytes| bytes > 0);
        let an_action = |word: &String| OnFailure::from_word(word);
        let system = System {
            board: board.name,
            gic: self.value(board.gic, known_gic, "a GIC's version is 2 or 3"),
            cpus: self.value(board.cpus, some_cpus, "a board has at least one CPU"),
            memory_bytes: self.value(board.memory, a_size, "a size is a number with K, M or G, as \"512M\""),
            on_failure: self.value(board.on_failure, an_action, "after a failure a board does \"reset\" or \"halt\""),
            regions: page.regions.into_iter().filter_map(|(name, region)| self.region(name, region)).collect(),
            consoles: self.consoles(page.consoles),
            vms: self.vms(page.vm),
        };
        for (name, disk) in &page.disks {
            self.name(name);
            self.existing(&disk.file);
        }
        page.uplinks.keys().for_each(|name| self.name(name));
        self.unused("disks", page.disks.keys());
        self.unused("uplinks", page.uplinks.keys());
        system
    }

    /// What a value means; one that means nothing is reported.
    fn value<T, V>(&mut self, value: Option<Spanned<T>>, meaning: impl Fn(&T) -> Option<V>, rule: &str) -> Option<V> {
        let value = value?;
        let meant = meaning(value.get_ref());
        if meant.is_none() {
            self.refuse(value.span(), rule, None);
        }
        meant
    }

    fn vms(&mut self, parts: Vec<VmPart>) -> Vec<VmSource> {
        if parts.is_empty() {
            let here = Span { file: self.file, start: 0, end: 0 };
            let error = Diagnostic::error(codes::SYSTEM_VALUE, "there is no VM in this file").at(here);
            self.diagnostics
                .push(error.hint("name the qvm file of each: `[[vm]]` and below it `file = \"linux.qvmconf\"`"));
        }
        parts.into_iter().filter_map(|part| self.vm(part)).collect()
    }

    fn vm(&mut self, part: VmPart) -> Option<VmSource> {
        let path = self.existing(&part.file)?;
        let Some(name) = part.name else { return Some(VmSource::File(path)) };
        if let Some(problem) = language::name_problem(name.get_ref()) {
            self.refuse(name.span(), &format!("the name `{}` {problem}", name.get_ref()), None);
            return None;
        }
        // The same as on qvm's command line: its first option, and then the file. The path stays as it is written, so that two
        // clones of a project agree.
        let Some(path) = part.file.get_ref().to_str() else {
            self.refuse(part.file.span(), "the path is not plain text", None);
            return None;
        };
        let text = format!("system {} {}", quoted(name.get_ref()), quoted(&format!("@{path}")));
        Some(VmSource::Words { text, folder: self.folder.to_owned() })
    }

    fn region(&mut self, name: Spanned<String>, part: RegionPart) -> Option<(String, Region)> {
        self.name(&name);
        let whole = |bytes: u64| bytes.is_multiple_of(PAGE_BYTES);
        if !whole(*part.start.get_ref()) {
            self.refuse(part.start.span(), "a region starts at a multiple of 4 KiB", None);
        }
        let length = |text: &String| parse_size(text).filter(|&bytes| bytes > 0 && whole(bytes));
        let length_span = part.length.span();
        let length_bytes = self.value(Some(part.length), length, "a length is a number of whole 4 KiB, as \"16M\"")?;
        let start = *part.start.get_ref();
        if start.checked_add(length_bytes).is_none() {
            self.refuse(length_span, "the region ends beyond the last address", None);
        }
        Some((name.into_inner(), Region { start, length_bytes }))
    }

    fn consoles(&mut self, names: Vec<Spanned<String>>) -> Vec<String> {
        for name in &names {
            let text = name.get_ref();
            let stray = text.is_empty()
                || text.starts_with(['<', '>'])
                || text.contains(|c: char| c.is_whitespace() || c.is_control());
            if stray {
                let rule = "a console is named as behind `hostdev`, without `<` and `>`: \"/dev/ser1\"";
                self.refuse(name.span(), rule, None);
            }
        }
        names.into_iter().map(Spanned::into_inner).collect()
    }

    /// Names that qvm files refer to.
    fn name(&mut self, name: &Spanned<String>) {
        let text = name.get_ref();
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || !text.chars().all(good) {
            self.refuse(
                name.span(),
                &format!("`{text}` cannot be a name"),
                Some("names are made of letters, digits, `_` and `-`"),
            );
        }
    }

    /// The path, if a file is there.
    fn existing(&mut self, path: &Spanned<PathBuf>) -> Option<PathBuf> {
        let whole = self.folder.join(path.get_ref());
        if whole.is_file() {
            return Some(whole);
        }
        let message = format!("there is no file `{}`", whole.display());
        self.refuse(path.span(), &message, Some("paths are relative to the folder of this file"));
        None
    }

    /// Says once that nothing uses parts of this kind.
    fn unused<'n>(&mut self, what: &str, mut names: impl Iterator<Item = &'n Spanned<String>>) {
        let Some(first) = names.next() else { return };
        let note = Diagnostic::note(codes::SYSTEM_UNUSED, format!("no vdev uses {what} yet"));
        self.diagnostics
            .push(note.at(span(self.file, first.span())).hint("they are checked, and otherwise without effect"));
    }

    fn refuse(&mut self, range: std::ops::Range<usize>, message: &str, hint: Option<&str>) {
        let error = Diagnostic::error(codes::SYSTEM_VALUE, message).at(span(self.file, range));
        self.diagnostics.push(hint.into_iter().fold(error, Diagnostic::hint));
    }
}

/// What TOML's reader says, in our words where its own are Rust's.
fn mistake(file: FileId, error: &toml::de::Error) -> Diagnostic {
    let message =
        error.message().replace("expected u32", "expected a number").replace("expected u64", "expected a number");
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    let at = error.span().map_or(Span { file, start: 0, end: 0 }, |range| span(file, range));
    // "unknown field `gick`, expected one of `name`, `gic`": what is between accents is names, the unknown one first.
    let mut names = first.split('`').skip(1).step_by(2);
    let nearest = match first.starts_with("unknown field") {
        true => names.next().and_then(|unknown| language::nearest(unknown, names)),
        false => None,
    };
    let rest: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    let hint = match (nearest, rest.is_empty()) {
        (Some(nearest), _) => Some(format!("did you mean `{nearest}`?")),
        (None, false) => Some(rest.join("; ")),
        (None, true) => None,
    };
    hint.into_iter().fold(Diagnostic::error(codes::SYSTEM_FILE, first).at(at), Diagnostic::hint)
}

fn span(file: FileId, range: std::ops::Range<usize>) -> Span {
    Span { file, start: range.start, end: range.end }
}

/// One word of a qvm file, whatever is in it.
fn quoted(text: &str) -> String {
    let escaped = text.chars().flat_map(|c| matches!(c, '"' | '\\' | '$').then_some('\\').into_iter().chain([c]));
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests;
