//! Every word of the language: where it may stand, how much follows it, and whether Ostler has it.
//!
//! The whole of qvm's language is here, so that a word of qvm that Ostler does not have is told from a typing
//! mistake, and so that what follows it can be skipped. docs/qvm.md explains the same words to users; a test keeps
//! both in step.

use super::work;
use crate::assemble::Architecture;

/// What Ostler does with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// It works.
    Works,
    /// Accepted, checked, and without effect; the reason.
    NoMeaning(&'static str),
    /// Refused.
    Refused(Refusal),
}

/// Why a word is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What is the matter with it, behind its name.
    pub(super) why: &'static str,
    /// What to do instead.
    pub(super) instead: &'static str,
}

impl Refusal {
    /// Ostler does not have it.
    pub(super) const fn not_yet(instead: &'static str) -> Refusal {
        Refusal { why: "is not supported yet", instead }
    }

    /// Only guests on `cpu` have it, and others are described.
    pub(super) const fn only(cpu: Architecture, instead: &'static str) -> Refusal {
        let why = match cpu {
            Architecture::Aarch64 => "is for arm64 guests",
            Architecture::X86_64 => "is for x86 guests",
        };
        Refusal { why, instead }
    }
}

/// Where a word may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere: an option that neither joins nor ends a context, or that opens one.
    Top,
    /// In a `cpu` context.
    Cpu,
    /// In the context of every vdev.
    AnyVdev,
    /// In the context of these vdevs.
    Vdev(&'static [&'static str]),
    /// In a `reserve` context.
    Resource,
    /// In a `pass` context.
    Pass,
    /// After `set`.
    Variable,
    /// After `vdev`.
    VdevType,
}

/// One word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Where it may stand.
    pub(super) place: Place,
    /// The word.
    pub(super) word: &'static str,
    /// What follows it, one word each, as help shows it.
    pub(super) arguments: &'static str,
    /// What Ostler does with it where guests can have it.
    status: Status,
    /// The only guests that can have it, and what others write instead.
    only: Option<(Architecture, &'static str)>,
}

impl Entry {
    /// What Ostler does with it for guests on `cpu`.
    pub(super) const fn status(&self, cpu: Architecture) -> Status {
        match self.only {
            Some((only, instead)) if only as u8 != cpu as u8 => Status::Refused(Refusal::only(only, instead)),
            _ => self.status,
        }
    }

    /// The word and what follows it.
    pub(super) fn synopsis(&self) -> String {
        let start = match self.place {
            Place::Variable => "set ",
            Place::VdevType => "vdev ",
            _ => "",
        };
        format!("{start}{} {}", self.word, self.arguments).trim_end().to_owned()
    }

    /// How many words follow.
    pub(super) fn argument_count(&self) -> usize {
        self.arguments.split_whitespace().count()
    }

    /// Whether `vdev KIND` takes it.
    pub(super) fn fits_vdev(&self, kind: &str) -> bool {
        match self.place {
            Place::AnyVdev => true,
            Place::Vdev(kinds) => kinds.contains(&kind),
            _ => false,
        }
    }
}

/// The entry of `word` at a place that `fits`.
pub(super) fn find(word: &str, fits: impl Fn(&Entry) -> bool) -> Option<&'static Entry> {
    WORDS.iter().find(|entry| {
        work::step();
        entry.word == word && fits(entry)
    })
}

/// The type behind `vdev`: it is the name of a shared object in qvm, and may be written as such.
pub(super) fn vdev_type(text: &str) -> &str {
    text.strip_prefix("vdev-").and_then(|rest| rest.strip_suffix(".so")).unwrap_or(text)
}

/// The words at a place that `fits`.
pub(super) fn words(fits: impl Fn(&Entry) -> bool) -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter(move |entry| fits(entry)).map(|entry| entry.word)
}

const fn works(place: Place, word: &'static str, arguments: &'static str) -> Entry {
    Entry { place, word, arguments, status: Status::Works, only: None }
}

