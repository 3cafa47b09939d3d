//! Processes of others: started in groups of their own, and ended with this one.
//!
//! A signal that asks this process to end is noticed by a thread, handed on to every group that runs, and becomes the
//! failure of whatever waits for it. So each task unwinds, removes what it made, and only then dies by the signal.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use ledger::edge::{Failure, Interrupts};
use ledger::log::reason;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process_group};

/// The signal that asked for an end; 0 for none.
static CAUGHT: AtomicI32 = AtomicI32::new(0);
/// The groups that run.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Begins to hand signals on.
///
/// # Errors
///
/// If the system has no descriptors or threads left.
pub(crate) fn watch_signals() -> Result<(), Failure> {
    let cannot =
        |error: io::Error| Failure::failed(format!("cannot watch for signals: {}", reason(&error)));
    let mut interrupts = Interrupts::watch().map_err(cannot)?;
    let watch = move || {
        loop {
            let mut wanted = [PollFd::from_borrowed_fd(interrupts.as_fd(), PollFlags::IN)];
            let _ = poll(&mut wanted, None);
            interrupts.drain();
            if let Some(signal) = interrupts.caught() {
                // A second signal finds the groups still running: they do not get to choose.
                let again = CAUGHT.swap(signal, Ordering::SeqCst) != 0;
                end_groups(if again { Signal::KILL } else { Signal::TERM });
            }
        }
    };
    std::thread::Builder::new()
        .spawn(watch)
        .map(drop)
        .map_err(cannot)
}

fn end_groups(signal: Signal) {
    for group in GROUPS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = kill_process_group(*group, signal);
    }
}

/// Fails once a signal has asked for an end.
pub(crate) fn still_wanted() -> Result<(), Failure> {
    match CAUGHT.load(Ordering::SeqCst) {
        0 => Ok(()),
        signal => Err(Failure::Signal(signal)),
    }
}

/// A process that runs; it is killed with its group if nobody waits for it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    ended: bool,
}

impl Running {
    /// Starts a command in a group of its own.
    pub(crate) fn start(command: &mut Command) -> Result<Running, Failure> {
        let name = name(command);
        command.process_group(0);
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        still_wanted()?;
        let child = command.spawn().map_err(|error| cannot_run(&name, &error))?;
        groups.push(Pid::from_child(&child));
        Ok(Running {
            child,
            name,
            ended: false,
        })
    }

    /// The process.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Result<ExitStatus, Failure> {
        let status = self
            .child
            .wait()
            .map_err(|error| cannot_run(&self.name, &error))?;
        self.forget();
        still_wanted()?;
        Ok(status)
    }

    /// Waits for its end, and for what it prints on stdout and stderr where they are pipes.
    pub(crate) fn output(mut self) -> Result<Output, Failure> {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let read = |stream: Option<Box<dyn io::Read + Send>>| {
            let mut bytes = Vec::new();
            stream
                .map_or(Ok(0), |mut stream| stream.read_to_end(&mut bytes))
                .map(|_| bytes)
        };
        let (stdout, stderr) = std::thread::scope(|scope| {
            let stderr = scope.spawn(|| read(stderr.map(|stream| Box::new(stream) as _)));
            let stdout = read(stdout.map(|stream| Box::new(stream) as _));
            (stdout, stderr.join().unwrap_or_else(|_| Ok(Vec::new())))
        });
        let name = self.name.clone();
        let lost = |error: io::Error| cannot_run(&name, &error);
        let status = self.wait()?;
        Ok(Output {
            status,
            stdout: stdout.map_err(lost)?,
            stderr: stderr.map_err(lost)?,
        })
    }

    fn forget(&mut self) {
        self.ended = true;
        let pid = self.pid();
        GROUPS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|group| *group != pid);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
            self.forget();
        }
    }
}

/// Runs a command to its end, with nothing on its stdin: it is not in the group that the terminal listens to.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus, Failure> {
    Running::start(command.stdin(Stdio::null()))?.wait()
}

/// Runs a command to its end, which must be a success.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Failure> {
    let status = run(command)?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(command, status))
    }
}

/// Runs a command to its end and gives what it printed; nothing is on its stdin.
pub(crate) fn output(command: &mut Command) -> Result<Output, Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Running::start(command)?.output()
}

/// Runs a command, which must succeed, and gives what it printed on stdout as text.
pub(crate) fn answer(command: &mut Command) -> Result<String, Failure> {
    let output = output(command)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(": {said}")
        };
        return Err(Failure::failed(format!(
            "'{}' failed ({}){said}",
            shown(command),
            output.status
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Says that a command did not succeed.
pub(crate) fn failed(command: &Command, status: ExitStatus) -> Failure {
    Failure::failed(format!("'{}' failed ({status})", shown(command)))
}

/// Takes every variable whose name begins like one of these out of a command's environment.
pub(crate) fn without_variables<'c>(
    command: &'c mut Command,
    prefixes: &[&str],
) -> &'c mut Command {
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&variable);
        }
    }
    command
}

fn shown(command: &Command) -> String {
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name(command).into())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn cannot_run(name: &str, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot run '{name}': {}", reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_prints_comes_back() {
        let said = answer(Command::new("sh").args(["-c", "echo out; echo err >&2"])).unwrap();
        assert_eq!(said, "out\n");
        let failure = answer(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(format!("{failure:?}").contains("why"));
    }

    #[test]
    fn what_nobody_waits_for_is_ended_with_its_group() {
        let running =
            Running::start(Command::new("sh").args(["-c", "sleep 60 & sleep 60"])).unwrap();
        let group = running.pid();
        drop(running);
        // What was killed is there until its new parent has heard of it.
        let is_gone = || rustix::process::test_kill_process_group(group).is_err();
        let gone = (0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            is_gone()
        });
        assert!(gone);
    }
}
