//! The self-test: all translation tables, as the CPUs use them, against who owns what on this board (`audit`).
//!
//! Only with the feature `self-test`. It runs after everything is assembled and before any guest runs.

use arch::paging::{Stage1, Table};
use boot::Facts;
use model::{Hpa, MemoryType, PAGE_BYTES, Pass, Region};

use super::{Cpus, Failure, own_registers, span};
use crate::address_space::{AddressSpace, Image};
use crate::audit::{Audit, IMAGE, REGION, Reach, TAKEN, Violation};
use crate::direct::Direct;
use crate::log;
use crate::memory::{Pool, Span};
use crate::vm::Vm;

/// Whole pages around `span`: so much of it is mapped.
fn pages(span: Span) -> Span {
    let end = span.end.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX);
    Span { start: span.start & !(PAGE_BYTES - 1), end }
}

/// What `vm` should be able to reach.
fn reach(vm: &'static Vm, interface: Option<Hpa>) -> Reach<'static> {
    let interface = interface.zip(vm.config.machine.controller_page()).map(|(hpa, gpa)| Pass {
        gpa,
        hpa,
        size_bytes: PAGE_BYTES,
        write: true,
        execute: false,
        kind: MemoryType::Device,
    });
    let table = Table::at(vm.guest.second_stage(), arch::gpa_bits());
    Reach { name: vm.config.name, table, extents: vm.extents, interface, passes: vm.config.passes }
}

/// Walks all tables and says what was looked at. The first violation is the end.
pub(super) fn run(
    facts: &Facts,
    regions: &[Region],
    image: &Image,
    pool: &mut Pool,
    space: &AddressSpace,
    cpus: &Cpus,
) -> Result<(), Failure> {
    let interface = boot::controller::guest_page(facts);
    let vms = cpus.vms().map(|vm| reach(vm, interface));
    let free = pool.clone();
    let reserved = facts.reserved.iter().map(|reserved| ("reserved memory", span(&reserved.region)));
    let regions = regions.iter().map(|region| (REGION, Span::sized(region.start.0, region.size_bytes)));
    let parts = core::iter::once((IMAGE, image.span()))
        .chain(reserved)
        .chain(regions)
        .chain(free.spans().iter().map(|&free| ("free memory", free)))
        .chain(facts.memory.iter().map(|memory| (TAKEN, span(memory))));
    let devices = own_registers(facts).map(|registers| pages(span(&registers)));
    let text_end = &raw const boot::head::__text_end as u64;
    let text = Span { start: image.load, end: image.physical(text_end.wrapping_sub(1)).wrapping_add(1) };
    let audit = Audit { vms, parts, devices, text };

    audit.extents()?;
    audit.passes()?;
    let own: Table<Stage1> = Table::at(Hpa(arch::cpu::tables_in_use()), space.input_bits());
    let count = audit.own(space.memory(), own)?;
    log::info!("self-test: the hypervisor: {count}: nothing writable and executable, no guest's memory executable");
    for vm in audit.vms.clone() {
        let count = audit.second_stage(&Direct(pool), vm)?;
        log::info!("self-test: {}: {count}: its own memory and nothing else", vm.name);
    }
    Ok(())
}

impl From<Violation<'static>> for Failure {
    fn from(violation: Violation<'static>) -> Failure {
        Failure::SelfTest(violation)
    }
}
