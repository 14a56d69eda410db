//! Words of the command line.

use crate::Machine;

impl Machine {
    /// Whether the command line has this word.
    pub fn has_word(&self, word: &str) -> bool {
        self.command_line.split_whitespace().any(|it| it == word)
    }

    /// The number in the last word `NAME=NUMBER` of the command line.
    pub fn number(&self, name: &str) -> Option<u64> {
        let words = self.command_line.split_whitespace();
        words.filter_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok()).next_back()
    }

    /// The first CPU that is not the one that started.
    pub fn second(&self) -> Option<u64> {
        self.cpus.get(1).copied()
    }
}
