//! The language's rules, one test each: what a good text means.

use std::path::Path;

use super::{codes, good, read};
use crate::codes::{NOT_UTF8, ORDER, OUT_OF_CONTEXT, OVERRIDDEN, RADIX};
use crate::spec::{Action, LoadKind, Policy, ReserveSpec, Spanned, VdevSpecKind, VmSpec, When};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn value<T>(spanned: Option<Spanned<T>>) -> Option<T> {
    spanned.map(|spanned| spanned.value)
}

fn memory(text: &str) -> Vec<(bool, Option<u64>, u64)> {
    good(text).memory.into_iter().map(|it| (it.read_only, value(it.start), it.size_bytes.value)).collect()
}

fn sched(spec: &VmSpec) -> Vec<Option<(u8, Policy)>> {
    spec.cpus.iter().map(|cpu| value(cpu.sched)).collect()
}

#[test]
fn addresses_are_hexadecimal_and_lengths_decimal_by_default() {
    assert_eq!(memory("ram 4096M,2048M"), [(false, Some(4 * GIB), 2 * GIB)]);
    assert_eq!(memory("ram 0x80000000,128M"), [(false, Some(0x8000_0000), 128 * MIB)]);
    assert_eq!(memory("ram 80000000,128M"), [(false, Some(0x8000_0000), 128 * MIB)]);
    assert_eq!(memory("rom 0xc0000,0x40000"), [(true, Some(0xc_0000), 0x4_0000)]);
    assert_eq!(
        memory("ram 0,0xa0000 ram 1m,1023m ram 4096"),
        [(false, Some(0), 0xa_0000), (false, Some(MIB), 1023 * MIB), (false, None, 4096)]
    );
    assert_eq!(codes("ram 80000000,128M"), [RADIX]);
    assert_eq!(codes("ram 0x80000000,128M ram 4096M,1M ram 0d4096,4096"), [""; 0]);
}

#[test]
fn other_options_neither_join_nor_end_a_context() {
    for text in ["cpu ram 32m sched 8", "cpu sched 8 ram 32m", "cpu\n# a\n sched 8\nram 32m"] {
        let spec = good(text);
        assert_eq!(sched(&spec), [Some((8, Policy::RoundRobin))], "{text}");
        assert_eq!(spec.memory.len(), 1, "{text}");
    }
}

#[test]
fn a_context_ends_where_the_next_begins() {
    let spec = good("cpu sched 8 cpu cpu sched 10f runmask 2,0 vdev pl011 loc 0x1c090000");
    assert_eq!(sched(&spec), [Some((8, Policy::RoundRobin)), None, Some((10, Policy::Fifo))]);
    assert_eq!(value(spec.cpus[2].runmask.clone()), Some(vec![2, 0]));
    assert_eq!(codes("cpu vdev pl011 runmask 1"), [OUT_OF_CONTEXT]);
}

#[test]
fn the_last_of_a_single_thing_counts() {
    assert_eq!(sched(&good("cpu sched 8 sched 6")), [Some((6, Policy::RoundRobin))]);
    assert_eq!(value(good("cmdline a cmdline \"b c\"").cmdline), Some("b c".to_owned()));
    assert_eq!(codes("cpu sched 8 sched 6"), [OVERRIDDEN]);
    assert_eq!(codes("cpu sched 8 cpu sched 6"), [""; 0]);
}

#[test]
fn scheduling_policies() {
    let spec = good("cpu sched 1r cpu sched 255o cpu sched 10f cpu sched 0d7");
    let expected = [(1, Policy::RoundRobin), (255, Policy::RoundRobin), (10, Policy::Fifo), (7, Policy::RoundRobin)];
    assert_eq!(sched(&spec), expected.map(Some));
}

#[test]
fn loads_know_their_type_their_address_and_their_folder() {
    let spec = good("ram 1G load 0x80000,Image guest load b initrd load 4096M,/c data load ./1,d fdt load \"e f,g\"");
    let loads: Vec<_> =
        spec.loads.iter().map(|load| (load.kind, value(load.address), load.path.value.as_path())).collect();
    assert_eq!(
        loads,
        [
            (LoadKind::Sniffed, Some(0x8_0000), Path::new("guests/Image")),
            (LoadKind::Guest, None, Path::new("guests/b")),
            (LoadKind::Initrd, Some(4 * GIB), Path::new("/c")),
            (LoadKind::Data, None, Path::new("guests/./1,d")),
            (LoadKind::Fdt, None, Path::new("guests/e f,g")),
        ]
    );
}

#[test]
fn order_matters_in_three_cases_only() {
    assert_eq!(codes("ram 1M system late"), [ORDER]);
    assert_eq!(codes("load Image ram 1M"), [ORDER]);
    assert_eq!(codes("vdev pl011 intr pic:37 vdev gic name pic"), [ORDER]);
    assert_eq!(
        codes("vdev pl011 intr gic:37 vdev gic version 3 cmdline a cpu rom 4096 system"),
        [ORDER, crate::codes::MISSING_ARGUMENT]
    );
    assert_eq!(codes("vdev pl011 intr gic:37 vdev gic version 3 cmdline a cpu rom 4096 load x"), [""; 0]);
}

