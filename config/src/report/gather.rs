//! From the assembly to the report.

use model::images::Kind;
use model::{Access, Console, Controller, Direction, Machine, MemoryType, PAGE_BYTES, Pc, Policy, Trigger, When};

use super::{
    Area, AreaKind, Board, Image, Interrupt, Pcpu, Ports, Report, Resource, Seat, Share, Shared, Vm, channels,
};
use crate::assemble::{self, Assembly};

/// The guest timers' PPIs by INTID (DEN 0094, Base System Architecture, 3.7), as its device tree names them.
const TIMERS: [(u32, &str); 2] = [(27, "virtual timer"), (30, "physical timer")];

impl Report {
    /// The report about `assembly` on `board`, which it was assembled for.
    pub fn new(assembly: &Assembly, board: &assemble::Board) -> Report {
        let vms: Vec<Vm> = (0..assembly.vms.len()).map(|index| vm(assembly, index)).collect();
        let mut report = Report {
            board: self::board(assembly, board, &vms),
            configuration: hex(&assembly.configuration),
            images: images(assembly),
            resources: resources(assembly, board),
            shared: Vec::new(),
            channels: Vec::new(),
            vms,
        };
        report.shared = shared(assembly, &report);
        report.channels = channels::of(assembly, &report);
        report
    }
}

fn board(assembly: &Assembly, board: &assemble::Board, vms: &[Vm]) -> Board {
    let assumed = &assembly.board;
    let share = |owner: &str, vm, bytes| Share { owner: owner.to_owned(), vm, bytes };
    let mut memory: Vec<Share> =
        vms.iter().enumerate().map(|(index, vm)| share(&vm.name, Some(index), vm.memory_bytes)).collect();
    // Each starts on a page.
    let images = assembly.blobs.iter().map(|blob| (blob.bytes.len() as u64).next_multiple_of(PAGE_BYTES)).sum();
    memory.extend([share("images", None, images), share("Ostler", None, board.memory.ostler)]);
    let regions: u64 = assumed.regions.iter().map(|region| region.size_bytes).sum();
    memory.extend((regions > 0).then(|| share("regions", None, regions)));
    let used: u64 = memory.iter().map(|share| share.bytes).sum();
    memory.push(share("free", None, assumed.memory_bytes.saturating_sub(used)));
    let pcpu = |pcpu| {
        let mut vcpus: Vec<Seat> =
            vms.iter().flat_map(|vm| &vm.vcpus).filter(|seat| seat.pcpu == pcpu).cloned().collect();
        vcpus.sort_by_key(|seat| std::cmp::Reverse(seat.priority));
        Pcpu { pcpu, vcpus }
    };
    Board {
        name: assumed.name.clone(),
        description: board.description.replace('`', ""),
        controller: assumed.controller.to_string(),
        on_failure: assumed.on_failure.word(),
        memory_base: board.memory.base,
        memory_bytes: assumed.memory_bytes,
        memory,
        cpus: (0..assumed.cpus).map(pcpu).collect(),
    }
}

fn vm(assembly: &Assembly, index: usize) -> Vm {
    let vm = &assembly.vms[index];
    let seat = |(vcpu, cpu): (usize, &model::Cpu)| Seat {
        vm: vm.name.clone(),
        vm_index: index,
        vcpu,
        pcpu: cpu.pcpu,
        priority: cpu.priority,
        policy: match cpu.policy {
            Policy::RoundRobin => "round robin",
            Policy::Fifo => "FIFO",
        },
    };
    let timers = if let Machine::Arm(_) = vm.machine { TIMERS.as_slice() } else { &[] };
    let timers = timers.iter().map(|&(line, name)| Interrupt { line, from: format!("{name} of each vCPU") });
    let of_vdev = |vdev: &assemble::Vdev| {
        let from = vdev.name.clone();
        vdev.lines.clone().into_iter().map(move |line| Interrupt { line, from: from.clone() })
    };
    let of_vdevs = vm.vdevs.iter().flat_map(of_vdev);
    let passed = vm.interrupts.iter().map(|it| {
        let kind = if it.trigger == Trigger::Edge { "edge" } else { "level" };
        Interrupt { line: it.line, from: format!("the board's {} ({kind})", it.host) }
    });
    let mut interrupts: Vec<Interrupt> = timers.chain(of_vdevs).chain(passed).collect();
    interrupts.sort_by_key(|interrupt| interrupt.line);
    Vm {
        name: vm.name.clone(),
        memory_bytes: vm.memory.iter().map(|memory| memory.size_bytes).sum(),
        map: map(assembly, vm),
        ports: ports(vm),
        interrupts,
        vcpus: vm.cpus.iter().enumerate().map(seat).collect(),
        entry: (!vm.loads.is_empty()).then_some(vm.entry.pc().0),
        life: life(&vm.restart),
    }
}

