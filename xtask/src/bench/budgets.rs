//! The budgets: what each row may cost, in a file of the tree with a part for each board.
//!
//! A budget is what was measured last, so that whatever makes a row dearer is noticed when it is done. One that is above
//! the row's bar says so in its note.

use std::fmt::Write as _;
use std::path::PathBuf;

use toml::{Table, Value};

use crate::bench::Measured;
use crate::bench::rows::{Column, Row, Unit};
use crate::bench::target::{self, Target};
use crate::failure::{Failure, Result};
use crate::host::{files, paths};

/// Of a budget, what may be spent beyond it: 1 %.
const TOLERANCE: u64 = 100;

const HEADER: &str = "\
# What each row of `cargo xtask bench` may cost; `cargo xtask test` fails if one costs over 1 % more.
# `cargo xtask bench --update` writes this file and shows what changed. Instructions, or bytes where the row says so.
# The parts are boards'. A column for each kind of image: `on` is the image as it is, `off` one without the flight recorder. `bar_on` and `bar_off` are
# what docs/performance.md holds against them.
";

/// A board's part of the file: a row's budget in each column.
#[derive(Clone, Debug)]
pub(crate) struct Budgets {
    target: &'static Target,
    cells: Vec<(&'static str, Column, u64)>,
}

/// A row that costs more than its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    pub row: &'static Row,
    pub column: Column,
    pub budget: u64,
    pub count: u64,
}

impl Budgets {
    /// What was measured becomes the budget.
    pub(crate) fn of(measured: &Measured) -> Budgets {
        let budget = |row: &Row, column| measured.get(column, row.name).filter(|_| row.unit != Unit::Millionths);
        Budgets::collect(measured.target, budget)
    }

    /// With those of `old` that this lacks: a quick call measures not all.
    pub(crate) fn or(self, old: &Budgets) -> Budgets {
        Budgets::collect(self.target, |row, column| self.get(column, row.name).or_else(|| old.get(column, row.name)))
    }

    fn collect(target: &'static Target, mut budget: impl FnMut(&Row, Column) -> Option<u64>) -> Budgets {
        let cells = target.rows.iter().flat_map(|row| Column::ALL.map(|column| (row, column)));
        let cells = cells.filter_map(|(row, column)| Some((row.name, column, budget(row, column)?))).collect();
        Budgets { target, cells }
    }

    /// Reads a board's part of the file; there is nothing in it if it is not there.
    pub(crate) fn read(target: &'static Target) -> Result<Budgets> {
        let path = file();
        let text =
            if path.is_file() { String::from_utf8_lossy(&files::read(&path)?).into_owned() } else { String::new() };
        Budgets::parse(target, &text).map_err(|why| Failure::new(format!("{}: {why}", paths::shown(&path))))
    }

    /// Writes it. The other boards' parts stay.
    pub(crate) fn write(&self) -> Result<()> {
        let mut text = HEADER.to_owned();
        for target in target::ALL {
            text += &if target.board == self.target.board { self.text() } else { Budgets::read(target)?.text() };
        }
        files::write(&file(), text.as_bytes()).map(drop)
    }

    /// The budget of a row.
    pub(crate) fn get(&self, column: Column, name: &str) -> Option<u64> {
        self.cells.iter().find(|(row, of, _)| *row == name && *of == column).map(|(_, _, budget)| *budget)
    }

    /// The rows that cost more than they may.
    pub(crate) fn exceeded(&self, measured: &Measured) -> Vec<Excess> {
        let excess = |&(name, column, budget): &(&str, Column, u64)| {
            let (row, count) = (self.target.row(name)?, measured.get(column, name)?);
            (count > budget + budget / TOLERANCE).then_some(Excess { row, column, budget, count })
        };
        self.cells.iter().filter_map(excess).collect()
    }

    /// Lines that say what `self` has otherwise than `old`.
    pub(crate) fn difference(&self, old: &Budgets) -> String {
        let mut text = String::new();
        for &(name, column, new) in &self.cells {
            let cell = format!("{name}.{}", column.name());
            // Writing to a string cannot fail.
            let _ = match old.get(column, name) {
                Some(old) if old == new => Ok(()),
                Some(old) => writeln!(text, "{cell}: {old} → {new} ({:+})", new.cast_signed() - old.cast_signed()),
                None => writeln!(text, "{cell}: new, {new}"),
            };
        }
        for (name, column, _) in old.cells.iter().filter(|(name, column, _)| self.get(*column, name).is_none()) {
            let _ = writeln!(text, "{name}.{}: gone", column.name());
        }
        text
    }