#[test]
fn the_gic_is_there_unasked_and_goes_by_its_name() {
    let intr = |text: &str| {
        good(text).vdevs.into_iter().find_map(|vdev| {
            let line = vdev.intr?.value.remove(0);
            Some((line.controller, line.line.value))
        })
    };
    assert_eq!(intr("vdev pl011 intr gic:37"), Some(("gic".into(), 37)));
    assert_eq!(intr("vdev pl011 intr :37"), Some(("gic".into(), 37)));
    assert_eq!(intr("vdev gic name pic vdev pl011 intr pic:37"), Some(("pic".into(), 37)));
    assert_eq!(intr("vdev gic name pic vdev pl011 intr :37"), Some(("pic".into(), 37)));
    assert_eq!(intr("vdev pl011 intr gic:37 intr gic:38"), Some(("gic".into(), 38)));
    assert_eq!(codes("vdev gic name pic vdev pl011 intr gic:37"), [crate::codes::UNKNOWN_CONTROLLER]);
}

#[test]
fn lines_for_the_gic_add_up_to_one() {
    let spec = good("vdev gic version 2 loc 0x8000000 vdev pl011 vdev gic version 3 hostvector 16 name pic");
    assert_eq!(spec.vdevs.len(), 2);
    let gic = &spec.vdevs[0];
    assert!(matches!(
        gic.kind,
        VdevSpecKind::Gic { version: Some(Spanned { value: 3, .. }), hostvector: Some(Spanned { value: 16, .. }) }
    ));
    assert_eq!((value(gic.address()), value(gic.name.clone())), (Some(0x800_0000), Some("pic".into())));
}

#[test]
fn serial_devices() {
    for name in ["pl011", "vdev-pl011.so"] {
        let spec = good(&format!("vdev {name} loc mem:1c090000 intr gic:37 name tty:0 hostdev >- hostdev \"<-\""));
        let VdevSpecKind::Pl011 { hostdev } = &spec.vdevs[0].kind else { panic!("{name}") };
        assert_eq!(hostdev.iter().map(|it| it.value.as_str()).collect::<Vec<_>>(), [">-", "<-"]);
        assert_eq!(value(spec.vdevs[0].address()), Some(0x1c09_0000));
        assert_eq!(value(spec.vdevs[0].name.clone()), Some("tty:0".into()));
    }
}

#[test]
fn consoles_go_by_the_names_that_the_system_gives_them() {
    let spec = good("vdev pl011 loc 0x1c090000 hostdev /dev/ser1 hostdev >/dev/ser1 hostdev \"</dev/ser1\"");
    let VdevSpecKind::Pl011 { hostdev } = &spec.vdevs[0].kind else { panic!() };
    assert_eq!(hostdev.iter().map(|it| it.value.as_str()).collect::<Vec<_>>(), ["-", ">-", "<-"]);
}

#[test]
fn regions_of_the_board_are_put_in_as_numbers_that_mean_the_same_everywhere() {
    assert_eq!(
        memory("ram $asinfo_start{guestmem1},$asinfo_length{guestmem1} ram $asinfo_length{guestmem1}"),
        [(false, Some(0x6000_0000), 256 * MIB), (false, None, 256 * MIB)]
    );
    assert_eq!(codes("ram $asinfo_start{guestmem1},$asinfo_length{guestmem1} ram $asinfo_length{guestmem1}"), [""; 0]);
}

#[test]
fn a_dry_run_is_asked_for_anywhere() {
    assert!(good("cpu dryrun sched 8").dryrun && !good("cpu sched 8").dryrun);
}

#[test]
fn what_has_no_meaning_is_said_once() {
    use crate::codes::NO_MEANING;
    assert_eq!(codes("logger warn none logger info slog vdev pl011 log info none log warn none"), [NO_MEANING; 2]);
}

#[test]
fn reservations_add_up() {
    let spec = good("reserve loc 0xa0000,0x20000 intr 40 ram 1M loc mem:0x1000,1 reserve intr 41");
    let reserves: Vec<_> = spec
        .reserves
        .iter()
        .map(|reserve| match reserve {
            ReserveSpec::Memory { start, size_bytes } => (start.value, size_bytes.value),
            ReserveSpec::Interrupt(line) => (u64::from(line.value), 0),
            ReserveSpec::Pci(device) => panic!("device {device}"),
        })
        .collect();
    assert_eq!(reserves, [(0xa_0000, 0x2_0000), (40, 0), (0x1000, 1), (41, 0)]);
}

#[test]
fn settings() {
    let spec = good(
        "set counter-offset 0xffffffffffffffff set fdt-dump-file out/vm.dtb set exit-on-halt off
         unsupported instruction abort unsupported reference fail unsupported register ignore",
    );
    assert_eq!(value(spec.counter_offset), Some(u64::MAX));
    assert_eq!(value(spec.fdt_dump_file).unwrap(), Path::new("guests/out/vm.dtb"));
    assert_eq!(value(spec.exit_on_halt), Some(false));
    assert_eq!(value(spec.unsupported_instruction), Some(Action::Abort));
    assert_eq!(value(spec.unsupported_reference), Some(Action::Fail));
    assert_eq!(value(spec.unsupported_register), Some(Action::Ignore));
}

