//! The table: ours, the budget, the bar, the best other hypervisor, and Xen beside us.

use serde_json::{Value, json};

use crate::bench::budgets::Budgets;
use crate::bench::rows::{Column, Row};
use crate::bench::{Grown, Measured};

/// What stands in a line of the table.
struct Line {
    row: &'static Row,
    on: Cell,
    off: Option<Cell>,
    xen: Option<u64>,
}

/// One kind of image.
struct Cell {
    count: u64,
    budget: Option<u64>,
    bar: Option<u64>,
}

impl Cell {
    fn verdict(&self) -> &'static str {
        match self.bar {
            None => "",
            Some(bar) if self.count <= bar => "beaten",
            Some(_) => "missed",
        }
    }

    fn cells(&self) -> [String; 4] {
        [self.count.to_string(), optional(self.budget), optional(self.bar), self.verdict().into()]
    }
}

fn optional(count: Option<u64>) -> String {
    count.map_or_else(|| "–".into(), |count| count.to_string())
}

const COLUMNS: usize = 11;

impl Line {
    fn cells(&self) -> [String; COLUMNS] {
        let peer = self.row.peer.map_or_else(|| "–".into(), |(who, count)| format!("{count} ({who})"));
        let [on, budget, bar, verdict] = self.on.cells();
        let off = self.off.as_ref().map_or_else(|| ["–", "–", "–", ""].map(String::from), Cell::cells);
        let [unrecorded, off_budget, off_bar, off_verdict] = off;
        let title = format!("{}{}", self.row.title, self.row.unit.note());
        let xen = optional(self.xen);
        [title, on, budget, bar, verdict, unrecorded, off_budget, off_bar, off_verdict, peer, xen]
    }
}

const HEADINGS: [&str; COLUMNS] =
    ["", "Ostler", "budget", "bar", "", "unrecorded", "budget", "bar", "", "best other", "Xen, here"];

fn lines(measured: &Measured, budgets: &Budgets) -> Vec<Line> {
    let cell = |row: &Row, column| {
        let count = measured.get(column, row.name)?;
        Some(Cell { count, budget: budgets.get(column, row.name), bar: row.bar(column) })
    };
    let line = |row: &'static Row| {
        Some(Line { row, on: cell(row, Column::On)?, off: cell(row, Column::Off), xen: measured.xen(row.name) })
    };
    measured.target.rows.iter().filter_map(line).collect()
}

/// For people at a terminal.
pub(crate) fn text(measured: &Measured, budgets: &Budgets) -> String {
    let mut cells = vec![HEADINGS.map(String::from)];
    cells.extend(lines(measured, budgets).iter().map(Line::cells));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let padded = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).enumerate().map(|(index, (cell, width))| match index {
            0 | 4 | 8 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    cells.iter().map(padded).collect()
}

/// For `docs/performance.md`.
pub(crate) fn markdown(measured: &Measured, budgets: &Budgets) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&HEADINGS.map(String::from)) + "|---|--:|--:|--:|---|--:|--:|--:|---|--:|--:|\n";
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
    text += &start("a guest with {} MiB", measured.roominess());
    text += &start("a guest with 64 MiB and an image of {} MiB more to load", measured.load());
    text
}

/// How the start grows, from the least to the most; `what` has a place for the number of MiB.
fn start(what: &str, counts: &[(u64, u64)]) -> String {
    let [(least, first), .., (most, last)] = counts else { return String::new() };
    let of = |bytes: &u64| what.replace("{}", &(bytes >> 20).to_string());
    let each = last.saturating_sub(*first) / ((most - least) >> 20).max(1);
    format!(
        "\nReset to the first instruction of {}: {first} instructions; of {}: {last}; {each} for each MiB.\n",
        of(least),
        of(most)
    )
}

/// For programs.
pub(crate) fn json(measured: &Measured, budgets: &Budgets) -> Value {
    let row = |line: &Line| {
        let spread = measured.spread(line.row.name);
        json!({
            "name": line.row.name,
            "title": line.row.title,
            "unit": line.row.unit.name(),
            "count": line.on.count,
            "least": spread.map(|counts| counts.least),
            "most": spread.map(|counts| counts.most),
            "rounds": spread.map(|counts| counts.rounds),
            "budget": line.on.budget,
            "bar": line.on.bar,
            "unrecorded": line.off.as_ref().map(|off| {
                json!({ "count": off.count, "budget": off.budget, "bar": off.bar })
            }),
            "best_other": line.row.peer.map(|(who, count)| json!({ "name": who, "count": count })),
            "xen": line.xen,
        })
    };
    json!({ "board": measured.target.board, "rows": lines(measured, budgets).iter().map(row).collect::<Vec<_>>(), "scaling": measured.scaling_json() })
}
