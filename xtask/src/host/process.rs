//! Running other programs, so that each failure has a sentence and Ctrl-C ends them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::failure::{Failure, Result};
use crate::host::interrupt::{self, ChildGuard};

/// Where `program` is, by `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The command as a user could type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Starts a program and registers it for Ctrl-C.
pub(crate) fn spawn(command: &mut Command) -> Result<(Child, ChildGuard)> {
    let child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("`{}` is not installed or not in PATH", name(command))),
        _ => Failure::new(format!("can't start `{}`: {error}", name(command))),
    })?;
    let guard = ChildGuard::new(child.id());
    Ok((child, guard))
}

/// Waits for a program; if the user interrupted meanwhile, this does not return.
pub(crate) fn wait(child: &mut Child, program: &str) -> Result<ExitStatus> {
    let status = child.wait().map_err(|error| Failure::new(format!("can't wait for `{program}`: {error}")))?;
    if !status.success() {
        interrupt::stop_here_if_interrupted();
    }
    Ok(status)
}

/// Runs a program that talks to the user's terminal itself.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    let (mut child, _guard) = spawn(command)?;
    wait(&mut child, &name(command))
}

/// Runs a program, hands each line of its standard output to `line`, and returns what it said on standard error.
pub(crate) fn lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, _guard) = spawn(command)?;
    let mut stderr = child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut said = String::new();
        if let Some(stream) = stderr.as_mut() {
            // What is not UTF-8 or can't be read is lost from a message that is for the user only.
            let _ = stream.read_to_string(&mut said);
        }
        said
    });
    each_line(&mut child, &mut line);
    let status = wait(&mut child, &name(command))?;
    if status.success() {
        return Ok(());
    }
    let said = errors.join().unwrap_or_default();
    Err(Failure::program(&shown(command), status, &said))
}

/// Runs a program whose standard error is the user's terminal, hands each line of its standard output to `line`, and
/// returns whether it ended well.
pub(crate) fn messages(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let (mut child, _guard) = spawn(command)?;
    each_line(&mut child, &mut line);
    Ok(wait(&mut child, &name(command))?.success())
}

fn each_line(child: &mut Child, line: &mut dyn FnMut(&str)) {
    if let Some(stream) = child.stdout.take() {
        for text in BufReader::new(stream).lines().map_while(std::io::Result::ok) {
            line(&text);
        }
    }
}

/// Runs a program and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let mut text = String::new();
    lines(command, |line| {
        text.push_str(line);
        text.push('\n');
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let mut command = Command::new("qemu");
        command.args(["-M", "virt,gic-version=3", "-append", "it's here"]);
        assert_eq!(shown(&command), r"qemu -M virt,gic-version=3 -append 'it'\''s here'");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = output(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(failure.message, "`no-such-program-here` is not installed or not in PATH");
    }

    #[test]
    fn a_failing_program_is_quoted_with_its_words() {
        let failure = output(Command::new("sh").args(["-c", "echo out; echo why >&2; exit 3"])).unwrap_err();
        assert!(failure.message.contains("exit status: 3") && failure.message.ends_with("why"), "{}", failure.message);
    }
}
