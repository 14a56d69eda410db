//! Boards that can be read, and mistakes in their pages.

use super::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project")
}

#[test]
fn every_board_of_the_project_can_be_read() {
    let names = Board::names(root());
    assert!(names.iter().any(|name| name == "qemu-aarch64"));
    for name in names {
        let board = Board::load(root(), &name).unwrap();
        assert!((board.cpus.min..=board.cpus.max).contains(&board.cpus.default), "{name}: default CPUs");
        assert!((board.memory.min..=board.memory.max).contains(&board.memory.default), "{name}: default memory");
    }
}

#[test]
fn an_unknown_board_names_those_that_exist() {
    let error = Board::load(root(), "pdp11").unwrap_err();
    assert!(error.starts_with("there is no board `pdp11`; boards that exist: "), "{error}");
    assert!(error.contains("qemu-aarch64"), "{error}");
    assert!(Board::load(root(), "../boards/qemu-aarch64").is_err());
}

#[test]
fn a_mistake_in_a_board_names_the_field() {
    let text = std::fs::read_to_string(Board::file(root(), "qemu-aarch64")).unwrap();
    let error = |from: &str, to: &str| toml::from_str::<Board>(&text.replace(from, to)).unwrap_err().to_string();
    assert!(error("gic = [3, 2]", "gic = [3, 5]").contains("a version in `gic` is 2 or 3, not 5"));
    assert!(error("gic = [3, 2]", "gic = []").contains("`gic` names no version"));
    assert!(error("\"reset\"", "\"reboot\"").contains("`on-failure` is \"reset\" or \"halt\", not \"reboot\""));
    assert!(error("\"2G\"", "\"2X\"").contains("`2X` is no size"));
    assert!(error("gic = [", "gick = [").contains("unknown field `gick`"));
}

#[test]
fn regions_are_pages_of_ram_and_apart() {
    let text = std::fs::read_to_string(Board::file(root(), "qemu-aarch64")).unwrap();
    let check = |regions: &str| toml::from_str::<Board>(&format!("{text}\n{regions}")).unwrap().check_regions();
    let one = "[regions.one]\nstart = 0x4400_0000\nlength = \"1M\"\n";
    assert_eq!(check(one), Ok(()));
    assert_eq!(check(&format!("{one}[regions.two]\nstart = 0x4410_0000\nlength = \"8K\"\n")), Ok(()));
    let wrong =
        [(0x440f_f000_u64, "8K"), (0x3fff_f000, "8K"), (0x47ff_f000, "8K"), (0x4500_0000, "6K"), (0x4500_0010, "4K")];
    for (start, length) in wrong {
        let two = format!("{one}[regions.two]\nstart = {start}\nlength = \"{length}\"\n");
        assert!(check(&two).unwrap_err().contains("region `"), "{start:#x}, {length}");
    }
}

#[test]
fn a_board_comes_with_the_gics_of_its_page() {
    let board = Board::load(root(), "qemu-aarch64").unwrap();
    let [v2, v3] = [GicVersion::V2, GicVersion::V3].map(Controller::Gic);
    assert_eq!(board.controller(None), Ok(v3));
    assert_eq!(board.controller(Some(GicVersion::V2)), Ok(v2));
    assert_eq!(board.qemu_machine(v2).unwrap(), "virt,virtualization=on,gic-version=2");
    let only_v2 = Board { gic: vec![GicVersion::V2], ..board };
    assert_eq!(only_v2.controller(None), Ok(v2));
    let error = only_v2.controller(Some(GicVersion::V3)).unwrap_err();
    assert_eq!(error, "board `qemu-aarch64` comes with a GICv2, not with a GICv3");
}

#[test]
fn an_x86_board_has_no_gic_and_may_have_a_hole_in_its_ram() {
    let board = Board::load(root(), "qemu-x86_64").unwrap();
    assert_eq!(board.controller(None), Ok(Controller::Apic));
    let error = board.controller(Some(GicVersion::V3)).unwrap_err();
    assert_eq!(error, "board `qemu-x86_64` is x86 and has no GIC: leave `--gic` out");
    // QEMU's hw/i386/pc_q35.c: 0x8000_0000 and more above 4 GiB from 0xb000_0000 on, and in one piece below.
    assert_eq!(board.memory.pieces(2 << 30), [(0, 2 << 30)]);
    assert_eq!(board.memory.pieces(0xaff0_0000), [(0, 0xaff0_0000)]);
    assert_eq!(board.memory.pieces(4 << 30), [(0, 2 << 30), (4 << 30, 2 << 30)]);
    let text = std::fs::read_to_string(Board::file(root(), "qemu-x86_64")).unwrap();
    let with_gic = toml::from_str::<Board>(&format!("gic = [3]\n{text}")).unwrap();
    assert_eq!(with_gic.check_gic(), Err("an x86 board has no `gic`".into()));
}

#[test]
fn sizes_have_suffixes() {
    assert_eq!(parse_size("4096"), Some(4096));
    assert_eq!(parse_size("16m"), Some(16 << 20));
    assert_eq!(parse_size("2G"), Some(2 << 30));
    assert_eq!(parse_size("99999999999999G"), None);
    assert_eq!(parse_size(""), None);
    assert_eq!(parse_size("G"), None);
}
