//! Debian's packages for other architectures, by an apt whose whole state is private.
//!
//! The user's system is read for its apt sources and keys and never changed: package lists, caches and downloads live
//! under `.ostler/`. No version is pinned: `linux-image-arm64` depends on the package with the real kernel.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, OnFile, Result};
use crate::host::interrupt::PartialFile;
use crate::host::progress::Progress;
use crate::host::{files, paths, process, stamp};

use super::Port;

/// A file of apt sources to use instead of the system's: for distributions other than Debian.
const SOURCES: &str = "OSTLER_APT_SOURCES";

/// The downloaded packages of a port.
#[derive(Debug)]
pub(super) struct Packages {
    /// Debian's kernel.
    pub kernel: PathBuf,
    /// The statically linked busyboxes, in the port's order.
    pub busyboxes: Vec<PathBuf>,
}

/// Downloads what is not there yet.
pub(super) fn ensure(port: &Port) -> Result<Packages> {
    let folder = paths::downloads();
    if let Some(packages) = stamped(port, &folder) {
        return Ok(packages);
    }
    if process::find("apt-get").is_none() || process::find("dpkg-deb").is_none() {
        return Err(Failure::new("the Debian guest is made from Debian's packages, and there is no apt here").hint(
            "use a Debian machine or container, or copy `.ostler/guests/linux/` and `.ostler/downloads/` from one",
        ));
    }
    let configuration = configure(port)?;
    let progress = Progress::new(listing(port));
    let updated = update(&configuration, &progress);
    let wanted = match (wanted(port, &configuration), updated) {
        (Ok(wanted), Ok(())) => {
            progress.done("");
            wanted
        }
        // A list is missing (a mirror in the middle of its update, another vendor's archive), but not one that counts.
        (Ok(wanted), Err(_)) => {
            progress.done("not all, but enough");
            wanted
        }
        (Err(_), Err(failure)) | (Err(failure), Ok(())) => return Err(failure),
    };
    download(&configuration, &wanted)?;
    let names: Vec<&str> = wanted.iter().map(|package| package.file.as_str()).collect();
    stamp::put(&folder, port.stamp, "debian", &names)?;
    stamped(port, &folder)
        .ok_or_else(|| Failure::new("the downloads changed while they were looked at").hint("try again"))
}

/// Says which lists are fetched.
fn listing(port: &Port) -> String {
    format!("fetching Debian's package lists ({})", port.architectures.join(", "))
}

/// Downloads one more package for the port's CPU, unless it is there; returns its file.
pub(super) fn ensure_one(port: &Port, name: &str) -> Result<PathBuf> {
    let (folder, stamp) = (paths::downloads(), format!("{name}.stamp"));
    let there = || stamp::check(&folder, &stamp, None)?.first().map(|file| folder.join(&file.name));
    if let Some(file) = there() {
        return Ok(file);
    }
    if process::find("apt-get").is_none() || process::find("dpkg-deb").is_none() {
        return Err(Failure::new(format!("{name} is a package of Debian's, and there is no apt here")));
    }
    let configuration = configure(port)?;
    let progress = Progress::new(listing(port));
    let updated = update(&configuration, &progress);
    // As for the guest: lists that are not all there may be enough.
    let package = one(&configuration, &format!("{name}:{}", port.architectures[0]))
        .or_else(|failure| updated.and(Err(failure)))?;
    progress.done("");
    download(&configuration, std::slice::from_ref(&package))?;
    stamp::put(&folder, &stamp, "debian", &[&package.file])?;
    Ok(folder.join(package.file))
}

/// The packages by their stamp, in the order of [`wanted`].
fn stamped(port: &Port, folder: &Path) -> Option<Packages> {
    let mut files = stamp::check(folder, port.stamp, None)?.into_iter().map(|file| folder.join(&file.name));
    let (kernel, busyboxes) = (files.next()?, files.collect::<Vec<_>>());
    (busyboxes.len() == port.busyboxes.len()).then_some(Packages { kernel, busyboxes })
}

/// Writes apt's configuration and makes its folders.
fn configure(port: &Port) -> Result<PathBuf> {
    // The lists of other CPUs than a run's own are thrown away: each port has its folder, the first one the oldest.
    let apt = if port.folder == super::ARM64.folder { paths::apt() } else { paths::apt().join(port.folder) };
    for folder in ["lists/partial", "cache/archives/partial"] {
        files::make_folder(&apt.join(folder))?;
    }
    files::write(&apt.join("status"), b"")?;
    let sources = match std::env::var_os(SOURCES) {
        Some(file) => {
            let file = std::path::absolute(&file).on("find", Path::new(&file))?;
            format!("Dir::Etc::SourceList \"{}\";\nDir::Etc::SourceParts \"/dev/null\";\n", file.display())
        }
        None => String::new(),
    };
    let apt_shown = apt.display();
    let all = port.architectures.iter().map(|name| format!("\"{name}\";")).collect::<Vec<_>>().join(" ");
    let text = format!(
        r#"// Written by xtask: an apt that leaves the system's state alone.
APT::Architecture "{}";
#clear APT::Architectures;
APT::Architectures {{ {all} }};
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
// The private folders need not be open to the user _apt.
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Status-Fd "1";
Acquire::Languages "none";
// Other programs of the system want these with every list; nobody needs them here.
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Dir::State "{apt_shown}";
Dir::State::Lists "{apt_shown}/lists";
Dir::State::Status "{apt_shown}/status";
Dir::Cache "{apt_shown}/cache";
{sources}"#,
        port.architectures[0]
    );
    let path = apt.join("apt.conf");
    files::write(&path, text.as_bytes())?;
    Ok(path)
}