/// What its end leads to.
fn life(restart: &assemble::Restart) -> String {
    let mut words = match restart.when {
        When::OnFailure => "starts again after a failure".to_owned(),
        When::Always => "starts again whenever it ends".to_owned(),
        When::OnReset => "starts again when its guest resets it".to_owned(),
        When::Never => "never starts again".to_owned(),
    };
    if let Some(limit) = restart.limit {
        words.push_str(&format!(", {limit} times in a row at most"));
    }
    if let Some(group) = &restart.group {
        words.push_str(&format!(", with the group {group}"));
    }
    if restart.board_stop {
        words.push_str("; the board ends with it");
    }
    words
}

/// The address space, with what is loaded behind the memory that it lies in.
fn map(assembly: &Assembly, vm: &assemble::Vm) -> Vec<Area> {
    let area =
        |start, bytes, kind, name: &str, access| Area { start, bytes, kind, name: name.into(), access, inside: false };
    let mut map = Vec::new();
    for memory in &vm.memory {
        let (start, bytes) = (memory.gpa.0, memory.size_bytes);
        map.push(match memory.access {
            _ if vm.stolen_time == Some(memory.gpa) => {
                area(start, bytes, AreaKind::StolenTime, "stolen-time records", "r")
            }
            Access::ReadWrite => area(start, bytes, AreaKind::Ram, "ram", "rw"),
            Access::ReadOnly => area(start, bytes, AreaKind::Rom, "rom", "r"),
        });
    }
    let mut frame = |start, bytes, name: &str| map.push(area(start, bytes, AreaKind::Controller, name, "rw"));
    match &vm.machine {
        Machine::Arm(gic) => {
            let vcpus = u32::try_from(vm.cpus.len()).unwrap_or(u32::MAX);
            let frames = match gic.version {
                model::GicVersion::V2 => "CPU interface",
                model::GicVersion::V3 => "redistributors",
            };
            frame(gic.distributor.0, gic.distributor_bytes(), "GIC distributor");
            frame(gic.cpus.0, gic.cpus_bytes(vcpus), &format!("GIC {frames}"));
        }
        Machine::Pc(pc) => {
            frame(Pc::LOCAL_APIC.0, PAGE_BYTES, "local APICs");
            pc.io_apic.into_iter().for_each(|gpa| frame(gpa.0, PAGE_BYTES, "I/O APIC"));
        }
    }
    let framed = vm.vdevs.iter().filter_map(|vdev| Some((vdev, vdev.frame()?)));
    map.extend(framed.map(|(vdev, (gpa, bytes))| area(gpa.0, bytes, AreaKind::Vdev, &vdev.name, "rw")));
    map.extend(vm.passes.iter().map(|pass| {
        let access = match (pass.write, pass.execute) {
            (false, false) => "r",
            (false, true) => "rx",
            (true, false) => "rw",
            (true, true) => "rwx",
        };
        area(pass.gpa.0, pass.size_bytes, AreaKind::Passed, &format!("board {:#x}", pass.hpa.0), access)
    }));
    map.extend(vm.loads.iter().filter_map(|load| {
        let blob = assembly.blobs.get(usize::from(load.image))?;
        let kind = match blob.kind {
            Kind::Guest => AreaKind::Image,
            Kind::Initrd => AreaKind::Initrd,
            Kind::Tree => AreaKind::DeviceTree,
            Kind::Data => AreaKind::Data,
            Kind::Firmware => AreaKind::Firmware,
        };
        Some(Area { inside: true, ..area(load.gpa.0, load.size_bytes, kind, &blob.name, "") })
    }));
    map.sort_by_key(|area| (area.start, area.inside));
    map
}

/// The ports that something answers, by number.
fn ports(vm: &assemble::Vm) -> Vec<Ports> {
    let mut ports: Vec<Ports> = vm.ports.iter().map(|range| Ports::new(range, "the board's", true)).collect();
    let range = |name: &str, range| Ports::new(range, name, false);
    if let Machine::Pc(Pc { has_pic: true, .. }) = vm.machine {
        ports.extend(Pc::PIC_PORTS.iter().map(|ports| range("8259", ports)));
    }
    for vdev in &vm.vdevs {
        if let assemble::Place::Ports(ranges) = &vdev.place {
            ports.extend(ranges.iter().map(|ports| range(&vdev.name, ports)));
        }
    }
    ports.sort_by_key(|ports| ports.first);
    ports
}

fn images(assembly: &Assembly) -> Vec<Image> {
    let image = |(index, blob): (usize, &assemble::Blob)| {
        let loads = |vm: &&assemble::Vm| vm.loads.iter().any(|load| usize::from(load.image) == index);
        Image {
            name: blob.name.clone(),
            kind: format!("{:?}", blob.kind).to_lowercase(),
            bytes: blob.bytes.len() as u64,
            sha256: hex(&blob.sha256),
            vms: assembly.vms.iter().filter(loads).map(|vm| vm.name.clone()).collect(),
        }
    };
    assembly.blobs.iter().enumerate().map(image).collect()
}

