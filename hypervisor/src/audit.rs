//! The proof that nobody can reach what is another's: all translation tables, entry by entry, against who owns what.
//!
//! | tables | what must hold |
//! |---|---|
//! | a VM's second stage | memory is the VM's own, where its extents have it, with no more rights than they give; what it has of the board is what it was given, as a device or as memory; bits that nobody sets are not set |
//! | the hypervisor's | nothing is writable and executable; what is executable is its own code; no memory of a VM is mapped but at its own address; devices are mapped as devices, and memory is not |
//! | all | the tables themselves lie in the hypervisor's own memory |
//! | extents, passes | no two owners have the same memory or registers: not two VMs, not a VM and the hypervisor |
//!
//! So no page of one VM is in another, none of the hypervisor's is in any, and no guest's memory is code to the
//! hypervisor. The tables are walked as the CPU would (`arch::paging`), not by way of what built them.

use core::fmt;

use arch::paging::{Entry, Rights, Says, Stage, Stage1, Stage2, Table, TableMemory};
use model::{Access, Extent, Gpa, Hpa, MemoryType, Pass};

use crate::memory::Span;

#[cfg(test)]
mod tests;

/// A VM: its second stage, and what it should be able to reach by it.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its tables.
    pub table: Table<Stage2>,
    /// Its memory.
    pub extents: &'a [Extent],
    /// A GICv2's virtual CPU interface.
    pub interface: Option<Pass>,
    /// What it has of the board.
    pub passes: &'a [Pass],
}

/// Who owns a piece of host-physical address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A VM.
    Vm(&'a str),
    /// The hypervisor; what it is.
    Hypervisor(&'static str),
    /// A device of the board.
    Device,
    /// There is nothing that anybody knows of.
    Nobody,
}

/// What must hold and does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation<'a> {
    /// Whose tables, or whose memory.
    pub of: Owner<'a>,
    /// Input address in those tables; none if two owners have the same memory.
    pub input: Option<u64>,
    /// Host-physical address.
    pub output: Hpa,
    /// What is wrong with it.
    pub what: &'static str,
    /// Who else is concerned: whose the output address is.
    pub owner: Owner<'a>,
}

/// What has been looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tables but the root.
    pub tables: u32,
    /// Leaves.
    pub leaves: u32,
}

/// The hypervisor's image, where its own tables are.
pub const IMAGE: &str = "image";
/// Memory of the board that it leaves alone, for VMs to have.
pub const REGION: &str = "region";
/// Memory that it has taken, for second stages among others.
pub const TAKEN: &str = "memory";

/// Who owns what on the board.
#[derive(Clone, Debug)]
pub struct Audit<V, P, D> {
    /// All VMs.
    pub vms: V,
    /// The hypervisor's memory by what it is; the first one that fits counts.
    pub parts: P,
    /// Registers of devices.
    pub devices: D,
    /// The code of the hypervisor.
    pub text: Span,
}

type Found<'a, T = ()> = Result<T, Violation<'a>>;