    fn parse(target: &'static Target, text: &str) -> std::result::Result<Budgets, String> {
        let boards: Table = text.parse().map_err(|why: toml::de::Error| why.to_string())?;
        if let Some(name) = boards.keys().find(|name| Target::find(name).is_err()) {
            return Err(format!("nothing is counted on a board `{name}`"));
        }
        let table = boards.get(target.board).and_then(Value::as_table);
        if let Some(name) = table.into_iter().flat_map(Table::keys).find(|name| target.row(name).is_none()) {
            return Err(format!("there is no row `{name}`"));
        }
        let mut wrong = None;
        let budgets = Budgets::collect(target, |row, column| {
            let value = table?.get(row.name)?.get(column.name())?;
            let count = value.as_integer().and_then(|count| u64::try_from(count).ok());
            wrong = wrong.take().or_else(|| count.is_none().then(|| format!("`{}.{}`", row.name, column.name())));
            count
        });
        match wrong {
            Some(cell) => Err(format!("{cell} is not a count")),
            None => Ok(budgets),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let has_budget = |row: &&Row| self.cells.iter().any(|(name, ..)| *name == row.name);
        for row in self.target.rows.iter().filter(has_budget) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n# {}{}\n[{}.{}]\n", row.title, row.unit.note(), self.target.board, row.name);
            for column in Column::ALL {
                let (Some(budget), name) = (self.get(column, row.name), column.name()) else { continue };
                let _ = writeln!(text, "{name} = {budget}");
                if let Some(bar) = row.bar(column) {
                    let above = if budget > bar { " # the budget is what was measured, above the bar" } else { "" };
                    let _ = writeln!(text, "bar_{name} = {bar}{above}");
                }
            }
        }
        text
    }
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Excess { row, column, budget, count } = self;
        let percent = (count - budget) * 1000 / (*budget).max(1);
        let (whole, tenth) = (percent / 10, percent % 10);
        let cell = format!("{}.{}", row.name, column.name());
        write!(f, "{cell} ({}): {count}, {whole}.{tenth} % over its budget of {budget}", row.title)
    }
}

fn file() -> PathBuf {
    paths::root().join("qemu-tests/budgets.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::target::{ARM64, X86_64};

    fn measured(on: &[(&'static str, u64)], off: &[(&'static str, u64)]) -> Measured {
        let map = |counts: &[(&'static str, u64)]| counts.iter().copied().collect();
        Measured { counts: map(on), unrecorded: map(off), ..Measured::new(&ARM64) }
    }

    #[test]
    fn what_is_written_is_read() {
        let budgets =
            Budgets::of(&measured(&[("image", 100_000), ("timer", 254), ("psci_version", 80)], &[("timer", 120)]));
        assert_eq!(budgets.cells[0], ("psci_version", Column::On, 80), "the order is the table's");
        let text = budgets.text();
        assert!(text.contains("on = 254\nbar_on = 150 # the budget is"), "{text}");
        assert!(text.contains("off = 120\nbar_off = 130\n"), "{text}");
        assert_eq!(Budgets::parse(&ARM64, &text).unwrap().cells, budgets.cells);
        assert_eq!(Budgets::parse(&X86_64, &text).unwrap().cells, [], "another board's");
    }

    #[test]
    fn a_row_may_cost_one_per_cent_more() {
        let budgets = Budgets::of(&measured(&[("timer", 200)], &[("timer", 100)]));
        assert_eq!(budgets.exceeded(&measured(&[("timer", 202), ("psci_version", 9)], &[("timer", 101)])), []);
        let excess = budgets.exceeded(&measured(&[("timer", 203)], &[("timer", 102)]));
        assert!(excess[0].to_string().ends_with("203, 1.5 % over its budget of 200"), "{}", excess[0]);
        assert!(excess[1].to_string().starts_with("timer.off"), "{}", excess[1]);
    }

    #[test]
    fn differences_are_shown() {
        let old = Budgets::of(&measured(&[("timer", 9), ("text", 5)], &[]));
        let new = Budgets::of(&measured(&[("timer", 7), ("bss", 1)], &[("timer", 6)]));
        assert_eq!(new.difference(&old), "timer.on: 9 → 7 (-2)\ntimer.off: new, 6\nbss.on: new, 1\ntext.on: gone\n");
        assert_eq!(new.difference(&new), "");
        assert_eq!(new.or(&old).get(Column::On, "text"), Some(5));
    }

    #[test]
    fn what_is_no_row_is_named() {
        let wrong = |text| Budgets::parse(&ARM64, text).unwrap_err();
        assert_eq!(wrong("[qemu-aarch64.tmier]\noff = 3\n"), "there is no row `tmier`");
        assert_eq!(wrong("[qemu-aarch64.timer]\noff = -3\n"), "`timer.off` is not a count");
        assert_eq!(wrong("[timer]\noff = 3\n"), "nothing is counted on a board `timer`");
    }
}
