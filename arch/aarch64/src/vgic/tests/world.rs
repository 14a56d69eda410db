//! A VM's interrupts on model hardware: several vCPUs, each with its pCPU, driven one step at a time.

use super::super::{CpuInterface, KickMask, Read, Redistributor, Vgic, shows_list_registers, v2_shows_list_registers};
use super::fake::{BoardLines, FakeCpu, SPURIOUS};
use model::{GicVersion, Irq};

pub(super) const DISTRIBUTOR_CONTROL: u64 = 0x0;
pub(super) const GROUP: u64 = 0x80;
pub(super) const SET_ENABLE: u64 = 0x100;
pub(super) const CLEAR_ENABLE: u64 = 0x180;
pub(super) const SET_PENDING: u64 = 0x200;
pub(super) const CLEAR_PENDING: u64 = 0x280;
pub(super) const SET_ACTIVE: u64 = 0x300;
pub(super) const CLEAR_ACTIVE: u64 = 0x380;
pub(super) const PRIORITY: u64 = 0x400;
pub(super) const TARGETS: u64 = 0x800;
pub(super) const CONFIG: u64 = 0xc00;
pub(super) const SOFTWARE_INTERRUPT: u64 = 0xf00;
pub(super) const CLEAR_SENDERS: u64 = 0xf10;
pub(super) const SET_SENDERS: u64 = 0xf20;
pub(super) const ROUTE: u64 = 0x6000;
pub(super) const ROUTE_TO_ANY: u64 = 1 << 31;

/// A device's interrupt.
pub(super) const UART: u32 = 37;

/// A world of `vcpus` with the UART's interrupt enabled and routed to vCPU 0.
pub(super) fn uart_world(version: GicVersion, vcpus: usize, list_registers: usize) -> World {
    let mut world = World::of(version, vcpus, list_registers);
    world.write_bit(0, SET_ENABLE, UART);
    world.settle();
    world
}

/// The line of the UART's interrupt is high, vCPU 0 takes it and ends it without deactivation, vCPU 1 deactivates it.
pub(super) fn deactivated_by_another(world: &mut World) {
    for cpu in &mut world.cpus {
        cpu.hardware.split = true;
    }
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), None);
    world.deactivate(1, UART);
    assert_eq!(world.acknowledge(0), Some(UART));
}

pub(super) struct Cpu {
    pub(super) interface: CpuInterface,
    pub(super) hardware: FakeCpu,
    online: bool,
}

pub(super) struct World {
    version: GicVersion,
    pub(super) vgic: Vgic<'static>,
    pub(super) cpus: Vec<Cpu>,
    /// The board's shared interrupts that are the guest's.
    pub(super) board: &'static BoardLines,
    kicked: KickMask,
}

impl World {
    /// A GICv3's [`World::of`].
    pub(super) fn new(vcpus: usize, list_registers: usize) -> World {
        World::of(GicVersion::V3, vcpus, list_registers)
    }

    /// `vcpus` running vCPUs with `list_registers` each; both groups enabled, all interrupts in group 1. As on a GICv3,
    /// shared ones go to vCPU 0.
    pub(super) fn of(version: GicVersion, vcpus: usize, list_registers: usize) -> World {
        let redistributors = Vec::leak((0..vcpus).map(|_| Redistributor::new()).collect());
        let board: &BoardLines = Box::leak(Box::default());
        let mut world = World {
            version,
            vgic: Vgic::new(version, redistributors).with_ends(board),
            board,
            cpus: (0..vcpus as u32)
                .map(|vcpu| Cpu {
                    interface: CpuInterface::new(vcpu, true),
                    hardware: FakeCpu::new(version, list_registers),
                    online: true,
                })
                .collect(),
            // Who starts looks at everything.
            kicked: KickMask(u32::MAX),
        };
        for cpu in &mut world.cpus {
            cpu.interface.start(&world.vgic);
            cpu.interface.load(&world.vgic);
        }
        world.settle();
        for vcpu in 0..vcpus {
            world.write_private(vcpu, GROUP, 4, 0xffff_ffff);
        }
        for word in 1..16 {
            world.write(0, GROUP + 4 * word, 4, 0xffff_ffff);
        }
        if version == GicVersion::V2 {
            for intid in (32..512).step_by(4) {
                world.write(0, TARGETS + intid, 4, 0x0101_0101);
            }
        }
        world.write(0, DISTRIBUTOR_CONTROL, 4, 3);
        world.settle();
        world
    }

    /// A store to the distributor by `vcpu`.
    pub(super) fn write(&mut self, vcpu: usize, offset: u64, width: u8, value: u64) {
        self.sync_for(vcpu, offset);
        let kick = match self.version {
            GicVersion::V2 => self.vgic.distributor_v2_write(vcpu as u32, offset, width, value),
            GicVersion::V3 => self.vgic.distributor_write(vcpu as u32, offset, width, value),
        };
        self.kick(kick, Some(vcpu));
    }

