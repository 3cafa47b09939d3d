//! One program, run with a limit of time.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Outcome;

/// How long anything may take unless a test says otherwise. It is there to end what hangs, not to measure.
const LIMIT: Duration = Duration::from_mins(1);

/// A program about to be run.
#[derive(Debug)]
pub struct Call {
    command: Command,
    line: String,
    root: PathBuf,
    stdin: Option<Vec<u8>>,
    stdout: Option<Stdio>,
    limit: Duration,
}

impl Call {
    pub(crate) fn new(
        program: &str,
        root: &Path,
        environment: &BTreeMap<OsString, OsString>,
    ) -> Call {
        let mut command = Command::new(program);
        command
            .current_dir(root.join("work"))
            .env_clear()
            .envs(environment);
        // A group of its own: a signal to it reaches a whole pipeline and nothing else, and what hangs can be ended whole.
        command.process_group(0);
        Call {
            command,
            line: program.to_owned(),
            root: root.to_owned(),
            stdin: None,
            stdout: None,
            limit: LIMIT,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Call {
        let _ = write!(self.line, " {}", argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = S>) -> Call {
        arguments.into_iter().fold(self, Call::arg)
    }

    /// What it reads; without this, nothing.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Call {
        self.stdin = Some(bytes.into());
        self
    }

    /// Where its stdout goes, instead of to the test.
    #[must_use]
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Call {
        self.stdout = Some(to.into());
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Call {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Call {
        self.command.env_remove(name);
        self
    }

    /// Starts in a directory below the working directory.
    #[must_use]
    pub fn within(mut self, directory: impl AsRef<Path>) -> Call {
        self.command
            .current_dir(self.root.join("work").join(directory));
        self
    }

    /// How long it may take, in seconds.
    #[must_use]
    pub fn limit(mut self, seconds: u64) -> Call {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Starts it, and leaves it running.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn spawn(mut self) -> Running {
        self.command.stdin(if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        self.command
            .stdout(self.stdout.take().unwrap_or_else(Stdio::piped))
            .stderr(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run '{}': {error}", self.line));
        if let (Some(bytes), Some(mut stdin)) = (self.stdin.take(), child.stdin.take()) {
            // A program that does not read all of it is no error here.
            std::thread::spawn(move || stdin.write_all(&bytes));
        }
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        let guard = Guard::over(child.id(), self.limit);
        Running {
            child,
            stdout,
            stderr,
            guard,
            line: self.line,
            root: self.root,
        }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// If it cannot be run, or is not over in time.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Runs it, and fails the test unless it ends with 0.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        reason = "a step of a test may be run for its effect"
    )]
    pub fn ok(self) -> Outcome {
        self.run().code(0)
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    guard: Guard,
    line: String,
    root: PathBuf,
}

impl Running {
    /// Kills the program itself, without a chance to say anything.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// Sends a signal, by its name without SIG, to the program and all that it started in its group.
    pub fn signal_group(&self, signal: &str) {
        signal_group(self.child.id(), signal);
    }

    /// Whether it is still there.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it is not over in time.
    #[must_use]
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        let status = self.child.wait().expect("a child can be waited for");
        let text = |reader: Option<JoinHandle<Vec<u8>>>| {
            reader
                .map(|reader| reader.join().expect("a pipe can be read"))
                .unwrap_or_default()
        };
        let (stdout, stderr) = (text(self.stdout.take()), text(self.stderr.take()));
        let outcome = Outcome {
            line: self.line,
            root: self.root,
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
        };
        assert!(!self.guard.lift(), "not over in time\n{outcome}");
        outcome
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = pipe.read_to_end(&mut all);
        all
    })
}

fn signal_group(group: u32, signal: &str) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -s {signal} -- -{group}")])
        .stderr(Stdio::null())
        .status();
}

/// Ends a group of processes when its time is over.
#[derive(Debug)]
struct Guard {
    end: Sender<()>,
    watch: JoinHandle<bool>,
}

impl Guard {
    fn over(group: u32, limit: Duration) -> Guard {
        let (end, ended) = mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            let late = ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            if late {
                signal_group(group, "KILL");
            }
            late
        });
        Guard { end, watch }
    }

    /// Ends the watch; says whether the time was over.
    fn lift(self) -> bool {
        drop(self.end);
        self.watch.join().unwrap_or(false)
    }
}
