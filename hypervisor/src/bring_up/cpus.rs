//! The pCPUs on the way from the board's tree to their loops: stacks, seats, and the start of each.

use arch::Vcpu;
use arch::cpu::PerCpu;
use arch::mailbox::MAX_SEATS;
use boot::head::Start as CpuStart;
use boot::{Facts, controller};
use model::{Policy, System};

use super::{Failure, NO_MEMORY};
use crate::address_space::AddressSpace;
use crate::direct::Direct;
use crate::fatal;
use crate::memory::Pool;
use crate::pcpu::{Pcpu, Seat};
use crate::post_mortem::Report;
use crate::scheduler::{Entry, Scheduler};
use crate::stacks::SLOT_MEMORY;
use crate::vm::Vm;

/// What a pCPU is handed when it starts.
pub(super) struct HandOver {
    local: &'static PerCpu,
    /// Its private interrupts.
    private: controller::Private,
    seats: &'static mut [Option<Seat>],
    entries: &'static mut [Entry],
    report: &'static mut Option<Report>,
    /// What the CPU reads before its MMU is on.
    start: CpuStart,
}

/// The pCPUs that the configuration uses, none of which runs its loop yet.
pub(super) struct Cpus {
    /// What others see of them.
    pub(super) locals: &'static [PerCpu],
    /// How many vCPUs sit on each.
    pub(super) seats: [usize; boot::MAX_CPUS],
    pcpus: &'static mut [HandOver],
}

impl Cpus {
    /// The pCPUs with these ids, in their order, with room for the vCPUs of `system`.
    pub(super) fn place(
        system: &'static System,
        facts: &Facts,
        ids: &[u64],
        pool: &mut Pool,
        space: &mut AddressSpace,
    ) -> Result<Cpus, Failure> {
        let mut seats = [0_usize; boot::MAX_CPUS];
        for cpu in system.vms.iter().flat_map(|vm| vm.cpus) {
            let taken = seats.get_mut(cpu.pcpu as usize).ok_or(Failure::Plain("a vCPU's pCPU is not there"))?;
            *taken = taken.saturating_add(1);
        }
        if seats.iter().any(|&seats| seats > MAX_SEATS) {
            return Err(Failure::Plain("a pCPU has too many vCPUs"));
        }
        let root = space.root().0;
        let mut stacks = [0; boot::MAX_CPUS];
        let locals: &'static [PerCpu] = place_all(pool, ids.len(), |memory, index| {
            let slot = memory.0.allocate(SLOT_MEMORY, 4096).ok_or(NO_MEMORY)?;
            let mapped = space.map_stacks(index as u32, slot)?;
            *stacks.get_mut(index).ok_or(NO_MEMORY)? = mapped.stack.end;
            let doorbell = arch::controller::doorbell(index as u32, *ids.get(index).ok_or(NO_MEMORY)?);
            Ok(PerCpu::new(index as u32, mapped.emergency.end, doorbell, memory.recorder().ok_or(NO_MEMORY)?))
        })?;
        let pcpus = place_all(pool, ids.len(), |memory, index| {
            let seats = seats.get(index).copied().unwrap_or(0);
            Ok(HandOver {
                local: locals.get(index).ok_or(NO_MEMORY)?,
                private: controller::private(facts, *ids.get(index).ok_or(NO_MEMORY)?)
                    .ok_or(Failure::Plain("a CPU has no part of the interrupt controller"))?,
                seats: memory.place_list(seats, |_, _| Some(None)).ok_or(NO_MEMORY)?,
                entries: memory.place_list(seats, |_, _| Some(Entry::new(0, Policy::Fifo))).ok_or(NO_MEMORY)?,
                report: memory.place(None).ok_or(NO_MEMORY)?,
                start: CpuStart { root, stack: stacks.get(index).copied().unwrap_or(0), argument: 0 },
            })
        })?;
        arch::cpu::publish();
        Ok(Cpus { locals, seats, pcpus })
    }

    /// Gives `vcpu` the next free seat on its pCPU: the one that `Workshop` has given its doorbell.
    pub(super) fn seat(&mut self, vm: &'static Vm, vcpu: &'static mut Vcpu, cpu: &model::Cpu) -> Option<()> {
        let HandOver { seats, entries, .. } = self.pcpus.get_mut(cpu.pcpu as usize)?;
        let (seat, entry) = seats.iter_mut().zip(entries.iter_mut()).find(|(seat, _)| seat.is_none())?;
        let siblings = vm.config.cpus.iter().filter(|other| other.pcpu == cpu.pcpu).count();
        *seat = Some(Seat::new(vcpu, vm, siblings > 1));
        *entry = Entry::new(cpu.priority, cpu.policy);
        Some(())
    }

    /// The VMs that have been seated, each once.
    #[cfg(feature = "self-test")]
    pub(super) fn vms(&self) -> impl Iterator<Item = &'static Vm> + Clone {
        let seats = self.pcpus.iter().flat_map(|pcpu| pcpu.seats.iter().flatten());
        seats.filter(|seat| seat.vcpu.index() == 0).map(|seat| seat.vm)
    }

    /// Starts all but the boot CPU, number `boot`, at physical address `entry`. What is left for the boot CPU itself: what it
    /// is handed, and its stack.
    pub(super) fn start_others(
        self,
        ids: &[u64],
        boot: usize,
        entry: u64,
    ) -> Result<(&'static mut HandOver, u64), Failure> {
        fatal::know_pcpus(self.locals);
        let (before, rest) = self.pcpus.split_at_mut_checked(boot).ok_or(NO_MEMORY)?;
        let (boot_cpu, after) = rest.split_first_mut().ok_or(NO_MEMORY)?;
        let others = ids.iter().enumerate().filter(|&(index, _)| index != boot).map(|(_, id)| id);
        for (pcpu, &id) in before.iter_mut().chain(after).zip(others) {
            start_cpu(pcpu, id, entry)?;
        }
        let stack = boot_cpu.start.stack;
        Ok((boot_cpu, stack))
    }
}

