//! The command line.

/// What the command line can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Heartbeats before power-off; 0: for ever.
    pub(crate) beats: u64,
    /// Time between two heartbeats.
    pub(crate) period_ms: u64,
}

impl Options {
    /// Reads `beats=N` and `period-ms=N`; other words and malformed numbers are ignored.
    pub(crate) fn parse(command_line: &str) -> Options {
        let value = |name: &str| {
            let words = command_line.split_whitespace();
            words.filter_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok()).next_back()
        };
        Options { beats: value("beats").unwrap_or(0), period_ms: value("period-ms").unwrap_or(5000).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn the_last_good_word_wins() {
        assert_eq!(Options::parse(""), Options { beats: 0, period_ms: 5000 });
        assert_eq!(Options::parse("quiet beats=3 period-ms=10"), Options { beats: 3, period_ms: 10 });
        assert_eq!(Options::parse("beats=3 beats=4 beats=x beatsy=5"), Options { beats: 4, period_ms: 5000 });
        assert_eq!(Options::parse("period-ms=0").period_ms, 1);
    }
}
