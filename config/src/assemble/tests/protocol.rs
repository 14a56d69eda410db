//! The arm64 Linux boot protocol: where kernels, RAM disks and trees end up, and what is said where they cannot be used.

use super::{Outcome, Project, linux};
use crate::codes::{NO_ROOM, OUT_OF_REACH, SMALL_PAGES};

/// Flags of kernels since 4.6, which may be anywhere, and of those before, with 4 KiB pages.
const NEW: u64 = 0b1010;
const OLD: u64 = 0b0010;

/// A board with room for large VMs, and a kernel `old` beside the new one.
fn project() -> Project {
    let mut project = Project::new();
    project.request.memory_bytes = Some(16 << 30);
    project.file("old", &linux(0, 0x10_0000, OLD));
    project.file("small-disk", b"070701");
    project
}

/// Addresses of kernel, RAM disk and tree, in the order of `loads`: what has an explicit address comes first.
fn addresses(outcome: &Outcome) -> Vec<u64> {
    let assembly = outcome.assembly.as_ref().unwrap_or_else(|| panic!("{}", outcome.text));
    assembly.vms[0].loads.iter().map(|load| load.gpa.0).collect()
}

/// Addresses of a VM that nothing is said about.
fn quiet(text: &str) -> Vec<u64> {
    let outcome = project().run(&[text]);
    assert_eq!(outcome.text, "");
    addresses(&outcome)
}

#[test]
fn all_is_close_to_the_start_of_ram_wherever_that_is() {
    for kernel in ["Image", "old"] {
        let at = |ram: &str| quiet(&format!("ram {ram} load {kernel} initrd load ramdisk"));
        assert_eq!(at("0x80000000,4G"), [0x8000_0000, 0x8010_0000, 0x8010_2000]);
        assert_eq!(at("0x4000000000,512M"), [0x40_0000_0000, 0x40_0010_0000, 0x40_0010_2000]);
        assert_eq!(at("0xfffff00000,1M ram 0xc0000000,9G")[0], 0xc000_0000, "the lowest, in whatever order");
    }
}

#[test]
fn a_kernel_passes_over_ram_that_is_too_small_for_it() {
    let text = |kernel| format!("ram 0x40000000,512K ram 0x80000000,64M load {kernel} initrd load ramdisk");
    let expected = [0x8000_0000, 0x8010_0000, 0x8010_2000];
    assert_eq!(quiet(&text("Image")), expected);
    let outcome = project().run(&[&text("old")]);
    assert_eq!((outcome.codes.as_slice(), addresses(&outcome)), ([OUT_OF_REACH].as_slice(), expected.to_vec()));
}

#[test]
fn an_old_kernel_far_up_is_warned_of_and_a_new_one_is_not() {
    let at = |address: &str, kernel| project().run(&[&format!("ram 0x40000000,64M load {address},{kernel}")]).codes;
    assert_eq!(at("0x40400000", "Image"), [""; 0]);
    assert_eq!(at("0x40400000", "old"), [OUT_OF_REACH]);
    assert_eq!(at("0x40000000", "old"), [""; 0]);
    // The first 512 KiB are below any place that it could have: nothing better can be had.
    assert_eq!(project().run(&["ram 0x40080000,64M load old"]).codes, [SMALL_PAGES]);
}

#[test]
fn a_ram_disk_lies_below_a_new_kernel_if_it_must() {
    let text = |kernel| format!("ram 0x40000000,1M ram 0x80000000,1M load 0x80000000,{kernel} initrd load ramdisk");
    assert_eq!(quiet(&text("Image")), [0x8000_0000, 0x4000_0000, 0x4000_2000]);
    let outcome = project().run(&[&text("old")]);
    assert_eq!(outcome.codes, [OUT_OF_REACH, NO_ROOM], "an old one cannot reach it there");
}

