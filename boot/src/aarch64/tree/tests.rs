//! QEMU's own trees, trees made to be awkward, and broken ones.

use super::*;
use proptest::prelude::*;
use vm_fdt::{FdtReserveEntry, FdtWriter};

const V2: &[u8] = include_bytes!("../../../tests/trees/v2.dtb");
const V3: &[u8] = include_bytes!("../../../tests/trees/v3.dtb");
const CLUSTERS: &[u8] = include_bytes!("../../../tests/trees/clusters.dtb");
const NUMA: &[u8] = include_bytes!("../../../tests/trees/numa.dtb");
const SECURE: &[u8] = include_bytes!("../../../tests/trees/secure.dtb");

fn at(start: u64, size_bytes: u64) -> Region {
    Region { start: Hpa(start), size_bytes }
}

#[test]
fn qemu_with_gicv3() {
    let facts = read(V3).unwrap();
    assert_eq!(facts.memory[..], [at(0x4000_0000, 2 << 30)]);
    assert_eq!(facts.cpus[..], [0, 1, 2, 3]);
    assert_eq!(facts.hardware.psci, Some(Psci { conduit: Conduit::Smc, version: (1, 0) }));
    let redistributors = ArrayVec::from_iter([at(0x080a_0000, 0xf6_0000)]);
    let distributor = at(0x0800_0000, 0x1_0000);
    assert_eq!(
        facts.hardware.gic,
        Some(Gic::V3 { distributor, redistributors, stride_bytes: None, maintenance: Some(25) })
    );
    let timers = Timers { secure: Some(29), physical: Some(30), virtual_: Some(27), hypervisor: Some(26) };
    assert_eq!(facts.hardware.timers, timers);
    assert_eq!(facts.hardware.console, Some(Uart { registers: at(0x0900_0000, 0x1000), intid: Some(33) }));
    assert_eq!(facts.rng_seed.len(), 32);
    assert!(facts.kaslr_seed.is_some());
    assert!(facts.reserved.is_empty() && facts.notes.is_empty(), "{facts:?}");
}

#[test]
fn qemu_with_gicv2() {
    let facts = read(V2).unwrap();
    let expected = Gic::V2 {
        distributor: at(0x0800_0000, 0x1_0000),
        cpu_interface: at(0x0801_0000, 0x1_0000),
        hypervisor_interface: Some(at(0x0803_0000, 0x1_0000)),
        virtual_cpu_interface: Some(at(0x0804_0000, 0x1_0000)),
        maintenance: Some(25),
    };
    assert_eq!(facts.hardware.gic, Some(expected));
    assert_eq!(facts.memory[..], [at(0x4000_0000, 512 << 20)]);
    assert_eq!(facts.cpus[..], [0, 1]);
}

#[test]
fn qemu_with_more_cpus_than_a_cluster_holds() {
    let expected: Vec<u64> = (0..16).chain([0x100, 0x101]).collect();
    assert_eq!(read(CLUSTERS).unwrap().cpus[..], expected);
}

#[test]
fn qemu_with_memory_in_two_nodes() {
    let memory = read(NUMA).unwrap().memory;
    assert_eq!(memory.iter().map(|region| region.size_bytes).sum::<u64>(), 2 << 30);
    assert!(memory.contains(&at(0x4000_0000, 512 << 20)) && memory.contains(&at(0x6000_0000, 1536 << 20)));
}

#[test]
fn qemu_with_a_secure_world_keeps_its_memory_and_uart_out() {
    let facts = read(SECURE).unwrap();
    assert_eq!(facts.memory[..], [at(0x4000_0000, 1 << 30)]);
    assert_eq!(facts.hardware.console.unwrap().registers.start, Hpa(0x0900_0000));
}

#[test]
fn a_tree_may_be_followed_by_other_bytes_and_its_length_is_known_before() {
    let mut bytes = V3.to_vec();
    assert_eq!(total_bytes(&bytes[..8]), Some(V3.len() as u32));
    bytes.extend([0xff; 100]);
    assert_eq!(read(&bytes), read(V3));
}

