//! One VM's device tree on its way: the generated one, the user's over it, checked, and told where the RAM disk is.

use super::agree::{self, World};
use super::claims::Range;
use super::files::{Files, file_name};
use super::floor::Floor;
use super::home;
use super::place::TreeBlob;
use super::tree::{self, Merged, Names, Tree};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::language::locate;
use crate::source::Sources;
use crate::spec::{LoadKind, LoadSpec, Span, VmSpec};

/// The device tree of a VM and the files that it is made of.
pub(super) struct DeviceTree<'a> {
    spec: &'a VmSpec,
    loads: Vec<&'a LoadSpec>,
    merged: Merged,
}

/// The trees that `fdt load` names, in order.
pub(super) fn user_trees<'a>(
    spec: &'a VmSpec,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Vec<(&'a LoadSpec, Tree)> {
    let mut trees = Vec::new();
    for load in spec.loads.iter().filter(|load| load.kind == LoadKind::Fdt) {
        let Some(bytes) = files.read(load, diagnostics) else { continue };
        match tree::read(&bytes) {
            Ok(tree) => trees.push((load, tree)),
            Err(message) => diagnostics.push(about(load, Diagnostic::error(codes::BAD_TREE, message))),
        }
    }
    trees
}

impl<'a> DeviceTree<'a> {
    /// The `generated` tree with the user's over it. What is wrong with these is reported.
    pub(super) fn new(
        spec: &'a VmSpec,
        generated: Tree,
        names: Names,
        over: Vec<(&'a LoadSpec, Tree)>,
        diagnostics: &mut Diagnostics,
    ) -> DeviceTree<'a> {
        let mut merged = Merged::new(generated, names);
        let mut loads = Vec::new();
        for (file, (load, over)) in over.into_iter().enumerate() {
            merged.lay(file, over).into_iter().for_each(|problem| diagnostics.push(about(load, problem)));
            loads.push(load);
        }
        DeviceTree { spec, loads, merged }
    }

    /// Keeps what the tree reserves free of images. Reports what is not in the VM's RAM.
    pub(super) fn reserve(&self, floor: &mut Floor, diagnostics: &mut Diagnostics) {
        let mut problems = Vec::new();
        for (range, what, file) in tree::reserved(&self.merged, &mut problems) {
            if !floor.is_ram(range) {
                let message = format!("{what} reserves {range}, which is not in the VM's RAM");
                problems.push((file, Diagnostic::error(codes::TREE_RESERVED, message).hint(floor.describe())));
            }
            floor.keep_off(Some(range));
        }
        self.report(problems, diagnostics);
    }

    /// Reports what the guest is told and is not so.
    pub(super) fn check(&self, world: &World, sources: &Sources, diagnostics: &mut Diagnostics) {
        self.report(agree::check_nodes(&self.merged, world), diagnostics);
        let bootargs = self.merged.tree.root.at("/chosen").and_then(|chosen| chosen.text("bootargs"));
        let Some(bootargs) = bootargs else { return };
        let cmdline = self.spec.cmdline.as_ref().filter(|cmdline| cmdline.value == bootargs);
        for (part, problem) in agree::check_uarts(bootargs, &self.merged, world) {
            diagnostics.push(match cmdline {
                Some(cmdline) => problem.at(underlined(cmdline.span, &cmdline.value, part, sources)),
                None => self.about(self.merged.touched.get("/chosen").copied(), problem),
            });
        }
    }

    fn report(&self, problems: Vec<(Option<usize>, Diagnostic)>, diagnostics: &mut Diagnostics) {
        problems.into_iter().for_each(|(file, problem)| diagnostics.push(self.about(file, problem)));
    }

    /// A diagnostic about the user's tree number `file`, or else about the last one.
    fn about(&self, file: Option<usize>, problem: Diagnostic) -> Diagnostic {
        match file.and_then(|file| self.loads.get(file)).or(self.loads.last()) {
            Some(load) => about(load, problem),
            None => problem.at(home(self.spec)),
        }
    }

    /// The tree as a blob.
    pub(super) fn finish(
        mut self,
        vm: &'a str,
        initrd: Option<Range>,
        diagnostics: &mut Diagnostics,
    ) -> Option<TreeBlob<'a>> {
        if let Some(initrd) = initrd {
            tree::tell_initrd(&mut self.merged.tree, initrd);
        }
        let span = self.loads.last().map_or(home(self.spec), |load| load.path.span);
        match self.merged.tree.write() {
            Ok((bytes, seeds)) => Some(TreeBlob { vm, bytes, seeds, span }),
            Err(error) => {
                let message = format!("the device tree cannot be written: {error}");
                diagnostics.push(Diagnostic::error(codes::BAD_TREE, message).at(span));
                None
            }
        }
    }
}

/// A diagnostic about the file of `load`.
fn about(load: &LoadSpec, mut problem: Diagnostic) -> Diagnostic {
    problem.message = format!("`{}`: {}", file_name(&load.path.value), problem.message);
    problem.at(load.path.span)
}

/// Where bytes `part` of `value` stand, which was read from `span`; all of `span` if that can't be said.
pub(super) fn underlined(span: Span, value: &str, part: std::ops::Range<usize>, sources: &Sources) -> Span {
    match locate(sources.text(span), value, part) {
        Some(part) => Span { file: span.file, start: span.start + part.start, end: span.start + part.end },
        None => span,
    }
}
