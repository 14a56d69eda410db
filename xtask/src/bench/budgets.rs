//! The budgets: what each row may cost, in a file of the tree.
//!
//! A budget is what was measured last, so that whatever makes a row dearer is noticed when it is done. One that is above
//! the row's bar says so in its note.

use std::fmt::Write as _;
use std::path::PathBuf;

use toml::{Table, Value};

use crate::bench::rows::{self, ROWS, Row, Unit};
use crate::failure::{Failure, Result};
use crate::host::{files, paths};

/// Of a budget, what may be spent beyond it: 1 %.
const TOLERANCE: u64 = 100;

/// The column of an image without a recorder of exits.
const OFF: &str = "off";

const HEADER: &str = "\
# What each row of `cargo xtask bench` may cost; `cargo xtask test` fails if one costs over 1 % more.
# `cargo xtask bench --update` writes this file and shows what changed. Instructions, or bytes where the row says so.
# A column for each kind of image: `off` has no recorder of exits. `bar` is what docs/performance.md holds against it.
";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budgets(Vec<(&'static str, u64)>);

/// A row that costs more than its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    pub row: &'static Row,
    pub budget: u64,
    pub count: u64,
}

impl Budgets {
    /// What was measured becomes the budget.
    pub(crate) fn of(measured: &[(&'static str, u64)]) -> Budgets {
        let count = |row: &Row| measured.iter().find(|(name, _)| *name == row.name).map(|(_, count)| *count);
        let rows = ROWS.iter().filter(|row| row.unit != Unit::Millionths);
        Budgets(rows.filter_map(|row| Some((row.name, count(row)?))).collect())
    }

    /// With those of `old` that this lacks: a quick call measures not all.
    pub(crate) fn or(self, old: &Budgets) -> Budgets {
        let budget = |row: &Row| Some((row.name, self.get(row.name).or_else(|| old.get(row.name))?));
        Budgets(ROWS.iter().filter_map(budget).collect())
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
    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(row, _)| *row == name).map(|(_, budget)| *budget)
    }

    /// The rows that cost more than they may.
    pub(crate) fn exceeded(&self, measured: &[(&'static str, u64)]) -> Vec<Excess> {
        let excess = |&(name, count): &(&str, u64)| {
            let (row, budget) = (rows::find(name)?, self.get(name)?);
            (count > budget + budget / TOLERANCE).then_some(Excess { row, budget, count })
        };
        measured.iter().filter_map(excess).collect()
    }

    /// Lines that say what `self` has otherwise than `old`.
    pub(crate) fn difference(&self, old: &Budgets) -> String {
        let mut text = String::new();
        for (name, new) in &self.0 {
            // Writing to a string cannot fail.
            let _ = match old.get(name) {
                Some(old) if old == *new => Ok(()),
                Some(old) => writeln!(text, "{name}: {old} → {new} ({:+})", new.cast_signed() - old.cast_signed()),
                None => writeln!(text, "{name}: new, {new}"),
            };
        }
        for (name, _) in old.0.iter().filter(|(name, _)| self.get(name).is_none()) {
            let _ = writeln!(text, "{name}: gone");
        }
        text
    }

    fn parse(text: &str) -> std::result::Result<Budgets, String> {
        let table: Table = text.parse().map_err(|why: toml::de::Error| why.to_string())?;
        let mut budgets = Vec::new();
        for (name, columns) in &table {
            let row = rows::find(name).ok_or_else(|| format!("there is no row `{name}`"))?;
            let off = columns.get(OFF).and_then(Value::as_integer).and_then(|count| u64::try_from(count).ok());
            budgets.push((row.name, off.ok_or_else(|| format!("`{name}.{OFF}` is not a count"))?));
        }
        budgets.sort_by_key(|(name, _)| ROWS.iter().position(|row| row.name == *name));
        Ok(Budgets(budgets))
    }

    fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        for (name, budget) in &self.0 {
            let Some(row) = rows::find(name) else { continue };
            // Writing to a string cannot fail.
            let _ = write!(text, "\n# {}{}\n[{name}]\n{OFF} = {budget}\n", row.title, row.unit.note());
            if let Some(bar) = row.bar {
                let _ = writeln!(text, "bar = {bar}");
                if *budget > bar {
                    let _ = writeln!(text, "note = \"above the bar: the budget is what was measured\"");
                }
            }
        }
        text
    }
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Excess { row, budget, count } = self;
        let percent = (count - budget) * 1000 / (*budget).max(1);
        let (whole, tenth) = (percent / 10, percent % 10);
        write!(f, "{} ({}): {count}, {whole}.{tenth} % over its budget of {budget}", row.name, row.title)
    }
}

fn file() -> PathBuf {
    paths::root().join("qemu-tests/budgets.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let budgets = Budgets::of(&[("image", 100_000), ("timer", 254), ("psci_version", 80)]);
        assert_eq!(budgets.0[0], ("psci_version", 80), "the order is the table's");
        let text = budgets.text();
        assert!(text.contains("bar = 130\nnote"), "{text}");
        assert_eq!(Budgets::parse(&text), Ok(budgets));
    }

    #[test]
    fn a_row_may_cost_one_per_cent_more() {
        let budgets = Budgets::of(&[("timer", 200)]);
        assert_eq!(budgets.exceeded(&[("timer", 202), ("psci_version", 9)]), []);
        let excess = budgets.exceeded(&[("timer", 203)]);
        assert!(excess[0].to_string().ends_with("203, 1.5 % over its budget of 200"), "{}", excess[0]);
    }

    #[test]
    fn differences_are_shown() {
        let (old, new) = (Budgets::of(&[("timer", 9), ("text", 5)]), Budgets::of(&[("timer", 7), ("bss", 1)]));
        assert_eq!(new.difference(&old), "timer: 9 → 7 (-2)\nbss: new, 1\ntext: gone\n");
        assert_eq!(new.difference(&new), "");
        assert_eq!(new.or(&old), Budgets(vec![("timer", 7), ("text", 5), ("bss", 1)]));
    }

    #[test]
    fn what_is_no_row_is_named() {
        assert_eq!(Budgets::parse("[tmier]\noff = 3\n"), Err("there is no row `tmier`".into()));
        assert_eq!(Budgets::parse("[timer]\noff = -3\n"), Err("`timer.off` is not a count".into()));
    }
}
