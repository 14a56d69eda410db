//! From qvm files to a checked system: statics, device trees and the image section.
//!
//! ```text
//! VmSpec ─ cpus ─ memory, passing ─┬─ arm: vdevs, tree, agree ─────┬─ place (files, floor) ─▶ Assembly ─ emit, section ─▶ what boots
//!          (claims, lines, ports)       └─ pc: devices, acpi, boot ─────┘
//! ```
//! Whatever can be known before boot is decided here, and every mistake that can be found before boot is reported
//! here. The result has no opinion left in it: the hypervisor runs it as it is.

mod agree;
mod arm;
mod assembly;
mod board;
mod claims;
mod cpus;
mod device_tree;
mod emit;
mod files;
mod floor;
mod guest;
mod hardware;
mod life;
mod lines;
mod memory;
mod passing;
mod pc;
mod place;
mod placer;
mod ports;
mod protocol;
mod request;
mod section;
mod sharing;
mod stolen;
mod system;
mod tree;
mod unread;
mod vdevs;

#[cfg(test)]
pub(crate) mod tests;

pub use assembly::{Assembly, Blob, Board as AssumedBoard, Load, Place, Restart, Table, Vdev, VdevKind, Vm};
pub use board::{Architecture, Board, Console, Cpus, Device, Hole, Memory, Qemu, Region, Uart, parse_size};
pub use hardware::portable_tree;
pub use model::{Controller, GicVersion, OnFailure};

pub use emit::empty_rust_source;
pub use files::Images;
pub use section::flatten_elf;
pub use system::{assemble, check, texts};
pub use tree::device_tree_source;
#[cfg(feature = "fuzzing")]
pub use tree::trees_keep_promises;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Span, VmSpec};
use section::sha256;

/// Where to point when a VM as a whole is meant: at its name, or else at the file's beginning.
fn home(spec: &VmSpec) -> Span {
    spec.system.as_ref().map_or(Span { file: spec.file, start: 0, end: 0 }, |name| name.span)
}

/// Reports vdevs of these types that a VM has twice: of each it has one at most.
fn only_one(spec: &VmSpec, words: &[&str], diagnostics: &mut Diagnostics) {
    for word in words {
        let mut same = spec.vdevs.iter().filter(|vdev| vdev.kind.word() == *word);
        let Some(first) = same.next() else { continue };
        for second in same {
            let a = if word.starts_with(['i', '8']) { "an" } else { "a" };
            let error = Diagnostic::error(codes::ONLY_ONE, format!("this VM has {a} {word} already")).at(second.span);
            diagnostics.push(error.label(first.span, "here").hint("leave one of them out"));
        }
    }
}
