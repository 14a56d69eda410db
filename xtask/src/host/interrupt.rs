//! Ctrl-C (and SIGTERM, SIGHUP): children end, partial files go, then xtask ends with status 130.
//!
//! The signal is handled on a thread of the `ctrlc` crate. Whoever starts a child or writes a partial file registers
//! it for as long as it lives; the handler works through what is registered.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::failure::status;

/// What has to go when the user interrupts.
struct Registered {
    children: Vec<u32>,
    files: Vec<PathBuf>,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered { children: Vec::new(), files: Vec::new() });
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn registered() -> MutexGuard<'static, Registered> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the handler; once, at the start.
pub(crate) fn install() {
    // It fails only if a handler exists already; then Ctrl-C ends xtask the plain way.
    let _ = ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        end_everything();
        std::process::exit(status::INTERRUPTED.into());
    });
}

/// Ends the children and waits for them (at most two seconds), then removes the partial files.
fn end_everything() {
    let children: Vec<Pid> = registered().children.iter().filter_map(|&pid| Pid::from_raw(pid.cast_signed())).collect();
    for &child in &children {
        // A child that has gone is what we want.
        let _ = kill_process(child, Signal::TERM);
    }
    for _ in 0..100 {
        if !children.iter().any(|&child| test_kill_process(child).is_ok()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for file in &registered().files {
        remove(file);
    }
}

/// Call after a child ended badly: a Ctrl-C reaches the child and us at once, and its failure is then no news.
/// Does not return if the user interrupted.
pub(crate) fn stop_here_if_interrupted() {
    std::thread::sleep(Duration::from_millis(100));
    while INTERRUPTED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// A running child that an interrupt ends.
#[derive(Debug)]
pub(crate) struct ChildGuard(u32);

impl ChildGuard {
    /// Registers the process; drop the guard once it was waited for.
    pub(crate) fn new(pid: u32) -> ChildGuard {
        registered().children.push(pid);
        ChildGuard(pid)
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        registered().children.retain(|&pid| pid != self.0);
    }
}

/// A file or folder that is only half there: removed when dropped or interrupted, unless it was kept.
#[derive(Debug)]
pub(crate) struct PartialFile(PathBuf);

impl PartialFile {
    /// Registers `path`, which need not exist yet.
    pub(crate) fn new(path: PathBuf) -> PartialFile {
        registered().files.push(path.clone());
        PartialFile(path)
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The file is whole: gives it its real name.
    pub(crate) fn keep_as(self, path: &Path) -> std::io::Result<()> {
        std::fs::rename(&self.0, path)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        registered().files.retain(|file| *file != self.0);
        remove(&self.0);
    }
}

/// Removes a file or folder that may be absent. Nothing can be done about one that stays; its name says `partial`.
fn remove(path: &Path) {
    let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}
