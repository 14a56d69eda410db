//! Real concurrency: four vCPUs on four threads and two devices. Each message is counted before its interrupt is sent and
//! after it was handled, so a lost interrupt leaves the count above zero and everybody asleep.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

const VCPUS: usize = 4;
const ROUNDS: u32 = 1000;
/// Vectors of IPIs, of the devices' edges (as messages and as lines), and of their levels.
const IPIS: [u8; 4] = [0x41, 0x42, 0x81, 0xf1];
const MESSAGES: [u8; 2] = [0x51, 0x92];
const EDGES: [(u32, u8); 2] = [(3, 0x61), (4, 0x63)];
/// Lines into the 8259s, one of each, for vCPU 0.
const PIC: [(u32, u8); 2] = [(6, 0x36), (12, 0x3c)];
const LEVELS: [(u32, u8); 2] = [(20, 0x71), (21, 0xa1)];
/// Only reached when an interrupt is lost.
const LOST: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Pcpu {
    kicked: AtomicBool,
    thread: OnceLock<Thread>,
}

struct Machine<'a> {
    vapic: Vapic<'a>,
    pcpus: [Pcpu; VCPUS],
    /// Messages under way, and those that still come.
    outstanding: AtomicU32,
    /// By receiver and vector.
    mail: Vec<[AtomicU32; 256]>,
    /// By vector, of devices.
    work: Vec<AtomicU32>,
    /// A device changes its work and its line together.
    devices: [Mutex<()>; 2],
    /// By level-triggered vector: a vCPU is in the handler.
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

impl Machine<'_> {
    /// The IPIs of the host; vCPU `from` needs none.
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

    /// Where an entry's messages go.
    fn route(&self, pin: u32, vector: u8, is_level: bool, to: u32) -> KickMask {
        let low = u32::from(vector) | if is_level { 1 << 15 } else { 0 };
        // Another write of the index may come in between: devices and vCPUs take turns.
        self.write_io_apic(0x11 + 2 * pin, to << 24) | self.write_io_apic(0x10 + 2 * pin, low)
    }

    fn write_io_apic(&self, index: u32, value: u32) -> KickMask {
        self.vapic.io_apic_write(0, 4, index) | self.vapic.io_apic_write(0x10, 4, value)
    }

    /// A device thread: messages, edges, and a level that stays high while there is work.
    fn device(&self, which: usize) {
        arch_common::chaos::enable(which as u32 + 77);
        let mut random = Random(which as u32 + 5);
        for _ in 0..ROUNDS {
            let to = random.below(VCPUS as u32);
            self.mail[to as usize][usize::from(MESSAGES[which])].fetch_add(1, SeqCst);
            self.kick(self.vapic.message(0xfee0_0000 | u64::from(to) << 12, MESSAGES[which].into()), None);
            let (pin, vector) = EDGES[which];
            self.work[usize::from(vector)].fetch_add(1, SeqCst);
            self.kick(self.vapic.set_line(pin, true), None);
            self.kick(self.vapic.set_line(pin, false), None);
            let (line, vector) = PIC[which];
            self.work[usize::from(vector)].fetch_add(1, SeqCst);
            self.kick(self.vapic.set_line(line, true), None);
            self.kick(self.vapic.set_line(line, false), None);
            let (pin, vector) = LEVELS[which];
            let _guard = self.devices[which].lock().unwrap();
            self.work[usize::from(vector)].fetch_add(1, SeqCst);
            self.kick(self.vapic.set_line(pin, true), None);
        }
    }
}

struct Vcpu<'m, 'a> {
    machine: &'m Machine<'a>,
    index: usize,
    apic: LocalApic,
    random: Random,
}

impl Vcpu<'_, '_> {
    fn run(&mut self) {
        let own = &self.machine.pcpus[self.index];
        arch_common::chaos::enable(self.random.0.wrapping_mul(0x9e37_79b9));
        own.thread.set(std::thread::current()).unwrap();
        let mut rounds = 0;
        while !self.machine.done() {
            own.kicked.store(false, SeqCst);
            self.handle(0);
            if rounds < ROUNDS {
                rounds += 1;
                self.act();
            } else if self.apic.is_idle(&self.machine.vapic) {
                // HLT.
                let start = Instant::now();
                while !own.kicked.load(SeqCst) && !self.machine.done() {
                    std::thread::park_timeout(LOST);
                    assert!(
                        start.elapsed() < LOST,
                        "vCPU {} sleeps, messages are lost: {:?}",
                        self.index,
                        self.machine.vapic
                    );
                }
            }
        }
    }

    /// The guest's handlers, until nothing more comes. They nest.
    fn handle(&mut self, depth: u32) {
        let machine = self.machine;
        while let Some(pending) = self.apic.pending(&machine.vapic) {
            let Pending::Vector(vector) = pending else {
                self.handle_external();
                continue;
            };
            self.apic.accept(vector);
            let place = usize::from(vector);
            let level = LEVELS.iter().position(|&(_, level)| level == vector);
            if level.is_some() {
                assert!(!machine.handled[place].swap(true, SeqCst), "{vector:#x} is handled by two vCPUs");
            }
            let count = match level {
                Some(device) => self.serve(device),
                None if EDGES.iter().any(|&(_, edge)| edge == vector) => machine.work[place].swap(0, SeqCst),
                None => machine.mail[self.index][place].swap(0, SeqCst),
            };
            if depth < 3 && self.random.below(4) == 0 {
                self.handle(depth + 1);
            }
            machine.handled[place].store(false, SeqCst);
            let kick = self.apic.write(&machine.vapic, EOI, 4, 0, || 0);
            machine.kick(kick, Some(self.index));
            machine.received(count);
        }
    }

