//! `console=` and `earlycon=` of a Linux command line: the UART that they name is there.
//!
//! (Linux, Documentation/admin-guide/kernel-parameters.txt.) Which UART is `ttyAMA0` is said by the alias `serial0`, or else by
//! their order in the tree.

use std::ops::Range;

use super::World;
use crate::assemble::VdevKind;
use crate::assemble::tree::{Merged, Node};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// A kind of serial device: the name of its consoles, those of its early consoles, and the models that its driver takes.
struct Kind {
    console: &'static str,
    early: &'static [&'static str],
    models: &'static [&'static str],
    /// What it is, for people.
    is: &'static str,
}

const PL011: Kind = Kind { console: "ttyAMA", early: &["pl011"], models: &["arm,pl011", "arm,sbsa-uart"], is: "PL011" };
const KINDS: &[Kind] = &[
    PL011,
    Kind {
        console: "ttyS",
        early: &["uart", "uart8250", "ns16550", "ns16550a"],
        models: &["ns8250", "ns16450", "ns16550", "ns16550a", "snps,dw-apb-uart"],
        is: "8250",
    },
    Kind { console: "hvc", early: &[], models: &["virtio,mmio"], is: "console of virtio" },
];

/// What is wrong with the consoles in `cmdline`, and where in it, in bytes.
pub(in crate::assemble) fn check(cmdline: &str, merged: &Merged, world: &World) -> Vec<(Range<usize>, Diagnostic)> {
    let mut found = Vec::new();
    let uarts = Uarts { root: &merged.tree.root, world };
    for (start, word) in words(cmdline) {
        let problem = match word.split_once('=') {
            // What follows is for `init`.
            None if word == "--" => break,
            None if word == "earlycon" => uarts.standard_output(),
            Some(("earlycon", "")) => uarts.standard_output(),
            Some(("earlycon", device)) => uarts.early(device),
            Some(("console", device)) => uarts.console(device),
            _ => None,
        };
        found.extend(problem.map(|problem| (start..start + word.len(), problem)));
    }
    found
}