fn apt(program: &str, configuration: &Path) -> Command {
    let mut command = Command::new(program);
    // The system's configuration (proxies) is read first, ours wins.
    command.env("LC_ALL", "C").arg("-qq").arg("-c").arg(configuration);
    command
}

/// Shows apt's own account of its progress: `dlstatus:FILE:PER CENT:WORDS`.
fn show(line: &str, progress: &Progress) {
    let percent = line.strip_prefix("dlstatus:").and_then(|rest| rest.split(':').nth(1));
    if let Some(percent) = percent.and_then(|text| text.split('.').next()).and_then(|whole| whole.parse().ok()) {
        progress.percent(percent);
    }
}

/// Fetches the package lists. A list can be bad for a moment while the archive changes: one more try.
fn update(configuration: &Path, progress: &Progress) -> Result<()> {
    let once = || process::lines(apt("apt-get", configuration).arg("update"), |line| show(line, progress));
    once().or_else(|_| once()).map_err(|failure| {
        failure.hint(format!(
            "apt needs the network and this machine's Debian sources; {SOURCES}=FILE names other sources (a .list or .sources file)"
        ))
    })
}

/// A package as the lists describe it.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    file: String,
    sha256: String,
}

/// The packages to fetch: the kernel and the busyboxes.
fn wanted(port: &Port, configuration: &Path) -> Result<Vec<Package>> {
    let depends = process::output(apt("apt-cache", configuration).args(["depends", port.kernel]));
    let depends = depends.map_err(|_| no_debian(port.kernel))?;
    let kernel = depends
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: ").filter(|name| name.starts_with("linux-image-")));
    let kernel = kernel.ok_or_else(|| no_debian(port.kernel))?;
    [kernel]
        .into_iter()
        .chain(port.busyboxes.iter().map(|(name, _)| *name))
        .map(|name| one(configuration, name))
        .collect()
}

/// A package as the lists describe it.
fn one(configuration: &Path, name: &str) -> Result<Package> {
    let said = process::output(apt("apt-get", configuration).args(["--print-uris", "download", name]))?;
    said.lines().find_map(parse_uri).ok_or_else(|| no_debian(name))
}

fn no_debian(what: &str) -> Failure {
    Failure::new(format!("apt's sources have no {what}")).hint(format!(
        "it is in Debian; on another distribution {SOURCES}=FILE names Debian's sources (a .list or .sources file)"
    ))
}

/// A line of `apt-get --print-uris`: `'URI' FILE SIZE SHA256:HASH`.
fn parse_uri(line: &str) -> Option<Package> {
    let (_, rest) = line.strip_prefix('\'')?.split_once("' ")?;
    let mut words = rest.split(' ');
    let file = words.next()?.to_string();
    let sha256 = words.nth(1)?.strip_prefix("SHA256:")?.to_string();
    Some(Package { file, sha256 })
}

/// Downloads packages. A file gets its name only once its hash is that of the signed package list.
fn download(configuration: &Path, packages: &[Package]) -> Result<()> {
    let folder = paths::downloads();
    let partial = PartialFile::new(folder.join("partial"));
    files::make_folder(partial.path())?;
    for package in packages {
        let path = folder.join(&package.file);
        if path.is_file() && files::sha256_of(&path)? == package.sha256 {
            continue;
        }
        let (name, version_architecture) = package.file.split_once('_').unwrap_or((&package.file, ""));
        let architecture = version_architecture.trim_end_matches(".deb").rsplit('_').next().unwrap_or_default();
        let progress = Progress::new(format!("fetching {name} ({architecture})"));
        let mut command = apt("apt-get", configuration);
        command.current_dir(partial.path()).args(["download", &format!("{name}:{architecture}")]);
        process::lines(&mut command, |line| show(line, &progress))
            .map_err(|failure| failure.hint("the download needs the network and free disk space"))?;
        let fetched = partial.path().join(&package.file);
        if files::sha256_of(&fetched)? != package.sha256 {
            return Err(Failure::new(format!("{} is not what the package list says", package.file)).hint("try again"));
        }
        std::fs::rename(&fetched, &path).on("write", &path)?;
        progress.done("");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read() {
        let line = "'some://where/busybox_1%3a1.deb' busybox-static_1%3a1.35_arm64.deb 822236 SHA256:73ab";
        let package = Package { file: "busybox-static_1%3a1.35_arm64.deb".into(), sha256: "73ab".into() };
        assert_eq!(parse_uri(line), Some(package));
        assert_eq!(parse_uri("N: a notice"), None);
    }
}
