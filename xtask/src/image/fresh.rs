//! Is an image still what it would be if it was built again? Then it is not.
//!
//! Cargo remembers one configuration of the hypervisor in a target folder, and the tests have a hundred. So each image has a stamp: the key
//! stands for what goes into it from here, and the files are those that were made and those that cargo has read for them. Among these are
//! git's HEAD and index, because the commit is in the image.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use config::assemble::Assembly;

use super::Image;
use crate::failure::{Failure, OnFile, Result};
use crate::host::{files, paths, stamp, toolchain};

const STAMP: &str = "ostler.img.stamp";

/// How an image is made here. All that does it beside these files is of `config`, which cargo reads too.
const RECIPE: [&str; 2] = [include_str!("mod.rs"), include_str!("../host/cargo.rs")];

/// Files at the project's root that cargo and rustup read and do not list.
const SETTINGS: [&str; 4] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml"];

/// What an image is to be made from.
#[derive(Debug)]
pub(super) struct Fresh {
    key: String,
    /// When the inputs were read, at the latest.
    begun: SystemTime,
}

impl Fresh {
    /// What an image of `assembly` with these features of the hypervisor is made from, as of now.
    pub(super) fn of(assembly: &Assembly, features: &[&str]) -> Result<Fresh> {
        let begun = SystemTime::now();
        let compiler = toolchain::compiler()?;
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        let mut key = RECIPE.concat();
        // Version and commit come from files that cargo lists or that are among the settings.
        for part in [compiler, &flags, &features.join(","), &assembly.rust_source("", "")] {
            key += part;
            key.push('\0');
        }
        key += &files::sha256(&assembly.image_section());
        Ok(Fresh { key: files::sha256(key.as_bytes()), begun })
    }

    /// Whether the image in `folder` is made from this.
    pub(super) fn holds(&self, folder: &Path) -> bool {
        stamp::check(folder, STAMP, Some(&self.key)).is_some()
    }

    /// `image` was made from this, in `folder`, with these other files.
    pub(super) fn stamp(&self, folder: &Path, image: &Image, others: &[String]) -> Result<()> {
        let list = image.built.with_extension("d");
        let read = fs::read_to_string(&list).on("read", &list)?;
        let inputs = inputs(&read, &paths::root(), &paths::target());
        // A file that has changed meanwhile may have been read before or after. File systems' clocks are a little late.
        let limit = self.begun - Duration::from_secs(1);
        for input in &inputs {
            if fs::metadata(input).and_then(|data| data.modified()).on("look at", input)? > limit {
                return Ok(());
            }
        }
        let made = ["ostler.img", "ostler.elf"].into_iter().chain(others.iter().map(String::as_str));
        let inputs = inputs.iter().map(|input| input.to_str().ok_or_else(|| Failure::new("a path is not of UTF-8")));
        let all: Vec<&str> = made.map(Ok).chain(inputs).collect::<Result<_>>()?;
        stamp::put(folder, STAMP, &self.key, &all)
    }
}

/// The files that a program was made from, by cargo's list of them (a rule of `make`), with the manifests of their packages and the settings
/// of `root`. What cargo made itself, in `target`, is none.
fn inputs(list: &str, root: &Path, target: &Path) -> BTreeSet<PathBuf> {
    // In a name a blank has a backslash before it.
    let names = list.lines().next().and_then(|rule| rule.split_once(": ")).map_or("", |(_, names)| names);
    let names = names.replace("\\ ", "\0");
    let files = names.split(' ').filter(|name| !name.is_empty()).map(|name| root.join(name.replace('\0', " ")));
    let mut inputs: BTreeSet<PathBuf> = files.filter(|file| !file.starts_with(target)).collect();
    let folders: BTreeSet<&Path> =
        inputs.iter().flat_map(|file| file.ancestors()).filter(|it| it.starts_with(root)).collect();
    let manifests: Vec<PathBuf> = folders.iter().map(|folder| folder.join("Cargo.toml")).collect();
    let settings = SETTINGS.map(|name| root.join(name));
    inputs.extend(manifests.into_iter().chain(settings).filter(|file| file.is_file()));
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_are_what_cargo_lists_with_manifests_and_settings() {
        let root = std::env::temp_dir().join(format!("xtask-fresh-{}", std::process::id()));
        let root = root.join("a b");
        for file in ["room/Cargo.toml", "room/src/lib.rs", "other/Cargo.toml", "Cargo.lock", "target/out/system.rs"] {
            files::write(&root.join(file), b"").unwrap();
        }
        let shown = root.display().to_string().replace(' ', "\\ ");
        let list = format!("{shown}/target/ostler: {shown}/room/src/lib.rs {shown}/target/out/system.rs /else/HEAD\n");
        let found = inputs(&list, &root, &root.join("target"));
        let expected = ["Cargo.lock", "room/Cargo.toml", "room/src/lib.rs"].map(|file| root.join(file));
        assert_eq!(found, expected.into_iter().chain([PathBuf::from("/else/HEAD")]).collect());
        files::remove(root.parent().unwrap()).unwrap();
    }
}
