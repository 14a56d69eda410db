//! x86_64: the guest is Xen's domain 0, which the boot loader brings.
//!
//! Xen starts no other guest by itself there. Of the kinds of a domain 0 it is PVH: one that runs on SVM with nested paging, as
//! Ostler's guests do, and gets to the board's devices by itself except to those that Xen keeps or emulates. So the guest has COM1,
//! and no row of a UART is of use; Xen has no console.

use std::io::Read;

use flate2::read::GzDecoder;
use qemu_tests::Machine;

use crate::bench::board::{self, Said};
use crate::bench::target::X86_64;
use crate::failure::{OnFile, Result};
use crate::guests::debian;
use crate::host::files;

const PACKAGE: &str = "xen-hypervisor-4.17-amd64";
const FILE: &str = "boot/xen-4.17-amd64.gz";

/// A PVH domain 0 wants an IOMMU, and Xen does not start on a processor whose RDTSCP it cannot intercept as it expects.
const IOMMU: [&str; 2] = ["-device", "amd-iommu"];
const CPU: &str = "EPYC,-rdtscp,check=off";

/// The rows of what Xen emulates for its domain 0. Not the timer's: where the board has no TSC-deadline mode Xen's local APIC has
/// none, and when a count of its timer began is known to an exit only.
const ROWS: &str = "vmmcall cpuid port_write rdmsr wrmsr apic_read apic_write ioapic_read ipi_self";

/// Runs the guest, which has been built, under Xen. `machine` is the one that it runs on under Ostler.
pub(in crate::bench) fn measure(machine: &Machine) -> Result<Said> {
    let kernel = X86_64.folder().join("xen").join("xen");
    let (mut xen, packed) = (Vec::new(), debian::file_of(&debian::AMD64, PACKAGE, FILE)?);
    GzDecoder::new(packed.as_slice()).read_to_end(&mut xen).on("unpack", &kernel)?;
    files::write(&kernel, &xen)?;

    let mut extra = machine.extra.clone();
    extra.extend(IOMMU.map(String::from));
    // By multiboot: the first module is the domain's kernel, with its command line.
    extra.extend(["-append".into(), "dom0=pvh dom0_mem=64M console=none".into()]);
    extra.extend(["-initrd".into(), format!("{} tsc-khz=1000000 {ROWS}", X86_64.elf().display())]);
    board::run(&Machine { kernel, cpu: CPU.into(), extra, ..machine.clone() })
}