/// A list in memory of its own; the first failure of `make` counts.
fn place_all<T>(
    pool: &mut Pool,
    count: usize,
    mut make: impl FnMut(&mut Direct<'_>, usize) -> Result<T, Failure>,
) -> Result<&'static mut [T], Failure> {
    let mut failure = None;
    let list =
        Direct(pool).place_list(count, |memory, index| make(memory, index).map_err(|error| failure = Some(error)).ok());
    list.ok_or_else(|| failure.unwrap_or(NO_MEMORY))
}

fn start_cpu(pcpu: &'static mut HandOver, id: u64, entry: u64) -> Result<(), Failure> {
    // The address of all of it, before a part of it is borrowed.
    let pcpu = core::ptr::from_mut(pcpu);
    let argument = pcpu.expose_provenance() as u64;
    // SAFETY: this CPU alone has it until the other one starts.
    let start = unsafe { &mut (*pcpu).start };
    start.argument = argument;
    let start = core::ptr::from_ref(start) as u64;
    arch::cpu::clean_to_coherency(start, size_of::<CpuStart>() as u64);
    arch::firmware::start_cpu(id, entry, start).map_err(|error| Failure::Cpu(id, error))
}

/// A secondary CPU's first Rust, on its own stack (see `boot::head`).
#[unsafe(no_mangle)]
extern "C" fn ostler_secondary(pcpu: u64) -> ! {
    enter_pcpu(pcpu)
}

/// Every pCPU, on its own stack: sets the CPU up and runs its loop. `pcpu` is the address of a [`HandOver`].
pub(super) extern "C" fn enter_pcpu(pcpu: u64) -> ! {
    // SAFETY: the address was exposed from a `&'static mut HandOver` that was given up for this CPU alone.
    let pcpu: &'static mut HandOver = unsafe { &mut *core::ptr::with_exposed_provenance_mut(pcpu as usize) };
    arch::cpu::clear_local();
    arch::entry::install_vectors();
    arch::cpu::set_local(pcpu.local);
    arch::controller::init_cpu(pcpu.private, pcpu.local.index);
    arch::init_cpu();
    let scheduler = Scheduler::new(pcpu.entries, arch::cpu::counter_hz());
    Pcpu::new(pcpu.local, pcpu.seats, scheduler, pcpu.report).run()
}
