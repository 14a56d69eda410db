//! The table: ours, the budget, the bar, the best other hypervisor, and Xen beside us.

use serde_json::{Value, json};

use crate::bench::budgets::Budgets;
use crate::bench::rows::{ROWS, Row};
use crate::bench::{Grown, Measured};

/// What stands in a line of the table.
struct Line {
    row: &'static Row,
    ours: u64,
    budget: Option<u64>,
    xen: Option<u64>,
}

impl Line {
    fn verdict(&self) -> &'static str {
        match self.row.bar {
            None => "",
            Some(bar) if self.ours <= bar => "beaten",
            Some(_) => "missed",
        }
    }

    fn cells(&self) -> [String; 7] {
        let optional = |count: Option<u64>| count.map_or_else(|| "–".into(), |count| count.to_string());
        let peer = self.row.peer.map_or_else(|| "–".into(), |(who, count)| format!("{count} ({who})"));
        [
            format!("{}{}", self.row.title, self.row.unit.note()),
            self.ours.to_string(),
            optional(self.budget),
            optional(self.row.bar),
            self.verdict().into(),
            peer,
            optional(self.xen),
        ]
    }
}

const HEADINGS: [&str; 7] = ["", "Ostler", "budget", "bar", "", "best other", "Xen, here"];

fn lines(measured: &Measured, budgets: &Budgets) -> Vec<Line> {
    let line = |row: &'static Row| {
        let ours = measured.get(row.name)?;
        Some(Line { row, ours, budget: budgets.get(row.name), xen: measured.xen(row.name) })
    };
    ROWS.iter().filter_map(line).collect()
}

/// For people at a terminal.
pub(crate) fn text(measured: &Measured, budgets: &Budgets) -> String {
    let mut cells = vec![HEADINGS.map(String::from)];
    cells.extend(lines(measured, budgets).iter().map(Line::cells));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let padded = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).enumerate().map(|(index, (cell, width))| match index {
            0 | 4 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    cells.iter().map(padded).collect()
}

/// For `docs/performance.md`.
pub(crate) fn markdown(measured: &Measured, budgets: &Budgets) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&HEADINGS.map(String::from)) + "|---|--:|--:|--:|---|--:|--:|\n";
    text.extend(lines(measured, budgets).iter().map(|it| line(&it.cells())));
    text
}

/// What was found about growth, a paragraph each.
pub(crate) fn growth(measured: &Measured) -> String {
    let mut text = String::new();
    for (vms, grown) in measured.grown() {
        let rows =
            grown.iter().map(|Grown { name, crowded, alone }| format!("{name} costs {crowded} instead of {alone}"));
        text += &match grown.is_empty() {
            true => format!("With {vms} VMs on the board every row costs the same as with one.\n"),
            false => format!("With {vms} VMs on the board {}.\n", rows.collect::<Vec<_>>().join(", ")),
        };
    }
    if let Some(exceptions) = measured.linux_exceptions() {
        text += &format!("\nDebian's boot with `quiet` takes {exceptions} exceptions to EL2.\n");
    }
    if let [(least, first), .., (most, last)] = measured.roominess() {
        let mebibytes = (most - least) >> 20;
        text += &format!(
            "\nReset to the first instruction of a guest with {} MiB: {first} instructions; with {} MiB: {last}; {} for each MiB.\n",
            least >> 20,
            most >> 20,
            last.saturating_sub(*first) / mebibytes.max(1)
        );
    }
    text
}

/// For programs.
pub(crate) fn json(measured: &Measured, budgets: &Budgets) -> Value {
    let row = |line: &Line| {
        let spread = measured.spread(line.row.name);
        json!({
            "name": line.row.name,
            "title": line.row.title,
            "unit": line.row.unit.name(),
            "count": line.ours,
            "least": spread.map(|counts| counts.least),
            "most": spread.map(|counts| counts.most),
            "rounds": spread.map(|counts| counts.rounds),
            "budget": line.budget,
            "bar": line.row.bar,
            "best_other": line.row.peer.map(|(who, count)| json!({ "name": who, "count": count })),
            "xen": line.xen,
        })
    };
    json!({ "rows": lines(measured, budgets).iter().map(row).collect::<Vec<_>>(), "scaling": measured.scaling_json() })
}
