//! Takes single files out of Debian packages, without unpacking the rest.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Failure, OnFile, Result};
use crate::host::process;

/// What the guest needs of a kernel package.
#[derive(Debug)]
pub(super) struct Kernel {
    /// `boot/vmlinuz-VERSION`: on arm64 an uncompressed `Image`.
    pub image: Vec<u8>,
    /// The modules that were asked for, in that order.
    pub modules: Vec<Vec<u8>>,
}

/// Takes the kernel and the modules (paths below `lib/modules/VERSION/`) out of a kernel package.
pub(super) fn kernel(package: &Path, modules: &[String]) -> Result<Kernel> {
    let mut wanted = vec![Wanted::new("the kernel", |path| path.starts_with("boot/vmlinuz-"))];
    for module in modules {
        wanted.push(Wanted::new(module, move |path| {
            path.strip_prefix("lib/modules/")
                .and_then(|rest| rest.split_once('/'))
                .is_some_and(|(_, rest)| rest == module)
        }));
    }
    let mut found = take(package, wanted)?.into_iter();
    let image = found.next().unwrap_or_default();
    Ok(Kernel { image, modules: found.collect() })
}

/// Takes one file, by its path without a leading slash, out of a package.
pub(super) fn file(package: &Path, path: &str) -> Result<Vec<u8>> {
    Ok(take(package, vec![Wanted::new(path, move |found| found == path)])?.remove(0))
}

/// A file to look for.
struct Wanted<'a> {
    what: &'a str,
    is_it: Box<dyn Fn(&str) -> bool + 'a>,
    content: Option<Vec<u8>>,
}

impl<'a> Wanted<'a> {
    fn new(what: &'a str, is_it: impl Fn(&str) -> bool + 'a) -> Wanted<'a> {
        Wanted { what, is_it: Box::new(is_it), content: None }
    }
}

/// Reads the package's archive until every wanted file is found; returns their contents in the order of `wanted`.
fn take(package: &Path, mut wanted: Vec<Wanted>) -> Result<Vec<Vec<u8>>> {
    let mut command = Command::new("dpkg-deb");
    command.arg("--fsys-tarfile").arg(package).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let (mut child, _guard) = process::spawn(&mut command)?;
    let stream = child.stdout.take().ok_or_else(|| Failure::new("dpkg-deb has no output"))?;
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries().on("unpack", package)? {
        let mut entry = entry.on("unpack", package)?;
        let path = entry.path().on("unpack", package)?.to_string_lossy().trim_start_matches("./").to_string();
        let open = wanted.iter_mut().find(|wanted| wanted.content.is_none() && (wanted.is_it)(&path));
        if let Some(wanted) = open {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).on("unpack", package)?;
            wanted.content = Some(content);
        }
        if wanted.iter().all(|wanted| wanted.content.is_some()) {
            break;
        }
    }
    // Most of a kernel package is modules that nobody asked for: don't unpack to the end.
    let _ = child.kill();
    let _ = child.wait();
    wanted
        .into_iter()
        .map(|wanted| {
            wanted.content.ok_or_else(|| Failure::new(format!("no {} in {}", wanted.what, package.display())))
        })
        .collect()
}
