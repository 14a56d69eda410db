//! What a comparison shows, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::found::{Devices, Kind};
use super::{Boot, Compared};

impl Compared {
    /// The page for people.
    pub(crate) fn table(&self) -> String {
        let mut page = String::new();
        if self.bare.milestones.is_empty() {
            let (bare, vm) = (self.bare.lines, self.vm.lines);
            page += &format!("no Linux kernel's log was seen: {bare} lines on the bare board, {vm} in the VM\n");
        } else {
            page += &aligned(&self.milestones(), &[false, true, true, true]);
        }
        if let Some((bare, vm)) = self.ends() {
            let (bare, vm, added) = (millis(bare), millis(vm), added(bare, vm));
            page += &format!(
                "\nlast milestone of both: {vm} in place of {bare} ms, {added}; an instruction is a nanosecond, and what the guest\n\
                 does with devices that it finds on one side only is in it\n"
            );
        }
        for (boot, place) in [(&self.bare, "on the bare board"), (&self.vm, "in the VM")] {
            if let Some(end) = &boot.bad_end {
                page += &format!("{place}: {end}\n");
            }
        }
        let (rows, same) = self.differences();
        if rows.len() > 1 {
            page += &format!("\n{}", aligned(&rows, &[false; 4]));
        }
        if same > 0 {
            page += &format!("{same} more kinds of device are on both, alike\n");
        }
        page
    }

    /// The same for programs; times in microseconds by the kernel's clock.
    pub(crate) fn json(&self) -> Value {
        let boot = |boot: &Boot| {
            let milestones = boot.milestones.iter();
            let milestones = milestones.map(|(name, time)| json!({ "name": name, "micros": micros(*time) }));
            let devices = boot.devices.iter().map(|(kind, it)| {
                json!({ "bus": kind.bus, "kind": kind.name, "names": it.names, "drivers": it.drivers, "interrupts": it.interrupts })
            });
            json!({
                "milestones": milestones.collect::<Vec<_>>(),
                "lines": boot.lines,
                "bad_end": boot.bad_end,
                "devices": devices.collect::<Vec<_>>(),
            })
        };
        json!({ "bare": boot(&self.bare), "vm": boot(&self.vm), "gets_as_far": self.gets_as_far() })
    }

    fn milestones(&self) -> Vec<[String; 4]> {
        let mut rows = vec![["milestone", "bare, ms", "VM, ms", "added"].map(String::from)];
        let time =
            |boot: &Boot, name: &str| boot.milestones.iter().find(|(other, _)| *other == name).map(|(_, time)| *time);
        let only_vm = self.vm.milestones.iter().filter(|(name, _)| time(&self.bare, name).is_none());
        for &(name, _) in self.bare.milestones.iter().chain(only_vm) {
            let (bare, vm) = (time(&self.bare, name), time(&self.vm, name));
            let shown = |time: Option<Duration>| time.map_or("–".into(), millis);
            let added = bare.zip(vm).map_or(String::new(), |(bare, vm)| added(bare, vm));
            rows.push([name.into(), shown(bare), shown(vm), added]);
        }
        rows
    }

    /// The times of the last milestone that both pass.
    fn ends(&self) -> Option<(Duration, Duration)> {
        self.bare.milestones.iter().rev().find_map(|(name, bare)| {
            let vm = self.vm.milestones.iter().find(|(other, _)| other == name)?;
            Some((*bare, vm.1))
        })
    }

    /// A row for each kind of device that is not alike on both, and how many kinds are.
    fn differences(&self) -> (Vec<[String; 4]>, usize) {
        let mut rows = vec![["device", "bare board", "VM", ""].map(String::from)];
        let (bare, vm) = (&self.bare.devices, &self.vm.devices);
        let kinds: BTreeSet<&Kind> = bare.keys().chain(vm.keys()).collect();
        let mut same = 0;
        for kind in kinds {
            let note = match (bare.get(kind), vm.get(kind)) {
                (Some(bare), Some(vm)) if bare == vm => {
                    same += 1;
                    continue;
                }
                (Some(_), None) => "not in the VM",
                (None, Some(_)) => "only in the VM",
                (Some(bare), Some(vm)) if bare.drivers != vm.drivers => "another driver",
                _ => "",
            };
            rows.push([kind.name.clone(), shown(bare, kind), shown(vm, kind), note.into()]);
        }
        (rows, same)
    }
}

