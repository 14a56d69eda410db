//! Memory that a tree reserves: its memory reservation block (`/memreserve/`) and what is below `/reserved-memory`
//! (Devicetree Specification 0.4, 5.3 and 3.5).

use super::cells::{Cells, rows};
use super::{Merged, path::shown};
use crate::assemble::claims::Range;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// Every range that is reserved, what reserves it, and the index of the file that says so if that is known. Ranges that a guest
/// chooses the place of are not among them. What is wrong is reported.
pub(in super::super) fn reserved(
    merged: &Merged,
    problems: &mut Vec<(Option<usize>, Diagnostic)>,
) -> Vec<(Range, String, Option<usize>)> {
    let mut list = Vec::new();
    let mut add = |(start, size): (u128, u128), what: String, file: Option<usize>| {
        let range = u64::try_from(start).ok().zip(u64::try_from(size).ok());
        match range.and_then(|(start, size)| Range::new(start, size)) {
            Some(range) if range.size() == 0 => {}
            Some(range) => list.push((range, what, file)),
            None => {
                let message = format!("{what} ends beyond the address space");
                problems.push((file, Diagnostic::error(codes::TREE_RESERVED, message)));
            }
        }
    };
    for &(start, size) in &merged.tree.reservations {
        add((start.into(), size.into()), "the reservation (`/memreserve/`)".into(), None);
    }
    let mut bad = Vec::new();
    if let Some(node) = merged.tree.root.at("/reserved-memory") {
        let Cells { address, size } = Cells::of(node, Cells::DEFAULT);
        for child in node.children.iter().filter(|child| child.enabled()) {
            let path = format!("/reserved-memory/{}", child.name);
            let file = merged.touched.get(&path).copied();
            match child.get("reg").map(|reg| rows(reg, &[address, size])) {
                None => {}
                Some(Some(rows)) => rows.iter().for_each(|row| add((row[0], row[1]), format!("node `{path}`"), file)),
                Some(None) => bad.push((file, bad_reg(&path, Cells { address, size }))),
            }
        }
    }
    problems.append(&mut bad);
    list
}

/// That the length of `reg` does not fit.
pub(in super::super) fn bad_reg(path: &str, cells: Cells) -> Diagnostic {
    let Cells { address, size } = cells;
    let message =
        format!("`reg` of node `{}` is no list of addresses of {address} and lengths of {size} cells", shown(path));
    let hint = "`#address-cells` and `#size-cells` of the node above say how many cells they have";
    Diagnostic::error(codes::TREE_CELLS, message).hint(hint)
}
