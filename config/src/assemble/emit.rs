//! An assembly as Rust source: one `static` of [`model`]'s types, as a person would have written it.

use std::fmt::{Display, Write};

use model::{
    Action, Console, Controller, Counter, ExitBudget, Gpa, Machine, Pass, PassedInterrupt, PciFunction, Ports, Start,
};

use super::{Assembly, Load, Place, Vdev, VdevKind, Vm};

impl Assembly {
    /// `pub(crate) static SYSTEM: model::System` of this assembly. The same assembly, version and commit give the same text.
    ///
    /// A hypervisor that was compiled for another interrupt controller than the board's refuses the text.
    pub fn rust_source(&self, version: &str, git: &str) -> String {
        let here = self.board.controller;
        let (controller, here) = match here {
            Controller::Gic(version) => {
                (format!("model::Controller::Gic(model::GicVersion::{version:?})"), format!("a {version}"))
            }
            Controller::Apic => ("model::Controller::Apic".to_owned(), "x86".to_owned()),
        };
        let mut out = Writer::default();
        out.line(&format!("const _: () = assert!(matches!(arch::CONTROLLER, {controller}), \"assembled for {here}: `cargo xtask` compiles for it\");"));
        self.system(&mut out, version, git, &controller);
        out.text
    }

    /// `controller` is the board's, as an expression.
    fn system(&self, out: &mut Writer, version: &str, git: &str, controller: &str) {
        let board = &self.board;
        out.line("/// Everything that was assembled.");
        out.block("pub(crate) static SYSTEM: model::System = model::System", "};", |out| {
            out.field("version", format_args!("{version:?}"));
            out.field("git", format_args!("{git:?}"));
            out.line("configuration: [");
            for row in self.configuration.chunks(16) {
                let row: Vec<String> = row.iter().map(|byte| format!("{byte:#04x}")).collect();
                out.line(&format!("    {},", row.join(", ")));
            }
            out.line("],");
            out.block("board: model::Board", "},", |out| {
                out.field("name", format_args!("{:?}", board.name));
                out.field("controller", controller);
                out.field("cpus", board.cpus);
                out.field("memory_bytes", format_args!("{:#x}", board.memory_bytes));
                out.field("on_failure", format_args!("model::OnFailure::{:?}", board.on_failure));
                out.list("regions", &board.regions, |out, region| {
                    let (start, size) = (region.start, region.size_bytes);
                    out.line(&format!("model::Region {{ start: model::Hpa({start}), size_bytes: {size:#x} }},"));
                });
            });
            out.list("vms", &self.vms, vm);
        });
    }
}

/// What is emitted when there is nothing to assemble, so that lints and host tests build, for whichever interrupt controller.
pub fn empty_rust_source(version: &str, git: &str) -> String {
    let board = super::AssumedBoard {
        name: "none".into(),
        controller: Controller::Gic(model::GicVersion::V3),
        cpus: 0,
        memory_bytes: 0,
        on_failure: model::OnFailure::Reset,
        regions: vec![],
    };
    let nothing = Assembly {
        board,
        configuration: [0; 32],
        vms: vec![],
        blobs: vec![],
        trees: vec![],
        acpi: vec![],
        inputs: vec![],
        env: vec![],
        fdt_dumps: vec![],
        dryrun: false,
    };
    let mut out = Writer::default();
    nothing.system(&mut out, version, git, "arch::CONTROLLER");
    out.text
}

