//! The board's console, as an expect-like conversation.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// What the board has printed, shared with the thread that reads it.
#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    /// Nothing will follow.
    closed: bool,
}

/// Both directions of a board's console.
///
/// Each [`Console::expect`] looks at what came after the text that the one before it found.
#[derive(Debug)]
pub struct Console {
    input: ChildStdin,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    reader: Option<JoinHandle<()>>,
    /// First byte that no `expect` has passed.
    position: usize,
    patience: Duration,
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Console {
    /// `copy` gets every byte as it comes.
    pub(crate) fn new(input: ChildStdin, mut output: ChildStdout, mut copy: Option<Box<dyn Write + Send>>) -> Console {
        let heard = Arc::new((Mutex::new(Heard::default()), Condvar::new()));
        let shared = Arc::clone(&heard);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let length = output.read(&mut buffer).unwrap_or(0);
                if let Some(copy) = &mut copy {
                    // Whoever closed the pipe has seen enough; the board goes on.
                    let _ = copy.write_all(&buffer[..length]).and_then(|()| copy.flush());
                }
                let mut heard = lock(&shared.0);
                heard.bytes.extend_from_slice(&buffer[..length]);
                heard.closed = length == 0;
                shared.1.notify_all();
                if length == 0 {
                    break;
                }
            }
        });
        Console { input, heard, reader: Some(reader), position: 0, patience: Duration::from_secs(60) }
    }

    /// How long an [`Console::expect`] waits: a limit for hangs, not a measure. A minute unless changed.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Waits until the board prints `text` and returns what stood before it, back to the text found last.
    pub fn expect(&mut self, text: &str) -> Result<String> {
        self.expect_any(&[text]).map(|(_, before)| before)
    }

    /// Waits for the first of several texts; returns its index and what stood before it.
    pub fn expect_any(&mut self, texts: &[&str]) -> Result<(usize, String)> {
        let deadline = Instant::now() + self.patience;
        let mut heard = lock(&self.heard.0);
        loop {
            let fresh = &heard.bytes[self.position..];
            let found = texts.iter().enumerate().filter_map(|(index, text)| Some((find(fresh, text)?, index))).min();
            if let Some((start, index)) = found {
                let before = String::from_utf8_lossy(&fresh[..start]).into_owned();
                self.position += start + texts[index].len();
                return Ok((index, before));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if heard.closed || left.is_zero() {
                let why = if heard.closed { "the console ended without" } else { "waited in vain for" };
                let transcript = String::from_utf8_lossy(&heard.bytes).into_owned();
                return Err(Error::Missing { what: format!("{why} {texts:?}"), transcript });
            }
            heard =
                self.heard.1.wait_timeout(heard, left).map_or_else(|poison| poison.into_inner().0, |(guard, _)| guard);
        }
    }

    /// Types `text`; a line ends with `\n`, as a terminal's Enter key sends `\r`, which this makes of it.
    pub fn send(&mut self, text: &str) -> Result<()> {
        let keys = text.replace('\n', "\r");
        let sent = self.input.write_all(keys.as_bytes()).and_then(|()| self.input.flush());
        sent.map_err(|error| Error::Missing {
            what: format!("can't type {text:?}: {error}"),
            transcript: self.transcript(),
        })
    }

    /// All that the board has printed so far.
    pub fn transcript(&self) -> String {
        String::from_utf8_lossy(&lock(&self.heard.0).bytes).into_owned()
    }

    /// Waits until everything that the board printed is read and copied. QEMU must have ended.
    pub fn drain(&mut self) {
        if let Some(reader) = self.reader.take() {
            // It panics never, and if it did, what it read is still there.
            let _ = reader.join();
        }
    }
}

fn find(haystack: &[u8], needle: &str) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn conversation(script: &str) -> (Child, Console) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let console = Console::new(child.stdin.take().unwrap(), child.stdout.take().unwrap(), None);
        (child, console)
    }

    #[test]
    fn texts_are_found_in_order_and_once() {
        let (mut child, mut console) = conversation("printf 'one two one'; read word; echo got");
        assert_eq!(console.expect("two").unwrap(), "one ");
        assert_eq!(console.expect_any(&["two", "one"]).unwrap(), (1, " ".into()));
        console.send("x\n").unwrap();
        child.stdin.take();
        assert_eq!(console.transcript(), "one two one");
        drop(console);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn an_end_without_the_text_is_an_error_with_the_transcript() {
        let (mut child, mut console) = conversation("echo something else");
        let error = console.expect("text").unwrap_err().to_string();
        assert!(error.contains("the console ended without [\"text\"]") && error.contains("something else"), "{error}");
        child.wait().unwrap();
    }

    #[test]
    fn patience_ends() {
        let (mut child, mut console) = conversation("echo here; exec sleep 60");
        console.expect("here").unwrap();
        console.set_patience(Duration::from_millis(20));
        let error = console.expect("there").unwrap_err().to_string();
        assert!(error.contains("waited in vain"), "{error}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