/// What goes into a made-up tree.
enum Item {
    Cells(&'static str, Vec<u32>),
    Text(&'static str, &'static str),
    Empty(&'static str),
    Child(&'static str, Vec<Item>),
}
use Item::*;

fn write(fdt: &mut FdtWriter, items: &[Item]) {
    for item in items {
        match item {
            Cells(name, cells) => fdt.property_array_u32(name, cells).unwrap(),
            Text(name, text) => fdt.property(name, text.as_bytes()).unwrap(),
            Empty(name) => fdt.property_null(name).unwrap(),
            Child(name, items) => {
                let node = fdt.begin_node(name).unwrap();
                write(fdt, items);
                fdt.end_node(node).unwrap();
            }
        }
    }
}

fn tree(items: &[Item]) -> Vec<u8> {
    let reservations = [FdtReserveEntry::new(0x5000_0000, 0x1_0000).unwrap()];
    let mut fdt = FdtWriter::new_with_mem_reserv(&reservations).unwrap();
    let root = fdt.begin_node("").unwrap();
    write(&mut fdt, items);
    fdt.end_node(root).unwrap();
    fdt.finish().unwrap()
}

fn gic(reg: Vec<u32>, more: Vec<Item>) -> Item {
    let mut items = vec![
        Text("compatible", "arm,gic-v3\0"),
        Cells("reg", reg),
        Cells("phandle", vec![1]),
        Cells("#interrupt-cells", vec![3]),
    ];
    items.extend(more);
    Child("interrupt-controller@1000", items)
}

fn uart(unit: &'static str, more: Vec<Item>) -> Item {
    let mut items = vec![
        Text("compatible", "arm,pl011\0arm,primecell\0"),
        Cells("reg", vec![0x9000, 0x1000]),
        Cells("interrupts", vec![0, 5, 4]),
    ];
    items.extend(more);
    Child(unit, items)
}

/// One cell of address and of size, the GIC as interrupt parent.
fn root(mut items: Vec<Item>) -> Vec<u8> {
    let mut all =
        vec![Cells("#address-cells", vec![1]), Cells("#size-cells", vec![1]), Cells("interrupt-parent", vec![1])];
    all.append(&mut items);
    tree(&all)
}

#[test]
fn reservations_come_from_both_places() {
    let facts = read(&root(vec![
        Child(
            "memory@40000000",
            vec![
                Text("device_type", "memory\0"),
                Cells("reg", vec![0x4000_0000, 0x1000_0000, 0, 0, 0x8000_0000, 0x1000_0000]),
            ],
        ),
        Child(
            "reserved-memory",
            vec![
                Cells("#address-cells", vec![2]),
                Cells("#size-cells", vec![1]),
                Empty("ranges"),
                Child("secure@1", vec![Cells("reg", vec![0, 0x4100_0000, 0x1000, 1, 0, 0x2000]), Empty("no-map")]),
                Child("cma", vec![Cells("size", vec![0x100_0000]), Empty("reusable")]),
                Child("off@2", vec![Cells("reg", vec![0, 0x4200_0000, 0x1000]), Text("status", "disabled\0")]),
                Child("log@3", vec![Cells("reg", vec![0, 0x4300_0000, 0x1000]), Text("status", "okay\0")]),
            ],
        ),
    ]))
    .unwrap();
    assert_eq!(facts.memory[..], [at(0x4000_0000, 0x1000_0000), at(0x8000_0000, 0x1000_0000)]);
    let reserved = |start, size, no_map| Reserved { region: at(start, size), no_map };
    let expected = [
        reserved(0x5000_0000, 0x1_0000, false),
        reserved(0x4100_0000, 0x1000, true),
        reserved(0x1_0000_0000, 0x2000, true),
        reserved(0x4300_0000, 0x1000, false),
    ];
    assert_eq!(facts.reserved[..], expected);
}

#[test]
fn cpus_keep_their_order_and_disabled_ones_are_left_out() {
    let cpu = |name, reg: &[u32], more: Vec<Item>| {
        let mut items = vec![Text("device_type", "cpu\0"), Cells("reg", reg.to_vec())];
        items.extend(more);
        Child(name, items)
    };
    let facts = read(&root(vec![Child(
        "cpus",
        vec![
            Cells("#address-cells", vec![2]),
            Cells("#size-cells", vec![0]),
            Child("cpu-map", vec![Child("cluster0", vec![Child("core0", vec![Cells("cpu", vec![7])])])]),
            cpu("cpu@100000000", &[1, 0], vec![]),
            cpu("cpu@100", &[0, 0x100], vec![Text("status", "disabled\0")]),
            cpu("cpu@0", &[0, 0], vec![Text("status", "okay\0")]),
            Child("l2-cache", vec![Text("compatible", "cache\0")]),
        ],
    )]))
    .unwrap();
    assert_eq!(facts.cpus[..], [0x1_0000_0000, 0]);
    assert_eq!(facts.notes[0].to_string(), "device tree, node cpu@100: not enabled, not used");

    let flags =
        read(&root(vec![Child("cpus", vec![Cells("#size-cells", vec![0]), cpu("cpu@0", &[0, 1 << 31], vec![])])]));
    assert_eq!(flags.unwrap_err().to_string(), "device tree, node cpu@0: `reg` is malformed");
}

#[test]
fn redistributors_may_come_in_regions_with_a_stride() {
    let facts = read(&root(vec![gic(
        vec![0x1000, 0x1000, 0x8_0000, 0x4_0000, 0x4_0000, 0x2_0000, 0x9000, 0x1000],
        vec![
            Cells("#redistributor-regions", vec![2]),
            Cells("redistributor-stride", vec![0, 0x4_0000]),
            Cells("interrupts", vec![1, 9, 4]),
        ],
    )]))
    .unwrap();
    let redistributors = ArrayVec::from_iter([at(0x8_0000, 0x4_0000), at(0x4_0000, 0x2_0000)]);
    let expected = Gic::V3 {
        distributor: at(0x1000, 0x1000),
        redistributors,
        stride_bytes: Some(0x4_0000),
        maintenance: Some(25),
    };
    assert_eq!(facts.hardware.gic, Some(expected));

    let short = root(vec![gic(vec![0x1000, 0x1000], vec![])]);
    assert_eq!(read(&short).unwrap_err().fault, Fault::Malformed("reg"));
    let many = root(vec![gic(
        (0..40).flat_map(|i| [i * 0x1000, 0x1000]).collect(),
        vec![Cells("#redistributor-regions", vec![0xffff_ffff])],
    )]);
    assert_eq!(read(&many).unwrap_err().fault, Fault::TooMany("redistributor regions"));
}

#[test]
fn a_gicv2_may_lack_the_virtualisation_extensions_and_its_frames_have_an_order() {
    let frames = [0x1000, 0x1000, 0x2000, 0x2000, 0x4000, 0x2000, 0x6000, 0x2000];
    let gic = |compatible, frames: &[u32]| {
        let cells = vec![Text("compatible", compatible), Cells("reg", frames.to_vec())];
        read(&root(vec![Child("interrupt-controller@1000", cells)]))
    };
    let expected = |hypervisor_interface, virtual_cpu_interface| {
        let (distributor, cpu_interface) = (at(0x1000, 0x1000), at(0x2000, 0x2000));
        Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_cpu_interface, maintenance: None }
    };
    let whole = Some(expected(Some(at(0x4000, 0x2000)), Some(at(0x6000, 0x2000))));
    for compatible in ["arm,gic-400\0", "arm,cortex-a15-gic\0arm,cortex-a9-gic\0", "arm,cortex-a7-gic\0"] {
        assert_eq!(gic(compatible, &frames).unwrap().hardware.gic, whole, "{compatible}");
    }
    assert_eq!(gic("arm,cortex-a9-gic\0", &frames[..4]).unwrap().hardware.gic, Some(expected(None, None)));
    assert_eq!(gic("arm,gic-400\0", &frames[..2]).unwrap_err().fault, Fault::Malformed("reg"));
}

#[test]
fn the_console_is_found_by_path_or_alias_with_options_before_or_after() {
    let plain = || gic(vec![0x1000, 0x1000, 0x8_0000, 0x2_0000], vec![]);
    let expected = Some(Uart { registers: at(0x9000, 0x1000), intid: Some(37) });
    let chosen = |path| Child("chosen", vec![Text("stdout-path", path)]);
    let soc = || {
        Child(
            "soc",
            vec![
                Cells("#address-cells", vec![1]),
                Cells("#size-cells", vec![1]),
                Cells("ranges", vec![0, 0, 0x10_0000]),
                uart("serial@9000", vec![]),
            ],
        )
    };
    let aliases = || Child("aliases", vec![Text("serial0", "/soc/serial@9000\0")]);
    let decoy = || Child("other", vec![uart("serial@9000", vec![Text("status", "disabled\0")])]);
    for path in ["/soc/serial@9000\0", "/soc/serial:115200n8\0", "serial0\0", "serial0:115200n8\0", "//soc/serial@9000"]
    {
        let first = read(&root(vec![chosen(path), plain(), decoy(), aliases(), soc()])).unwrap();
        let last = read(&root(vec![soc(), decoy(), aliases(), plain(), chosen(path)])).unwrap();
        assert_eq!((first.hardware.console, last.hardware.console), (expected, expected), "{path}");
    }
    for path in
        ["/soc/serial@9001\0", "/soc\0", "serial1\0", "\0", "/\0", "/soc/serial@9000/x\0", "/soc/other/serial@9000\0"]
    {
        let facts = read(&root(vec![soc(), plain(), aliases(), chosen(path)])).unwrap();
        assert_eq!((facts.hardware.console, facts.notes.len()), (None, 1), "{path}");
    }
    // The parent is closed before a node of the wanted name comes.
    let facts = read(&root(vec![Child("soc", vec![]), decoy(), chosen("/soc/serial@9000\0")])).unwrap();
    assert_eq!(facts.hardware.console, None);
}

#[test]
fn a_bus_that_translates_is_not_misread() {
    let bus = |ranges: Option<Vec<u32>>, child| {
        let mut items = vec![Cells("#address-cells", vec![1]), Cells("#size-cells", vec![1])];
        items.extend(ranges.map(|ranges| Cells("ranges", ranges)));
        items.push(child);
        Child("soc", items)
    };
    let chosen = || Child("chosen", vec![Text("stdout-path", "/soc/serial@9000\0")]);
    for ranges in
        [None, Some(vec![0, 0x4000_0000, 0x10_0000]), Some(vec![0, 0, 0x10_0000, 0x10_0000, 0, 1]), Some(vec![0, 0])]
    {
        let console = read(&root(vec![bus(ranges.clone(), uart("serial@9000", vec![])), chosen()])).unwrap();
        assert_eq!((console.hardware.console, console.notes.len()), (None, 1), "{ranges:x?}");
        let gic = gic(vec![0x1000, 0x1000, 0x8_0000, 0x2_0000], vec![]);
        let gic = read(&root(vec![bus(ranges, gic)])).unwrap();
        assert_eq!((gic.hardware.gic, gic.notes.len()), (None, 1));
    }
}

#[test]
fn interrupts_of_another_controller_are_not_taken_for_the_gics() {
    let plain = gic(vec![0x1000, 0x1000, 0x8_0000, 0x2_0000], vec![]);
    let facts = read(&root(vec![
        plain,
        uart("serial@9000", vec![Cells("interrupt-parent", vec![2])]),
        Child(
            "timer",
            vec![
                Text("compatible", "arm,armv8-timer\0"),
                Text("interrupt-names", "virt\0hyp-phys\0phys\0hyp-virt\0"),
                Cells("interrupts", vec![1, 11, 4, 1, 10, 4, 1, 14, 4, 3, 12, 4]),
            ],
        ),
        Child("chosen", vec![Text("stdout-path", "/serial\0"), Cells("kaslr-seed", vec![0, 0])]),
    ]))
    .unwrap();
    assert_eq!(facts.hardware.console.unwrap().intid, None);
    let timers = Timers { secure: None, physical: Some(30), virtual_: Some(27), hypervisor: Some(26) };
    assert_eq!(facts.hardware.timers, timers);
    assert_eq!(facts.kaslr_seed, None);
}

#[test]
fn psci_before_0_2_is_refused_by_name() {
    let psci = |compatible, method| Child("psci", vec![Text("compatible", compatible), Text("method", method)]);
    let facts = read(&root(vec![psci("arm,psci\0", "smc\0")])).unwrap();
    assert_eq!(facts.hardware.psci, None);
    assert_eq!(facts.notes[0].why, "older than PSCI 0.2, not used");
    let facts = read(&root(vec![psci("arm,psci-0.2\0arm,psci\0", "hvc\0")])).unwrap();
    assert_eq!(facts.hardware.psci, Some(Psci { conduit: Conduit::Hvc, version: (0, 2) }));
    assert_eq!(read(&root(vec![psci("arm,psci-1.0\0", "svc\0")])).unwrap_err().fault, Fault::Malformed("method"));
}

#[test]
fn broken_trees_are_refused_by_name() {
    let broken = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = V3.to_vec();
        change(&mut bytes);
        read(&bytes).unwrap_err().fault
    };
    let structure = u32_at(V3, 8).unwrap() as usize;
    assert_eq!(broken(&|tree| tree[0] = 0), Fault::NotATree);
    assert_eq!(broken(&|tree| tree.clear()), Fault::NotATree);
    assert_eq!(broken(&|tree| tree[23] = 16), Fault::Version(16));
    assert_eq!(broken(&|tree| tree.truncate(V3.len() - 1)), Fault::Truncated("tree"));
    assert_eq!(broken(&|tree| tree[8] = 1), Fault::Truncated("structure block"));
    assert_eq!(broken(&|tree| tree[12] = 1), Fault::Truncated("strings block"));
    assert_eq!(broken(&|tree| tree[16] = 1), Fault::Truncated("memory reservation block"));
    assert_eq!(broken(&|tree| tree[structure + 3] = 7), Fault::Token(7));
    assert_eq!(broken(&|tree| tree[structure + 3] = 2), Fault::Unbalanced);
    assert_eq!(broken(&|tree| tree[structure + 3] = 9), Fault::Unbalanced);
    // The first property after the root's eight bytes: its length, then its name.
    assert_eq!(broken(&|tree| tree[structure + 12] = 0xff), Fault::Truncated("structure block"));
    assert_eq!(broken(&|tree| tree[structure + 16] = 0xff), Fault::PropertyName);

    let memory =
        |reg: Vec<u32>| root(vec![Child("memory@0", vec![Text("device_type", "memory\0"), Cells("reg", reg)])]);
    assert_eq!(read(&memory(vec![1, 2, 3])).unwrap_err().to_string(), "device tree, node memory@0: `reg` is malformed");
    let many = memory((0..34).flat_map(|i| [i * 0x1000, 0x1000]).collect());
    let text = read(&many).unwrap_err().to_string();
    assert_eq!(text, "device tree, node memory@0: more memory ranges than Ostler has room for");
    let wraps = tree(&[Child(
        "memory@0",
        vec![Text("device_type", "memory\0"), Cells("reg", vec![0xffff_ffff, 0xffff_f000, 0x2000])],
    )]);
    assert_eq!(read(&wraps).unwrap_err().fault, Fault::Malformed("reg"));

    let deep = (0..20).fold(Child("x", vec![]), |inner, _| Child("x", vec![inner]));
    assert_eq!(read(&root(vec![deep])).unwrap_err().fault, Fault::TooDeep);
    // vm-fdt writes no property after a child; swap the child's tokens with NOPs to get one.
    let mut late = root(vec![Child("a", vec![]), Child("b", vec![Empty("ranges")])]);
    let start = late.windows(8).position(|w| w == [0, 0, 0, 1, b'b', 0, 0, 0]).unwrap();
    late[start..start + 8].copy_from_slice(&[0, 0, 0, 4, 0, 0, 0, 4]);
    assert_eq!(read(&late).unwrap_err().fault, Fault::LateProperty);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_mutation_makes_it_panic_or_run_on(
        which in 0..5usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut bytes = [V2, V3, CLUSTERS, NUMA, SECURE][which].to_vec();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(facts) = read(&bytes) {
            for region in facts.memory.iter().chain(facts.reserved.iter().map(|reserved| &reserved.region)) {
                prop_assert!(region.size_bytes > 0 && region.start.0.checked_add(region.size_bytes).is_some());
            }
        }
    }

    /// Words of a tree are mostly small: this finds token soups that byte noise does not.
    #[test]
    fn no_soup_of_tokens_makes_it_panic_or_run_on(
        words in prop::collection::vec(prop_oneof![0u32..12, Just(0x6100_0000), any::<u32>()], 0..64)
    ) {
        let structure: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let strings = b"reg\0compatible\0ranges\0status\0";
        let header = [0xd00d_feed, (56 + structure.len() + strings.len()) as u32, 56, 56 + structure.len() as u32, 40, 17,
            16, 0, strings.len() as u32, structure.len() as u32];
        let mut bytes: Vec<u8> = header.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
        bytes.extend([0; 16]);
        bytes.extend(structure);
        bytes.extend(strings);
        let _ = read(&bytes);
    }
}
