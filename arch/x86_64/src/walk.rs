//! A walk of the guest's own page tables, as its CPU does it (APM volume 2, 5.2 to 5.6): for instructions that are fetched once
//! more, and for the memory operands of those that are emulated.
//!
//! Whatever is in the tables: they may change meanwhile, and lead anywhere. A walk ends after at most four levels, and what it
//! finds is a guest-physical address like any other.
#![forbid(unsafe_code)]

use model::Gpa;

use crate::control::{Control, LMA, NXE, PAE, PG, PSE, SMAP, SMEP, WP};

/// The guest's memory.
pub trait Tables {
    /// The word of `bytes` (4 or 8) at `gpa`, a multiple of that; `None` if that is no memory.
    fn read(&self, gpa: Gpa, bytes: u8) -> Option<u64>;
    /// Replaces the word of `bytes` at `gpa` by `new` if it is `old` still, in one step. False if it was not.
    fn replace(&self, gpa: Gpa, bytes: u8, old: u64, new: u64) -> bool;
}

/// What the guest wants at an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A store.
    pub write: bool,
    /// By privilege level 3.
    pub user: bool,
    /// An instruction.
    pub fetch: bool,
    /// RFLAGS.AC: the kernel may touch users' pages in spite of SMAP.
    pub ac: bool,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The guest takes #PF with this error code.
    Page(u32),
    /// A table is where no memory is.
    Nowhere(Gpa),
}

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The guest-physical address.
    pub gpa: Gpa,
    /// Where the entries were read, and what they were, from the root on: as many as the walk had levels.
    pub entries: [(Gpa, u64); 4],
    /// How many.
    pub levels: u8,
}

/// Bits of an entry.
mod entry {
    pub(super) const PRESENT: u64 = 1 << 0;
    pub(super) const WRITE: u64 = 1 << 1;
    pub(super) const USER: u64 = 1 << 2;
    pub(super) const ACCESSED: u64 = 1 << 5;
    pub(super) const DIRTY: u64 = 1 << 6;
    /// A leaf above the lowest level.
    pub(super) const LARGE: u64 = 1 << 7;
    pub(super) const NO_EXECUTE: u64 = 1 << 63;
    /// The address in entries of 64 bits, wherever the CPU's ends.
    pub(super) const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
}

/// Bits of an error code (APM volume 2, 8.4.2).
mod code {
    pub(super) const PRESENT: u32 = 1 << 0;
    pub(super) const WRITE: u32 = 1 << 1;
    pub(super) const USER: u32 = 1 << 2;
    pub(super) const RESERVED: u32 = 1 << 3;
    pub(super) const FETCH: u32 = 1 << 4;
}

/// A form of tables.
struct Form {
    /// Bytes of an entry.
    bytes: u8,
    /// log2 of the entries of a table below the root.
    index_bits: u32,
    levels: u8,
    /// Covers the root's indices.
    root_mask: u64,
    /// What of CR3 is the root's address.
    root: u64,
    /// The root's entries have no rights: PAE's four.
    root_is_plain: bool,
    /// The lowest level whose entries can be leaves, counted from the bottom, besides the bottom itself.
    large_levels: u8,
}

const LONG: Form = Form {
    bytes: 8,
    index_bits: 9,
    levels: 4,
    root_mask: 0x1ff,
    root: entry::ADDRESS,
    root_is_plain: false,
    large_levels: 2,
};
const PAGES_OF_PAE: Form =
    Form { levels: 3, root_mask: 3, root: 0xffff_ffe0, root_is_plain: true, large_levels: 1, ..LONG };
const LEGACY: Form = Form {
    bytes: 4,
    index_bits: 10,
    levels: 2,
    root_mask: 0x3ff,
    root: 0xffff_f000,
    root_is_plain: false,
    large_levels: 1,
};

