//! What the hypervisor costs, counted in instructions on a board whose clock counts them (`docs/performance.md`).
//!
//! ```text
//! systems ─ build, run ─▶ board: lines of the guest `bench` ─▶ Measured ─┬─▶ table: text, JSON, Markdown
//!                                                                        └─▶ budgets: does a row cost more than it may?
//! ```
//! The counts are the same in every run on every machine, so a difference of one instruction is a difference of the code.

mod board;
pub(crate) mod budgets;
pub(crate) mod document;
mod linux;
pub(crate) mod profile;
pub(crate) mod rows;
mod systems;
pub(crate) mod table;
pub(crate) mod target;
mod xen;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use board::{Counts, Said};
use rows::Column;
use systems::System;
use target::Target;

/// Everything that one call measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// On this board.
    pub target: &'static Target,
    counts: BTreeMap<&'static str, u64>,
    /// The same of an image without the flight recorder.
    unrecorded: BTreeMap<&'static str, u64>,
    spreads: BTreeMap<&'static str, Counts>,
    xen: BTreeMap<&'static str, u64>,
    /// Exceptions that Debian's boot takes to EL2.
    linux_exceptions: Option<u64>,
    /// The rows of one vCPU with so many VMs on the board.
    scaling: Vec<(u32, Said)>,
    /// Instructions to the guest's first, with so many bytes of RAM.
    roominess: Vec<(u64, u64)>,
    /// The same with so many bytes of data to load, in a guest of one size.
    load: Vec<(u64, u64)>,
}

/// A row that costs otherwise with more VMs on the board.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grown {
    pub name: &'static str,
    pub crowded: u64,
    pub alone: u64,
}

impl Measured {
    /// Nothing yet.
    pub(crate) fn new(target: &'static Target) -> Measured {
        Measured {
            target,
            counts: BTreeMap::new(),
            unrecorded: BTreeMap::new(),
            spreads: BTreeMap::new(),
            xen: BTreeMap::new(),
            linux_exceptions: None,
            scaling: Vec::new(),
            roominess: Vec::new(),
            load: Vec::new(),
        }
    }

    /// A row's count.
    pub(crate) fn get(&self, column: Column, name: &str) -> Option<u64> {
        let counts = match column {
            Column::On => &self.counts,
            Column::Off => &self.unrecorded,
        };
        counts.get(name).copied()
    }

    /// The same row under Xen, in this call.
    fn xen(&self, name: &str) -> Option<u64> {
        self.xen.get(name).copied()
    }

    /// How far a row's rounds were apart.
    fn spread(&self, name: &str) -> Option<Counts> {
        self.spreads.get(name).copied()
    }

    fn take(&mut self, said: &Said) {
        for row in self.target.rows {
            if let Some(&counts) = said.rows.get(row.name) {
                self.counts.insert(row.name, counts.mean());
                self.spreads.insert(row.name, counts);
            }
        }
    }

    /// The rows that cost otherwise with so many VMs on the board.
    pub(crate) fn grown(&self) -> Vec<(u32, Vec<Grown>)> {
        let of_row = |row: &rows::Row, said: &Said| {
            let (crowded, alone) = (said.rows.get(row.name)?.mean(), self.get(Column::On, row.name)?);
            (crowded != alone).then_some(Grown { name: row.name, crowded, alone })
        };
        let of_board = |said: &Said| self.target.rows.iter().filter_map(|row| of_row(row, said)).collect();
        self.scaling.iter().map(|(vms, said)| (*vms, of_board(said))).collect()
    }

    /// How the start grows with the guest's RAM: bytes and instructions.
    pub(crate) fn roominess(&self) -> &[(u64, u64)] {
        &self.roominess
    }

    /// How the start grows with what is loaded: bytes and instructions.
    pub(crate) fn load(&self) -> &[(u64, u64)] {
        &self.load
    }

    /// Exceptions that Debian's boot takes to EL2.
    pub(crate) fn linux_exceptions(&self) -> Option<u64> {
        self.linux_exceptions
    }

    fn scaling_json(&self) -> Value {
        let vms = self.scaling.iter().map(|(vms, said)| {
            let rows: BTreeMap<&String, u64> = said.rows.iter().map(|(name, counts)| (name, counts.mean())).collect();
            json!({ "vms": vms, "rows": rows, "boot": said.start })
        });
        let ram = self.roominess.iter().map(|(bytes, boot)| json!({ "ram_bytes": bytes, "boot": boot }));
        let load = self.load.iter().map(|(bytes, boot)| json!({ "data_bytes": bytes, "boot": boot }));
        json!({ "vms": vms.collect::<Vec<_>>(), "ram": ram.collect::<Vec<_>>(), "load": load.collect::<Vec<_>>() })
    }
}

