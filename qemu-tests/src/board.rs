//! A running board: QEMU with its console and its monitor. Dropped, it is killed.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::qmp::Listener;
use crate::{Console, Error, Machine, Qmp, Result, Verdict};

/// A copy of what a console prints goes here.
pub type Copy = Box<dyn Write + Send>;

/// A running QEMU with its monitor.
#[derive(Debug)]
pub struct Board {
    child: Child,
    qmp: Qmp,
    /// What QEMU itself says, if it doesn't say it on the user's terminal.
    said: Option<JoinHandle<String>>,
}

impl Board {
    /// Starts `machine` with the user's terminal as its console: raw, with QEMU's own keys (Ctrl-A x ends it, Ctrl-A h
    /// shows the others).
    pub fn on_terminal(machine: &Machine) -> Result<Board> {
        let mut command = machine.command();
        command.args(["-serial", "mon:stdio"]);
        Board::start(command, machine)
    }

    /// Starts `machine` with a program at its console; `copy` gets all that it prints, as it prints it.
    pub fn with_console(machine: &Machine, copy: Option<Copy>) -> Result<(Board, Console)> {
        let mut command = machine.command();
        command.args(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut board = Board::start(command, machine)?;
        let pipes = board.child.stdin.take().zip(board.child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| Error::Broken("no pipes".into()))?;
        Ok((board, Console::new(input, output, copy)))
    }

    fn start(mut command: Command, machine: &Machine) -> Result<Board> {
        let listener = Listener::new()?;
        command.args(["-S", "-qmp", &listener.argument()]).args(&machine.extra);
        let mut child = command.spawn().map_err(|error| Error::NotStarted(format!("{}: {error}", machine.binary)))?;
        let said = child.stderr.take().map(|mut stream| {
            std::thread::spawn(move || {
                let mut said = Vec::new();
                // What can't be read is lost from a message that is for people only.
                let _ = stream.read_to_end(&mut said);
                String::from_utf8_lossy(&said).into_owned()
            })
        });
        match connect(listener, &mut child, machine) {
            Ok(qmp) => Ok(Board { child, qmp, said }),
            Err(error) => {
                end(&mut child);
                match said.and_then(|said| said.join().ok()).filter(|said| !said.is_empty()) {
                    Some(said) => Err(Error::Refused(said)),
                    None => Err(error),
                }
            }
        }
    }

    /// The process, to end it from a signal handler.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The monitor.
    pub fn qmp(&mut self) -> &mut Qmp {
        &mut self.qmp
    }

    /// Waits for the board's end and for QEMU's; `None` if it still runs after `timeout` (`None`: wait for ever).
    pub fn wait(&mut self, timeout: Option<Duration>) -> Option<Verdict> {
        let verdict = self.qmp.verdict(timeout.map(|timeout| Instant::now() + timeout))?;
        // The event comes just before QEMU ends; by its end the terminal is restored and the console complete.
        let _ = self.child.wait();
        Some(verdict)
    }

    /// Waits for the board's end, at most for the console's patience. The error holds the transcript, whole.
    pub fn verdict(&mut self, console: &mut Console) -> Result<Verdict> {
        let verdict = self.wait(Some(console.patience()));
        if verdict.is_some() {
            console.drain();
        }
        match verdict {
            Some(Verdict::Vanished) => {
                let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
                Err(Error::Missing { what: format!("{}\n{said}", Verdict::Vanished), transcript: console.transcript() })
            }
            Some(verdict) => Ok(verdict),
            None => Err(Error::Missing { what: "the board did not end".into(), transcript: console.transcript() }),
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Waits for the monitor and starts the CPUs.
fn connect(listener: Listener, child: &mut Child, machine: &Machine) -> Result<Qmp> {
    let mut qmp = listener.accept(child)?;
    if !machine.waits_for_debugger {
        qmp.execute("cont")?;
    }
    Ok(qmp)
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}
