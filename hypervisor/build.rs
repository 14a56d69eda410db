//! Compiles the configuration in: assembles what `xtask` asked for into `OUT_DIR/system.rs`.
//!
//! The request comes in environment variables (`config::Request::from_env`). Without one, as in lints and host
//! tests, the system is empty. The output depends on nothing else: no time, no absolute path.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use config::{Request, assemble};

fn main() -> ExitCode {
    match emit() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn emit() -> Result<(), String> {
    let root = variable("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = root.as_deref().and_then(Path::parent).ok_or("build.rs is run by cargo")?;
    let version = variable("CARGO_PKG_VERSION").ok_or("build.rs is run by cargo")?;
    for name in Request::VARIABLES {
        println!("cargo:rerun-if-env-changed={name}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    if variable("CARGO_CFG_TARGET_OS").as_deref() == Some("none") {
        let script = root.join("linker").join(variable("CARGO_CFG_TARGET_ARCH").unwrap_or_default() + ".ld");
        println!("cargo:rerun-if-changed={}", script.display());
        println!("cargo:rustc-link-arg-bins=-T{}", script.display());
    }
    let git = git_commit(root);

    let source = match Request::from_env(root, &variable)? {
        None => assemble::empty_rust_source(&version, &git),
        Some(request) => {
            let (assembly, diagnostics, sources) = assemble::assemble(&request, &variable);
            // Cargo runs a script that failed again without being told what it read.
            let assembly = assembly.ok_or_else(|| diagnostics.render(&sources, false))?;
            for file in &assembly.inputs {
                println!("cargo:rerun-if-changed={}", file.display());
            }
            for name in &assembly.env {
                println!("cargo:rerun-if-env-changed={name}");
            }
            assembly.rust_source(&version, &git)
        }
    };
    let out = variable("OUT_DIR").map(PathBuf::from).ok_or("build.rs is run by cargo")?.join("system.rs");
    std::fs::write(&out, source).map_err(|error| format!("{}: {error}", out.display()))
}

/// The commit that is checked out, `-dirty` appended if tracked files differ from it; `unknown` without git.
fn git_commit(root: &Path) -> String {
    // Without the optional locks `git status` does not write the index, whose time is watched below.
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").arg("-C").arg(root).args(arguments).env("GIT_OPTIONAL_LOCKS", "0").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // Cargo cannot see a commit; these files change with one. They are named only if they exist: a missing one would
    // rerun this script every time.
    for file in ["HEAD", "index"] {
        let path = git(&["rev-parse", "--git-path", file]).map(|path| root.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".into() };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit}-dirty"),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
