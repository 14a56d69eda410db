//! What x86's attacks are, with what each has to reach.

use super::Class;

/// Of clocks that storm. With a thread of its own for timers, QEMU loses an alarm now and then that goes off while VMRUN is given a virtual
/// interrupt (`helper_vmrun` changes `interrupt_request` without its lock), and the guest waits for good. So these have one thread, and time
/// is instructions.
pub(super) const COUNTED: &[&str] = &["ports", "strings", "timer", "clocks"];

pub(super) const CLASSES: &[Class] = &[
    (
        "msr",
        &[
            "msr-value",
            "msr-ignored",
            "msr-refused",
            "msr-tsc",
            "msr-efer",
            "msr-apic",
            "msr-mtrr",
            "msr-unlisted",
            "unsupported-register",
        ],
    ),
    ("ports", &["in", "out", "pic-read", "pic-write", "device", "nobody"]),
    ("cpuid", &["cpuid"]),
    ("apic", &["apic-read", "apic-write", "ioapic-read", "ioapic-write", "crosses|undescribed"]),
    (
        "mmio",
        &[
            "load",
            "store",
            "change",
            "read-only",
            "undescribed",
            "crosses",
            "fetch",
            "device",
            "nobody",
            "apic-read",
            "apic-write",
            "ioapic-read",
            "ioapic-write",
            "unsupported-instruction",
            "unsupported-access",
        ],
    ),
    ("strings", &["ins", "outs", "string", "device", "nobody", "pic-read", "pic-write", "unsupported-instruction"]),
    ("privileged", &["hidden", "cpuid", "vmmcall", "caches", "hlt"]),
    ("control", &["cr0", "cr4", "control-refused", "msr-efer"]),
    ("transfers", &["debug", "cpuid", "vmmcall", "msr-unlisted"]),
    ("bytes", &["in", "out", "ins", "outs", "undescribed"]),
    ("tables", &["walk", "undescribed", "load", "store", "unsupported-access"]),
    ("exits", &["vmmcall"]),
    ("ipis", &["apic-write"]),
    // The end of each one's handler is a step.
    ("nmis", &["apic-write", "debug"]),
    ("timer", &["timer"]),
    ("clocks", &["window", "device", "ioapic-write"]),
    (
        "random",
        &["cpuid", "in", "out", "msr-unlisted", "undescribed", "hidden", "control-refused", "debug", "ins", "outs"],
    ),
];
