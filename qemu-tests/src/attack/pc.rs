//! What x86's attacks are, with what each has to reach.

use super::Class;

pub(super) const CLASSES: &[Class] = &[
    ("msr", &["msr-value"]),
    ("ports", &["in", "out"]),
    ("cpuid", &["cpuid"]),
    ("apic", &["apic-read", "apic-write", "ioapic-read", "ioapic-write"]),
    ("mmio", &["load", "store"]),
    ("strings", &["ins", "outs"]),
    ("privileged", &["hidden"]),
    ("control", &["cr0", "cr4"]),
    ("transfers", &["msr-value"]),
    ("bytes", &["in"]),
    ("tables", &["walk"]),
    ("exits", &["vmmcall"]),
    ("ipis", &["apic-write"]),
    ("nmis", &["apic-write"]),
    ("timer", &["timer"]),
    ("random", &["cpuid"]),
];
