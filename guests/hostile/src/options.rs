//! The command line: `class=NAME seed=N operations=N`, numbers decimal or hexadecimal after `0x`.
//!
//! Without a seed a class that has an order goes through it once; with `list` it does so one by one and names, by their number in the
//! order, those that took no exception. `ask` has these words typed on the console instead.

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options<What> {
    /// How.
    pub(crate) what: What,
    /// Its name.
    pub(crate) name: &'static str,
    /// `None`: in order.
    pub(crate) seed: Option<u64>,
    /// What takes no exception is named.
    pub(crate) lists: bool,
    /// How often, at random.
    pub(crate) operations: u64,
}

impl<What: Copy> Options<What> {
    /// The options in `text`, with what there is to do by `names`, of which the first is the usual one; the word that is none.
    pub(crate) fn parse<'a>(text: &'a str, names: &[(&'static str, What)]) -> Result<Options<What>, &'a str> {
        let (name, what) = names[0];
        let mut options = Options { what, name, seed: None, lists: false, operations: 1000 };
        for word in text.split_whitespace() {
            if word == "list" {
                options.lists = true;
                continue;
            }
            let (name, value) = word.split_once('=').ok_or(word)?;
            match name {
                "class" => (options.name, options.what) = *names.iter().find(|it| it.0 == value).ok_or(word)?,
                "seed" => options.seed = Some(number(value).ok_or(word)?),
                "operations" => options.operations = number(value).ok_or(word)?,
                _ => return Err(word),
            }
        }
        Ok(options)
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

    const NAMES: &[(&str, u8)] = &[("random", 0), ("mmio", 1)];

    #[test]
    fn words_in_any_order() {
        let options = Options::parse("seed=0x10 class=mmio operations=5", NAMES).unwrap();
        assert_eq!(options, Options { what: 1, name: "mmio", seed: Some(16), lists: false, operations: 5 });
        assert_eq!(Options::parse("class=random", NAMES).unwrap().seed, None);
        assert_eq!(Options::parse("", NAMES).unwrap().name, "random");
    }

    #[test]
    fn the_word_that_is_wrong_is_named() {
        for wrong in ["class=all", "seed=", "seed", "operations=x", "rounds=1"] {
            assert_eq!(Options::parse(&format!("class=mmio {wrong}"), NAMES), Err(wrong));
        }
    }
}