/// The words of a command line with their places. Quotes keep white space, as in Linux's `next_arg`.
pub(in crate::assemble) fn words(cmdline: &str) -> Vec<(usize, &str)> {
    let mut quoted = false;
    let separates = |c: char| {
        quoted ^= c == '"';
        !quoted && c.is_whitespace()
    };
    let pieces = cmdline.split(separates);
    pieces
        .map(|word| (word.as_ptr() as usize - cmdline.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
        .collect()
}

struct Uarts<'a> {
    root: &'a Node,
    world: &'a World<'a>,
}

impl Uarts<'_> {
    /// Paths of the enabled devices of a kind, and the numbers that Linux gives them.
    fn of(&self, kind: &Kind) -> Vec<(String, u32)> {
        let mut paths = Vec::new();
        enabled(self.root, "", &mut |node, path| {
            if node.is_compatible(kind.models) {
                paths.push(path.to_owned());
            }
        });
        let aliases = self.root.children.iter().find(|node| node.name == "aliases");
        let alias = |path: &str| {
            let properties = aliases.into_iter().flat_map(|aliases| &aliases.properties);
            let mut names = properties.filter(|(_, value)| value.strip_suffix(&[0]) == Some(path.as_bytes()));
            names.find_map(|(name, _)| name.strip_prefix("serial")?.parse::<u32>().ok())
        };
        let mut numbers: Vec<Option<u32>> = paths.iter().map(|path| alias(path)).collect();
        for index in 0..numbers.len() {
            let free = (0..).find(|number| !numbers.contains(&Some(*number)));
            numbers[index] = numbers[index].or(free);
        }
        paths.into_iter().zip(numbers.into_iter().flatten()).collect()
    }

    /// `console=DEVICE[,OPTIONS]`. Devices that are no UARTs known here are let pass.
    fn console(&self, device: &str) -> Option<Diagnostic> {
        let name = device.split(',').next().unwrap_or(device);
        if KINDS.iter().any(|kind| kind.early.contains(&name)) {
            return self.early(device);
        }
        let number_at = name.find(|c: char| c.is_ascii_digit())?;
        let kind = KINDS.iter().find(|kind| kind.console == &name[..number_at])?;
        let number: u32 = name[number_at..].parse().ok()?;
        let there = self.of(kind);
        if there.iter().any(|(_, other)| *other == number) {
            return None;
        }
        let message = match there.is_empty() {
            true => format!("the kernel is told to use console `{name}`, and the VM has no {}", kind.is),
            false => {
                format!("the kernel is told to use console `{name}`, and the VM has {} {} only", there.len(), kind.is)
            }
        };
        Some(Diagnostic::warning(codes::NO_SUCH_UART, message).hint(self.instead()))
    }

    /// `earlycon=DRIVER,[mmio32,]0xADDRESS[,OPTIONS]`.
    fn early(&self, device: &str) -> Option<Diagnostic> {
        let mut parts = device.split(',');
        let driver = parts.next()?;
        let address = parts.find_map(|part| u64::from_str_radix(part.strip_prefix("0x")?, 16).ok())?;
        let kind = KINDS.iter().find(|kind| kind.early.contains(&driver));
        let is_pl011 = kind.is_some_and(|kind| kind.is == PL011.is);
        let vdev = self.world.vdevs.iter().find(|vdev| vdev.frame().is_some_and(|(gpa, _)| gpa.0 == address));
        let good = match vdev {
            Some(vdev) => is_pl011 && matches!(vdev.kind, VdevKind::Pl011 { .. }),
            // What is passed is the user's to know.
            None => {
                self.world.vdev_at(address).is_none()
                    && self.world.claims.at(address).is_some_and(|c| !c.what.contains("`ram`"))
            }
        };
        if good {
            return None;
        }
        let message = format!("the kernel is told to write to a `{driver}` at {address:#x}, and the VM has none there");
        let pl011s = self.world.vdevs.iter().filter(|vdev| matches!(vdev.kind, VdevKind::Pl011 { .. }));
        let hint = match pl011s.min_by_key(|vdev| vdev.address().abs_diff(address)) {
            Some(nearest) => {
                format!("the nearest PL011 is vdev `{}`: `earlycon=pl011,{:#x}`", nearest.name, nearest.address())
            }
            None => self.instead(),
        };
        Some(Diagnostic::warning(codes::NO_SUCH_UART, message).hint(hint))
    }

    /// `earlycon` alone: the UART that `stdout-path` in `/chosen` names.
    fn standard_output(&self) -> Option<Diagnostic> {
        if self.root.at("/chosen").is_some_and(|chosen| chosen.text("stdout-path").is_some_and(|path| !path.is_empty()))
        {
            return None;
        }
        let message = "`earlycon` means the UART of `stdout-path`, and the device tree has none";
        Some(Diagnostic::warning(codes::NO_SUCH_UART, message).hint(self.instead()))
    }

    /// What can be written in place of a console that is not there.
    fn instead(&self) -> String {
        let numbers: Vec<String> =
            self.of(&PL011).iter().map(|(path, number)| format!("`ttyAMA{number}` ({path})")).collect();
        match numbers.is_empty() {
            true => "a UART is `vdev pl011 loc 0x1c090000 intr gic:37 hostdev -`, and its console `ttyAMA0`".into(),
            false => format!("its consoles are {}", numbers.join(", ")),
        }
    }
}

/// Visits the nodes that a guest uses, with their paths.
fn enabled(node: &Node, path: &str, visit: &mut dyn FnMut(&Node, &str)) {
    visit(node, path);
    for child in node.children.iter().filter(|child| child.enabled()) {
        enabled(child, &format!("{path}/{}", child.name), visit);
    }
}
