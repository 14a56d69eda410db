//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// One piece of long work, from its announcement to its end.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    /// `None` when standard error is not a terminal.
    bar: Option<ProgressBar>,
    finished: bool,
}

impl Progress {
    /// Announces work that takes a while, as “fetching Debian's kernel”.
    pub(crate) fn new(what: impl Into<String>) -> Progress {
        let what = what.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(100).with_message(what.clone());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        if bar.is_none() {
            eprintln!("{what} …");
        }
        Progress { what, bar, finished: false }
    }

    /// How much is done, in per cent; the first call turns the spinner into a bar.
    pub(crate) fn percent(&self, percent: u64) {
        if let Some(bar) = &self.bar {
            if bar.position() == 0
                && let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {percent}% {elapsed}")
            {
                bar.set_style(style);
            }
            bar.set_position(percent);
        }
    }

    /// Says a line, above the bar.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// The work is done; `result` completes the line.
    pub(crate) fn done(mut self, result: &str) {
        self.finished = true;
        let line = if result.is_empty() { format!("{}: done", self.what) } else { format!("{}: {result}", self.what) };
        match &self.bar {
            Some(bar) => {
                bar.finish_and_clear();
                eprintln!("{line}");
            }
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar
            && !self.finished
        {
            bar.finish_and_clear();
        }
    }
}
