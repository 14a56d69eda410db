//! Large configurations: what they cost grows with their length, and no faster.

use super::Project;
use crate::language::steps_of;

/// Steps of reading a thousand lines. It has headroom of a quarter: more is an algorithm that got worse.
const MOST_STEPS: u64 = 390_000;

/// A good file of so many lines, with something of everything.
fn file(lines: usize) -> String {
    let mut text = vec!["system big # memory, CPUs, reservations and devices".to_owned()];
    let part = lines / 8;
    text.extend((0..part).map(|bank| format!("ram {:#x},64K   # bank {bank}", 0x4000_0000 + bank * 0x1_0000)));
    text.push("load program\ncmdline \"console=ttyAMA0 \\\n    loglevel=4\"".into());
    text.extend((0..32).map(|cpu| format!("cpu sched {}r runmask {}", cpu % 20 + 1, cpu % 4)));
    text.extend(
        (0..2 * part).map(|at| {
            format!("reserve loc {:#x},64K intr {}", 0x1_0000_0000_u64 + at as u64 * 0x1_0000, 32 + at % 480)
        }),
    );
    for tty in 0..part {
        let loc = 0x1000_0000 + tty * 0x1000;
        text.push(format!(
            "vdev pl011 name tty{tty}\n    loc {loc:#x} intr gic:{} # a UART\n    hostdev >-\n    hostdev <-",
            32 + tty
        ));
    }
    let missing = lines.saturating_sub(text.iter().map(|line| line.lines().count()).sum());
    text.extend(vec!["# a comment, as most lines of real files are".into(); missing]);
    text.join("\n")
}

fn check(project: &Project, text: &str) {
    project.good(&[text]);
}

#[test]
fn a_thousand_lines_are_little_work_and_three_times_as_many_are_three_times_as_much() {
    let project = Project::new();
    project.file("program", b"raw");
    let [one, three] = [1_000, 3_000].map(|lines| {
        let text = file(lines);
        assert_eq!(text.lines().count(), lines);
        steps_of(|| check(&project, &text))
    });
    assert!(one <= MOST_STEPS, "{one} steps for a thousand lines");
    assert!(three <= one * 33 / 10, "{one} steps for a thousand lines, {three} for three thousand");
}

/// Prints what docs/performance.md says: `cargo test -p config -- --ignored --nocapture a_thousand_lines_in_time`.
#[test]
#[ignore = "it measures time"]
fn a_thousand_lines_in_time() {
    // Nanoseconds on a CPU (Documentation/scheduler/sched-stats.rst).
    let now = || -> u64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    let project = Project::new();
    project.file("program", b"raw");
    let text = file(1_000);
    let mut times: Vec<u64> = (0..21)
        .map(|_| {
            let before = now();
            check(&project, &text);
            (now() - before) / 1_000
        })
        .collect();
    times.sort_unstable();
    println!("parse and check of 1,000 lines: {} us of CPU (median of 21, at most {})", times[10], times[20]);
}
