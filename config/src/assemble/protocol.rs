//! Where a kernel's RAM disk and device tree may be: the arm64 Linux boot protocol (Documentation/arch/arm64/booting.rst).
//!
//! The header of an `Image` tells kernels before 4.6 from later ones: the older lose all memory below the 2 MiB-aligned base that
//! they are loaded at, and the oldest of them (before 4.2) map their tree as one 2 MiB block near that base. Programs that are
//! no Linux have no such rules.

use loader::{Linux, Placement};
use model::PAGE_BYTES;

use super::claims::Range;
use super::floor::{ANYWHERE, Floor};
use super::pc::How;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadSpec, Span};

/// RAM disk and kernel lie in one window of this size at most …
const WINDOW_BYTES: u64 = 32 << 30;
/// … that starts at a multiple of this (section 4).
const WINDOW_ALIGNMENT_BYTES: u64 = 1 << 30;
/// Longest device tree that Linux maps (section 2).
pub(super) const TREE_LIMIT_BYTES: u64 = 2 << 20;
/// Kernels before 4.2 look for their tree so far from their base (section 2) …
const OLD_TREE_WINDOW_BYTES: u64 = 512 << 20;
/// … and map one block of this size (the same page in those versions).
const OLD_TREE_BLOCK_BYTES: u64 = 2 << 20;

/// A guest's program in its place.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// The first instruction.
    pub(super) pc: u64,
    /// All memory from its first byte on that it takes.
    pub(super) range: Range,
    /// What its header says, if it is an arm64 Linux kernel.
    pub(super) linux: Option<Linux>,
    /// How it starts, on x86.
    pub(super) how: How,
}

impl Program {
    /// The base of a kernel that cannot use memory below it.
    fn old_base(&self) -> Option<u64> {
        let linux = self.linux.filter(|linux| linux.placement == Placement::NearRamBase)?;
        self.range.start.checked_sub(linux.text_offset)
    }

    /// Whether it is a Linux kernel, or takes the form of one.
    pub(super) fn is_linux(&self) -> bool {
        self.linux.is_some() || matches!(self.how, How::Linux(_))
    }

    /// Where its RAM disk may be.
    pub(super) fn initrd_reach(&self) -> Range {
        if self.linux.is_none() {
            return self.how.initrd_reach();
        }
        let highest_window = self.range.start / WINDOW_ALIGNMENT_BYTES * WINDOW_ALIGNMENT_BYTES;
        let below = self.range.end.saturating_sub(WINDOW_BYTES).next_multiple_of(WINDOW_ALIGNMENT_BYTES);
        Range { start: self.old_base().unwrap_or(below), end: highest_window.saturating_add(WINDOW_BYTES) }
    }

    /// Ranges to look for the RAM disk's place in, the best first: after the program, and for an old kernel where it leaves
    /// room for the tree.
    pub(super) fn initrd_places(&self) -> Vec<Range> {
        let reach = self.initrd_reach();
        let above = Range { start: self.range.end, ..reach };
        let near = self.old_tree_window().map(|near| {
            let (room, beyond) = (near.end - OLD_TREE_BLOCK_BYTES, near.end);
            [Range { end: room.min(above.end), ..above }, Range { start: beyond.max(above.start), ..above }]
        });
        near.into_iter().flatten().chain([above, reach]).collect()
    }

    fn old_tree_window(&self) -> Option<Range> {
        Range::new(self.old_base()?, OLD_TREE_WINDOW_BYTES)
    }

    /// A place for a device tree of `size` bytes: after `from` if possible, and where the oldest kernels find it.
    pub(super) fn find_tree(&self, floor: &Floor, size: u64, from: u64) -> Option<u64> {
        let one_block = |start: u64| {
            let start = start.checked_next_multiple_of(PAGE_BYTES)?;
            if in_one_block(Range::new(start, size)?) {
                Some(start)
            } else {
                start.checked_next_multiple_of(OLD_TREE_BLOCK_BYTES)
            }
        };
        let near = self.old_tree_window();
        let near = near.into_iter().flat_map(|near| [Range { start: from.max(near.start), ..near }, near]);
        let mut places = near.chain([Range { start: from, ..ANYWHERE }, ANYWHERE]);
        places.find_map(|within| floor.find(size, within, one_block))
    }

