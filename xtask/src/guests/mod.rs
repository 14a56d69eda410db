//! The project's own guests: what a qvm file loads from `.ostler/guests/NAME/` is made before it is assembled.

mod bare;
pub(crate) mod debian;
mod elf32;
mod memtest;

use std::fs::File;

use config::assemble::Architecture;
use config::{Request, assemble};

use crate::failure::{OnFile, Result};
use crate::host::toolchain::BARE_X86_64;
use crate::host::{files, paths};

/// The demo of boards with such CPUs: the qvm files that commands use when none is named.
pub(crate) const fn demo(architecture: Architecture) -> [&'static str; 2] {
    match architecture {
        Architecture::Aarch64 => ["guests/linux/linux.qvmconf", "guests/hello/hello.qvmconf"],
        Architecture::X86_64 => ["guests/linux/linux-x86_64.qvmconf", "guests/hello/hello-x86_64.qvmconf"],
    }
}

/// The packages of the bare-metal guests for `target`.
pub(crate) fn bare(target: &str) -> &'static [&'static str] {
    if target == BARE_X86_64 { &bare::NAMES_X86_64 } else { &bare::NAMES }
}

/// Makes what the texts of these requests load from `.ostler/guests/`.
pub(crate) fn ensure(requests: &[Request]) -> Result<()> {
    let texts: Vec<_> =
        requests.iter().map(|request| assemble::texts(request, &|name| std::env::var(name).ok())).collect();
    let wants = |name: &str| {
        let path = format!(".ostler/guests/{name}/");
        texts.iter().flat_map(|sources| sources.iter()).any(|it| it.text().contains(&path))
    };
    let ports: Vec<_> = [debian::ARM64, debian::AMD64].into_iter().filter(|port| wants(port.folder)).collect();
    let programs: Vec<_> = bare::all().filter(|program| wants(&program.folder())).collect();
    let wants_memtest = wants(memtest::FOLDER);
    if ports.is_empty() && programs.is_empty() && !wants_memtest {
        return Ok(());
    }
    // Two commands at once would fetch and write the same files. The lock goes with the process.
    files::make_folder(&paths::made())?;
    let path = paths::made().join("lock");
    let lock = File::create(&path).on("write", &path)?;
    lock.lock().on("lock", &path)?;
    ports.iter().try_for_each(|port| debian::ensure(port).map(drop))?;
    if wants_memtest {
        memtest::ensure()?;
    }
    programs.into_iter().try_for_each(bare::Program::ensure)
}
