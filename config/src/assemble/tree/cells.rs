//! Addresses and lengths in properties: how many 32-bit cells they take, and the same numbers in another count of cells.
//!
//! (Devicetree Specification 0.4, 2.3.5 to 2.3.9.)

use super::Node;

/// How many cells an address and a length take in the `reg` of a node's children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Cells {
    pub(in super::super) address: u32,
    pub(in super::super) size: u32,
}

/// More than any bus needs: PCI's addresses have three.
const MOST: u32 = 4;
/// Numbers of more cells than this are no numbers: PCI's addresses begin with flags.
const MOST_OF_A_NUMBER: u32 = 2;

impl Cells {
    /// What a node means that says nothing (2.3.5).
    pub(in super::super) const DEFAULT: Cells = Cells { address: 2, size: 1 };

    /// What `node` says, and `otherwise` for what it doesn't say.
    pub(in super::super) fn of(node: &Node, otherwise: Cells) -> Cells {
        Cells {
            address: node.cell("#address-cells").unwrap_or(otherwise.address),
            size: node.cell("#size-cells").unwrap_or(otherwise.size),
        }
    }
}

/// The rows of a table, such as `reg`, whose columns take `widths` cells each; `None` if it is no such table.
pub(in super::super) fn rows(value: &[u8], widths: &[u32]) -> Option<Vec<Vec<u128>>> {
    if widths.iter().any(|&width| width > MOST) {
        return None;
    }
    let row_bytes = widths.iter().sum::<u32>() as usize * 4;
    if row_bytes == 0 || !value.len().is_multiple_of(row_bytes) {
        return value.is_empty().then(Vec::new);
    }
    let row = |mut row: &[u8]| {
        let column = |&width: &u32| {
            let (number, rest) = row.split_at(width as usize * 4);
            row = rest;
            number.iter().fold(0, |sum: u128, &byte| sum << 8 | u128::from(byte))
        };
        widths.iter().map(column).collect()
    };
    Some(value.chunks_exact(row_bytes).map(row).collect())
}

/// The same table with columns of other widths. The error says why that cannot be.
pub(super) fn converted(value: &[u8], from: &[u32], to: &[u32]) -> Result<Vec<u8>, String> {
    if from == to {
        return Ok(value.to_vec());
    }
    let pairs = || from.iter().zip(to);
    if pairs().any(|(from, to)| from != to && (*from.max(to) > MOST_OF_A_NUMBER)) {
        return Err("addresses of more than two cells are no plain numbers".into());
    }
    let table = rows(value, from).ok_or_else(|| {
        let widths: Vec<String> = from.iter().map(u32::to_string).collect();
        format!("its length of {} bytes is no multiple of its cells ({})", value.len(), widths.join(" + "))
    })?;
    let mut bytes = Vec::new();
    for row in table {
        for (number, (_, &width)) in row.into_iter().zip(pairs()) {
            let fits = number.checked_shr(32 * width).unwrap_or(0) == 0;
            if !fits {
                return Err(format!("{number:#x} does not fit {width} cells"));
            }
            bytes.extend(&number.to_be_bytes()[16 - 4 * width as usize..]);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::{cells, wide};
    use super::*;

    #[test]
    fn numbers_keep_their_value_in_other_cells() {
        assert_eq!(converted(&cells(&[0x1000, 0x20]), &[1, 1], &[2, 2]), Ok(wide(&[0x1000, 0x20])));
        assert_eq!(converted(&wide(&[1, 2, 3, 4]), &[2, 2], &[2, 1]), Ok(cells(&[0, 1, 2, 0, 3, 4])));
        assert_eq!(converted(&cells(&[5]), &[1, 0], &[2, 0]), Ok(wide(&[5])));
        assert_eq!(converted(&[1, 2, 3], &[2, 2], &[2, 2]), Ok(vec![1, 2, 3]), "nothing to do, nothing looked at");
    }

    #[test]
    fn what_cannot_be_converted_says_why() {
        let error = |value: &[u8], from: &[u32], to: &[u32]| converted(value, from, to).unwrap_err();
        assert_eq!(error(&wide(&[1 << 32, 1]), &[2, 2], &[1, 1]), "0x100000000 does not fit 1 cells");
        assert_eq!(error(&cells(&[1, 2]), &[1, 1], &[1, 0]), "0x2 does not fit 0 cells");
        assert_eq!(error(&[0; 6], &[1, 0], &[2, 0]), "its length of 6 bytes is no multiple of its cells (1 + 0)");
        assert_eq!(error(&[0; 12], &[3, 0], &[2, 1]), "addresses of more than two cells are no plain numbers");
    }

    #[test]
    fn a_table_that_is_none_has_no_rows() {
        assert_eq!(rows(&[], &[2, 2]), Some(vec![]));
        assert_eq!(rows(&[0; 4], &[0, 0]), None);
        assert_eq!(rows(&[0; 20], &[5, 0]), None);
        assert_eq!(rows(&cells(&[1, 2, 3]), &[2, 1]), Some(vec![vec![0x1_0000_0002, 3]]));
    }
}