/// Measures what the budgets are about, of both kinds of image.
pub(crate) fn measure(target: &'static Target) -> Result<Measured> {
    let off = measure_column(target, Column::Off)?;
    Ok(Measured { unrecorded: off.counts, ..measure_column(target, Column::On)? })
}

/// Measures one kind of image, as if it were the only one.
fn measure_column(target: &'static Target, column: Column) -> Result<Measured> {
    let mut measured = Measured::new(target);
    let (image, said) = System::alone(target).of_kind(column).measure()?;
    measured.take(&said);
    measured.counts.insert("boot", said.start.ok_or_else(|| Failure::new("the guest did not say when it started"))?);
    sizes(&mut measured, &image.report.json());
    let (_, said) = System::shared(target).of_kind(column).measure()?;
    measured.take(&said);
    Ok(measured)
}

/// Measures rows under Xen. [`measure`] has built the guest.
pub(crate) fn measure_xen(measured: &mut Measured) -> Result<()> {
    let said = (measured.target.xen)(&System::alone(measured.target).machine(Path::new(""))?)?;
    for row in measured.target.rows {
        measured.xen.extend(said.rows.get(row.name).map(|counts| (row.name, counts.mean())));
    }
    Ok(())
}

/// Measures Debian's boots, if the board has rows for them.
pub(crate) fn measure_linux(measured: &mut Measured) -> Result<()> {
    let target = measured.target;
    if target.row("linux_el2").is_none() {
        return Ok(());
    }
    measured.counts.insert("linux_quiet", linux::boots(target, true)?.overhead_ppm());
    let exits = linux::exits(target)?;
    let instructions = exits.path.len() as u64;
    measured.counts.insert("linux_el2", instructions);
    measured.counts.insert("linux_exit", instructions / exits.exceptions.max(1));
    measured.linux_exceptions = Some(exits.exceptions);
    measured.counts.insert("linux", linux::boots(target, false)?.overhead_ppm());
    Ok(())
}

/// Measures how the counts grow: with VMs on the board, with the guest's RAM, and with what is loaded into it.
pub(crate) fn measure_growth(measured: &mut Measured) -> Result<()> {
    let target = measured.target;
    for vms in target.crowds {
        measured.scaling.push((vms, System::crowded(target, vms - 1, 1)?.measure_with_memory()?));
    }
    memory(measured, System::crowded(target, target.crowds[0] - 1, 2)?.measure_with_memory()?.free_bytes);
    for mebibytes in [4_u64, 16, 256, 1024] {
        let (_, said) = System::roomy(target, mebibytes << 20)?.measure()?;
        measured.roominess.extend(said.start.map(|start| (mebibytes << 20, start)));
    }
    for mebibytes in [0_u64, 16] {
        let (_, said) = System::laden(target, mebibytes << 20)?.measure()?;
        measured.load.extend(said.start.map(|start| (mebibytes << 20, start)));
    }
    Ok(())
}

/// What a VM takes besides its RAM, and each vCPU beyond its first, by the memory that boards have left: `free_twice` is
/// that of the first crowded one with two vCPUs instead of one in each of the VMs that sleep.
fn memory(measured: &mut Measured, free_twice: Option<u64>) {
    let [(few, first), (many, second)] = &measured.scaling[..] else { return };
    let (Some(first), Some(second), Some(twice)) = (first.free_bytes, second.free_bytes, free_twice) else { return };
    let vm = first.saturating_sub(second) / u64::from(many - few);
    measured.counts.insert("vm_memory", vm.saturating_sub(systems::NEIGHBOUR_BYTES));
    measured.counts.insert("vcpu_memory", first.saturating_sub(twice) / u64::from(few - 1));
}

fn sizes(measured: &mut Measured, report: &Value) {
    let section = |name: &str| {
        let sections = report["sections"].as_array().into_iter().flatten();
        sections.filter(|it| it["name"] == name).filter_map(|it| it["bytes"].as_u64()).sum::<u64>()
    };
    measured.counts.extend(report["image_bytes_without_guests"].as_u64().map(|bytes| ("image", bytes)));
    measured.counts.insert("text", section(".text"));
    measured.counts.insert("data", section(".rodata") + section(".data"));
    measured.counts.insert("bss", section(".bss"));
}
