//! What a CPU must have to run guests, asked before anything relies on it.

use crate::registers::{cpuid, read_msr};

/// VM_CR and its bit that turns SVM off (APM volume 2, 15.30.1).
const VM_CR: u32 = 0xc001_0114;
const SVMDIS: u64 = 1 << 4;

/// What this CPU lacks, if it lacks something, as a sentence.
pub fn missing() -> Option<&'static str> {
    // APM volume 3, CPUID Fn8000_0001 and Fn8000_000A; SDM volume 2, CPUID.
    let [_, _, features, more] = cpuid(0x8000_0001, 0);
    let [_, _, basic, _] = cpuid(1, 0);
    let [_, _, _, svm] = cpuid(0x8000_000a, 0);
    let has = |word: u32, bit: u32| word & 1 << bit != 0;
    if !has(features, 2) {
        return Some(match has(basic, 5) {
            true => "this CPU has VMX, which Ostler does not know yet: it needs SVM, which AMD's CPUs have",
            false => "this CPU has no SVM (QEMU: -cpu EPYC,+svm)",
        });
    }
    // SVMDIS is always there where SVM is. Whether firmware has locked it is of no interest: it has decided (15.4).
    if read_msr(VM_CR) & SVMDIS != 0 {
        return Some("SVM is turned off by the firmware: look for virtualisation in its setup");
    }
    let needed = [
        (has(svm, 0), "this CPU's SVM has no nested paging"),
        (has(more, 20), "this CPU has no no-execute pages, or the firmware has turned them off"),
        (has(more, 26), "this CPU has no pages of 1 GiB"),
    ];
    needed.into_iter().find_map(|(is_there, what)| (!is_there).then_some(what))
}