#[test]
fn ram_disk_and_kernel_share_a_window_of_32_gib() {
    let text = |kernel: &str, initrd: &str| {
        let ram = "ram 0x40000000,2M ram 0x840000000,1M ram 0x880000000,2M";
        format!("{ram} load {kernel},Image initrd load {initrd},ramdisk")
    };
    let codes = |kernel, initrd| project().run(&[&text(kernel, initrd)]).codes;
    // The window of a kernel at 1 GiB ends at 33 GiB.
    assert_eq!(codes("0x40000000", "0x840000000"), [NO_ROOM]);
    assert_eq!(codes("0x880000000", "0x840000000"), [""; 0], "it may begin below the kernel");
    assert_eq!(codes("0x880000000", "0x40000000"), [NO_ROOM]);
    let last = "ram 0x40000000,2M ram 0x83ffff000,8K load Image initrd load";
    assert_eq!(project().run(&[&format!("{last} 0x83ffff000,small-disk")]).codes, [""; 0]);
    assert_eq!(
        project().run(&[&format!("{last} 0x83ffff000,ramdisk")]).codes,
        [NO_ROOM],
        "not all of it in the window"
    );
}

#[test]
fn a_program_that_is_no_linux_may_have_its_ram_disk_anywhere() {
    let text = "ram 0x40080000,1M ram 0xb00000000,1M load hello.elf initrd load 0xb00000000,ramdisk";
    assert_eq!(quiet(text)[0], 0xb_0000_0000);
    quiet("ram 0x40080000,1M rom 0x50000000,8K load hello.elf initrd load 0x50000000,ramdisk");
}

#[test]
fn an_old_kernel_has_its_tree_near_even_if_the_ram_disk_has_to_give_way() {
    // Of the first 512 MiB only the last 2 are free.
    let text =
        |kernel| format!("ram 0x40000000,1G reserve loc 0x40100000,0x1fd00000 load {kernel} initrd load ramdisk");
    assert_eq!(quiet(&text("Image")), [0x4000_0000, 0x5fe0_0000, 0x5fe0_2000]);
    assert_eq!(quiet(&text("old")), [0x4000_0000, 0x6000_0000, 0x5fe0_0000]);
}

#[test]
fn a_tree_crosses_no_multiple_of_2_mib() {
    let project = project();
    project.file("disk", &[b"070701", [7; 0xfeffa].as_slice()].concat());
    let long = "x".repeat(5000);
    let text = format!("ram 0x40000000,64M load old initrd load disk cmdline {long}");
    assert_eq!(addresses(&project.run(&[&text])), [0x4000_0000, 0x4010_0000, 0x4020_0000]);
    let text = "ram 0x40000000,64M load old initrd load disk";
    assert_eq!(addresses(&project.run(&[text])), [0x4000_0000, 0x4010_0000, 0x401f_f000], "a short one fits before it");
}

#[test]
fn an_explicit_tree_that_the_oldest_kernels_do_not_find() {
    let codes = |kernel: &str, address: &str| {
        let project = project();
        project.file("over.dtb", &super::trees::compiled("/ { };"));
        project.run(&[&format!("ram 0x40000000,1G load {kernel} fdt load {address},over.dtb")]).codes
    };
    for (address, good) in [("0x40400000", true), ("0x5ffff000", true), ("0x60000000", false), ("0x403ffff8", false)] {
        let expected: &[&str] = if good { &[] } else { &[OUT_OF_REACH] };
        assert_eq!(codes("old", address), expected, "{address}");
        assert_eq!(codes("Image", address), [""; 0], "{address}");
    }
}

#[test]
fn a_kernel_of_64_kib_pages_is_placed_like_any_other() {
    let project = project();
    project.file("big-pages", &linux(0, 0x10_0000, NEW | 0b0110));
    let outcome = project.run(&["ram 0x40010000,64M load big-pages initrd load ramdisk"]);
    assert_eq!(addresses(&outcome), [0x4020_0000, 0x4030_0000, 0x4030_2000]);
}
