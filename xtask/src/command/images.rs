//! The images of the tests, several side by side.
//!
//! Each image has its configuration compiled in, so each compiles the hypervisor once more: one crate with LTO, for which rustc has one
//! thread. What they share, their guests, is made before.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use config::Request;
use qemu_tests::System;

use crate::failure::Result;
use crate::guests;
use crate::host::progress::Progress;
use crate::host::toolchain::{self, BARE_ARM64, BARE_X86_64};
use crate::host::{paths, workers};
use crate::image::{self, Findings, Selection};

/// Each has a target folder, of half a gigabyte, and a rustc, of as much memory.
const MOST_WORKERS: usize = 4;

/// Makes the guests of these systems, and what else their images share.
pub(super) fn prepare(systems: &[&System]) -> Result<()> {
    [BARE_ARM64, BARE_X86_64].into_iter().try_for_each(toolchain::ensure_target)?;
    let requests: Vec<Request> = systems.iter().map(|system| request(system)).collect::<Result<_>>()?;
    guests::ensure(&requests)
}

/// Builds the images of these systems, whose guests are there already, where anything has changed. Says of each what came of it, and returns
/// that: its name, whether it is there, and how long it took.
pub(super) fn build(systems: &[&System]) -> Vec<(String, bool, Duration)> {
    let count = available_parallelism().map_or(1, usize::from).min(MOST_WORKERS).min(systems.len());
    let progress = Progress::new(format!("building {} images, {count} at a time", systems.len()));
    let work = |worker: usize, system: &&System| {
        let start = Instant::now();
        (build_one(system, worker), start.elapsed())
    };
    let mut built = Vec::new();
    workers::side_by_side(count, systems.iter().copied(), work, |system, (result, time)| {
        // Not in the worker: what makes discs may have to be installed.
        let result = result.and_then(|is_new| match system.has_disc {
            true => image::write_disc(&system.folder()).map(|()| is_new),
            false => Ok(is_new),
        });
        let name = format!("image `{}`", system.name);
        match &result {
            Ok(true) => progress.line(&format!("{name}: {} s", time.as_secs())),
            Ok(false) => {}
            Err(failure) => progress.line(&format!("{name}: {failure}")),
        }
        built.push((name, result.is_ok(), time));
        progress.percent((100 * built.len() / systems.len()) as u64);
    });
    progress.done("");
    built
}

/// Whether there was anything to do.
fn build_one(system: &System, worker: usize) -> Result<bool> {
    image::build_beside(&request(system)?, &selection(system).features(), &system.folder(), worker)
}

fn request(system: &System) -> Result<Request> {
    selection(system).request(&mut Findings::default())
}

fn selection(system: &System) -> Selection {
    let files = system.files.iter().map(|file| paths::root().join(file)).collect();
    Selection {
        smp: Some(system.cpus),
        board: Some(system.board.into()),
        gic: system.gic,
        on_failure: Some(system.on_failure),
        self_test: system.self_test,
        provoke: system.provoke,
        coverage: system.counts_coverage,
        ..Selection::of(files)
    }
}