/// `9000000.pl011, interrupt 33, by uart-pl011`
fn shown(devices: &BTreeMap<Kind, Devices>, kind: &Kind) -> String {
    let Some(devices) = devices.get(kind) else { return "–".into() };
    let mut text = match devices.names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let interrupts: Vec<u32> = devices.interrupts.iter().copied().collect();
    match interrupts.as_slice() {
        [] => {}
        [one] => text += &format!(", interrupt {one}"),
        [first, .., last] => text += &format!(", interrupts {first} to {last}"),
    }
    match devices.drivers.iter().cloned().collect::<Vec<_>>().join(", ") {
        drivers if drivers.is_empty() => text + ", no driver",
        drivers => format!("{text}, by {drivers}"),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> String {
    format!("{}.{:03}", time.as_millis(), time.as_micros() % 1000)
}

/// What the VM adds, as `+0.195 %`.
fn added(bare: Duration, vm: Duration) -> String {
    let (bare, vm) = (i128::from(micros(bare)), i128::from(micros(vm)));
    if bare == 0 {
        return String::new();
    }
    // Thousandths of a per cent.
    let added = (vm - bare) * 100_000 / bare;
    let sign = if added < 0 { '-' } else { '+' };
    format!("{sign}{}.{:03} %", added.abs() / 1000, added.abs() % 1000)
}

/// Lines of columns as wide as what is in them; numbers stand at the right.
fn aligned(rows: &[[String; 4]], right: &[bool; 4]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).zip(right).map(|((cell, width), right)| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(milestones: &[(&'static str, u64)], devices: &[(&str, &[&str], &str, &[u32])]) -> Boot {
        let devices = devices.iter().map(|&(kind, names, driver, interrupts)| {
            let drivers = [driver].iter().filter(|driver| !driver.is_empty()).map(ToString::to_string).collect();
            let names = names.iter().map(ToString::to_string).collect();
            let interrupts = interrupts.iter().copied().collect();
            (Kind { bus: "amba".into(), name: kind.into() }, Devices { names, drivers, interrupts })
        });
        Boot {
            milestones: milestones.iter().map(|&(name, micros)| (name, Duration::from_micros(micros))).collect(),
            devices: devices.collect(),
            ..Boot::default()
        }
    }

    fn compared() -> Compared {
        Compared {
            bare: boot(
                &[("a", 0), ("b", 100_000), ("c", 200_000)],
                &[
                    ("pl011", &["9000000.pl011"], "uart-pl011", &[33]),
                    ("pl031", &["9010000.pl031"], "rtc-pl031", &[34]),
                    ("psci", &["psci"], "", &[]),
                    ("virtio_mmio", &["a000000.virtio_mmio", "a000200.virtio_mmio"], "", &[48, 49]),
                ],
            ),
            vm: boot(
                &[("a", 0), ("b", 100_250)],
                &[("pl011", &["1c090000.pl011"], "uart-pl011", &[37]), ("psci", &["psci"], "", &[])],
            ),
        }
    }

    #[test]
    fn a_page_for_people() {
        let expected = "\
milestone  bare, ms   VM, ms     added
a             0.000    0.000
b           100.000  100.250  +0.250 %
c           200.000        –

last milestone of both: 100.250 in place of 100.000 ms, +0.250 %; an instruction is a nanosecond, and what the guest
does with devices that it finds on one side only is in it

device       bare board                                                     VM
pl011        9000000.pl011, interrupt 33, by uart-pl011                     1c090000.pl011, interrupt 37, by uart-pl011
pl031        9010000.pl031, interrupt 34, by rtc-pl031                      –                                            not in the VM
virtio_mmio  a000000.virtio_mmio and 1 more, interrupts 48 to 49, no driver  –                                            not in the VM
1 more kinds of device are on both, alike
";
        let page = compared().table();
        // The width of a column is the formatter's; what stands in it is not.
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(words(&page), words(expected), "{page}");
    }

    #[test]
    fn a_guest_that_stops_short_is_told() {
        let mut compared = compared();
        assert!(!compared.gets_as_far());
        compared.bare.milestones.pop();
        assert!(compared.gets_as_far());
        compared.vm.bad_end = Some("bad".into());
        assert!(!compared.gets_as_far());
        assert_eq!(compared.json()["gets_as_far"], false);
    }

    #[test]
    fn less_is_negative() {
        assert_eq!(added(Duration::from_micros(1000), Duration::from_micros(999)), "-0.100 %");
        assert_eq!(added(Duration::ZERO, Duration::from_micros(999)), "");
    }
}
