//! What a fuzzer drives: each parser of bytes that Ostler did not write, with what must hold for all of them.
//!
//! A target takes any bytes and panics only if a promise is broken: `cargo xtask fuzz` searches for such bytes, and
//! `tests/seeds.rs` replays those of `seeds/` in every run of the tests. What the fuzzer found is kept there.
#![forbid(unsafe_code)]

mod image;
mod qvm;
mod seeds;

pub use seeds::seeds;

/// A target: it takes any bytes and panics if a promise is broken.
pub type Target = fn(&[u8]);

/// All targets by name; each has a binary and a folder `seeds/NAME` of the same name.
pub const TARGETS: &[(&str, Target)] = &[("image", image::target), ("qvm", qvm::target)];

/// Drives the target called `name`.
///
/// # Panics
/// If a promise is broken, which is what a fuzzer looks for, or there is no such target.
pub fn drive(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(target, _)| *target == name).map(|(_, target)| target);
    target.unwrap_or_else(|| panic!("there is no target `{name}`"))(bytes);
}
