//! Interrupts of a user's nodes: the line exists, and something in the VM raises it.

use super::World;
use crate::assemble::Vdev;
use crate::assemble::lines::SHARED;
use crate::assemble::tree::{Merged, Node, parent, phandle_of, rows};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// Types and flags of the GIC's bindings (bindings/interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml).
const SPI: u128 = 0;
const EDGE_RISING: u128 = 1;
const LEVEL_HIGH: u128 = 4;
const TRIGGER: u128 = 0xf;
/// The PPIs that a vCPU has: its timers' (DEN 0094, Base System Architecture, 3.7).
const TIMERS: [u128; 4] = [10, 11, 13, 14];

/// What is wrong with the interrupts of `node`, which describes `vdev` if it is a vdev's.
pub(super) fn check(node: &Node, path: &str, vdev: Option<&Vdev>, merged: &Merged, world: &World) -> Vec<Diagnostic> {
    // The GIC's own interrupt is for hypervisors, and a node with a map has its children's interrupts.
    if node.get("interrupt-map").is_some() || is_gic(node) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut lines = Vec::new();
    let root = &merged.tree.root;
    if let Some(interrupts) = node.get("interrupts") {
        match controller(root, path) {
            Ok(controller) => read(controller, interrupts, path, &mut lines, &mut problems),
            Err(missing) => problems.push(no_controller(path, missing)),
        }
    }
    let mut extended = node.get("interrupts-extended").unwrap_or_default();
    while let Some((phandle, rest)) = extended.split_at_checked(4) {
        let phandle = phandle.iter().fold(0, |sum: u32, &byte| sum << 8 | u32::from(byte));
        let Some(controller) = with_phandle(root, phandle) else {
            problems.push(no_controller(path, phandle));
            break;
        };
        let length = (controller.cell("#interrupt-cells").unwrap_or(0) as usize).saturating_mul(4);
        let Some((specifier, rest)) = rest.split_at_checked(length) else {
            problems.push(bad_length(path, controller));
            break;
        };
        read(controller, specifier, path, &mut lines, &mut problems);
        extended = rest;
    }
    problems.extend(lines.iter().filter_map(|line| wrong(line, path, vdev, world)));
    problems
}

/// The node that `interrupts` of the node at `path` belong to (2.4.1, and as Linux looks for it). The error is a phandle of nothing.
fn controller<'a>(root: &'a Node, path: &str) -> Result<&'a Node, u32> {
    let mut path = path.to_owned();
    // Every step goes up, or by a phandle to a controller: one that isn't is refused as nothing.
    loop {
        match root.at(&path).and_then(|node| node.cell("interrupt-parent")) {
            Some(phandle) => return with_phandle(root, phandle).ok_or(phandle),
            None if path.is_empty() => return Err(0),
            None => path = parent(&path).to_owned(),
        }
        if let Some(node) = root.at(&path).filter(|node| node.cell("#interrupt-cells").is_some()) {
            return Ok(node);
        }
    }
}

fn with_phandle(root: &Node, phandle: u32) -> Option<&Node> {
    let mut found = None;
    root.walk(&mut |node| found = found.or((phandle_of(node) == Some(phandle)).then_some(node)));
    found.filter(|node| node.cell("#interrupt-cells").is_some())
}

fn is_gic(node: &Node) -> bool {
    node.is_compatible(&["arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic"])
}

/// Adds the lines of the GIC that `interrupts` names; other controllers' are their own affair.
fn read(controller: &Node, interrupts: &[u8], path: &str, lines: &mut Vec<Vec<u128>>, problems: &mut Vec<Diagnostic>) {
    let width = controller.cell("#interrupt-cells").unwrap_or(0) as usize;
    if width == 0 || !interrupts.len().is_multiple_of(width.saturating_mul(4)) {
        problems.push(bad_length(path, controller));
    } else if is_gic(controller) && width == 3 {
        lines.extend(rows(interrupts, &[1, 1, 1]).unwrap_or_default());
    }
}

fn bad_length(path: &str, controller: &Node) -> Diagnostic {
    let cells = controller.cell("#interrupt-cells").unwrap_or(0);
    let message =
        format!("interrupts of node `{path}` do not have the {cells} cells that `{}` asks for", controller.name);
    let hint = is_gic(controller).then_some("the GIC's shared line N is <0 N-32 4>, where 4 is level-high");
    hint.into_iter().fold(Diagnostic::error(codes::NODE_INTERRUPT, message), Diagnostic::hint)
}