/// Where linear address `address` leads in a guest with `control`, which has no tables of five levels (LA57 is hidden). Entries that were used are marked, as the CPU marks them.
pub fn walk(control: &Control, address: u64, wanted: Wanted, tables: &impl Tables) -> Result<Found, Fault> {
    let none = (Gpa(0), 0);
    if control.cr0 & PG == 0 {
        return Ok(Found { gpa: Gpa(address & 0xffff_ffff), entries: [none; 4], levels: 0 });
    }
    let is_long = control.efer & LMA != 0;
    let form = if is_long {
        &LONG
    } else if control.cr4 & PAE != 0 {
        &PAGES_OF_PAE
    } else {
        &LEGACY
    };
    let address = if is_long { address } else { address & 0xffff_ffff };
    let has_nx = control.efer & NXE != 0 && form.bytes == 8;
    let base_code = error_code(control, wanted, has_nx);

    // What all levels allow together.
    let mut rights = entry::WRITE | entry::USER;
    let mut executes = true;
    let mut entries = [none; 4];
    let mut table = control.cr3 & form.root;
    let mut shift = u32::from(form.levels).wrapping_sub(1).wrapping_mul(form.index_bits).wrapping_add(12);
    let mut mask = form.root_mask;
    let mut left = form.levels;
    for slot in &mut entries {
        let index = address >> shift & mask;
        let gpa = Gpa(table.wrapping_add(index.wrapping_mul(form.bytes.into())));
        let mut value = tables.read(gpa, form.bytes).ok_or(Fault::Nowhere(gpa))?;
        if value & entry::PRESENT == 0 {
            return Err(Fault::Page(base_code));
        }
        let is_plain = form.root_is_plain && left == form.levels;
        let is_leaf = left == 1
            || !is_plain
                && left.wrapping_sub(1) <= form.large_levels
                && value & entry::LARGE != 0
                && (form.bytes == 8 || control.cr4 & PSE != 0);
        let below = mask_below(shift);
        let is_reserved = form.bytes == 8 && value & entry::NO_EXECUTE != 0 && !has_nx
            // Address bits of a large page that lie in it; bit 12 is its PAT.
            || is_leaf && left > 1 && form.bytes == 8 && value & entry::ADDRESS & below & !0x1fff != 0;
        if is_reserved {
            return Err(Fault::Page(base_code | code::PRESENT | code::RESERVED));
        }
        if !is_plain {
            rights &= value;
            executes &= value & entry::NO_EXECUTE == 0 || form.bytes == 4;
        }
        if is_leaf {
            if !allows(control, wanted, rights, executes, has_nx) {
                return Err(Fault::Page(base_code | code::PRESENT));
            }
            let dirty = if wanted.write { entry::DIRTY } else { 0 };
            value = mark(tables, gpa, form.bytes, value, entry::ACCESSED | dirty);
            *slot = (gpa, value);
            let page = if left == 1 || form.bytes == 8 { value & address_of(form) } else { large_legacy(value) };
            let gpa = Gpa(page & !below | address & below);
            return Ok(Found { gpa, entries, levels: form.levels.wrapping_sub(left).wrapping_add(1) });
        }
        if !is_plain {
            value = mark(tables, gpa, form.bytes, value, entry::ACCESSED);
        }
        *slot = (gpa, value);
        table = value & address_of(form);
        mask = mask_below(form.index_bits);
        shift = shift.wrapping_sub(form.index_bits);
        left = left.wrapping_sub(1);
    }
    // Not reached: no form has more levels than there are slots.
    Err(Fault::Page(base_code))
}

/// The bits below `shift`, at most 39.
const fn mask_below(shift: u32) -> u64 {
    1_u64.wrapping_shl(shift).wrapping_sub(1)
}

const fn address_of(form: &Form) -> u64 {
    if form.bytes == 8 { entry::ADDRESS } else { 0xffff_f000 }
}

/// A page of 4 MiB has bits 39:32 of its address in 20:13 (APM volume 2, 5.2.2).
const fn large_legacy(value: u64) -> u64 {
    value & 0xffc0_0000 | (value >> 13 & 0xff) << 32
}

const fn error_code(control: &Control, wanted: Wanted, has_nx: bool) -> u32 {
    let mut error = 0;
    if wanted.write {
        error |= code::WRITE;
    }
    if wanted.user {
        error |= code::USER;
    }
    // Only where something can forbid it.
    if wanted.fetch && (has_nx || control.cr4 & SMEP != 0) {
        error |= code::FETCH;
    }
    error
}

const fn allows(control: &Control, wanted: Wanted, rights: u64, executes: bool, has_nx: bool) -> bool {
    let (is_user, is_writable) = (rights & entry::USER != 0, rights & entry::WRITE != 0);
    let by_privilege = if wanted.user {
        is_user
    } else {
        !is_user || if wanted.fetch { control.cr4 & SMEP == 0 } else { control.cr4 & SMAP == 0 || wanted.ac }
    };
    let may_write = !wanted.write || is_writable || !wanted.user && control.cr0 & WP == 0;
    by_privilege && may_write && (!wanted.fetch || executes || !has_nx)
}

/// Sets `bits` in the entry; what it is then. One that somebody has changed, or that is in ROM, stays as it is: the walk was first.
fn mark(tables: &impl Tables, gpa: Gpa, bytes: u8, value: u64, bits: u64) -> u64 {
    let marked = value | bits;
    if marked != value && !tables.replace(gpa, bytes, value, marked) { value } else { marked }
}

#[cfg(test)]
#[path = "walk/tests.rs"]
mod tests;