#[test]
fn what_an_end_leads_to() {
    let life = good(
        "set ostler-restart on-failure set ostler-restart-delay 0 set ostler-restart-limit 5 set ostler-restart-group pair
         set ostler-board-stop on set ostler-progress-timeout 2000",
    )
    .life;
    assert_eq!(value(life.restart), Some(When::OnFailure));
    assert_eq!((value(life.delay), value(life.limit)), (Some(0), Some(5)));
    assert_eq!(value(life.group), Some("pair".into()));
    assert_eq!((value(life.board_stop), value(life.progress_timeout)), (Some(true), Some(2000)));
    let none = good("").life;
    assert!(none.restart.is_none() && none.board_stop.is_none());
}

#[test]
fn booleans_have_eight_spellings() {
    for (on, off) in [("1", "0"), ("yes", "no"), ("on", "off"), ("true", "false")] {
        assert_eq!(value(good(&format!("set exit-on-halt {on}")).exit_on_halt), Some(true));
        assert_eq!(value(good(&format!("set exit-on-halt {off}")).exit_on_halt), Some(false));
    }
}

#[test]
fn nothing_is_set_unless_written() {
    let spec = good("");
    assert!(spec.system.is_none() && spec.cmdline.is_none() && spec.counter_offset.is_none());
    assert!(spec.memory.is_empty() && spec.cpus.is_empty() && spec.vdevs.is_empty() && spec.loads.is_empty());
}

#[test]
fn a_whole_configuration_may_stand_on_one_line_or_on_many() {
    let words = "system a ram 0x40000000,64M cpu sched 10 load Image cmdline \"x y\" vdev pl011 loc 0x1c090000";
    let spans_aside = |text: &str| format!("{:?}", good(text)).replace(|c: char| c.is_ascii_digit(), "");
    assert_eq!(spans_aside(words), spans_aside(&words.replace(" ram", "\nram").replace(" cpu", "\r\n\r\n cpu")));
}

#[test]
fn line_ends_of_both_kinds_and_a_byte_order_mark_are_read() {
    let text = "\u{feff}system a\r\n# comment\r\nram 1M\r\ncmdline \"b \\\r\nc\"\r\n";
    let spec = good(text);
    assert_eq!(value(spec.system), Some("a".into()));
    assert_eq!(value(spec.cmdline), Some("b c".into()));
    assert_eq!(codes(text), [""; 0]);
}

#[test]
fn white_space_and_ends_of_every_kind() {
    use crate::codes::STRAY_CHARACTER;
    for text in [
        "ram 1M\r\ncpu\r\n",
        "ram\t1M\tcpu",
        "ram 1M\rcpu",
        "ram 1M cpu",
        "\u{feff}ram 1M cpu",
        "ram 1M cpu # end",
        "ram\n\n\r\n1M\x0b\x0ccpu",
    ] {
        let spec = good(text);
        assert_eq!((spec.memory.len(), spec.cpus.len()), (1, 1), "{text:?}");
        assert_eq!(codes(text), [""; 0], "{text:?}");
    }
    assert_eq!(codes("# old Macintosh\rram 1M\rcpu"), [STRAY_CHARACTER]);
    assert_eq!(codes("# DOS\r\nram 1M # DOS\r\ncpu # DOS\r"), [""; 0]);
    for text in ["ram 1M\0", "ram\x001M", "cmdline \"a\0b\"", "cmdline \"a\rb\"", "\0\0\0"] {
        assert_eq!(codes(text), [STRAY_CHARACTER], "{text:?}");
    }
    for bytes in [&b"ram 1M \xff"[..], b"\xff", b"ram 1M # \xe4", b"\xef\xbb\xbf\xff", b"ram 1M \xc3"] {
        let outcome = read("vm.qvmconf", bytes);
        assert_eq!(outcome.diagnostics.iter().map(|it| it.code).collect::<Vec<_>>(), [NOT_UTF8], "{bytes:?}");
    }
}

#[test]
fn variables_of_the_environment_are_put_in_and_remembered() {
    let outcome = read("vm.qvmconf", b"ram 0x40000000,$env{SIZE} cmdline \"$env{NONE}\"");
    assert_eq!(outcome.used_env.get("SIZE"), Some(&Some("64M".into())));
    assert_eq!(outcome.used_env.get("NONE"), Some(&None));
    assert_eq!(memory("ram 0x40000000,$env{SIZE}"), [(false, Some(0x4000_0000), 64 * MIB)]);
}

#[test]
fn what_is_no_text_is_no_spec() {
    assert!(read("vm.qvmconf", b"ram 1M \xff").spec.is_none());
    assert_eq!(read("vm.qvmconf", b"\xff").diagnostics.iter().next().unwrap().code, NOT_UTF8);
}
