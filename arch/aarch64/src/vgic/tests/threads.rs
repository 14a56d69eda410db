//! Real concurrency: four vCPUs on four threads and two devices, with every operation that vCPUs do to each other. Each
//! message is counted before its interrupt is sent and after it was handled, so a lost interrupt leaves the count above
//! zero and everybody asleep.

use super::super::{CpuInterface, KickMask, Read, Redistributor, Vgic};
use super::fake::{FakeCpu, SPURIOUS};
use super::world::*;
use model::{GicVersion, Irq};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

const VCPUS: usize = 4;
const ROUNDS: u32 = 3000;
/// Edge-triggered and level-triggered shared interrupts.
const EDGES: [u32; 2] = [33, 127];
const LEVELS: [u32; 2] = [40, 300];
/// Only reached when an interrupt is lost.
const LOST: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Pcpu {
    kicked: AtomicBool,
    thread: OnceLock<Thread>,
}

struct Machine<'a> {
    version: GicVersion,
    vgic: Vgic<'a>,
    pcpus: [Pcpu; VCPUS],
    /// Messages under way, and those that still come.
    outstanding: AtomicU32,
    /// By receiver, SGI and, on a GICv2, sender: nobody else's SGI says that there is any.
    mail: [[[AtomicU32; VCPUS]; 16]; VCPUS],
    /// By INTID: messages that its handler shall find.
    work: Vec<AtomicU32>,
    /// A device changes its work and its line together.
    devices: [Mutex<()>; LEVELS.len()],
    /// By INTID: disabled, and the guest has seen that the write is complete.
    disabled: Vec<AtomicBool>,
    /// By INTID: for the vCPU that disables it.
    disabler: Vec<Mutex<()>>,
    /// By INTID: a vCPU is in the handler.
    handled: Vec<AtomicBool>,
}

/// A small generator, so that a run's operations do not depend on the machine.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit
    }
}