impl<'a, V, P, D> Audit<V, P, D>
where
    V: Iterator<Item = Reach<'a>> + Clone,
    P: Iterator<Item = (&'static str, Span)> + Clone,
    D: Iterator<Item = Span> + Clone,
{
    /// No two owners have the same memory. What the hypervisor has taken from the pool is the rest, and cannot be told
    /// from a VM's here; that its tables are not is seen when they are walked.
    pub fn extents(&self) -> Found<'a> {
        for (index, vm) in self.vms.clone().enumerate() {
            for extent in vm.extents {
                let violation = |owner| Violation {
                    of: Owner::Vm(vm.name),
                    input: None,
                    output: extent.hpa,
                    what: "memory that has two owners",
                    owner,
                };
                for other in self.vms.clone().skip(index.saturating_add(1)) {
                    if other.extents.iter().any(|other| overlap(span(other), span(extent))) {
                        return Err(violation(Owner::Vm(other.name)));
                    }
                }
                let siblings = vm.extents.iter().filter(|sibling| overlap(span(sibling), span(extent)));
                if siblings.count() != 1 {
                    return Err(violation(Owner::Vm(vm.name)));
                }
                match self.besides_vms(span(extent)) {
                    Owner::Hypervisor(TAKEN) => {}
                    owner => return Err(violation(owner)),
                }
            }
        }
        Ok(())
    }

    /// What VMs have of the board is nobody else's: not another VM's, and none of the hypervisor's memory or devices.
    pub fn passes(&self) -> Found<'a> {
        for (index, vm) in self.vms.clone().enumerate() {
            for pass in vm.passes {
                let there = Span::sized(pass.hpa.0, pass.size_bytes);
                let is_twice = |other: &Pass| overlap(Span::sized(other.hpa.0, other.size_bytes), there);
                let others = self.vms.clone().skip(index.saturating_add(1));
                let mut others = others.filter(|other| other.passes.iter().any(is_twice));
                let owner = match (others.next(), self.besides_vms(there)) {
                    (Some(other), _) => Owner::Vm(other.name),
                    (None, _) if vm.passes.iter().filter(|pass| is_twice(pass)).count() != 1 => Owner::Vm(vm.name),
                    (None, Owner::Nobody | Owner::Hypervisor(REGION)) => continue,
                    (None, owner) => owner,
                };
                let what = "a part of the board that has two owners";
                return Err(Violation { of: Owner::Vm(vm.name), input: None, output: pass.hpa, what, owner });
            }
        }
        Ok(())
    }

    /// A VM's second stage.
    pub fn second_stage<M: TableMemory>(&self, memory: &M, vm: Reach<'a>) -> Found<'a, Count> {
        let of = Owner::Vm(vm.name);
        self.table_at(of, 0, vm.table.root(), TAKEN)?;
        self.walk::<Stage2, M>(memory, vm.table, of, TAKEN, |entry, output, rights| {
            let is_there = |place: Option<(Hpa, u64)>| {
                place.is_some_and(|(hpa, left)| hpa == output && left >= entry.size_bytes())
            };
            let at = Gpa(entry.input);
            let memory = vm.extents.iter().find(|extent| is_there(extent.translate(at)));
            let memory = memory.filter(|_| !rights.is_device).map(|extent| (extent.access == Access::ReadWrite, true));
            let passes = vm.interface.iter().chain(vm.passes);
            let of_kind = |pass: &&Pass| rights.is_device == (pass.kind == MemoryType::Device);
            let pass = passes.filter(of_kind).find(|pass| is_there(pass.translate(at)));
            // What it may do with it: write, execute.
            match memory.or(pass.map(|pass| (pass.write, pass.execute))) {
                None => Err("which is not its own"),
                Some((false, _)) if rights.write => Err("which it may only read"),
                Some((_, false)) if rights.execute => Err("which it may not execute"),
                Some(_) => Ok(()),
            }
        })
    }

    /// The hypervisor's own tables.
    pub fn own<M: TableMemory>(&self, memory: &M, table: Table<Stage1>) -> Found<'a, Count> {
        let of = Owner::Hypervisor("tables");
        self.table_at(of, 0, table.root(), IMAGE)?;
        self.walk::<Stage1, M>(memory, table, of, IMAGE, |entry, output, rights| {
            let there = Span::sized(output.0, entry.size_bytes());
            let is_device = |there| self.devices.clone().any(|device| overlap(device, there));
            if rights.write && rights.execute {
                return Err("which is writable and executable");
            }
            if rights.execute && (there.start < self.text.start || there.end > self.text.end) {
                return Err("which is executable and not its code");
            }
            if rights.is_device != is_device(there) {
                return Err(if rights.is_device { "as if it were a device" } else { "as if it were memory" });
            }
            let is_vms = || self.vms.clone().any(|vm| vm.extents.iter().any(|extent| overlap(span(extent), there)));
            if entry.input != output.0 && is_vms() {
                return Err("in place of its own memory");
            }
            Ok(())
        })
    }

    /// Every entry of `table`, with its leaves shown to `check`.
    fn walk<S: Stage, M: TableMemory>(
        &self,
        memory: &M,
        table: Table<S>,
        of: Owner<'a>,
        tables_in: &'static str,
        check: impl Fn(&Entry, Hpa, Rights) -> Result<(), &'static str>,
    ) -> Found<'a, Count> {
        let mut count = Count::default();
        table.walk(memory, &mut |entry| {
            let violation = |output: Hpa, what| Violation {
                of,
                input: Some(entry.input),
                output,
                what,
                owner: self.owner(Span::sized(output.0, entry.size_bytes())),
            };
            match entry.says {
                Says::Table(at) => {
                    // Before it is read: it could be anywhere.
                    self.table_at(of, entry.input, at, tables_in)?;
                    count.tables = count.tables.saturating_add(1);
                }
                Says::Leaf(output, rights) => {
                    check(entry, output, rights).map_err(|what| violation(output, what))?;
                    count.leaves = count.leaves.saturating_add(1);
                }
                Says::Nothing => {}
            }
            if entry.is_ours::<S>() {
                return Ok(());
            }
            Err(violation(Hpa(entry.descriptor), "by an entry that Ostler does not write"))
        })?;
        Ok(count)
    }

    /// The tables of `of` for `input` are at `at`: that must be in the hypervisor's `part`.
    fn table_at(&self, of: Owner<'a>, input: u64, at: Hpa, part: &'static str) -> Found<'a> {
        let owner = self.owner(Span::sized(at.0, model::PAGE_BYTES));
        if owner == Owner::Hypervisor(part) {
            return Ok(());
        }
        let what = "where a table lies that is not the hypervisor's alone";
        Err(Violation { of, input: Some(input), output: at, what, owner })
    }

    /// Who owns what is there; of several the one that it is worst for.
    fn owner(&self, there: Span) -> Owner<'a> {
        let vm = self.vms.clone().find(|vm| {
            let mut passes = vm.passes.iter().map(|pass| Span::sized(pass.hpa.0, pass.size_bytes));
            vm.extents.iter().any(|extent| overlap(span(extent), there)) || passes.any(|pass| overlap(pass, there))
        });
        vm.map_or_else(|| self.besides_vms(there), |vm| Owner::Vm(vm.name))
    }

    fn besides_vms(&self, there: Span) -> Owner<'a> {
        if self.devices.clone().any(|device| overlap(device, there)) {
            return Owner::Device;
        }
        let part = self.parts.clone().find(|&(_, part)| overlap(part, there));
        part.map_or(Owner::Nobody, |(name, _)| Owner::Hypervisor(name))
    }
}

fn overlap(one: Span, other: Span) -> bool {
    one.start < other.end && other.start < one.end
}

fn span(extent: &Extent) -> Span {
    Span::sized(extent.hpa.0, extent.size_bytes)
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Vm(name) => write!(f, "VM {name}"),
            Owner::Hypervisor(what) => write!(f, "the hypervisor's {what}"),
            Owner::Device => f.write_str("a device"),
            Owner::Nobody => f.write_str("nobody"),
        }
    }
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { of, input, output, what, owner } = self;
        match input {
            Some(input) => write!(f, "{of}: {input:#x} leads to {output}, {what}: it belongs to {owner}"),
            None => write!(f, "{of}: {output} is {what}: it belongs to {owner} too"),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tables and {} leaves", self.tables.saturating_add(1), self.leaves)
    }
}
