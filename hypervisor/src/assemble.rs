//! From a VM's description to a VM: memory, second stage, images in place, devices, vCPUs.
//!
//! Runs on the boot CPU before any guest. Everything a VM will ever need is taken from the pool here.

mod devices;

use arch::cpu::PerCpu;
use arch::paging::{Stage2, Stage2Attributes, Table};
use arch::{Doorbell, Ends, Guest, Vcpu};
use model::{Access, Console, Extent, Hpa, PAGE_BYTES};
use spin::Mutex;
use vdev::Endpoint;

use crate::direct::Direct;
use crate::images::Fill;
use crate::memory::Span;
use crate::passing::{Line, Passed};
use crate::vm::Vm;

/// Alignments worth having for guest memory: those of the large second-stage blocks.
const BLOCKS: [u64; 3] = [1 << 30, 2 << 20, 4096];

/// What assembling needs besides the VM's description.
pub struct Workshop<'p> {
    /// Host memory.
    pub memory: Direct<'p>,
    /// The pCPUs, by index.
    pub pcpus: &'static [PerCpu],
    /// How many seats of each pCPU are taken.
    pub seated: [usize; boot::MAX_CPUS],
    /// How many seats each pCPU has in all.
    pub seats: [usize; boot::MAX_CPUS],
    /// Bits of guest-physical address on these CPUs.
    pub gpa_bits: u32,
    /// The page that each guest finds in its interrupt controller's frames ([`boot::controller::guest_page`]).
    pub controller_page: Option<Hpa>,
}

/// Why a VM could not be assembled.
pub type Failure = &'static str;

impl Workshop<'_> {
    /// Assembles VM number `index`; its consoles are endpoints of the mux.
    pub fn vm(
        &mut self,
        index: u32,
        config: &'static model::Vm,
        endpoints: &'static [Endpoint],
    ) -> Result<(&'static Vm, &'static mut [Vcpu]), Failure> {
        let extents = self.extents(config)?;
        Fill::new(config, extents).finish()?;
        let root = self.second_stage(config, extents)?;

        let memory = &mut self.memory;
        let doorbells = memory
            .place_list(config.cpus.len(), |_, vcpu| {
                let index = config.cpus.get(vcpu)?.pcpu as usize;
                let seat = self.seated.get_mut(index)?;
                let bit = 1u64.checked_shl(u32::try_from(*seat).ok()?)?;
                *seat = seat.saturating_add(1);
                Some(Doorbell { pcpu: self.pcpus.get(index)?, seat: bit })
            })
            .ok_or("its configuration names a pCPU that is not there")?;
        const NO_MEMORY: Failure = "the board's memory is used up";
        let lines = memory.place_list(config.interrupts.len(), |_, line| config.interrupts.get(line).map(Line::new));
        let passed: &'static Passed = memory.place(Passed(lines.ok_or(NO_MEMORY)?)).ok_or(NO_MEMORY)?;
        passed.configure().map_err(|_| "the board has no interrupt of the number that is passed")?;
        let ends = (!config.interrupts.is_empty()).then_some(passed as &'static dyn Ends);
        let guest = Guest::new(index, config, root, doorbells, ends, memory)?;
        let mut consoles = endpoints.iter();
        let devices = memory
            .place_list(config.vdevs.len(), |memory, vdev| {
                let vdev = config.vdevs.get(vdev)?;
                devices::device(memory, vdev, &mut consoles)
            })
            .ok_or(NO_MEMORY)?;
        let starts = memory
            .place_list(config.cpus.len(), |_, vcpu| Some(Mutex::new((vcpu == 0).then_some(config.entry))))
            .ok_or(NO_MEMORY)?;
        let vm: &'static Vm =
            memory.place(Vm::new(config, guest, extents, devices, passed, starts)).ok_or(NO_MEMORY)?;
        vm.guest.connect(vm);
        let vcpus = memory
            .place_list(config.cpus.len(), |memory, vcpu| {
                let pcpu = config.cpus.get(vcpu)?.pcpu as usize;
                let shares = self.seats.get(pcpu).is_some_and(|&seats| seats > 1);
                // Who is watched has to be seen waiting.
                let gives_way = shares && config.exit_on_halt || config.progress_timeout_ms.is_some();
                Vcpu::new(vcpu as u32, &vm.guest, gives_way, memory)
            })
            .ok_or(NO_MEMORY)?;
        Ok((vm, vcpus))
    }

    /// Takes memory for every range of the guest's, in the largest blocks that there are.
    fn extents(&mut self, config: &'static model::Vm) -> Result<&'static [Extent], Failure> {
        let list = self.memory.place_list(config.memory.len(), |memory, index| {
            let wanted = config.memory.get(index)?;
            let hpa = BLOCKS
                .iter()
                // A block helps only if it fits, and if both addresses are aligned to it alike.
                .filter(|&&block| block <= wanted.size_bytes || block == 4096)
                .find_map(|&block| {
                    let skew = wanted.gpa.0.checked_rem(block)?;
                    let base = memory.0.allocate(wanted.size_bytes.checked_add(skew)?, block)?;
                    // What lies before it is free. Should that be one span too many, it is lost.
                    let _ = memory.0.add(Span::sized(base.0, skew));
                    base.checked_add(skew)
                })?;
            Some(Extent { gpa: wanted.gpa, hpa, size_bytes: wanted.size_bytes, access: wanted.access })
        });
        list.map(|list| &*list).ok_or("the board's memory is used up")
    }

    /// The second stage: the guest's memory, what it has of the board, the controller's page, and nothing else.
    fn second_stage(&mut self, config: &model::Vm, extents: &[Extent]) -> Result<Hpa, Failure> {
        const REFUSED: Failure = "its memory does not fit the second stage of this board's CPUs";
        let table = Table::<Stage2>::new(&mut self.memory, self.gpa_bits).map_err(|_| REFUSED)?;
        for extent in extents {
            let attributes = match extent.access {
                Access::ReadWrite => Stage2Attributes::RAM,
                Access::ReadOnly => Stage2Attributes::ROM,
            };
            table
                .map(&mut self.memory, extent.gpa.0, extent.hpa, extent.size_bytes, attributes)
                .map_err(|_| REFUSED)?;
        }
        for pass in config.passes {
            let attributes = Stage2Attributes::of(pass);
            table.map(&mut self.memory, pass.gpa.0, pass.hpa, pass.size_bytes, attributes).map_err(|_| REFUSED)?;
        }
        if let (Some(page), Some(gpa)) = (self.controller_page, config.machine.controller_page()) {
            table.map(&mut self.memory, gpa.0, page, PAGE_BYTES, Stage2Attributes::DEVICE).map_err(|_| REFUSED)?;
        }
        // The tables are read by the MMU of another CPU: complete the stores before it starts (DDI 0487 D8.2.6).
        arch::cpu::publish();
        Ok(table.root())
    }
}

/// How many endpoints of the console a VM needs.
pub fn consoles(config: &model::Vm) -> usize {
    config.vdevs.iter().filter(|vdev| matches!(vdev.kind.console(), Some(Console::Board(_)))).count()
}
