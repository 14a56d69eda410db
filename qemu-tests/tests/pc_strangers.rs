//! Guests that are started in other ways than Debian's `bzImage`, and guests that are nobody's here.

use std::time::Duration;

use qemu_tests::{LOADED, MEMTEST, MEMTEST_IA32, Result, System, VMLINUX, Verdict, enabled, root};

/// What is told of a file that is a module: its length and its hash (FNV-1a of 32 bits).
fn module(name: &str, path: &str) -> String {
    let bytes = std::fs::read(root().join(path)).unwrap();
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("module \"{name}\": {} bytes, hash {hash:08x}", bytes.len())
}

/// Programs of ours find what their boot protocol promises, and nothing else.
#[test]
fn each_program_is_started_by_its_protocol() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = LOADED.boot()?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    let said = |vm: &str| -> Vec<String> {
        let start = format!("[{vm}] loaded: ");
        transcript.lines().filter_map(|line| line.trim_end().strip_prefix(&start)).map(String::from).collect()
    };
    let initrd = || module("initrd", ".ostler/guests/linux-x86_64/initramfs.cpio.gz");
    let data = || module("loaded.qvmconf", "qemu-tests/systems/loaded.qvmconf");
    for (vm, protocol, command_line, modules) in [
        ("multiboot", "Multiboot in 32-bit mode", "by multiboot", vec![initrd(), data()]),
        ("multiboot2", "Multiboot2 in 32-bit mode", "by multiboot2", vec![initrd(), data()]),
        ("flat", "Multiboot in 32-bit mode", "by addresses", vec![]),
        ("flat-elf", "Multiboot in 32-bit mode", "by addresses", vec![]),
        ("elf64", "Linux's boot protocol in 64-bit mode", "in 64-bit mode", vec![initrd()]),
        ("elf32", "Linux's boot protocol in 32-bit mode", "in 32-bit mode", vec![initrd()]),
        ("raw", "Linux's boot protocol in 32-bit mode", "in 32-bit mode", vec![]),
    ] {
        let mut said = said(vm);
        let is_multiboot = protocol.starts_with("Multiboot");
        if is_multiboot {
            let [sizes, loader] = said.drain(..2).collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(sizes, "512 KiB below 640 KiB, 15360 KiB from 1 MiB on", "{vm}");
            assert_eq!(loader, "loaded by \"Ostler\"", "{vm}");
        }
        let mut expected = vec![format!("started by {protocol}"), format!("command line \"{command_line}\"")];
        expected.extend(modules);
        // RAM without ACPI's pages, which are at the end of its lower half.
        expected.extend(
            [
                "memory 0x0 to 0x80000: kind 1",
                "memory 0x80000 to 0x81000: kind 4",
                "memory 0x81000 to 0x82000: kind 3",
                "memory 0x82000 to 0xa0000: kind 1",
                "memory 0x100000 to 0x1000000: kind 1",
                "all passed",
            ]
            .map(String::from),
        );
        assert_eq!(said, expected, "{vm}\n{transcript}");
    }
    assert_eq!(said("real"), ["started in real mode at 07000"]);
    Ok(())
}

/// Linux without the code around it that unpacks it: an ELF file with a PVH note, which has nothing to start it but that.
#[test]
fn debians_vmlinux_starts_by_pvh() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = VMLINUX.boot_counted()?;
    console.set_patience(Duration::from_secs(300));
    console.expect("Command line: console=ttyS0 ostler.test=poweroff")?;
    console.expect("linux: user space on 6.")?;
    console.expect("linux: powering off")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

/// memtest86+ draws its screen, tests memory without an error, takes keys, and reboots its VM by its Escape key.
fn tests_memory(system: System) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = system.boot()?;
    // It measures caches and memory before it shows anything, and its clock by the 8254: if this machine is busy just then, all that it
    // times takes longer.
    console.set_patience(Duration::from_secs(600));
    console.expect("Memtest86+ v")?;
    console.expect("Memory  :   64MB")?;
    console.expect("Status: Testing")?;
    // Which of these tests is shown first depends on how fast this machine is: the screen follows every two seconds.
    console.expect("[Moving inversions, ")?;
    console.expect("Errors: 0 ")?;
    console.send("1")?;
    console.expect("Settings:")?;
    console.send("0")?;
    console.expect("[Moving inversions, ")?;
    console.expect("Errors: 0 ")?;
    console.send("\x1b")?;
    console.expect("[ostler] memtest: restarts (1)")?;
    console.expect("Memtest86+ v")?;
    Ok(())
}

#[test]
fn memtest86_tests_its_memory() -> Result<()> {
    tests_memory(MEMTEST)
}

/// By Linux's boot protocol, without an entry point of 64 bits.
#[test]
fn memtest86_of_32_bits_tests_its_memory() -> Result<()> {
    tests_memory(MEMTEST_IA32)
}
