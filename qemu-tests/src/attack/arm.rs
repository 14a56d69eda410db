//! What arm64's attacks are, with what each has to reach on a GICv3.

use super::Class;

pub(super) const CLASSES: &[Class] = &[
    (
        "sysreg",
        &[
            "register",
            "value",
            "undefined",
            "ignored",
            "set-way",
            "translation",
            "clean",
            "sgi|frequent-sgi",
            "sgi-group-0",
            "deactivate",
            "inject-undefined",
        ],
    ),
    ("calls", &["hvc", "smc", "hvc-immediate", "smc-immediate", "call-returned", "call-uid", "cpu-on", "cpu-off"]),
    ("psci", &["call-returned", "cpu-on", "cpu-off", "suspend"]),
    (
        "mmio",
        &[
            "data-abort",
            "fetch-abort",
            "described",
            "undescribed",
            "refused",
            "at",
            "device",
            "nobody",
            "gicd-read",
            "gicd-write",
            "gicr-read|gicc-write",
            "gicr-write|gicc-write",
            "inject-data",
            "inject-fetch",
            "unsupported-access",
        ],
    ),
    ("gic", &["gicd-read", "gicd-write", "gicr-read|gicc-read", "gicr-write|gicc-write", "sgi|gicd-write"]),
    ("tables", &["walk", "described", "inject-data", "inject-fetch"]),
    ("el0-32", &["coprocessor", "data-abort", "undescribed", "device", "gicd-read"]),
    ("exits", &["frequent-call", "call-returned"]),
    ("sgis", &["frequent-sgi|gicd-write"]),
    ("timer", &["timer-again"]),
    ("random", &["register", "hvc", "smc", "device", "nobody", "gicd-read", "gicd-write", "inject-data"]),
];
