//! A Linux kernel's log as its console shows it: which lines have a time, and the milestones among them.

use std::time::Duration;

/// One line of a kernel's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// By the kernel's clock, which begins soon after its first instruction.
    pub(super) time: Duration,
    pub(super) text: &'a str,
}

/// The lines of `console` that a kernel printed (with CONFIG_PRINTK_TIME, which is Debian's default).
pub(super) fn lines(console: &str) -> impl Iterator<Item = Line<'_>> {
    console.lines().filter_map(line)
}

/// `[    0.829084] reboot: Power down`. With CONFIG_PRINTK_CALLER a thread or a CPU in brackets follows the time.
fn line(line: &str) -> Option<Line<'_>> {
    let (time, text) = line.trim_end().strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = time.trim().split_once('.')?;
    let micros = (micros.len() == 6).then(|| micros.parse::<u64>().ok())??;
    let time = seconds.parse::<u64>().ok().map(Duration::from_secs)?.checked_add(Duration::from_micros(micros))?;
    let text = match text.strip_prefix('[') {
        Some(caller) => caller.split_once(']')?.1,
        None => text,
    };
    Some(Line { time, text: text.strip_prefix(' ')? })
}

/// A point on the way from the first line to user space and to the end: what people call it, and how the line begins.
const MILESTONES: [(&str, &str); 8] = [
    ("memory is known", "Memory: "),
    ("interrupts and timer", "sched_clock: "),
    ("all CPUs are up", "smp: Brought up "),
    ("RAM disk is unpacked", "Freeing initrd memory: "),
    ("console by its driver", "printk: console ["),
    ("kernel is up", "Freeing unused kernel "),
    ("user space starts", "Run "),
    ("power-off", "reboot: "),
];

/// The milestones of a log, in order, with their times; each the first time it is passed.
pub(super) fn milestones(console: &str) -> Vec<(&'static str, Duration)> {
    let found = MILESTONES.iter().filter_map(|&(name, start)| {
        let line = lines(console).find(|line| line.text.starts_with(start))?;
        Some((name, line.time))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(_, time)| *time);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "\
[ostler] boots\r
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\r
[    0.000001] sched_clock: 56 bits at 62MHz, resolution 16ns, wraps every 4398046511096ns\r
[    0.004799][    T1] smp: Brought up 1 node, 2 CPUs\r
linux: user space\r
[   12.847362] Run /init as init process\r
[   13.000000] Run /init as init process\r
[    x.000000] reboot: Power down\r
";

    #[test]
    fn only_the_kernels_lines_are_its_log() {
        let lines: Vec<_> = lines(CONSOLE).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[2], Line { time: Duration::from_micros(4799), text: "smp: Brought up 1 node, 2 CPUs" });
    }

    #[test]
    fn milestones_are_passed_once() {
        let expected = [
            ("interrupts and timer", Duration::from_micros(1)),
            ("all CPUs are up", Duration::from_micros(4799)),
            ("user space starts", Duration::from_micros(12_847_362)),
        ];
        assert_eq!(milestones(CONSOLE), expected);
    }
}