    /// Warns of RAM that an old kernel at this place cannot use.
    pub(super) fn check_base(&self, load: &LoadSpec, floor: &Floor, diagnostics: &mut Diagnostics) {
        let lowest = || floor.ram().next().and_then(|ram| self.linux?.first_start(ram.range.start));
        let (Some(base), Some(lowest)) = (self.old_base(), lowest()) else { return };
        if self.range.start <= lowest {
            return;
        }
        let lost: u64 = floor.ram().map(|ram| ram.range.end.min(base).saturating_sub(ram.range.start)).sum();
        let message = format!("this kernel cannot use the {} KiB of RAM below {base:#x}", lost >> 10);
        let hint = match &load.address {
            Some(_) => "kernels before 4.6 lose what is below them: leave the address out".to_owned(),
            None => "kernels before 4.6 lose what is below them: make the first `ram` large enough for the kernel"
                .to_owned(),
        };
        let warning = Diagnostic::warning(codes::OUT_OF_REACH, message).at(load.path.span).hint(hint);
        let below = floor.ram().filter(|ram| ram.range.start < base).map(|ram| (ram.span, "of this"));
        diagnostics.push(below.fold(warning, |warning, (span, text)| warning.label(span, text)));
    }

    /// Warns of a kernel that finds none of its pages on CPUs that have those of `pages_kib`: it stops before its first word.
    pub(super) fn check_pages(&self, load: &LoadSpec, pages_kib: &[u32], diagnostics: &mut Diagnostics) {
        let Some(kib) = self.linux.and_then(|linux| linux.pages.kib()) else { return };
        if pages_kib.is_empty() || pages_kib.contains(&kib) {
            return;
        }
        let has: Vec<String> = pages_kib.iter().map(|kib| format!("{kib} KiB")).collect();
        let message =
            format!("this kernel has pages of {kib} KiB, and the board's CPUs have {} only", has.join(" and "));
        let hint = "take a kernel with other pages, or start the board with other CPUs (`--cpu max` on QEMU)";
        diagnostics.push(Diagnostic::warning(codes::KERNEL_PAGES, message).at(load.path.span).hint(hint));
    }

    /// Whether the kernel can use the RAM disk at `range`; if not, that is reported.
    pub(super) fn check_initrd(
        &self,
        load: &LoadSpec,
        range: Range,
        floor: &Floor,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let reach = self.initrd_reach();
        let (message, hint) = if self.is_linux() && !floor.is_ram(range) {
            (
                "the RAM disk lies in `rom`",
                "Linux takes a RAM disk's memory for itself once it has read it: put it in `ram`",
            )
        } else if self.old_base().is_some_and(|base| range.start < base) {
            (
                "the RAM disk lies below the kernel",
                "kernels before 4.6 cannot use memory below them: leave the address out",
            )
        } else if !reach.contains(range) && self.linux.is_none() {
            ("the RAM disk is too high", "the kernel's setup header says how far up it looks: leave the address out")
        } else if !reach.contains(range) {
            let hint = "arm64 Linux wants both in one window of 32 GiB that starts at a multiple of 1 GiB";
            ("the RAM disk and the kernel are too far apart", hint)
        } else {
            return true;
        };
        diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(load.path.span).hint(hint));
        false
    }

    /// Warns of a device tree that the oldest kernels do not find.
    pub(super) fn check_tree(&self, range: Range, span: Span, diagnostics: &mut Diagnostics) {
        let Some(near) = self.old_tree_window().filter(|near| !near.contains(range) || !in_one_block(range)) else {
            return;
        };
        let message = format!("this kernel may not find its device tree ({range})");
        let hint = format!("kernels before 4.2 want it from {near}, and across no multiple of 2 MiB");
        diagnostics.push(Diagnostic::warning(codes::OUT_OF_REACH, message).at(span).hint(hint));
    }
}

/// Whether `range` crosses no multiple of [`OLD_TREE_BLOCK_BYTES`].
fn in_one_block(range: Range) -> bool {
    range.start / OLD_TREE_BLOCK_BYTES == range.end.saturating_sub(1) / OLD_TREE_BLOCK_BYTES
}