impl<'a> Machine<'a> {
    fn new(version: GicVersion, redistributors: &'a [Redistributor]) -> Machine<'a> {
        let machine = Machine {
            version,
            vgic: Vgic::new(version, redistributors),
            pcpus: Default::default(),
            outstanding: AtomicU32::new(0),
            mail: Default::default(),
            work: (0..512).map(|_| AtomicU32::new(0)).collect(),
            devices: Default::default(),
            disabled: (0..512).map(|_| AtomicBool::new(false)).collect(),
            disabler: (0..512).map(|_| Mutex::new(())).collect(),
            handled: (0..512).map(|_| AtomicBool::new(false)).collect(),
        };
        let write = |offset, width, value| {
            // Nobody runs yet.
            let _ = machine.write(0, offset, width, value);
        };
        for intid in EDGES.into_iter().chain(LEVELS) {
            write(PRIORITY + u64::from(intid), 1, u64::from(intid));
            write(SET_ENABLE + 4 * u64::from(intid / 32), 4, 1 << (intid % 32));
            let _ = machine.route(0, intid, 0);
        }
        for intid in EDGES {
            write(CONFIG + 4 * u64::from(intid / 16), 4, 2 << (intid % 16 * 2));
        }
        for vcpu in 0..VCPUS as u32 {
            let write = |offset, width, value| match version {
                GicVersion::V2 => machine.vgic.distributor_v2_write(vcpu, offset, width, value),
                GicVersion::V3 => machine.vgic.redistributor_write(vcpu, 0x1_0000 + offset, width, value),
            };
            let _ = write(SET_ENABLE, 4, 0xffff);
            for sgi in 0..16 {
                let _ = write(PRIORITY + sgi, 1, sgi * 8);
            }
        }
        write(DISTRIBUTOR_CONTROL, 4, 3);
        machine
    }

    fn write(&self, from: u32, offset: u64, width: u8, value: u64) -> KickMask {
        match self.version {
            GicVersion::V2 => self.vgic.distributor_v2_write(from, offset, width, value),
            GicVersion::V3 => self.vgic.distributor_write(from, offset, width, value),
        }
    }

    fn read(&self, from: u32, offset: u64) -> Read {
        match self.version {
            GicVersion::V2 => self.vgic.distributor_v2_read(from, offset, 4),
            GicVersion::V3 => self.vgic.distributor_read(from, offset, 4),
        }
    }

    /// Routes a shared interrupt to `to`: a vCPU, or several if there is none of that number.
    fn route(&self, from: u32, intid: u32, to: u32) -> KickMask {
        match (self.version, to) {
            (GicVersion::V2, 0..4) => self.write(from, TARGETS + u64::from(intid), 1, 1 << to),
            (GicVersion::V2, _) => self.write(from, TARGETS + u64::from(intid), 1, 0b1010),
            (GicVersion::V3, 0..4) => self.write(from, ROUTE + 8 * u64::from(intid), 8, to.into()),
            (GicVersion::V3, _) => self.write(from, ROUTE + 8 * u64::from(intid), 8, ROUTE_TO_ANY),
        }
    }

    fn send_sgi(&self, from: u32, sgi: u32, to: u32) -> KickMask {
        let sender = if self.version == GicVersion::V2 { from } else { 0 };
        self.mail[to as usize][sgi as usize][sender as usize].fetch_add(1, SeqCst);
        match self.version {
            GicVersion::V2 => self.write(from, SOFTWARE_INTERRUPT, 4, u64::from(sgi) | 1 << (16 + to)),
            GicVersion::V3 => self.vgic.send_sgi(from, u64::from(sgi) << 24 | 1 << to),
        }
    }

    /// The IPIs; vCPU `from` needs none.
    fn kick(&self, kick: KickMask, from: Option<usize>) {
        for vcpu in kick.iter().map(|vcpu| vcpu as usize).filter(|&vcpu| Some(vcpu) != from) {
            self.pcpus[vcpu].kicked.store(true, SeqCst);
            self.wake(vcpu);
        }
    }

    fn wake(&self, vcpu: usize) {
        if let Some(thread) = self.pcpus[vcpu].thread.get() {
            thread.unpark();
        }
    }

    fn done(&self) -> bool {
        self.outstanding.load(SeqCst) == 0
    }

    fn received(&self, count: u32) {
        if count > 0 && self.outstanding.fetch_sub(count, SeqCst) == count {
            (0..VCPUS).for_each(|vcpu| self.wake(vcpu));
        }
    }

    /// A device thread: edges, and a level that stays high while there is work.
    fn device(&self, which: usize) {
        arch_common::chaos::enable(which as u32 + 77);
        for _ in 0..ROUNDS {
            self.work[EDGES[which] as usize].fetch_add(1, SeqCst);
            self.kick(self.vgic.pulse(Irq::Shared(EDGES[which])).unwrap(), None);
            let _guard = self.devices[which].lock().unwrap();
            self.work[LEVELS[which] as usize].fetch_add(1, SeqCst);
            self.kick(self.vgic.inject(Irq::Shared(LEVELS[which]), true).unwrap(), None);
        }
    }
}

struct Vcpu<'m, 'a> {
    machine: &'m Machine<'a>,
    index: usize,
    interface: CpuInterface,
    hardware: FakeCpu,
    random: Random,
}

impl Vcpu<'_, '_> {
    fn run(&mut self) {
        let own = &self.machine.pcpus[self.index];
        arch_common::chaos::enable(self.random.0.wrapping_mul(0x9e37_79b9));
        own.thread.set(std::thread::current()).unwrap();
        self.interface.start(&self.machine.vgic);
        self.interface.load(&self.machine.vgic);
        let mut rounds = 0;
        while !self.machine.done() {
            self.enter();
            self.handle(0);
            if rounds < ROUNDS {
                rounds += 1;
                self.act();
            } else if !self.must_exit() && !self.hardware.has_deliverable() {
                // WFI.
                let start = Instant::now();
                while !own.kicked.load(SeqCst) && !self.machine.done() {
                    std::thread::park_timeout(LOST);
                    assert!(
                        start.elapsed() < LOST,
                        "vCPU {} sleeps, messages are lost: {:?}",
                        self.index,
                        self.interface
                    );
                }
            }
        }
    }

    fn must_exit(&self) -> bool {
        self.machine.pcpus[self.index].kicked.load(SeqCst) || self.hardware.maintenance()
    }

    /// The way into the guest.
    fn enter(&mut self) {
        self.machine.pcpus[self.index].kicked.store(false, SeqCst);
        let vgic = &self.machine.vgic;
        if self.hardware.maintenance() {
            let kick = self.interface.sync(vgic, &mut self.hardware);
            self.machine.kick(kick, Some(self.index));
        }
        if self.interface.needs_flush(vgic) {
            let kick = self.interface.flush(vgic, &mut self.hardware);
            self.machine.kick(kick, Some(self.index));
        }
        self.hardware.check();
    }

    /// The guest's interrupt vector, until nothing more comes without an exit. Handlers nest.
    fn handle(&mut self, depth: u32) {
        loop {
            let acknowledged = self.hardware.acknowledge();
            if acknowledged == SPURIOUS {
                return;
            }
            let (intid, sender) = (acknowledged & 0x3ff, acknowledged >> 10);
            let machine = self.machine;
            if intid >= 32 {
                assert!(!machine.disabled[intid as usize].load(SeqCst), "{intid} is disabled");
                assert!(!machine.handled[intid as usize].swap(true, SeqCst), "{intid} is active on two vCPUs");
            }
            let count = match LEVELS.iter().position(|&level| level == intid) {
                Some(device) => self.serve(device),
                None if intid < 16 => machine.mail[self.index][intid as usize][sender as usize].swap(0, SeqCst),
                None => machine.work[intid as usize].swap(0, SeqCst),
            };
            if depth < 3 && self.random.below(4) == 0 {
                self.enter();
                self.handle(depth + 1);
            }
            if intid >= 32 {
                machine.handled[intid as usize].store(false, SeqCst);
            }
            self.hardware.end(acknowledged);
            machine.received(count);
            if self.must_exit() {
                self.enter();
            }
        }
    }