fn no_controller(path: &str, phandle: u32) -> Diagnostic {
    let message =
        format!("the interrupt controller of node `{path}` is phandle {phandle:#x}, and no controller has that");
    let hint = "without an `interrupt-parent` it is the guest's GIC, whose label is `&gic`";
    Diagnostic::error(codes::NODE_INTERRUPT, message).hint(hint)
}

/// What is wrong with one line of the GIC: type, number and flags.
fn wrong(line: &[u128], path: &str, vdev: Option<&Vdev>, world: &World) -> Option<Diagnostic> {
    let &[kind, number, flags] = line else { return None };
    let error = |message: String| Some(Diagnostic::error(codes::NODE_INTERRUPT, message));
    if kind != SPI {
        let is_timer = kind == 1 && TIMERS.contains(&number);
        let message =
            format!("node `{path}` has private interrupt <{kind} {number} …>, which nothing in the VM raises");
        return error(message)
            .filter(|_| !is_timer)
            .map(|error| error.hint("shared lines are <0 LINE …>, and LINE is the one in `intr` less 32"));
    }
    let intid = u32::try_from(number).ok().and_then(|number| number.checked_add(SHARED.start));
    let Some(intid) = intid.filter(|intid| SHARED.contains(intid)) else {
        let message = format!("node `{path}` has interrupt <0 {number} …>, and the guest's GIC has no such line");
        return error(message).map(|e| e.hint(format!("the last one is <0 {} …>", SHARED.end - SHARED.start - 1)));
    };
    if let Some(vdev) = vdev {
        let own = vdev.line()?;
        if own != intid {
            let message = format!(
                "node `{path}` has interrupt <0 {number} …> (line {intid}), and vdev `{}` has line {own}",
                vdev.name
            );
            let hint = format!("write <0 {} {LEVEL_HIGH}>, or change `intr` of the vdev", own - SHARED.start);
            let label = world.lines.owner(own).map(|(_, span)| span);
            return error(message)
                .map(|error| label.iter().fold(error.hint(hint), |e, &span| e.label(span, "this line")));
        }
        if flags & TRIGGER != LEVEL_HIGH {
            let message = format!("node `{path}` says that line {intid} is triggered by {}", trigger(flags));
            let hint = format!("the lines of vdevs are high while they interrupt: write <0 {number} {LEVEL_HIGH}>");
            return error(message).map(|error| error.hint(hint));
        }
        return None;
    }
    if !matches!(flags & TRIGGER, EDGE_RISING | LEVEL_HIGH) {
        let message = format!("node `{path}` says that line {intid} is triggered by {}", trigger(flags));
        return error(message).map(|error| error.hint("a GIC's shared lines rise (1) or are high (4)"));
    }
    match world.lines.owner(intid) {
        Some((what, span)) if world.vdevs.iter().any(|vdev| vdev.line() == Some(intid)) => {
            let message = format!("node `{path}` has interrupt <0 {number} …>, and line {intid} is that of {what}");
            let hint =
                "a line has one owner: leave the interrupt out, or let the node stand for the vdev by `qvm,vdev`";
            error(message).map(|error| error.label(span, "this line").hint(hint))
        }
        Some(_) => None,
        None => {
            let message =
                format!("node `{path}` has interrupt <0 {number} …>, and nothing in the VM raises line {intid}");
            let lines: Vec<String> =
                world.vdevs.iter().filter_map(|v| Some(format!("{} ({})", v.line()?, v.name))).collect();
            let hint = match lines.is_empty() {
                true => "the VM has no lines: `status = \"disabled\"` tells the guest to leave a node alone".to_owned(),
                false => format!("lines of vdevs are {}", lines.join(", ")),
            };
            error(message).map(|error| error.hint(hint))
        }
    }
}

fn trigger(flags: u128) -> String {
    match flags & TRIGGER {
        EDGE_RISING => "its rise (1)".into(),
        2 => "its fall (2)".into(),
        LEVEL_HIGH => "its being high (4)".into(),
        8 => "its being low (8)".into(),
        other => format!("nothing that there is ({other})"),
    }
}
