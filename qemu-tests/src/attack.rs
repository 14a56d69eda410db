//! A hostile guest at its work: told what to do on the console, watched to its end.
//!
//! The guest (`guests/hostile`) is beside a neighbour that beats and looks at its own memory with every beat. What is to be told
//! afterwards: the guest came to its own end, the neighbour has beaten meanwhile and complains of nothing, the hypervisor has counted no
//! failure, and the attack has reached what it was for.

mod arm;
mod pc;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::{Board, Error, Machine, Result, System, Verdict};

/// A class of attack with what makes it the same every time.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// The guest's name for it.
    pub class: &'static str,
    /// `None`: the class's order.
    pub seed: Option<u64>,
    /// How many, at random.
    pub operations: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The guest's last words: operations, and exceptions by kind. Empty if the VM was stopped.
    pub done: String,
    /// The hypervisor's word on the guest's end.
    pub end: String,
    /// Operations that were done.
    pub operations: u64,
    /// How often each way through the hypervisor's handlers was taken.
    pub reached: BTreeMap<String, u64>,
    /// From the word to the end.
    pub time: Duration,
    /// All that was printed.
    pub transcript: String,
}

/// A class of attack with what it has to reach, `|` between ways of which one is enough.
pub type Class = (&'static str, &'static [&'static str]);

/// The neighbour's focus and end, typed on the console.
const FOCUS: &str = "\x1d2";

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class={}", self.class)?;
        match self.seed {
            Some(seed) => write!(f, " seed={seed:#x} operations={}", self.operations),
            None => Ok(()),
        }
    }
}

impl Attack {
    /// Boots `system`, whose guests are the hostile one and its neighbour, on `cpu`, and attacks; `patience` is for as long as nothing
    /// is heard of its progress, of which `progress` is told.
    pub fn run(
        &self,
        system: System,
        cpu: Option<&str>,
        patience: Duration,
        mut progress: impl FnMut(u64),
    ) -> Result<Outcome> {
        let system = if system.is_pc() && pc::COUNTED.contains(&self.class) { system.counted() } else { system };
        let machine = system.machine();
        let machine = Machine { cpu: cpu.map_or(machine.cpu.clone(), String::from), ..machine };
        let (mut board, mut console) = Board::with_console(&machine, None)?;
        // Whatever is typed before it has asked `which attack?`, the opening of its UART may throw away. The neighbour's lines may come
        // between any two characters, and nobody else asks.
        console.expect("?")?;
        let start = Instant::now();
        // The neighbour gets the focus: the other one then speaks in whole lines.
        console.send(&format!("\x1d1{self}\n{FOCUS}"))?;
        let mut heard = Instant::now();
        let end = loop {
            // Beats are to be heard as long as there is nothing else, and are forgotten here.
            let texts =
                ["[hostile] hostile: done: ", "\x1e[ostler] hostile: stopped: ", " operations\r", "hello: alive "];
            match console.expect_any(&texts)? {
                (0, _) => {}
                (3, _) if heard.elapsed() > patience => {
                    return Err(Error::Missing {
                        what: format!("nothing more of {self}"),
                        transcript: console.transcript(),
                    });
                }
                (3, _) => {}
                (1, _) => break console.expect("\r")?,
                (_, before) => {
                    heard = Instant::now();
                    progress(before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0));
                }
            }
        };
        let time = start.elapsed();
        // It lives, and goes on.
        console.expect("hello: alive ")?;
        console.expect("hello: alive ")?;
        console.send("\x1d?")?;
        console.expect("failures: 0\r")?;
        console.send(&format!("{FOCUS}q"))?;
        console.expect("hello: told to go")?;
        let verdict = board.verdict(&mut console)?;
        let transcript = console.transcript();
        let complaint = |what: &str| Err(Error::Missing { what: what.into(), transcript: transcript.clone() });
        if transcript.contains("FAILED") {
            return complaint("a guest failed");
        }
        if !transcript.contains("\x1e[ostler] neighbour: stopped: the guest powered off (code 0)") {
            return complaint("the neighbour has no good end");
        }
        let stopped = !end.contains("(code 0)");
        if (verdict != Verdict::PoweredOff) != stopped {
            return complaint(&verdict.to_string());
        }
        let line = |mark: &str| {
            transcript.split(mark).nth(1).and_then(|rest| rest.split('\r').next()).unwrap_or("").to_owned()
        };
        let done = line("hostile: done: ");
        let operations = done.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let rows = transcript.split("[ostler] reached: ").skip(1).filter_map(|rest| rest.split('\r').next());
        let pairs = rows.flat_map(str::split_whitespace).filter_map(|word| word.split_once('='));
        let reached = pairs.filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?))).collect();
        Ok(Outcome { done, end, operations, reached, time, transcript })
    }
}

impl Outcome {
    /// What of `ways` was not reached.
    pub fn missing<'a>(&self, ways: &'a [&'a str]) -> Vec<&'a str> {
        let was_reached = |way: &str| self.reached.get(way).is_some_and(|&count| count > 0);
        ways.iter().copied().filter(|ways| !ways.split('|').any(was_reached)).collect()
    }

    /// How many ways were reached.
    pub fn ways(&self) -> usize {
        self.reached.values().filter(|&&count| count > 0).count()
    }
}

/// Every class of attack that there is for `system`'s board, in the order of the soak.
pub fn classes(system: &System) -> &'static [Class] {
    if system.is_pc() { pc::CLASSES } else { arm::CLASSES }
}

/// What a class has to reach there.
pub fn ways_of(system: &System, class: &str) -> &'static [&'static str] {
    classes(system).iter().find(|(name, _)| *name == class).map_or(&[], |(_, ways)| ways)
}