    /// An interrupt of the 8259s.
    fn handle_external(&mut self) {
        let machine = self.machine;
        assert_eq!(self.index, 0, "only vCPU 0 is wired");
        let vector = machine.vapic.acknowledge_external(&mut self.apic).unwrap();
        assert!(PIC.iter().any(|&(_, known)| known == vector), "{vector:#x} is nobody's");
        let count = machine.work[usize::from(vector)].swap(0, SeqCst);
        for port in [0, 2].into_iter().filter(|&port| port == 0 || vector >= 0x38) {
            machine.kick(machine.vapic.pic_write(port, 0x20), Some(0));
        }
        machine.received(count);
    }

    /// Takes a device's work; its line goes low.
    fn serve(&mut self, device: usize) -> u32 {
        let (pin, vector) = LEVELS[device];
        let guard = self.machine.devices[device].lock().unwrap();
        let count = self.machine.work[usize::from(vector)].swap(0, SeqCst);
        let kick = self.machine.vapic.set_line(pin, false);
        drop(guard);
        self.machine.kick(kick, Some(self.index));
        count
    }

    /// Something that a guest does to the others.
    fn act(&mut self) {
        let (machine, from) = (self.machine, self.index);
        let (to, vector) = (self.random.below(VCPUS as u32), IPIS[self.random.below(4) as usize]);
        machine.mail[to as usize][usize::from(vector)].fetch_add(1, SeqCst);
        let mut kick = self.apic.write(&machine.vapic, ICR_HIGH, 4, to << 24, || 0);
        kick |= self.apic.write(&machine.vapic, ICR, 4, vector.into(), || 0);
        // vCPU 0 alone writes the I/O APIC, as a guest with its lock does.
        if from == 0 && self.random.below(3) == 0 {
            let which = self.random.below(2) as usize;
            let to = self.random.below(VCPUS as u32);
            kick |= match self.random.below(2) {
                0 => machine.route(LEVELS[which].0, LEVELS[which].1, true, to),
                _ => machine.route(EDGES[which].0, EDGES[which].1, false, to),
            };
        }
        machine.kick(kick, Some(from));
    }
}

#[test]
fn four_vcpus_lose_nothing() {
    let posted = [const { Posted::new() }; VCPUS];
    let machine = Machine {
        vapic: Vapic::new(&posted, true, 40),
        pcpus: Default::default(),
        outstanding: AtomicU32::new(ROUNDS * (VCPUS + 4 * 2) as u32),
        mail: (0..VCPUS).map(|_| [const { AtomicU32::new(0) }; 256]).collect(),
        work: (0..256).map(|_| AtomicU32::new(0)).collect(),
        devices: Default::default(),
        handled: (0..256).map(|_| AtomicBool::new(false)).collect(),
    };
    let apics: Vec<_> = (0..VCPUS as u32)
        .map(|vcpu| {
            let mut apic = LocalApic::new(vcpu);
            apic.reset(&machine.vapic);
            let kick = apic.write(&machine.vapic, SVR, 4, 0x1ff, || 0);
            assert!(kick.is_empty());
            apic
        })
        .collect();
    for which in 0..2 {
        let _ = machine.route(LEVELS[which].0, LEVELS[which].1, true, 0);
        let _ = machine.route(EDGES[which].0, EDGES[which].1, false, 1);
    }
    // All masked but those two and the cascade.
    for (port, value) in
        [(0, 0x11), (1, 0x30), (1, 4), (1, 1), (2, 0x11), (3, 0x38), (3, 2), (3, 1), (1, 0xbb), (3, 0xef)]
    {
        let _ = machine.vapic.pic_write(port, value);
    }
    std::thread::scope(|scope| {
        for (index, apic) in apics.into_iter().enumerate() {
            let machine = &machine;
            scope.spawn(move || Vcpu { machine, index, apic, random: Random(index as u32 + 1) }.run());
        }
        for which in 0..2 {
            let machine = &machine;
            scope.spawn(move || machine.device(which));
        }
    });
    assert!(machine.done());
}

/// Three senders of vectors that are in one word, each of which waits for its own to be handled: none may take another's along.
#[test]
fn senders_do_not_meet_in_a_word() {
    let posted = [Posted::new()];
    let vapic = Vapic::new(&posted, false, 40);
    let mut apic = LocalApic::new(0);
    apic.reset(&vapic);
    let handled: [AtomicU32; 3] = Default::default();
    std::thread::scope(|scope| {
        for (vector, handled) in (0x41..).zip(&handled) {
            let vapic = &vapic;
            scope.spawn(move || {
                arch_common::chaos::enable(vector);
                for round in 0..2 * ROUNDS {
                    let _ = vapic.message(0xfee0_0000, vector);
                    let start = Instant::now();
                    while handled.load(SeqCst) == round {
                        assert!(start.elapsed() < LOST, "vector {vector:#x} is lost");
                        std::thread::yield_now();
                    }
                }
            });
        }
        arch_common::chaos::enable(7);
        let start = Instant::now();
        while handled.iter().any(|handled| handled.load(SeqCst) < 2 * ROUNDS) {
            assert!(start.elapsed() < 2 * LOST, "a vector is lost");
            if let Some(Pending::Vector(vector)) = apic.pending(&vapic) {
                apic.accept(vector);
                let _ = apic.write(&vapic, EOI, 4, 0, || 0);
                handled[usize::from(vector) - 0x41].fetch_add(1, SeqCst);
            }
        }
    });
    assert_eq!(handled.map(AtomicU32::into_inner), [2 * ROUNDS; 3]);
}