    /// A store by `vcpu` to the SGI_base frame of its own redistributor, or to word 0 of a GICv2's distributor.
    pub(super) fn write_private(&mut self, vcpu: usize, offset: u64, width: u8, value: u64) {
        if self.version == GicVersion::V2 {
            return self.write(vcpu, offset, width, value);
        }
        self.sync_for(vcpu, offset);
        let kick = self.vgic.redistributor_write(vcpu as u32, 0x1_0000 + offset, width, value);
        self.kick(kick, Some(vcpu));
    }

    /// A load by `vcpu` of the word of a register with one bit an interrupt that has `intid`.
    fn read_word(&self, vcpu: usize, register: u64, intid: u32) -> Read {
        let (from, offset) = (vcpu as u32, register + 4 * u64::from(intid / 32));
        match (self.version, intid) {
            (GicVersion::V2, _) => self.vgic.distributor_v2_read(from, offset, 4),
            (GicVersion::V3, 0..32) => self.vgic.redistributor_read(from, from, 0x1_0000 + offset, 4),
            (GicVersion::V3, _) => self.vgic.distributor_read(from, offset, 4),
        }
    }

    /// A one-bit-an-interrupt register: sets the bit of `intid` alone.
    pub(super) fn write_bit(&mut self, vcpu: usize, register: u64, intid: u32) {
        let (word, bit) = (u64::from(intid / 32), 1 << (intid % 32));
        match word {
            0 => self.write_private(vcpu, register, 4, bit),
            _ => self.write(vcpu, register + 4 * word, 4, bit),
        }
    }

    /// Reads the bit of `intid`, as a guest that polls would: until nobody needs a kick, all have settled.
    pub(super) fn read_bit(&mut self, vcpu: usize, register: u64, intid: u32) -> bool {
        for _ in 0..2 {
            self.sync(vcpu);
            let read = self.read_word(vcpu, register, intid);
            if read.kick.without(vcpu as u32).is_empty() {
                self.settle();
                return read.value & 1 << (intid % 32) != 0;
            }
            self.kick(read.kick, Some(vcpu));
            self.settle();
        }
        // Others have it listed; what was read after they settled is right.
        let read = self.read_word(vcpu, register, intid);
        self.kick(read.kick, Some(vcpu));
        self.settle();
        read.value & 1 << (intid % 32) != 0
    }

    pub(super) fn set_priority(&mut self, vcpu: usize, intid: u32, priority: u8) {
        let offset = PRIORITY + u64::from(intid);
        match intid {
            0..32 => self.write_private(vcpu, offset, 1, priority.into()),
            _ => self.write(vcpu, offset, 1, priority.into()),
        }
    }

    pub(super) fn set_edge(&mut self, vcpu: usize, intid: u32) {
        let offset = CONFIG + 4 * u64::from(intid / 16);
        let old = match self.version {
            GicVersion::V2 => self.vgic.distributor_v2_read(0, offset, 4).value,
            GicVersion::V3 => self.vgic.distributor_read(0, offset, 4).value,
        };
        self.write(vcpu, offset, 4, old | 2 << (intid % 16 * 2));
    }

    pub(super) fn route(&mut self, vcpu: usize, intid: u32, route: u64) {
        self.write(vcpu, ROUTE + 8 * u64::from(intid), 8, route);
    }

    /// A GICv2's route.
    pub(super) fn set_targets(&mut self, vcpu: usize, intid: u32, targets: u8) {
        self.write(vcpu, TARGETS + u64::from(intid), 1, targets.into());
    }

    /// An SGI to the vCPUs of a set, the lowest eight.
    pub(super) fn send_sgi_to(&mut self, vcpu: usize, sgi: u32, targets: u8) {
        match self.version {
            GicVersion::V2 => {
                self.write(vcpu, SOFTWARE_INTERRUPT, 4, u64::from(sgi) | u64::from(targets) << 16);
            }
            GicVersion::V3 => self.send_sgi(vcpu, u64::from(sgi) << 24 | u64::from(targets)),
        }
    }

    pub(super) fn send_sgi(&mut self, vcpu: usize, register: u64) {
        let cpu = &mut self.cpus[vcpu];
        if cpu.interface.sgi_again(&self.vgic, &mut cpu.hardware, register) {
            return;
        }
        let kick = self.vgic.send_sgi(vcpu as u32, register);
        self.kick(kick, Some(vcpu));
    }

    pub(super) fn set_line(&mut self, irq: Irq, level: bool) {
        let kick = self.vgic.inject(irq, level).expect("it exists");
        self.kick(kick, None);
    }

    pub(super) fn pulse(&mut self, irq: Irq) {
        let kick = self.vgic.pulse(irq).expect("it exists");
        self.kick(kick, None);
    }

    /// The guest acknowledges; nothing exits. A GICv2's SGI comes with its sender, as [`FakeCpu::acknowledge`] has it.
    pub(super) fn acknowledge(&mut self, vcpu: usize) -> Option<u32> {
        let intid = self.cpus[vcpu].hardware.acknowledge();
        (intid != SPURIOUS).then_some(intid)
    }

    pub(super) fn end(&mut self, vcpu: usize, intid: u32) {
        self.cpus[vcpu].hardware.end(intid);
        self.settle();
    }