fn vm(out: &mut Writer, vm: &Vm) {
    out.block("model::Vm", "},", |out| {
        out.field("name", format_args!("{:?}", vm.name));
        out.list("memory", &vm.memory, |out, memory| {
            let (size, access) = (memory.size_bytes, memory.access);
            let gpa = gpa(memory.gpa);
            out.line(&format!(
                "model::Memory {{ gpa: {gpa}, size_bytes: {size:#x}, access: model::Access::{access:?} }},"
            ));
        });
        out.list("cpus", &vm.cpus, |out, cpu| {
            let (pcpu, priority, policy) = (cpu.pcpu, cpu.priority, cpu.policy);
            out.line(&format!(
                "model::Cpu {{ pcpu: {pcpu}, priority: {priority}, policy: model::Policy::{policy:?} }},"
            ));
        });
        out.list("loads", &vm.loads, load);
        out.field("entry", start(&vm.entry));
        match vm.machine {
            Machine::Arm(gic) => out.block("machine: model::Machine::Arm(model::Gic", "}),", |out| {
                out.field("version", format_args!("model::GicVersion::{:?}", gic.version));
                out.field("distributor", gpa(gic.distributor));
                out.field("cpus", gpa(gic.cpus));
            }),
            Machine::Pc(pc) => out.block("machine: model::Machine::Pc(model::Pc", "}),", |out| {
                out.field("io_apic", option(pc.io_apic.map(gpa)));
                out.field("has_pic", pc.has_pic);
            }),
        }
        out.list("vdevs", &vm.vdevs, vdev);
        out.list("passes", &vm.passes, pass);
        out.field("ports", format_args!("&[{}]", ranges(&vm.ports)));
        out.list("interrupts", &vm.interrupts, interrupt);
        out.block("unsupported: model::Unsupported", "},", |out| {
            out.field("instruction", action(vm.unsupported.instruction));
            out.field("reference", action(vm.unsupported.reference));
            out.field("register", action(vm.unsupported.register));
        });
        out.field(
            "counter",
            match vm.counter {
                Counter::StartsAtZero => "model::Counter::StartsAtZero".to_owned(),
                Counter::Offset(ticks) => format!("model::Counter::Offset({ticks:#x})"),
            },
        );
        out.field("exit_on_halt", vm.exit_on_halt);
        out.field("exit_budget", vm.exit_budget.map_or("None".to_owned(), exit_budget));
        out.field("poweroff_timeout_s", vm.poweroff_timeout_s);
        out.field("stolen_time", vm.stolen_time.map_or("None".to_owned(), |at| format!("Some({})", gpa(at))));
        out.block("restart: model::Restart", "},", |out| {
            out.field("when", format_args!("model::When::{:?}", vm.restart.when));
            out.field("delay_ms", vm.restart.delay_ms);
            out.field("limit", format_args!("{:?}", vm.restart.limit));
            out.field("group", format_args!("{:?}", vm.restart.group));
            out.field("board_stop", vm.restart.board_stop);
        });
        out.field("progress_timeout_ms", format_args!("{:?}", vm.progress_timeout_ms));
    });
}

fn exit_budget(ExitBudget { exits, period_ms }: ExitBudget) -> String {
    format!("Some(model::ExitBudget {{ exits: {exits}, period_ms: {period_ms} }})")
}

fn load(out: &mut Writer, load: &Load) {
    out.block("model::Load", "},", |out| {
        out.field("image", load.image);
        out.field("offset", format_args!("{:#x}", load.offset));
        out.field("size_bytes", format_args!("{:#x}", load.size_bytes));
        out.field("gpa", gpa(load.gpa));
        out.list("seeds", &load.seeds, |out, seed| {
            out.line(&format!("model::Seed {{ offset: {:#x}, size_bytes: {} }},", seed.offset, seed.size_bytes));
        });
    });
}

fn vdev(out: &mut Writer, vdev: &Vdev) {
    out.block("model::Vdev", "},", |out| {
        out.field("name", format_args!("{:?}", vdev.name));
        match &vdev.place {
            Place::Memory { gpa: at, size_bytes } => {
                let at = gpa(*at);
                out.field("place", format_args!("model::Place::Memory {{ gpa: {at}, size_bytes: {size_bytes:#x} }}"));
            }
            Place::Ports(ranges) => {
                out.field("place", format_args!("model::Place::Ports(&[{}])", self::ranges(ranges)));
            }
        }
        out.field("lines", format_args!("&{:?}", vdev.lines));
        out.field("kind", format_args!("model::VdevKind::{}", kind(&vdev.kind)));
    });
}

