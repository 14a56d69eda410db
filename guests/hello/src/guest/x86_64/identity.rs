//! What the CPU says about itself by CPUID: that it agrees with itself, and that what is hidden is not there.

use guest_runtime::cpu::{Leaf, cpuid, hypervisor, read_msr, read_xcr0, write_xcr0};
use guest_runtime::{Verdict, attempt, say};

/// CPUID 1, ECX.
const HAS_OSXSAVE: u32 = 1 << 27;
/// The legacy area and the header of XSAVE's (APM volume 2, 11.5.2).
const LEGACY: u32 = 512 + 64;

/// EFER: long mode is enabled, and active.
const EFER: u32 = 0xc000_0080;
const LONG_MODE: u64 = 1 << 8 | 1 << 10;

fn text<const N: usize>(words: &[u32]) -> [u8; N] {
    let mut text = [b' '; N];
    for (part, word) in text.chunks_exact_mut(4).zip(words) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    text
}

/// Leaves that describe the same thing say the same.
pub(super) fn is_consistent() -> Verdict {
    let Leaf { eax: last, ebx, ecx, edx } = cpuid(0, 0);
    let vendor: [u8; 12] = text(&[ebx, edx, ecx]);
    let last_extended = cpuid(0x8000_0000, 0).eax;
    if last < 1 || last_extended < 0x8000_0008 {
        return Err("CPUID has fewer leaves than a 64-bit CPU");
    }
    let features = cpuid(1, 0);
    let extended = cpuid(0x8000_0001, 0);
    // FPU, MSR, PAE, CX8, APIC, SSE, SSE2; SYSCALL, long mode.
    if features.edx & 0x0600_0361 != 0x0600_0361 || extended.edx & 0x2000_0800 != 0x2000_0800 {
        return Err("CPUID lacks what every 64-bit CPU has");
    }
    if read_msr(EFER) & LONG_MODE != LONG_MODE {
        return Err("EFER does not say that this is long mode");
    }
    save_area()?;
    let signature = hypervisor().unwrap_or(*b"none        ");
    let [vendor, signature] = [&vendor, &signature].map(|text| core::str::from_utf8(text).unwrap_or("?").trim_end());
    say!("CPU of {vendor}, leaves to {last:#x} and {last_extended:#x}, hypervisor {signature}");
    Ok(())
}

/// Leaf 0xD: sizes follow XCR0, and a wrong XCR0 is refused.
fn save_area() -> Verdict {
    if cpuid(1, 0).ecx & HAS_OSXSAVE == 0 {
        return Ok(());
    }
    let all = cpuid(0xd, 0);
    let before = read_xcr0();
    let mut verdict = Ok(());
    for components in [1, 3, 7] {
        if components & !u64::from(all.eax) != 0 {
            continue;
        }
        write_xcr0(components);
        let size = match components {
            7 => cpuid(0xd, 2).ebx + cpuid(0xd, 2).eax,
            _ => LEGACY,
        };
        let told = cpuid(0xd, 0);
        if told.ebx != size || told.ecx != all.ecx || told.ecx < told.ebx || read_xcr0() != components {
            verdict = Err("CPUID leaf 0xD does not follow XCR0");
        }
    }
    write_xcr0(before);
    // Without x87; AVX without SSE; what no CPU has.
    for components in [0_u64, 2, 5, 1 << 62 | 1] {
        let (low, high) = (components as u32, (components >> 32) as u32);
        let refused = attempt!("xsetbv", in("ecx") 0, in("eax") low, in("edx") high);
        if !refused.is_err_and(|it| it.is_protection()) {
            verdict = Err("a wrong XCR0 is not refused");
        }
    }
    verdict
}

/// What is not virtualised does not show, and its instructions and registers are not there.
pub(super) fn hides() -> Verdict {
    let (features, extended, structured) = (cpuid(1, 0), cpuid(0x8000_0001, 0), cpuid(7, 0));
    // MONITOR, VMX, SMX; SVM; SGX.
    if features.ecx & 0x68 != 0 || extended.ecx & 4 != 0 || structured.ebx & 4 != 0 {
        return Err("CPUID shows an extension that is not virtualised");
    }
    if features.ecx >> 31 == 0 || cpuid(0x4000_0000, 0).eax < 0x4000_0010 || cpuid(0x4000_0010, 0).eax == 0 {
        return Err("CPUID lacks the hypervisor's leaves");
    }
    let attempts = [
        ("VMRUN", attempt!("vmrun", in("rax") 0_u64)),
        ("VMLOAD", attempt!("vmload", in("rax") 0_u64)),
        ("STGI", attempt!("stgi")),
        ("CLGI", attempt!("clgi")),
        ("SKINIT", attempt!("skinit", in("eax") 0)),
        ("VMXOFF", attempt!("vmxoff")),
        ("MONITOR", attempt!("monitor", in("rax") 0_u64, in("ecx") 0, in("edx") 0)),
    ];
    for (name, taken) in attempts {
        if !taken.is_err_and(|it| it.is_undefined()) {
            say!("{name}");
            return Err("an instruction of a hidden extension is not undefined");
        }
    }
    // VM_HSAVE_PA; IA32_FEATURE_CONTROL; EFER.SVME.
    let attempts = [
        ("VM_HSAVE_PA", attempt!("rdmsr", in("ecx") 0xc001_0117_u32, out("eax") _, out("edx") _)),
        ("FEATURE_CONTROL", attempt!("rdmsr", in("ecx") 0x3a, out("eax") _, out("edx") _)),
        ("EFER.SVME", attempt!("wrmsr", in("ecx") EFER, in("eax") read_msr(EFER) as u32 | 1 << 12, in("edx") 0)),
    ];
    for (name, taken) in attempts {
        if !taken.is_err_and(|it| it.is_protection()) {
            say!("{name}");
            return Err("a register of a hidden extension is not refused");
        }
    }
    say!("no SVM, VMX, MONITOR; their instructions and registers are not there");
    Ok(())
}
