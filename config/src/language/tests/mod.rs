//! Tests of the whole way from text to spec.

mod diagnostics;
mod document;
mod pulled_in;
mod rules;
mod soup;

pub(super) use soup::{MOST, option, token};

use std::collections::BTreeMap;
use std::path::Path;

use super::Host;
use crate::assemble::{Architecture, Region};
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::spec::VmSpec;

/// What came of one text.
struct Outcome {
    spec: Option<VmSpec>,
    sources: Sources,
    diagnostics: Diagnostics,
    used_env: BTreeMap<String, Option<String>>,
}

/// Reads `bytes` as the file `path`, with the variable `SIZE` set to `64M`, on a board with
/// the memory region `guestmem1` and the console `/dev/ser1`.
fn read(path: &str, bytes: &[u8]) -> Outcome {
    read_for(Architecture::Aarch64, path, bytes)
}

/// The same on a board of this architecture.
fn read_for(architecture: Architecture, path: &str, bytes: &[u8]) -> Outcome {
    let (mut sources, mut diagnostics, mut used_env) = (Sources::new(), Diagnostics::new(), BTreeMap::new());
    let env = |name: &str| (name == "SIZE").then(|| "64M".to_owned());
    let regions = BTreeMap::from([("guestmem1".into(), Region { start: 0x6000_0000, length_bytes: 0x1000_0000 })]);
    let host = Host { env: &env, architecture, regions: Some(&regions), consoles: &["/dev/ser1".into()] };
    let file = sources.add(Path::new(path), bytes.to_vec(), &mut diagnostics);
    let spec = file.and_then(|file| super::parse_source(&mut sources, file, &host, &mut diagnostics, &mut used_env));
    Outcome { spec, sources, diagnostics, used_env }
}

/// The spec of a text without errors.
fn good(text: &str) -> VmSpec {
    let outcome = read("guests/linux.qvmconf", text.as_bytes());
    let rendered = outcome.diagnostics.render(&outcome.sources, false);
    outcome.spec.unwrap_or_else(|| panic!("{rendered}"))
}

/// The codes of what a text gets told.
fn codes(text: &str) -> Vec<&'static str> {
    read("vm.qvmconf", text.as_bytes()).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}