const fn no_meaning(place: Place, word: &'static str, arguments: &'static str, why: &'static str) -> Entry {
    Entry { place, word, arguments, status: Status::NoMeaning(why), only: None }
}

const fn refused(place: Place, word: &'static str, arguments: &'static str, instead: &'static str) -> Entry {
    Entry { place, word, arguments, status: Status::Refused(Refusal::not_yet(instead)), only: None }
}

/// An entry for arm64 guests only; others write `instead`.
const fn arm(instead: &'static str, entry: Entry) -> Entry {
    Entry { only: Some((Architecture::Aarch64, instead)), ..entry }
}

/// An entry for x86 guests only; others write `instead`.
const fn x86(instead: &'static str, entry: Entry) -> Entry {
    Entry { only: Some((Architecture::X86_64, instead)), ..entry }
}

const X86_DEVICE: &str = "this board is arm64, whose guests have the `gic` and its timers: leave it out";
const NO_GIC: &str = "this board is x86, whose guests have local APICs, an `ioapic` and the `8259`: leave it out";
const NO_TREE: &str =
    "this board is x86, whose guests are told of their machine by ACPI and not by a device tree: leave it out";
const NO_VIRTIO: &str = "leave it out; docs/qvm.md lists the vdevs that work";
const NO_DEVICE: &str = NO_VIRTIO;
const POST_MORTEM: &str = "guests cannot be dumped yet; a VM that fails prints its registers, its calls, what is near the address and its last exits \
    on the board's console: leave it out";
const OF_MISSING_VDEV: &str = "leave it out with its vdev, which is not supported yet either";
const NO_HOST_SERVERS: &str = "no host server stands behind a VM, so no message can block";
const CONSOLE_ONLY: &str = "all messages go to the board's console";
const NO_SIGNALS: &str = "there is no status report on a signal: Ctrl-] `?` shows the state of every VM";
const NO_ASINFO: &str = "the GIC's addresses come from the board";

use Place::{AnyVdev, Cpu, Pass, Resource, Top, Variable, Vdev, VdevType};

/// The vdevs that move data to and from the host.
const HOSTED: &[&str] = &["virtio-console", "virtio-blk"];