    pub(super) fn deactivate(&mut self, vcpu: usize, intid: u32) {
        if !self.cpus[vcpu].hardware.deactivate_or_trap(intid) {
            self.sync(vcpu);
            let kick = match self.version {
                GicVersion::V2 => self.vgic.cpu_interface_v2_write(vcpu as u32, 0x1000, 4, intid.into()),
                GicVersion::V3 => self.vgic.deactivate(vcpu as u32, intid),
            };
            self.kick(kick, Some(vcpu));
        }
        self.settle();
    }

    fn sync_for(&mut self, vcpu: usize, offset: u64) {
        let shows = match self.version {
            GicVersion::V2 => v2_shows_list_registers(offset),
            GicVersion::V3 => shows_list_registers(offset),
        };
        if shows {
            self.sync(vcpu);
        }
    }

    pub(super) fn sync(&mut self, vcpu: usize) {
        let cpu = &mut self.cpus[vcpu];
        let kick = cpu.interface.sync(&self.vgic, &mut cpu.hardware);
        self.kick(kick, Some(vcpu));
    }

    pub(super) fn start(&mut self, vcpu: usize) {
        let cpu = &mut self.cpus[vcpu];
        cpu.online = true;
        cpu.interface.start(&self.vgic);
        cpu.interface.load(&self.vgic);
        self.kick(KickMask::NONE, Some(vcpu));
    }

    /// vCPU `vcpu` loses its pCPU and gets it back.
    pub(super) fn switch(&mut self, vcpu: usize) {
        let cpu = &mut self.cpus[vcpu];
        let kick = cpu.interface.unload(&self.vgic, &mut cpu.hardware);
        assert!(cpu.hardware.listed().is_empty(), "for the next vCPU all list registers are empty");
        assert_eq!(cpu.hardware.active, 0, "for the next vCPU no physical interrupt is active");
        cpu.interface.load(&self.vgic);
        self.kick(kick, Some(vcpu));
    }

    /// vCPU `vcpu` goes off.
    pub(super) fn stop(&mut self, vcpu: usize) {
        let cpu = &mut self.cpus[vcpu];
        cpu.online = false;
        let kick = cpu.interface.unload(&self.vgic, &mut cpu.hardware) | cpu.interface.stop(&self.vgic);
        self.kick(kick, Some(vcpu));
    }

    /// What a call by `vcpu` wants kicked.
    pub(super) fn kick_from(&mut self, kick: KickMask, vcpu: usize) {
        self.kick(kick, Some(vcpu));
    }

    /// What the kicks say, and that they say all: who has work is the actor or was kicked.
    fn kick(&mut self, kick: KickMask, actor: Option<usize>) {
        self.kicked |= kick;
        if let Some(actor) = actor {
            self.kicked |= KickMask::of(actor as u32);
        }
        for (vcpu, cpu) in self.cpus.iter().enumerate() {
            let knows = self.kicked.iter().any(|kicked| kicked == vcpu as u32);
            assert!(
                !cpu.online || knows || !cpu.interface.needs_flush(&self.vgic),
                "vCPU {vcpu} has work and was not kicked"
            );
        }
    }

    /// Lets every vCPU do what a pCPU does between exits: maintenance, physical interrupts, kicks.
    pub(super) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "it never settles");
            let mut busy = false;
            while let Some(intid) = self.board.take() {
                let kick = self.vgic.passed_pending(intid);
                self.kick(kick, None);
                busy = true;
            }
            for vcpu in 0..self.cpus.len() {
                let cpu = &mut self.cpus[vcpu];
                if !cpu.online {
                    assert!(cpu.hardware.listed().is_empty());
                    continue;
                }
                let mut kick = KickMask::NONE;
                while let Some(intid) = cpu.hardware.take_physical() {
                    let again = cpu.interface.hardware_again(&self.vgic, &mut cpu.hardware, intid);
                    if !again {
                        kick |= self.vgic.hardware_pending(vcpu as u32, intid);
                    }
                    busy = true;
                }
                if cpu.hardware.maintenance() {
                    kick |= cpu.interface.sync(&self.vgic, &mut cpu.hardware);
                    assert!(cpu.interface.needs_flush(&self.vgic), "a maintenance interrupt without a cause");
                    busy = true;
                }
                if cpu.interface.needs_flush(&self.vgic) {
                    kick |= cpu.interface.flush(&self.vgic, &mut cpu.hardware);
                    assert!(!cpu.interface.needs_flush(&self.vgic));
                    busy = true;
                }
                cpu.hardware.check();
                self.kick(kick, Some(vcpu));
            }
            if !busy {
                break;
            }
        }
        self.kicked = KickMask::NONE;
        self.check();
    }

    /// No shared interrupt is in the list registers of two vCPUs.
    fn check(&self) {
        let mut seen = std::collections::HashSet::new();
        for intid in self.cpus.iter().flat_map(|cpu| cpu.hardware.listed()).map(|(intid, ..)| intid) {
            assert!(intid < 32 || seen.insert(intid), "INTID {intid} is with two vCPUs");
        }
    }
}
