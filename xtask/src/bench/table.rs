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
