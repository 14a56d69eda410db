//! The report of a small system in all its forms.

use crate::assemble::tests::Project;
use crate::assemble::{Board, Images, Region};
use crate::report::svg::escaped;
use crate::report::{AreaKind, Report, size};

const CONTROL: &str = "system control
ram 0x40000000,64M
ram 0x100000000,512M
rom 0x80000,64K
cpu sched 40f runmask 0
cpu runmask 1
guest load Image
initrd load ramdisk
vdev pl011 loc 0x1c090000 intr gic:37 hostdev - name serial
set ostler-restart always
set ostler-board-stop on
";
const OTHER: &str = "system a<b>&\"c
ram 0x40000000,16M
cpu sched 10 runmask 0
load raw.bin
vdev pl011 loc 0x1c090000 intr gic:37 hostdev >-
set ostler-exit-budget 10000/100
";

fn report(project: &Project, texts: &[&str]) -> Report {
    let assembly = project.good(texts);
    let board = Board::load(&project.request.root, &project.request.board).unwrap();
    Report::new(&assembly, &board)
}

fn two() -> Report {
    // The quotes are the language's own: the name has one in it.
    report(&Project::new(), &[CONTROL, &OTHER.replace("a<b>&\"c", "\"a<b>&\\\"c\"")])
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn the_page_of_text() {
    let mut report = two();
    // What trees and images hold is for other tests.
    report.images.iter_mut().for_each(|image| image.sha256 = "0123456789abcdef".into());
    insta::assert_snapshot!(report.text());
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn every_byte_of_ram_has_an_owner() {
    let report = two();
    assert_eq!(report.board.memory.iter().map(|share| share.bytes).sum::<u64>(), report.board.memory_bytes);
    assert!(report.board.memory.iter().any(|share| share.vm == Some(1) && share.bytes >= 16 << 20));
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn what_is_passed_has_its_owner() {
    let mut project = Project::new();
    project.request.regions.insert("shared".into(), Region { start: 0x5000_0000, length_bytes: 1 << 20 });
    let lines = "pass loc dt:/pl031@9010000 pass loc 0x60000000,$asinfo_length{shared},rwcmn=$asinfo_start{shared}";
    let report = report(&project, &[&format!("{CONTROL}{lines}")]);
    let text = report.text();
    let lines: Vec<&str> =
        text.lines().filter(|line| ["the board's", "board 0x", "regions"].iter().any(|it| line.contains(it))).collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(report.board.memory.iter().map(|share| share.bytes).sum::<u64>(), report.board.memory_bytes);
    assert!(report.vms[0].map.iter().any(|area| area.kind == AreaKind::Passed && area.start == 0x901_0000));
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn ports_that_are_passed_have_their_owner() {
    let text = "system pc ram 0,0xa0000 rom 0xc0000,0x40000 ram 1M,127M load bzImage
        vdev ioapic vdev ser8250 hostdev - pass loc io:0x2f8,8,rw intr ioapic:3";
    let report = report(&Project::x86(), &[text]);
    let page = report.text();
    assert!(page.contains("0x2f8-0x2ff the board's, 0x3f8-0x3ff ser8250"), "{page}");
    let owned = ["the board's ports 0x2f8-0x2ff", "pc", "nobody else"];
    let row = |line: &&str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).eq(owned);
    assert_eq!(page.lines().filter(row).count(), 1, "{page}");
    let html = report.html();
    assert_eq!(is_well_formed(&html), Ok(()));
    for cells in [&["0x2f8-0x2ff", "the board's"][..], &owned] {
        assert!(html.contains(&escaped(&cells.join("|")).replace('|', "</td><td>")), "{cells:?}");
    }
    let json = serde_json::to_value(&report).unwrap();
    let passed = |ports: &&serde_json::Value| ports["passed"] == true;
    let ports: Vec<_> = json["vms"][0]["ports"].as_array().unwrap().iter().filter(passed).collect();
    assert_eq!(ports, [&serde_json::json!({ "first": 0x2f8, "count": 8, "name": "the board's", "passed": true })]);
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn a_lone_vm_disturbs_nobody() {
    let report = report(&Project::new(), &[CONTROL]);
    assert_eq!((report.channels, report.shared), (vec![], vec![]));
}

#[test]
fn without_images_there_are_none_and_no_entry() {
    let mut project = Project::new();
    project.images = Images::Absent;
    let report = report(&project, &["ram 64M\nguest load nowhere\nvdev pl011 loc 0x1c090000 intr gic:37 hostdev -\n"]);
    assert!(report.images.is_empty() && report.vms[0].entry.is_none());
    assert!(report.text().contains("Images\n  not read\n") && report.html().contains("They were not read."));
}

/// Whether every element that is opened is closed, in order.
fn is_well_formed(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for piece in html.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').ok_or_else(|| format!("no end: {piece}"))?;
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        match tag {
            _ if tag.starts_with('!') || name == "meta" || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => match open.pop() {
                Some(last) if last == name => {}
                last => return Err(format!("`{name}` closes {last:?}")),
            },
            _ => open.push(name),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("not closed: {open:?}")) }
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn the_html_is_whole_and_needs_nothing_from_elsewhere() {
    let html = two().html();
    assert_eq!(is_well_formed(&html), Ok(()));
    for stranger in ["<script", "http", "src=", "url(", "@import", "<b>", "a<b"] {
        assert!(!html.contains(stranger), "{stranger}");
    }
    assert!(html.contains("a&lt;b&gt;&amp;&quot;c"), "the name is there, made safe");
    assert_eq!(html.matches("<svg").count(), 4, "RAM, CPUs and two maps");
    for picture in html.split("<svg").skip(1) {
        assert!(picture.contains("role=\"img\"") && picture.contains("<title") && picture.contains("<desc"));
    }
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn labels_of_a_map_do_not_overlap() {
    let html = two().html();
    for class in ["address", "name"] {
        for map in html.split("<svg").filter(|svg| svg.contains("id=\"map")) {
            let of_class = map.split("<text ").filter(|text| text.starts_with(&format!("class=\"{class}\"")));
            let y = |text: &str| text.split("y=\"").nth(1)?.split('"').next()?.parse::<f64>().ok();
            let ys: Vec<f64> = of_class.filter_map(y).collect();
            assert!(ys.len() > 5, "{class}: {ys:?}");
            assert!(ys.windows(2).all(|pair| pair[1] - pair[0] >= 14.0), "{class}: {ys:?}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "a whole assembly takes a minute, and one is enough")]
fn programs_find_the_fields() {
    let json = serde_json::to_value(two()).unwrap();
    assert_eq!(json["vms"][0]["map"][0]["kind"], "rom");
    assert_eq!(json["board"]["cpus"][0]["vcpus"][0]["vm"], "control");
    assert_eq!(json["images"][0]["vms"][0], "control");
}

#[test]
fn sizes_are_exact_or_rounded_up() {
    let cases =
        [(0, "0 B"), (1023, "1023 B"), (4096, "4 KiB"), (1536, "1.5 KiB"), (1025, "1.1 KiB"), (3 << 29, "1.5 GiB")];
    cases.into_iter().for_each(|(bytes, text)| assert_eq!(size(bytes), text));
    assert_eq!(size(u64::MAX), "17179869184.0 GiB");
}
