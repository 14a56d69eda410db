//! The budgets: what each row may cost, in a file of the tree.
//!
//! A budget is what was measured last, so that whatever makes a row dearer is noticed when it is done. One that is above
//! the row's bar says so in its note.

use std::fmt::Write as _;
use std::path::PathBuf;

use toml::Table;

use crate::bench::Measured;
use crate::bench::rows::{self, Column, ROWS, Row, Unit};
use crate::failure::{Failure, Result};
use crate::host::{files, paths};

/// Of a budget, what may be spent beyond it: 1 %.
const TOLERANCE: u64 = 100;

const HEADER: &str = "\
# What each row of `cargo xtask bench` may cost; `cargo xtask test` fails if one costs over 1 % more.
# `cargo xtask bench --update` writes this file and shows what changed. Instructions, or bytes where the row says so.
# A column for each kind of image: `on` is the image as it is, `off` one without the flight recorder. `bar_on` and `bar_off` are
# what docs/performance.md holds against them.
";

/// The file: a row's budget in each column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budgets(Vec<(&'static str, Column, u64)>);

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
        Budgets::collect(|row, column| measured.get(column, row.name).filter(|_| row.unit != Unit::Millionths))
    }

    /// With those of `old` that this lacks: a quick call measures not all.
    pub(crate) fn or(self, old: &Budgets) -> Budgets {
        Budgets::collect(|row, column| self.get(column, row.name).or_else(|| old.get(column, row.name)))
    }

    fn collect(mut budget: impl FnMut(&Row, Column) -> Option<u64>) -> Budgets {
        let cells = ROWS.iter().flat_map(|row| Column::ALL.map(|column| (row, column)));
        Budgets(cells.filter_map(|(row, column)| Some((row.name, column, budget(row, column)?))).collect())
    }

    /// Reads the file; there is nothing in it if it is not there.
    pub(crate) fn read() -> Result<Budgets> {
        let path = file();
        if !path.is_file() {
            return Ok(Budgets::default());
        }
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        Budgets::parse(&text).map_err(|why| Failure::new(format!("{}: {why}", paths::shown(&path))))
    }

    /// Writes the file.
    pub(crate) fn write(&self) -> Result<()> {
        files::write(&file(), self.text().as_bytes()).map(drop)
    }

    /// The budget of a row.
    pub(crate) fn get(&self, column: Column, name: &str) -> Option<u64> {
        self.0.iter().find(|(row, of, _)| *row == name && *of == column).map(|(_, _, budget)| *budget)
    }

    /// The rows that cost more than they may.
    pub(crate) fn exceeded(&self, measured: &Measured) -> Vec<Excess> {
        let excess = |&(name, column, budget): &(&str, Column, u64)| {
            let (row, count) = (rows::find(name)?, measured.get(column, name)?);
            (count > budget + budget / TOLERANCE).then_some(Excess { row, column, budget, count })
        };
        self.0.iter().filter_map(excess).collect()
    }

    /// Lines that say what `self` has otherwise than `old`.
    pub(crate) fn difference(&self, old: &Budgets) -> String {
        let mut text = String::new();
        for &(name, column, new) in &self.0 {
            let cell = format!("{name}.{}", column.name());
            // Writing to a string cannot fail.
            let _ = match old.get(column, name) {
                Some(old) if old == new => Ok(()),
                Some(old) => writeln!(text, "{cell}: {old} → {new} ({:+})", new.cast_signed() - old.cast_signed()),
                None => writeln!(text, "{cell}: new, {new}"),
            };
        }
        for (name, column, _) in old.0.iter().filter(|(name, column, _)| self.get(*column, name).is_none()) {
            let _ = writeln!(text, "{name}.{}: gone", column.name());
        }
        text
    }

    fn parse(text: &str) -> std::result::Result<Budgets, String> {
        let table: Table = text.parse().map_err(|why: toml::de::Error| why.to_string())?;
        if let Some(name) = table.keys().find(|name| rows::find(name).is_none()) {
            return Err(format!("there is no row `{name}`"));
        }
        let mut wrong = None;
        let budgets = Budgets::collect(|row, column| {
            let value = table.get(row.name)?.get(column.name())?;
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
        let mut text = HEADER.to_owned();
        let mut rows: Vec<&str> = self.0.iter().map(|(name, ..)| *name).collect();
        rows.dedup();
        for row in rows.into_iter().filter_map(rows::find) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n# {}{}\n[{}]\n", row.title, row.unit.note(), row.name);
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

    fn measured(on: &[(&'static str, u64)], off: &[(&'static str, u64)]) -> Measured {
        let map = |counts: &[(&'static str, u64)]| counts.iter().copied().collect();
        Measured { counts: map(on), unrecorded: map(off), ..Measured::default() }
    }

    #[test]
    fn what_is_written_is_read() {
        let budgets =
            Budgets::of(&measured(&[("image", 100_000), ("timer", 254), ("psci_version", 80)], &[("timer", 120)]));
        assert_eq!(budgets.0[0], ("psci_version", Column::On, 80), "the order is the table's");
        let text = budgets.text();
        assert!(text.contains("on = 254\nbar_on = 150 # the budget is"), "{text}");
        assert!(text.contains("off = 120\nbar_off = 130\n"), "{text}");
        assert_eq!(Budgets::parse(&text), Ok(budgets));
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
        assert_eq!(Budgets::parse("[tmier]\noff = 3\n"), Err("there is no row `tmier`".into()));
        assert_eq!(Budgets::parse("[timer]\noff = -3\n"), Err("`timer.off` is not a count".into()));
    }
}