    /// Takes a device's work; its line goes low: an exit.
    fn serve(&mut self, device: usize) -> u32 {
        let intid = LEVELS[device];
        let guard = self.machine.devices[device].lock().unwrap();
        let count = self.machine.work[intid as usize].swap(0, SeqCst);
        let kick = self.machine.vgic.inject(Irq::Shared(intid), false).unwrap();
        drop(guard);
        self.machine.kick(kick, Some(self.index));
        self.enter();
        count
    }

    /// Disables an interrupt, waits as drivers do until that is complete, and enables it again.
    fn disable_and_enable(&mut self, intid: u32) -> KickMask {
        let (machine, from) = (self.machine, self.index as u32);
        let (word, bit) = (4 * u64::from(intid / 32), 1 << (intid % 32));
        let Ok(_guard) = machine.disabler[intid as usize].try_lock() else { return KickMask::NONE };
        let kick = machine.write(from, CLEAR_ENABLE + word, 4, bit);
        machine.kick(kick, Some(self.index));
        self.enter();
        // (Not for ever: another vCPU may wait for this one in the same way.)
        let complete = (0..100).any(|_| {
            std::thread::yield_now();
            self.enter();
            // A GICv2 does not say when it is.
            machine.version == GicVersion::V3 && machine.read(from, DISTRIBUTOR_CONTROL).value & 1 << 31 == 0
        });
        machine.disabled[intid as usize].store(complete, SeqCst);
        for _ in 0..3 {
            std::thread::yield_now();
        }
        machine.disabled[intid as usize].store(false, SeqCst);
        machine.write(from, SET_ENABLE + word, 4, bit)
    }

    /// Something that a guest does to the others.
    fn act(&mut self) {
        let (machine, from) = (self.machine, self.index as u32);
        let vgic = &machine.vgic;
        let (to, sgi) = (self.random.below(VCPUS as u32), self.random.below(16));
        let mut kick = machine.send_sgi(from, sgi, to);
        let intids = [EDGES[0], EDGES[1], LEVELS[0], LEVELS[1]];
        let intid = intids[self.random.below(4) as usize];
        let word = 4 * u64::from(intid / 32);
        kick |= self.interface.sync(vgic, &mut self.hardware);
        kick |= match self.random.below(7) {
            0 => machine.route(from, intid, self.random.below(VCPUS as u32 + 1)),
            1 => self.disable_and_enable(intid),
            2 => machine.read(from, SET_PENDING + word).kick,
            3 => machine.read(from, SET_ACTIVE + word).kick,
            4 => {
                let kick = self.interface.unload(vgic, &mut self.hardware);
                std::thread::yield_now();
                self.interface.load(vgic);
                kick
            }
            _ => KickMask::NONE,
        };
        machine.kick(kick, Some(self.index));
    }
}

fn run(version: GicVersion, list_registers: usize) {
    let redistributors = [const { Redistributor::new() }; VCPUS];
    let machine = Machine::new(version, &redistributors);
    // One SGI a round of each vCPU, one edge and one piece of work a round of each device.
    machine.outstanding.store(ROUNDS * (VCPUS + 2 * LEVELS.len()) as u32, SeqCst);
    std::thread::scope(|scope| {
        for index in 0..VCPUS {
            let machine = &machine;
            scope.spawn(move || {
                let interface = CpuInterface::new(index as u32, true);
                let hardware = FakeCpu::new(version, list_registers);
                Vcpu { machine, index, interface, hardware, random: Random(index as u32 + 1) }.run();
            });
        }
        for which in 0..LEVELS.len() {
            let machine = &machine;
            scope.spawn(move || machine.device(which));
        }
    });
    assert!(machine.done());
}

#[test]
fn four_vcpus_lose_nothing_with_four_list_registers() {
    run(GicVersion::V3, 4);
}

#[test]
fn four_vcpus_lose_nothing_with_one_list_register() {
    run(GicVersion::V3, 1);
}

#[test]
fn four_vcpus_lose_nothing_on_a_gicv2_with_four_list_registers() {
    run(GicVersion::V2, 4);
}

#[test]
fn four_vcpus_lose_nothing_on_a_gicv2_with_one_list_register() {
    run(GicVersion::V2, 1);
}
