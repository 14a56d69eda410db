//! From the boot room's hand-over to running guests; `cpus` are the pCPUs on the way to their loops.
//!
//! The boot CPU reads what the board says of itself, builds the hypervisor's own address space, opens the console, compares the board
//! with the one that the configuration was checked against, assembles the VMs and starts the other CPUs. Whatever is
//! wrong before that point ends the board with a message that names what was expected and what was found.

mod cpus;
#[cfg(feature = "self-test")]
mod self_test;

use core::fmt;

use arch::firmware::NotStarted;
use arch::paging::{MapError, Stage1Attributes};
use boot::{Facts, Refusal, Region, controller};
use model::System;
use model::images::Table as Images;
use vdev::Endpoint;

use crate::address_space::{AddressSpace, Image};
use crate::assemble::{Workshop, consoles};
use crate::direct::{Direct, constant_bytes};
use crate::memory::{Pool, Span, TooFragmented};
use crate::random::Random;
use crate::verify::Mismatch;
use crate::{board, epitaph, fatal, images, interrupts, lifecycle, passing, terminal};
use cpus::{Cpus, HandOver, enter_pcpu};

/// Why the board cannot run what was assembled.
enum Failure {
    Mismatch(Mismatch),
    Memory(TooFragmented),
    Map(MapError),
    Plain(&'static str),
    Refused(Refusal),
    Vm(&'static str, &'static str),
    Cpu(u64, NotStarted),
    #[cfg(feature = "self-test")]
    SelfTest(crate::audit::Violation<'static>),
}

impl From<Mismatch> for Failure {
    fn from(mismatch: Mismatch) -> Failure {
        Failure::Mismatch(mismatch)
    }
}

impl From<TooFragmented> for Failure {
    fn from(error: TooFragmented) -> Failure {
        Failure::Memory(error)
    }
}

impl From<MapError> for Failure {
    fn from(error: MapError) -> Failure {
        Failure::Map(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Mismatch(mismatch) => write!(f, "{mismatch}"),
            Failure::Memory(TooFragmented) => f.write_str("the board's memory has too many holes"),
            Failure::Map(error) => write!(f, "the hypervisor's own address space: {error}"),
            Failure::Plain(what) => f.write_str(what),
            Failure::Refused(refusal) => write!(f, "{refusal}"),
            Failure::Vm(name, why) => write!(f, "{name}: {why}"),
            #[cfg(feature = "self-test")]
            Failure::SelfTest(violation) => write!(f, "the self-test failed: {violation}"),
            Failure::Cpu(affinity, error) => write!(f, "CPU {affinity:#x} does not start: {error}"),
        }
    }
}

/// Boots the board; `image` is physical. `from` and `how` are what the boot loader left, as [`boot::begin`] takes them.
pub fn boot(system: &'static System, from: u64, image: Image, how: u64) -> ! {
    fatal::know_system(system);
    let Some(facts) = boot::begin(from, how) else { arch::cpu::halt() };
    match open(system, &facts, &image) {
        Err(_) => board::end(false),
        Ok((pool, space, endpoints)) => {
            let failure = match boot::refusal(from, how) {
                None => run(system, &facts, &image, pool, space, endpoints),
                Some(refusal) => Failure::Refused(refusal),
            };
            log::error!("cannot run: {failure}");
            lifecycle::end(false)
        }
    }
}

fn span(region: &Region) -> Span {
    Span::sized(region.start.0, region.size_bytes)
}

/// The registers that the hypervisor itself uses.
fn own_registers(facts: &Facts) -> impl Iterator<Item = Region> + Clone {
    let console = facts.hardware.console.as_ref().and_then(boot::Uart::registers);
    console.into_iter().chain(controller::regions(facts)).copied()
}

/// Host memory, the address space in use, and the guests' ends of the console.
type Opened = (Pool, AddressSpace, &'static [Endpoint]);

const NO_MEMORY: Failure = Failure::Plain("the board's memory is used up");

/// Builds the final address space, switches to it and opens the console. What fails here fails without a word.
fn open(system: &'static System, facts: &Facts, image: &Image) -> Result<Opened, Failure> {
    let mut pool = Pool::new();
    for memory in &facts.memory {
        pool.add(span(memory))?;
    }
    for reserved in &facts.reserved {
        pool.remove(span(&reserved.region))?;
    }
    for region in system.board.regions {
        pool.remove(Span::sized(region.start.0, region.size_bytes))?;
    }
    pool.remove(image.span())?;

    let mut space = AddressSpace::new(image)?;
    for &free in pool.spans() {
        space.map_direct(free, Stage1Attributes::ReadWrite)?;
    }
    space.map_direct(image.section(), Stage1Attributes::ReadOnly)?;
    for registers in own_registers(facts) {
        space.map_direct(span(&registers), Stage1Attributes::Device)?;
    }
    // SAFETY: the tables map the image as before, and whatever else is used from here on.
    unsafe { arch::cpu::use_tables(space.root().0) };
    let uart = facts.hardware.console.as_ref().map(boot::Uart::address);
    let endpoints = terminal::open(system, uart, &mut Direct(&mut pool)).ok_or(NO_MEMORY)?;
    Ok((pool, space, endpoints))
}

/// Everything after the console works. Does not return unless something is wrong.
fn run(
    system: &'static System,
    facts: &Facts,
    image: &Image,
    mut pool: Pool,
    mut space: AddressSpace,
    endpoints: &'static [Endpoint],
) -> Failure {
    match prepare(system, facts, image, &mut pool, &mut space, endpoints) {
        Err(failure) => failure,
        Ok((boot_cpu, stack)) => {
            // SAFETY: the stack is this pCPU's own, and nothing on the boot stack is used again.
            unsafe {
                arch::cpu::switch_stack(stack, enter_pcpu, core::ptr::from_mut(boot_cpu).expose_provenance() as u64)
            }
        }
    }
}

fn prepare(
    system: &'static System,
    facts: &Facts,
    image: &Image,
    pool: &mut Pool,
    space: &mut AddressSpace,
    mut endpoints: &'static [Endpoint],
) -> Result<(&'static mut HandOver, u64), Failure> {
    let section = greet(system, image)?;
    epitaph::tell();
    for note in &facts.notes {
        log::warn!("the board's description: {note}");
    }
    if facts.rng_seed.is_empty() && facts.kaslr_seed.is_none() {
        log::warn!("the board's firmware gives no random seed: the guests' seeds can be guessed");
    }
    crate::verify::board(&system.board, facts)?;
    let passes = system.vms.iter().flat_map(|vm| vm.passes).copied();
    let interrupts = system.vms.iter().flat_map(|vm| vm.interrupts).map(|interrupt| interrupt.host);
    crate::verify::passed(&system.board, passes, interrupts, facts, own_registers(facts))?;
    crate::verify::ports(system.vms.iter().flat_map(|vm| vm.ports).copied(), controller::ports(facts))?;

    let count = system.board.cpus as usize;
    let affinities = facts.cpus.get(..count).ok_or(Failure::Plain("the board has too few CPUs"))?;
    let own = arch::cpu::own_id();
    let boot_index = affinities
        .iter()
        .position(|&affinity| affinity == own)
        .ok_or(Failure::Plain("the boot CPU is not among those that the configuration uses"))?;
    controller::init(facts, own).ok_or(Failure::Plain("no interrupt controller"))?;

    let mut cpus = Cpus::place(system, facts, affinities, pool, space)?;
    images::open(section, Random::new(&facts.rng_seed, facts.kaslr_seed, arch::cpu::counter()));
    let mut workshop = Workshop {
        memory: Direct(pool),
        pcpus: cpus.locals,
        seated: [0; boot::MAX_CPUS],
        seats: cpus.seats,
        gpa_bits: arch::gpa_bits(),
        controller_page: controller::guest_page(facts),
    };
    for (index, config) in system.vms.iter().enumerate() {
        let own;
        (own, endpoints) = endpoints.split_at_checked(consoles(config)).unwrap_or((endpoints, &[]));
        let (vm, vcpus) = workshop.vm(index as u32, config, own).map_err(|why| Failure::Vm(config.name, why))?;
        for (vcpu, cpu) in vcpus.iter_mut().zip(config.cpus) {
            cpus.seat(vm, vcpu, cpu).ok_or(Failure::Vm(config.name, "no such pCPU"))?;
        }
        lifecycle::add(vm);
        vm.begin_first();
        log::info!("{}: {} vCPUs, entry {}", config.name, config.cpus.len(), config.entry.pc());
    }
    own_interrupts(system, &mut workshop.memory).ok_or(NO_MEMORY)?;
    if let Some(uart) = facts.hardware.console.and_then(|console| console.interrupt()) {
        interrupts::enable_console(uart);
    }

    #[cfg(feature = "self-test")]
    self_test::run(facts, system.board.regions, image, pool, space, &cpus)?;

    // From here on nothing is allocated any more.
    board::set_free_bytes(pool.free_bytes());
    let entry = image.physical(&raw const boot::head::_secondary as u64);
    cpus.start_others(affinities, boot_index, entry)
}

/// Says which of the board's interrupts are whose.
fn own_interrupts(system: &System, memory: &mut Direct) -> Option<()> {
    let count = system.vms.iter().map(|vm| vm.interrupts.len()).sum();
    let mut owned = lifecycle::vms().flat_map(|vm| vm.passed.owned(vm));
    let owners = memory.place_list(count, |_, _| owned.next())?;
    owners.sort_unstable_by_key(passing::Owned::host);
    passing::set_owners(owners);
    Some(())
}

/// Says who we are and what was built in, and finds the images.
fn greet(system: &'static System, image: &Image) -> Result<Images<'static>, Failure> {
    log::info!("Ostler {} ({}) on {}", system.version, system.git, system.board.name);
    log::info!("configuration {}", Hex(&system.configuration));
    let section = image.section();
    // SAFETY: the image section lies between the flat image and .bss, mapped read-only for good.
    let bytes = unsafe { constant_bytes(section.start, section.size() as usize) };
    let images =
        Images::new(bytes).ok_or(Failure::Plain("there is no image section behind the hypervisor: boot ostler.img"))?;
    for entry in (0..images.count()).filter_map(|index| images.entry(index)) {
        log::info!("image {} {} bytes {}", entry.name, entry.size_bytes, Hex(&entry.sha256));
    }
    Ok(images)
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
