//! QEMU's machine protocol: a line of JSON each way, answers and events mixed (QEMU, `docs/interop/qmp-spec`).
//!
//! We listen and QEMU connects, while its CPUs are still stopped (`-S`): so no event is ever missed.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Error, Result, Verdict};

/// How long QEMU may take to answer a command.
const ANSWER: Duration = Duration::from_secs(30);

/// A socket that QEMU will connect to. Its file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    path: PathBuf,
    socket: UnixListener,
}

impl Listener {
    pub(crate) fn new() -> Result<Listener> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ostler-{}-{}.qmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // A socket of this name can only be left from a dead process with our number.
        let _ = std::fs::remove_file(&path);
        let socket = UnixListener::bind(&path).map_err(|error| Error::io("making the QMP socket", &error))?;
        socket.set_nonblocking(true).map_err(|error| Error::io("making the QMP socket", &error))?;
        Ok(Listener { path, socket })
    }

    /// Argument of `-qmp`. A comma in a path is doubled, as QEMU wants it.
    pub(crate) fn argument(&self) -> String {
        format!("unix:{}", self.path.display().to_string().replace(',', ",,"))
    }

    /// Waits for QEMU; an error if it ended first.
    pub(crate) fn accept(self, child: &mut Child) -> Result<Qmp> {
        loop {
            match self.socket.accept() {
                Ok((stream, _)) => return Qmp::new(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(Error::io("waiting for QMP", &error)),
            }
            if child.try_wait().map_err(|error| Error::io("waiting for QEMU", &error))?.is_some() {
                return Err(Error::Refused("it did not like its arguments".into()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A connection to QEMU.
#[derive(Debug)]
pub struct Qmp {
    writer: UnixStream,
    answers: Receiver<Value>,
    /// Reasons of SHUTDOWN events; closed when QEMU is gone.
    shutdowns: Receiver<String>,
}

impl Qmp {
    fn new(stream: UnixStream) -> Result<Qmp> {
        let broken = |error| Error::io("QMP", &error);
        stream.set_nonblocking(false).map_err(broken)?;
        let reader = stream.try_clone().map_err(broken)?;
        let (to_answers, answers) = channel();
        let (to_shutdowns, shutdowns) = channel();
        std::thread::spawn(move || read(reader, &to_answers, &to_shutdowns));
        let mut qmp = Qmp { writer: stream, answers, shutdowns };
        qmp.execute("qmp_capabilities")?;
        Ok(qmp)
    }

    /// Executes a command without arguments and returns what it answers.
    pub fn execute(&mut self, command: &str) -> Result<Value> {
        self.execute_with(command, json!({}))
    }

    /// Executes a command of the monitor for people and returns what it prints.
    pub fn monitor(&mut self, command: &str) -> Result<String> {
        let printed = self.execute_with("human-monitor-command", json!({ "command-line": command }))?;
        Ok(printed.as_str().unwrap_or_default().to_owned())
    }

    fn execute_with(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let line = format!("{}\n", json!({ "execute": command, "arguments": arguments }));
        self.writer.write_all(line.as_bytes()).map_err(|error| Error::io("QMP", &error))?;
        let answer =
            self.answers.recv_timeout(ANSWER).map_err(|_| Error::Broken(format!("no answer to `{command}`")))?;
        match answer.get("return") {
            Some(value) => Ok(value.clone()),
            None => Err(Error::Broken(format!("QEMU refused `{command}`: {answer}"))),
        }
    }

    /// Waits for the board's end; `None` if it still runs at `deadline` (no deadline: for ever).
    pub(crate) fn verdict(&self, deadline: Option<Instant>) -> Option<Verdict> {
        let reason = match deadline {
            None => self.shutdowns.recv().ok(),
            Some(deadline) => match self.shutdowns.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(reason) => Some(reason),
                Err(RecvTimeoutError::Disconnected) => None,
                Err(RecvTimeoutError::Timeout) => return None,
            },
        };
        Some(Verdict::of(reason.as_deref()))
    }
}

/// Sorts what QEMU sends into answers and SHUTDOWN reasons, until it is gone.
fn read(stream: UnixStream, answers: &Sender<Value>, shutdowns: &Sender<String>) {
    for line in BufReader::new(stream).lines().map_while(std::io::Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        // A receiver that is gone wants nothing any more.
        if message.get("return").is_some() || message.get("error").is_some() {
            let _ = answers.send(message);
        } else if message.get("event").is_some_and(|event| event == "SHUTDOWN") {
            let reason = message.pointer("/data/reason").and_then(Value::as_str).unwrap_or("unknown");
            let _ = shutdowns.send(reason.to_owned());
        }
    }
}
