//! `console=`, `earlycon=` and `earlyprintk=` of a Linux command line: the UART that they name is there.
//!
//! (Linux, Documentation/admin-guide/kernel-parameters.txt, Documentation/admin-guide/serial-console.rst.) Which UART is `ttyS0`
//! is said by its port: Linux has the four of the first PCs in a table and counts others behind them.

use model::Ports;

use crate::assemble::{Vdev, VdevKind};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::Spanned;

/// Ports of `ttyS0` to `ttyS3` (Linux, arch/x86/include/asm/serial.h).
const USUAL: [u16; 4] = [0x3f8, 0x2f8, 0x3e8, 0x2e8];
/// Names of the 8250's driver before there are devices.
const EARLY: [&str; 2] = ["uart", "uart8250"];

/// Warns of consoles in `cmdline` that the VM has neither among its vdevs nor at the ports that are `passed` to it.
pub(super) fn check(
    cmdline: &Spanned<String>,
    vdevs: &[Vdev],
    passed: &[Ports],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    let uarts = Uarts::new(vdevs, passed);
    for (start, word) in super::super::agree::words(&cmdline.value) {
        let problem = match word.split_once('=') {
            // What follows is for `init`.
            None if word == "--" => break,
            None if word == "earlycon" => {
                Some("`earlycon` means the UART of an SPCR table, and there is none".to_owned())
            }
            Some(("earlycon", device)) => uarts.early(device),
            Some(("earlyprintk", device)) => uarts.earlyprintk(device),
            Some(("console", device)) => uarts.console(device),
            _ => None,
        };
        let Some(message) = problem else { continue };
        let part = start..start + word.len();
        let span = super::super::device_tree::underlined(cmdline.span, &cmdline.value, part, sources);
        diagnostics.push(Diagnostic::warning(codes::NO_SUCH_UART, message).at(span).hint(uarts.instead()));
    }
}

struct Uarts {
    /// Port and number of each.
    there: Vec<(u16, u32)>,
}

impl Uarts {
    fn new(vdevs: &[Vdev], passed: &[Ports]) -> Uarts {
        let uarts = vdevs.iter().filter(|vdev| matches!(vdev.kind, VdevKind::Ser8250 { .. }));
        let boards = USUAL.into_iter().filter(|&port| passed.iter().any(|range| range.covers(&Ports::new(port, 8))));
        let ports: Vec<u16> = uarts.filter_map(Vdev::port).chain(boards).collect();
        let usual = |port: u16| USUAL.iter().position(|&usual| usual == port);
        let mut others = (USUAL.len() as u32)..;
        let number = |port| usual(port).map_or_else(|| others.next().unwrap_or(0), |index| index as u32);
        Uarts { there: ports.iter().copied().zip(ports.iter().copied().map(number)).collect() }
    }

    /// `console=ttySN[,OPTIONS]`, `console=uart8250,io,0xPORT`. Devices that are no UARTs known here are let pass.
    fn console(&self, device: &str) -> Option<String> {
        let name = device.split(',').next().unwrap_or(device);
        if EARLY.contains(&name) {
            return self.early(device);
        }
        if name.starts_with("ttyAMA") || name.starts_with("hvc") {
            return Some(format!("the kernel is told to use console `{name}`, and an x86 VM has none"));
        }
        let number: u32 = name.strip_prefix("ttyS")?.parse().ok()?;
        match self.there.iter().any(|(_, there)| *there == number) {
            true => None,
            false => Some(format!("the kernel is told to use console `{name}`, and the VM has no such UART")),
        }
    }

    /// `earlycon=uart8250,io,0xPORT[,OPTIONS]`.
    fn early(&self, device: &str) -> Option<String> {
        let mut parts = device.split(',');
        let driver = parts.next().filter(|driver| EARLY.contains(driver))?;
        match (parts.next(), parts.next().and_then(port)) {
            (Some("io"), Some(port)) => self.at(driver, port),
            (Some(kind), _) if kind.starts_with("mmio") => {
                Some(format!("the kernel is told to write to a `{driver}` in memory, and an x86 VM's are at ports"))
            }
            _ => None,
        }
    }

    /// `earlyprintk=serial[,0xPORT|,ttySN[,BAUD]]`, `earlyprintk=ttySN`.
    fn earlyprintk(&self, device: &str) -> Option<String> {
        let mut parts = device.split(',').peekable();
        match parts.peek() {
            Some(&"serial") => drop(parts.next()),
            Some(name) if name.starts_with("ttyS") => {}
            _ => return None,
        }
        let place = parts.next().unwrap_or("ttyS0");
        let port = match place.strip_prefix("ttyS") {
            Some(number) => USUAL.get(number.parse::<usize>().ok()?).copied()?,
            None => port(place)?,
        };
        self.at("serial", port)
    }

    fn at(&self, driver: &str, port: u16) -> Option<String> {
        match self.there.iter().any(|(there, _)| *there == port) {
            true => None,
            false => Some(format!(
                "the kernel is told to write to a `{driver}` at port {port:#x}, and the VM has none there"
            )),
        }
    }

    /// What can be written in place of a console that is not there.
    fn instead(&self) -> String {
        let uart = |(port, number): &(u16, u32)| format!("`ttyS{number}` (`uart8250,io,{port:#x}`)");
        match self.there.is_empty() {
            true => "a UART is `vdev ser8250 hostdev -`, and its console `ttyS0`".into(),
            false => format!("its consoles are {}", self.there.iter().map(uart).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// A port in hexadecimal.
fn port(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}