/// All words.
#[rustfmt::skip]
pub(super) const WORDS: &[Entry] = &[
    works(Top, "system", "NAME"),
    works(Top, "ram", "[START,]LENGTH"),
    works(Top, "rom", "[START,]LENGTH"),
    works(Top, "cpu", ""),
    works(Top, "load", "[ADDRESS,]FILE"),
    works(Top, "guest", "load [ADDRESS,]FILE"),
    works(Top, "initrd", "load [ADDRESS,]FILE"),
    works(Top, "data", "load [ADDRESS,]FILE"),
    arm("this board is x86, whose guests take ACPI tables: `acpi load FILE` adds one", works(Top, "fdt", "load [ADDRESS,]FILE")),
    x86("this board is arm64, whose guests take a device tree: `fdt load FILE`", works(Top, "acpi", "load [ADDRESS,]FILE")),
    works(Top, "cmdline", "TEXT"),
    works(Top, "reserve", ""),
    works(Top, "vdev", "TYPE"),
    works(Top, "set", "VARIABLE VALUE"),
    works(Top, "unsupported", "TYPE ACTION"),
    works(Top, "pass", ""),
    refused(Top, "dump", "TO", POST_MORTEM),
    no_meaning(Top, "logger", "FILTER[,FILTER…] TO", CONSOLE_ONLY),
    no_meaning(Top, "safety", "none|warn|required", "no part of Ostler has a certified variant"),
    works(Top, "dryrun", ""),
    no_meaning(Top, "debug", "", NO_SIGNALS),
    refused(Top, "user", "NAME", "no public page of qvm's says what it does, and Ostler has no host users: leave it out"),
    refused(Top, "generate", "WHAT", "no public page of qvm's says what it does; device trees are always generated: leave it out"),

    works(Cpu, "sched", "PRIORITY[r|f|o]"),
    works(Cpu, "runmask", "CPU[,CPU…]"),
    refused(Cpu, "cluster", "NAME", "boards have no named sets of CPUs: name them by number, `runmask N`"),
    refused(Cpu, "partition", "NAME", "there are no partitions: `sched` and `runmask` divide the CPUs, and `set ostler-exit-budget` bounds what exits cost others"),

    works(Resource, "loc", "[mem:]START,LENGTH"),
    works(Resource, "intr", "LINE"),

    works(Pass, "loc", "PLACE[,ATTRIBUTES]"),
    works(Pass, "intr", "PIC:LINE[,ATTRIBUTES][=HOSTVECTOR]"),

    arm(NO_GIC, works(VdevType, "gic", "")),
    arm("this board is x86: use `vdev ser8250`", works(VdevType, "pl011", "")),
    arm("this board is x86, whose guests have ACPI's power button unasked: leave it out", works(VdevType, "pl061", "")),
    arm("this board is x86: use `vdev wdt-ib700`", works(VdevType, "wdt-sp805", "")),
    x86(X86_DEVICE, works(VdevType, "ioapic", "")),
    x86(X86_DEVICE, works(VdevType, "8259", "")),
    x86(X86_DEVICE, works(VdevType, "timer8254", "")),
    x86(X86_DEVICE, works(VdevType, "hpet", "")),
    x86(X86_DEVICE, works(VdevType, "mc146818", "")),
    x86(X86_DEVICE, works(VdevType, "pckeyboard", "")),
    x86("this board is arm64: use `vdev pl011`", works(VdevType, "ser8250", "")),
    refused(VdevType, "virtio-console", "", "use `vdev pl011`, or `vdev ser8250` on x86"),
    refused(VdevType, "virtio-blk", "", "leave it out; an initial RAM disk (`initrd load FILE`) can carry a root file system"),
    refused(VdevType, "virtio-net", "", NO_VIRTIO),
    refused(VdevType, "virtio-entropy", "", "leave it out; guests get random seeds in their device tree at each boot"),
    refused(VdevType, "virtio-fs", "", NO_VIRTIO),
    refused(VdevType, "virtio-input", "", NO_VIRTIO),
    refused(VdevType, "virtio-gpu", "", NO_VIRTIO),
    refused(VdevType, "virtio-video", "", NO_VIRTIO),
    refused(VdevType, "virtio-snd", "", NO_VIRTIO),
    refused(VdevType, "virtio-vsock", "", NO_VIRTIO),
    refused(VdevType, "shmem", "", NO_DEVICE),
    refused(VdevType, "smmu", "", NO_DEVICE),
    x86("this board is arm64: use `vdev wdt-sp805`", works(VdevType, "wdt-ib700", "")),
    x86("arm64 guests have no virtual PCI yet: leave it out", works(VdevType, "pci-dummy", "")),
    refused(VdevType, "progress", "", NO_DEVICE),
    refused(VdevType, "trace", "", NO_DEVICE),
    refused(VdevType, "vgpu-gvtg", "", "it shares the graphics of an Intel processor: leave it out"),

    works(AnyVdev, "loc", "PLACE"),
    works(AnyVdev, "name", "NAME"),
    no_meaning(AnyVdev, "log", "FILTER[,FILTER…] TO", CONSOLE_ONLY),
    works(Vdev(&["gic"]), "version", "2|3"),
    refused(Vdev(&["gic"]), "msi", "ADDRESS,FIRST,COUNT", "there is no virtual PCI whose devices could send messages: leave it out"),
    works(Vdev(&["gic", "ioapic"]), "hostvector", "N"),
    works(Vdev(&["pl011", "pl061", "ser8250", "timer8254", "hpet", "virtio-console", "virtio-blk", "virtio-net", "ioapic", "shmem", "smmu", "wdt-sp805", "virtio-entropy"]), "intr", "PIC:LINE"),
    works(Vdev(&["pl011", "ser8250"]), "hostdev", "[<|>]-"),
    no_meaning(Vdev(&["pl011", "ser8250"]), "delayed", "SECONDS|forever", "the board's console is always open"),
    no_meaning(Vdev(&["pl011", "ser8250"]), "batch", "MICROSECONDS", "output is always collected, and no guest waits for it"),
    no_meaning(Vdev(&["pl011", "ser8250"]), "sched", "PRIORITY", "no thread serves a vdev: its vCPU's own `sched` counts"),
    refused(Vdev(HOSTED), "hostdev", "[<|>]FILE", OF_MISSING_VDEV),
    refused(Vdev(HOSTED), "delayed", "SECONDS|forever", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-console", "virtio-blk", "shmem"]), "sched", "PRIORITY", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-console", "virtio-blk", "virtio-net"]), "legacy", "", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-blk"]), "threads", "N", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-blk"]), "dio", "enable", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-net"]), "mac", "ADDRESS", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-net"]), "peer", "PATH", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-net"]), "peerfeats", "MASK", OF_MISSING_VDEV),
    refused(Vdev(&["shmem"]), "create", "NAME,SIZE", OF_MISSING_VDEV),
    refused(Vdev(&["shmem"]), "allow", "PATTERN", OF_MISSING_VDEV),
    refused(Vdev(&["shmem"]), "deny", "PATTERN", OF_MISSING_VDEV),
    refused(Vdev(&["shmem"]), "subst", "[MATCH],PREFIX", OF_MISSING_VDEV),
    works(Vdev(&["wdt-sp805"]), "frequency", "HERTZ"),
    works(Vdev(&["wdt-sp805", "wdt-ib700"]), "action", "[dump,]terminate"),
    refused(Vdev(&["pci-dummy"]), "clone", "pci:BUS:DEVICE.FUNCTION", "PCI functions of the board are not passed yet, so there is none to copy: leave it out"),
    works(Vdev(&["mc146818"]), "reg", "OFFSET,VALUE"),
    refused(Vdev(&["virtio-fs"]), "host_path", "PATH", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-fs"]), "tag", "NAME", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-fs"]), "num_req_queues", "N", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-fs"]), "directio", "", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-input"]), "screen", "TYPE", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-input"]), "size", "SIZE", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-input"]), "display", "N", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-input"]), "window", "N", OF_MISSING_VDEV),
    refused(Vdev(&["virtio-input"]), "protocol", "b", OF_MISSING_VDEV),

    works(Variable, "counter-offset", "NUMBER"),
    arm(NO_TREE, works(Variable, "fdt-dump-file", "FILE")),
    works(Variable, "exit-on-halt", "BOOLEAN"),
    works(Variable, "ostler-exit-budget", "EXITS/MILLISECONDS"),
    works(Variable, "ostler-restart", "never|on-failure|always"),
    works(Variable, "ostler-restart-delay", "MILLISECONDS"),
    works(Variable, "ostler-restart-limit", "NUMBER"),
    works(Variable, "ostler-restart-group", "NAME"),
    works(Variable, "ostler-board-stop", "BOOLEAN"),
    works(Variable, "ostler-progress-timeout", "MILLISECONDS"),
    arm(NO_GIC, works(Variable, "gic-hwassist", "true")),
    works(Variable, "ostler-poweroff-timeout", "SECONDS"),
    no_meaning(Variable, "grow-heap", "LENGTH", "everything is sized before the board starts"),
    no_meaning(Variable, "slog-buffer", "LENGTH", "there is no system log"),
    no_meaning(Variable, "message-block-timeout", "MILLISECONDS", NO_HOST_SERVERS),
    no_meaning(Variable, "vdev-message-block-timeout", "MILLISECONDS", NO_HOST_SERVERS),
    no_meaning(Variable, "debug", "BOOLEAN", NO_SIGNALS),
    arm(NO_GIC, no_meaning(Variable, "host-paddr-gicd", "ADDRESS", NO_ASINFO)),
    arm(NO_GIC, no_meaning(Variable, "host-paddr-gich", "ADDRESS", NO_ASINFO)),
    arm(NO_GIC, no_meaning(Variable, "host-paddr-gicv", "ADDRESS", NO_ASINFO)),
];
