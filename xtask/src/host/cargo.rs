//! Bare-metal programs by cargo, the same bytes wherever and whenever they are built.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::host::toolchain;
use crate::host::{paths, process};

/// A program for a bare board.
#[derive(Clone, Debug)]
pub(crate) struct Bare {
    /// Its package in this workspace.
    pub package: &'static str,
    /// The binary of that package.
    pub binary: &'static str,
    /// What it is compiled for.
    pub target: &'static str,
    /// Features of that package, with commas between them.
    pub features: String,
    /// Leave the debug information out, for what ends up in an image.
    pub strip: bool,
    /// Variables for its build script; without a value they are removed.
    pub env: Vec<(&'static str, Option<String>)>,
    /// Which worker builds it, if several do side by side. Cargo locks its target folder, so each but the first has one of its own; the
    /// bytes are the same.
    pub worker: Option<usize>,
}

impl Bare {
    /// Builds it in release mode and returns the ELF file. Nothing is done if nothing changed.
    pub(crate) fn build(&self) -> Result<PathBuf> {
        toolchain::ensure_target(self.target)?;
        let mut command = cargo();
        command.args(["build", "--release", "--package", self.package, "--bin", self.binary, "--target", self.target]);
        let folder = self.worker.map_or_else(paths::target, target_folder);
        command.args([
            "--message-format",
            "json-render-diagnostics",
            "--config",
            &remapped_paths(self.target, folder.clone()),
        ]);
        command.args(["--features", &self.features]);
        if self.worker.is_some() {
            // Warnings and errors are said all the same. Of several lines of progress none could be read.
            command.arg("--quiet").env("CARGO_TARGET_DIR", folder);
        }
        if self.strip {
            command.args(["--config", "profile.release.strip=\"debuginfo\""]);
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.executable(command)
    }

    /// Runs cargo, whose progress goes to the terminal, and reads from its messages where the program is.
    fn executable(&self, mut command: Command) -> Result<PathBuf> {
        let mut executable = None;
        let good = process::messages(&mut command, |line| {
            let Ok(message) = serde_json::from_str::<Value>(line) else { return };
            let ours = message.pointer("/target/name").is_some_and(|name| name == self.binary);
            if let Some(path) = message.get("executable").and_then(Value::as_str).filter(|_| ours) {
                executable = Some(PathBuf::from(path));
            }
        })?;
        match executable {
            Some(path) if good => Ok(path),
            // Cargo has said why.
            _ => Err(Failure::new(format!("`{}` could not be built", self.package))),
        }
    }
}

/// The target folder of a worker.
fn target_folder(worker: usize) -> PathBuf {
    match worker {
        0 => paths::target(),
        _ => paths::target().join(format!("beside-{worker}")),
    }
}

/// The cargo that runs us, in the project's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::root());
    // Cargo sets these for a program that it runs; a package of ours that reads them would be built again and again.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// A configuration that keeps this machine's folders out of the program: they stand in panic messages and debug
/// information. Given by `--config`, because `RUSTFLAGS` would switch off what a user's configuration says.
fn remapped_paths(program_target: &str, target_folder: PathBuf) -> String {
    let mut flags = Vec::new();
    let mut remap = |from: PathBuf, to: &str| flags.push(format!("\"--remap-path-prefix={}={to}\"", from.display()));
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    if let Some(cargo_home) = std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home) {
        let registries = std::fs::read_dir(cargo_home.join("registry/src")).into_iter().flatten().flatten();
        let registries = registries.map(|registry| registry.path()).collect::<BTreeSet<_>>();
        remap(cargo_home, "/cargo");
        registries.into_iter().for_each(|registry| remap(registry, "/cargo"));
    }
    remap(paths::root(), "/ostler");
    // Of several that match, the last one holds.
    remap(target_folder, "/ostler/target");
    format!("target.{program_target}.rustflags=[{}]", flags.join(","))
}
