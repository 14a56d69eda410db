//! The project's own guests: what a qvm file loads from `.ostler/guests/NAME/` is made before it is assembled.

mod bare;
pub(crate) mod debian;

use std::fs::{self, File};
use std::path::PathBuf;

use crate::failure::{OnFile, Result};
use crate::host::{files, paths};

/// The demo: the qvm files that commands use when none is named.
const DEMO: [&str; 2] = ["guests/linux/linux.qvmconf", "guests/hello/hello.qvmconf"];

/// The packages of the bare-metal guests.
pub(crate) fn bare() -> &'static [&'static str] {
    &bare::NAMES
}

/// `named`, or the demo if nothing was named; absolute, because builds run elsewhere.
pub(crate) fn files_or_demo(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if named.is_empty() {
        return Ok(DEMO.map(|file| paths::root().join(file)).to_vec());
    }
    named.iter().map(|file| std::path::absolute(file).on("find", file)).collect()
}

/// Makes what these qvm files load from `.ostler/guests/`.
pub(crate) fn ensure(qvm_files: &[PathBuf]) -> Result<()> {
    // A file that can't be read is the assembler's to report.
    let texts: Vec<String> = qvm_files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let wants = |name: &str| texts.iter().any(|text| text.contains(&format!(".ostler/guests/{name}/")));
    if !wants("linux") && !bare::NAMES.into_iter().any(wants) {
        return Ok(());
    }
    // Two commands at once would fetch and write the same files. The lock goes with the process.
    files::make_folder(&paths::made())?;
    let path = paths::made().join("lock");
    let lock = File::create(&path).on("write", &path)?;
    lock.lock().on("lock", &path)?;
    if wants("linux") {
        debian::ensure()?;
    }
    bare::NAMES.into_iter().filter(|name| wants(name)).try_for_each(bare::ensure)
}