/// Who can touch what of the board.
fn resources(assembly: &Assembly, board: &assemble::Board) -> Vec<Resource> {
    let ostler = |what: String, others: &str| Resource { what, owner: "Ostler".into(), others: others.into() };
    let mut resources: Vec<Resource> = Vec::new();
    for vm in &assembly.vms {
        for memory in vm.memory.iter().filter(|memory| vm.stolen_time != Some(memory.gpa)) {
            let what = format!("RAM for {:#x} in VM {}, {}", memory.gpa.0, vm.name, super::size(memory.size_bytes));
            resources.push(Resource {
                what,
                owner: vm.name.clone(),
                others: "Ostler: places images, copies for vdevs".into(),
            });
        }
        for pass in &vm.passes {
            let kind = match pass.kind {
                MemoryType::Device => "registers",
                MemoryType::Uncached => "memory, uncached",
                MemoryType::Cached => "memory",
            };
            let what = format!("the board's {:#x}, {} of {kind}", pass.hpa.0, super::size(pass.size_bytes));
            resources.push(Resource { what, owner: vm.name.clone(), others: String::new() });
        }
        for range in vm.ports.iter().map(|range| Ports::new(range, "", true)) {
            let what = format!("the board's ports {}", range.words());
            resources.push(Resource { what, owner: vm.name.clone(), others: String::new() });
        }
        for interrupt in &vm.interrupts {
            let what = format!("the board's interrupt {}", interrupt.host);
            let others = "Ostler: takes it and holds it until the guest has handled it".into();
            resources.push(Resource { what, owner: vm.name.clone(), others });
        }
        if vm.stolen_time.is_some() {
            let what = format!("stolen-time records of VM {}", vm.name);
            resources.push(ostler(what, &format!("{}: reads", vm.name)));
        }
    }
    let at = if board.console.kind == assemble::Uart::Ns16550 { "port " } else { "" };
    resources.push(ostler(format!("console UART at {at}{:#x}", board.console.address), ""));
    let timers = match assembly.board.controller {
        Controller::Gic(version) => {
            let how = match version {
                model::GicVersion::V2 => "each running vCPU: its own virtual CPU interface",
                model::GicVersion::V3 => "each running vCPU: its own virtual CPU interface, by system registers",
            };
            resources.push(ostler(version.to_string(), how));
            "each running vCPU: its own virtual timer"
        }
        Controller::Apic => {
            resources.push(ostler("local APICs and I/O APICs".into(), ""));
            ""
        }
    };
    resources.push(ostler("timers of the pCPUs".into(), timers));
    resources.push(ostler("everything else".into(), ""));
    resources
}

/// What several VMs use.
fn shared(assembly: &Assembly, report: &Report) -> Vec<Shared> {
    let mut shared = Vec::new();
    for cpu in &report.board.cpus {
        let vms = cpu.vms();
        if vms.len() > 1 {
            let (what, how) =
                (format!("pCPU {}", cpu.pcpu), "the highest priority runs; equals as their `sched` says".into());
            shared.push(Shared { what, vms, how });
        }
    }
    let consoles = |vm: &assemble::Vm| vm.vdevs.iter().filter_map(|vdev| vdev.kind.console()).collect::<Vec<_>>();
    let speaks = |vm: &&assemble::Vm| consoles(vm).iter().any(|console| matches!(console, Console::Board(_)));
    let hears = |vm: &&assemble::Vm| {
        let input = |it: &Console| matches!(it, Console::Board(Direction::Both | Direction::Input));
        consoles(vm).iter().any(input)
    };
    let names = |filter: &dyn Fn(&&assemble::Vm) -> bool| -> Vec<String> {
        assembly.vms.iter().filter(filter).map(|vm| vm.name.clone()).collect()
    };
    let (speakers, hearers) = (names(&speaks), names(&hears));
    if speakers.len() > 1 {
        let how = match hearers.len() {
            0 => "each line carries its VM's name; nobody takes input".to_owned(),
            _ => {
                format!("one VM at a time has the input ({}); the others' lines carry their names", hearers.join(", "))
            }
        };
        shared.push(Shared { what: "the board's console".into(), vms: speakers, how });
    }
    let images = report.images.iter().filter(|image| image.vms.len() > 1);
    shared.extend(images.map(|image| Shared {
        what: format!("image {}", image.name),
        vms: image.vms.clone(),
        how: "stored once, copied for each".into(),
    }));
    shared
}

impl Pcpu {
    /// Names of the VMs that have vCPUs here, each once.
    pub(super) fn vms(&self) -> Vec<String> {
        let mut vms: Vec<String> = Vec::new();
        for seat in &self.vcpus {
            if !vms.contains(&seat.vm) {
                vms.push(seat.vm.clone());
            }
        }
        vms
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