fn ranges(ranges: &[Ports]) -> String {
    let range = |range: &Ports| format!("model::Ports::new({:#x}, {})", range.first, range.count);
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

fn kind(kind: &VdevKind) -> String {
    match kind {
        VdevKind::Pl011 { console } => format!("Pl011 {{ console: {} }}", self::console(console)),
        VdevKind::Ser8250 { console } => format!("Ser8250 {{ console: {} }}", self::console(console)),
        VdevKind::Sp805 { frequency_hz } => format!("Sp805 {{ frequency_hz: {frequency_hz} }}"),
        VdevKind::Mc146818 { presets } => {
            let presets: Vec<String> = presets.iter().map(|(at, value)| format!("({at:#04x}, {value:#04x})")).collect();
            format!("Mc146818 {{ presets: &[{}] }}", presets.join(", "))
        }
        VdevKind::PciHost { functions } => {
            let functions: Vec<String> = functions.iter().map(function).collect();
            format!("PciHost {{ functions: &[{}] }}", functions.join(", "))
        }
        VdevKind::Pl061 => "Pl061".to_owned(),
        VdevKind::Ib700 => "Ib700".to_owned(),
        VdevKind::Timer8254 => "Timer8254".to_owned(),
        VdevKind::Hpet => "Hpet".to_owned(),
        VdevKind::PcKeyboard => "PcKeyboard".to_owned(),
        VdevKind::AcpiPower => "AcpiPower".to_owned(),
        VdevKind::ResetControl => "ResetControl".to_owned(),
        VdevKind::Port92 => "Port92".to_owned(),
    }
}

fn console(console: &Console) -> String {
    match console {
        Console::Nowhere => "model::Console::Nowhere".to_owned(),
        Console::Board(direction) => format!("model::Console::Board(model::Direction::{direction:?})"),
    }
}

fn function(it: &PciFunction) -> String {
    let PciFunction { device, function, vendor_id, device_id, class } = it;
    let place = format!("device: {device}, function: {function}");
    format!(
        "model::PciFunction {{ {place}, vendor_id: {vendor_id:#06x}, device_id: {device_id:#06x}, class: {class:#010x} }}"
    )
}

fn pass(out: &mut Writer, pass: &Pass) {
    out.block("model::Pass", "},", |out| {
        out.field("gpa", gpa(pass.gpa));
        out.field("hpa", format_args!("model::Hpa({})", pass.hpa));
        out.field("size_bytes", format_args!("{:#x}", pass.size_bytes));
        out.field("write", pass.write);
        out.field("execute", pass.execute);
        out.field("kind", format_args!("model::MemoryType::{:?}", pass.kind));
    });
}

fn interrupt(out: &mut Writer, interrupt: &PassedInterrupt) {
    let PassedInterrupt { host, line, trigger, unmasked } = interrupt;
    let trigger = format!("trigger: model::Trigger::{trigger:?}, unmasked: {unmasked}");
    out.line(&format!("model::PassedInterrupt {{ host: {host}, line: {line}, {trigger} }},"));
}

fn start(start: &Start) -> String {
    match start {
        Start::Arm { pc, x0 } => format!("model::Start::Arm {{ pc: {}, x0: {x0:#x} }}", gpa(*pc)),
        Start::Real { pc } => format!("model::Start::Real {{ pc: {} }}", gpa(*pc)),
        Start::Protected { pc, gdt, eax, ebx, esi } => {
            let registers = format!("eax: {eax:#x}, ebx: {ebx:#x}, esi: {esi:#x}");
            format!("model::Start::Protected {{ pc: {}, gdt: {}, {registers} }}", gpa(*pc), option(gdt.map(gpa)))
        }
        Start::Long { pc, gdt, cr3, rsi } => {
            let [pc, gdt, cr3] = [*pc, *gdt, *cr3].map(gpa);
            format!("model::Start::Long {{ pc: {pc}, gdt: {gdt}, cr3: {cr3}, rsi: {rsi:#x} }}")
        }
    }
}

fn option(value: Option<String>) -> String {
    value.map_or("None".to_owned(), |value| format!("Some({value})"))
}

fn gpa(gpa: Gpa) -> String {
    format!("model::Gpa({:#x})", gpa.0)
}

fn action(action: Action) -> String {
    format!("model::Action::{action:?}")
}

/// Source text with indentation.
#[derive(Default)]
struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        writeln!(self.text, "{:indent$}{text}", "", indent = self.depth * 4).expect("a String takes everything");
    }

    fn field(&mut self, name: &str, value: impl Display) {
        self.line(&format!("{name}: {value},"));
    }

    /// `head {`, what `body` writes, `tail`.
    fn block(&mut self, head: &str, tail: &str, body: impl FnOnce(&mut Writer)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line(tail);
    }

    /// `name: &[…]` with what `each` writes for every item.
    fn list<T>(&mut self, name: &str, items: &[T], each: impl Fn(&mut Writer, &T)) {
        if items.is_empty() {
            return self.field(name, "&[]");
        }
        self.line(&format!("{name}: &["));
        self.depth += 1;
        items.iter().for_each(|item| each(self, item));
        self.depth -= 1;
        self.line("],");
    }
}
