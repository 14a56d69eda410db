//! The walker against a plain list of extents, in tables that live in a vector: one body for the formats of all CPUs.
//!
//! For tests of the crates that have the formats (feature `testing`).
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's own arithmetic, which may panic"
)]

extern crate std;

use std::vec::Vec;

use model::Hpa;
use proptest::prelude::*;

use super::{Leaf, MapError, Says, Stage, Table, TableMemory};

/// Bytes of a page.
pub const KIB4: u64 = 1 << 12;
/// Bytes of a leaf of the middle size.
pub const MIB2: u64 = 1 << 21;
/// Bytes of the largest leaf.
pub const GIB1: u64 = 1 << 30;

/// Where the tables lie.
const BASE: u64 = 0x8000_0000;

/// Table memory that checks every address it is asked for.
#[derive(Debug)]
pub struct Pages {
    entries: Vec<u64>,
    limit: usize,
}

impl Pages {
    /// Memory for `limit` pages.
    pub fn new(limit: usize) -> Pages {
        Pages { entries: Vec::new(), limit: limit * 512 }
    }
}

impl TableMemory for Pages {
    fn allocate(&mut self, pages: usize) -> Option<Hpa> {
        let start = self.entries.len().next_multiple_of(pages * 512);
        let end = start + pages * 512;
        (end <= self.limit).then(|| {
            self.entries.resize(end, 0);
            Hpa(BASE + start as u64 * 8)
        })
    }

    fn read(&self, entry: Hpa) -> u64 {
        assert_eq!(entry.0 % 8, 0);
        self.entries[(entry.0 - BASE) as usize / 8]
    }

    fn write(&mut self, entry: Hpa, value: u64) {
        assert_eq!(self.read(entry) & 1, 0, "a valid entry was replaced, which needs an invalidation");
        self.entries[(entry.0 - BASE) as usize / 8] = value;
    }
}

/// What is to be mapped.
#[derive(Clone, Copy, Debug)]
pub struct Extent<A> {
    input: u64,
    output: u64,
    size: u64,
    attributes: A,
}

impl<A> Extent<A> {
    fn holds(&self, start: u64, size: u64) -> bool {
        self.input <= start && start + size <= self.input + self.size
    }
}

/// Up to five extents of `bits` bits of input address, which may overlap. Their addresses are often congruent to 2 MiB or 1 GiB, so that
/// every leaf size occurs.
pub fn extents<S: Stage>(bits: u32) -> impl Strategy<Value = Vec<Extent<S::Attributes>>> {
    let unit = prop_oneof![Just(KIB4), Just(MIB2), Just(GIB1)];
    let size = (0..3u64, 0..4u64, 0..5u64).prop_map(|(g, m, k)| (g * GIB1 + m * MIB2 + k * KIB4).max(KIB4));
    let end = 1u64 << bits;
    let attributes = prop::sample::select(S::ATTRIBUTES);
    let extent = (unit.clone(), any::<u64>(), unit, 0..1u64 << 47, size, attributes).prop_map(
        move |(input_unit, input, output_unit, output, size, attributes)| {
            // One in four lies at the very end.
            let input = if input % 4 == 0 { end - size } else { input % (end - size) / input_unit * input_unit };
            let congruent = output / output_unit * output_unit + input % output_unit;
            // Ranges of pages are kept short: they take a table for each 2 MiB.
            let pages_only = (input ^ congruent) % MIB2 != 0;
            let size = if pages_only { size % GIB1 % (4 * MIB2) + KIB4 } else { size };
            let input = input.min(end - size);
            Extent { input, output: congruent, size, attributes }
        },
    );
    prop::collection::vec(extent, 1..6)
}

/// Maps `wanted` with `bits` bits of input address: what was mapped is translated, by the largest leaves that its addresses allow, and
/// nothing else is.
///
/// # Panics
/// If that is not so.
pub fn keeps_to_it<S: Stage>(bits: u32, wanted: &[Extent<S::Attributes>]) {
    let mut memory = Pages::new(1000);
    let table = Table::<S>::new(&mut memory, bits).unwrap();
    let mut mapped: Vec<Extent<S::Attributes>> = Vec::new();
    for &e in wanted {
        let clash = mapped.iter().any(|m| e.input < m.input + m.size && m.input < e.input + e.size);
        let result = table.map(&mut memory, e.input, Hpa(e.output), e.size, e.attributes);
        if clash {
            assert!(matches!(result, Err(MapError::Overlap(at)) if mapped.iter().any(|m| at < m.input + m.size)));
            return; // mapped in part
        }
        assert_eq!(result, Ok(()));
        mapped.push(e);
    }
    let leaves = sees_the_largest_leaves(&table, &memory, &mapped);
    walks_over(&table, &memory, &leaves);

    let end = 1u64 << bits;
    for m in &mapped {
        for inside in [0, m.size / 2 + 5, m.size - 1] {
            assert_eq!(table.translate(&memory, m.input + inside), Some(Hpa(m.output + inside)));
        }
        for outside in [m.input.wrapping_sub(1), m.input + m.size, m.input + end] {
            let of = mapped.iter().find(|m| m.input <= outside && outside < m.input + m.size);
            let expected = of.map(|of| Hpa(of.output + (outside - of.input)));
            assert_eq!(table.translate(&memory, outside), expected);
        }
    }
}

/// The leaves are all that was mapped.
fn sees_the_largest_leaves<S: Stage>(
    table: &Table<S>,
    memory: &Pages,
    mapped: &[Extent<S::Attributes>],
) -> Vec<Leaf<S::Attributes>> {
    let mut leaves = Vec::new();
    let mut covered = 0;
    let mut last_end = 0;
    table.for_each_leaf(memory, &mut |leaf| {
        let Leaf { input, output, size_bytes: size, attributes } = leaf;
        assert!(input >= last_end && input % size == 0 && output.0 % size == 0);
        last_end = input + size;
        covered += size;
        let of = mapped.iter().find(|m| m.holds(input, size)).expect("a leaf outside of every extent");
        assert_eq!(output.0 - of.output, input - of.input);
        assert_eq!(attributes, Some(of.attributes));
        for larger in [MIB2, GIB1].into_iter().filter(|&larger| larger > size) {
            let could = of.holds(input / larger * larger, larger) && of.input % larger == of.output % larger;
            assert!(!could, "{input:#x} is a leaf of {size:#x} bytes and could be one of {larger:#x}");
        }
        leaves.push(leaf);
    });
    assert_eq!(covered, mapped.iter().map(|m| m.size).sum::<u64>());
    leaves
}

/// The walk that decodes the bits by itself, as the CPU does, sees `leaves` and nothing that nobody wrote.
fn walks_over<S: Stage>(table: &Table<S>, memory: &Pages, leaves: &[Leaf<S::Attributes>]) {
    let mut rest = leaves.iter();
    let walked: Result<(), ()> = table.walk(memory, &mut |entry| {
        assert!(entry.is_ours::<S>(), "{entry:x?}");
        if let Says::Leaf(output, rights) = entry.says {
            let leaf = rest.next().expect("a leaf more");
            let expected = leaf.attributes.map(|attributes| S::rights(S::leaf(attributes)));
            assert_eq!((entry.input, entry.size_bytes(), output), (leaf.input, leaf.size_bytes, leaf.output));
            assert_eq!(Some(rights), expected);
        }
        Ok(())
    });
    assert_eq!((walked, rest.next()), (Ok(()), None));
}
