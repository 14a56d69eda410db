//! What a CPU must have to run guests, asked before anything relies on it.

use crate::registers::{cpuid, read_msr};

/// VM_CR and its bit that turns SVM off (APM volume 2, 15.30.1).
const VM_CR: u32 = 0xc001_0114;
const SVMDIS: u64 = 1 << 4;

/// EBX of leaf 0 on Intel's CPUs: the first four letters of "GenuineIntel".
const INTEL: u32 = u32::from_le_bytes(*b"Genu");

fn has(word: u32, bit: u32) -> bool {
    word & 1 << bit != 0
}

/// What this CPU lacks that our own page tables need, if it lacks something, as a sentence (APM volume 3, CPUID Fn8000_0001).
pub fn lacks_pages() -> Option<&'static str> {
    let [.., features] = cpuid(0x8000_0001, 0);
    if !has(features, 20) {
        return Some("this CPU has no no-execute pages, or the firmware has turned them off");
    }
    (!has(features, 26)).then_some("this CPU has no pages of 1 GiB")
}

/// What this CPU lacks to run guests, if it lacks something, as a sentence (APM volume 3, CPUID Fn8000_0001 and Fn8000_000A).
pub fn lacks_svm() -> Option<&'static str> {
    let [_, vendor, ..] = cpuid(0, 0);
    let [_, _, features, _] = cpuid(0x8000_0001, 0);
    let [.., svm] = cpuid(0x8000_000a, 0);
    if !has(features, 2) {
        return Some(match vendor {
            INTEL => "this is an Intel CPU, and VMX is to come: Ostler needs AMD's SVM",
            _ => "this CPU has no SVM (QEMU: -cpu EPYC,+svm)",
        });
    }
    // SVMDIS is always there where SVM is. Whether firmware has locked it is of no interest: it has decided (APM volume 2, 15.4).
    if read_msr(VM_CR) & SVMDIS != 0 {
        return Some("SVM is turned off by the firmware: look for virtualisation in its setup");
    }
    (!has(svm, 0)).then_some("this CPU's SVM has no nested paging")
}
