//! The command line: `class=NAME seed=N operations=N`, numbers decimal or hexadecimal after `0x`.
//!
//! Without a seed a class that has an order goes through it once; with `list` it does so one by one and names, by their number in the
//! order, those that took no exception. `ask` has these words typed on the console instead.

use crate::attack::Class;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How.
    pub(crate) what: What,
    /// `None`: in order.
    pub(crate) seed: Option<u64>,
    /// What takes no exception is named.
    pub(crate) lists: bool,
    /// How often, at random.
    pub(crate) operations: u64,
}

/// The kinds of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Instructions that are made.
    Made(Class),
    /// Page tables that are not what they should be.
    Tables,
    /// Calls without end.
    Exits,
    /// Software-generated interrupts to itself, taken.
    Sgis,
    /// The timer at its highest rate.
    Timer,
    /// The VM is reset, in every one of its lives.
    Reset,
    /// A loop with interrupts masked.
    Spin,
}

/// The names of what there is to do.
pub(crate) const NAMES: &[(&str, What)] = &[
    ("sysreg", What::Made(Class::SystemRegisters)),
    ("calls", What::Made(Class::Calls)),
    ("psci", What::Made(Class::Psci)),
    ("mmio", What::Made(Class::Mmio)),
    ("gic", What::Made(Class::Gic)),
    ("random", What::Made(Class::Random)),
    ("el0-32", What::Made(Class::El032)),
    ("tables", What::Tables),
    ("exits", What::Exits),
    ("sgis", What::Sgis),
    ("timer", What::Timer),
    ("reset", What::Reset),
    ("spin", What::Spin),
];

impl Options {
    /// The options in `text`; the word that is none.
    pub(crate) fn parse(text: &str) -> Result<Options, &str> {
        let mut options = Options { what: What::Made(Class::Random), seed: None, lists: false, operations: 1000 };
        for word in text.split_whitespace() {
            if word == "list" {
                options.lists = true;
                continue;
            }
            let (name, value) = word.split_once('=').ok_or(word)?;
            match name {
                "class" => options.what = NAMES.iter().find(|(name, _)| *name == value).ok_or(word)?.1,
                "seed" => options.seed = Some(number(value).ok_or(word)?),
                "operations" => options.operations = number(value).ok_or(word)?,
                _ => return Err(word),
            }
        }
        Ok(options)
    }

    /// The class's name.
    pub(crate) fn name(&self) -> &'static str {
        NAMES.iter().find(|(_, what)| *what == self.what).map_or("", |(name, _)| name)
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_order() {
        let options = Options::parse("seed=0x10 class=mmio operations=5").unwrap();
        assert_eq!(options, Options { what: What::Made(Class::Mmio), seed: Some(16), lists: false, operations: 5 });
        assert_eq!(options.name(), "mmio");
        assert_eq!(Options::parse("class=sysreg").unwrap().seed, None);
    }

    #[test]
    fn the_word_that_is_wrong_is_named() {
        for wrong in ["class=all", "seed=", "seed", "operations=x", "rounds=1"] {
            assert_eq!(Options::parse(&format!("class=mmio {wrong}")), Err(wrong));
        }
    }
}
