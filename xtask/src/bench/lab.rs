//! The surroundings of a measurement: tools, a directory for data, rivals, and how long a process took.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use ledger::edge::Failure;
use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::rivals::{self, Rivals};
use crate::args::BenchArgs;
use crate::child::{self, Running};
use crate::temp::TempDir;
use crate::workspace::{self, Workspace};

/// Everything that a row needs.
#[derive(Debug)]
pub(crate) struct Lab {
    tools: PathBuf,
    /// Whether the tools are static binaries.
    pub(crate) is_static: bool,
    temp: TempDir,
    /// What the tools are compared with, where it is installed.
    pub(crate) rivals: Rivals,
    /// Whether a look is enough.
    pub(crate) quick: bool,
    /// Whether to feed ten times as much where memory is measured.
    pub(crate) big: bool,
}

impl Lab {
    /// Builds tools and rivals.
    pub(crate) fn set_up(workspace: &Workspace, args: &BenchArgs) -> Result<Lab, Failure> {
        let triple = workspace::static_triple()?;
        let profile = if triple.is_some() { "dist" } else { "release" };
        let tools = workspace.build(profile, triple.as_deref())?;
        let temp = TempDir::new("bench")?;
        let rivals = Rivals::find(temp.path())?;
        Ok(Lab {
            tools,
            is_static: triple.is_some(),
            temp,
            rivals,
            quick: args.quick,
            big: args.big,
        })
    }

    /// The machine and the rivals, a line each.
    pub(crate) fn surroundings(&self) -> String {
        let kind = if self.is_static {
            "static, profile dist"
        } else {
            "dynamic, profile release"
        };
        format!(
            "{}\ntools: {kind}\n{}",
            rivals::machine(self.temp.path()),
            self.rivals.versions()
        )
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// One of the tools, run in the directory for data, without the variables of a loop.
    pub(crate) fn tool(&self, name: &str) -> Command {
        self.command(self.tools.join(name))
    }

    /// Another program, run in the same way; nothing on stdin, and what it prints is not looked at.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        // Cargo's library path would make every dynamic program look for its libraries in vain.
        child::without_variables(&mut command, &["LOOP_", "GIT_", "LD_LIBRARY_PATH"]);
        command
            .current_dir(self.temp.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// A shell that finds the tools.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = self.command("sh");
        let mut path = self.tools.clone().into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.args(["-c", script]).env("PATH", path);
        command
    }

    /// One number or the other: the second where a look is enough.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// A file as a command's stdin.
pub(crate) fn from_file(command: &mut Command, path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| Failure::unreadable(path.display(), &error))?;
    command.stdin(file);
    Ok(())
}

/// Runs a command, which must succeed; gives the seconds it took.
pub(crate) fn seconds(mut command: Command) -> Result<f64, Failure> {
    let begin = Instant::now();
    let status = Running::start(&mut command)?.wait()?;
    let took = begin.elapsed().as_secs_f64();
    if status.success() {
        Ok(took)
    } else {
        Err(child::failed(&command, status))
    }
}

/// Runs a command of one thread, which must succeed; gives the seconds of processor time it took.
pub(crate) fn cpu_seconds(mut command: Command) -> Result<f64, Failure> {
    let running = Running::start(&mut command)?;
    // Between its end and the moment somebody asks for its status a process still has its accounts.
    let pid = running.pid();
    let ended = waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    );
    let accounts = std::fs::read_to_string(format!("/proc/{}/schedstat", pid.as_raw_nonzero()));
    let status = running.wait()?;
    if !status.success() {
        return Err(child::failed(&command, status));
    }
    let nanoseconds = ended.ok().and(accounts.ok());
    let nanoseconds: Option<f64> =
        nanoseconds.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds
        .map(|ns| ns / 1e9)
        .ok_or_else(|| Failure::failed("the system keeps no accounts in '/proc/PID/schedstat'"))
}

/// Runs a command, which must succeed, under GNU time; gives the most memory it had, in MiB. `feed` writes its stdin.
pub(crate) fn peak_mib(
    lab: &Lab,
    command: &Command,
    feed: impl FnOnce(std::process::ChildStdin) + Send,
) -> Result<f64, Failure> {
    let report = lab.file("time.txt");
    let mut timed = lab.command("/usr/bin/time");
    timed
        .args(["-f", "%M", "-o"])
        .arg(&report)
        .arg(command.get_program())
        .args(command.get_args());
    timed.stdin(Stdio::piped());
    let mut running = Running::start(&mut timed)?;
    let stdin = running.child().stdin.take();
    let status = std::thread::scope(|scope| {
        if let Some(stdin) = stdin {
            scope.spawn(|| feed(stdin));
        }
        running.wait()
    })?;
    if !status.success() {
        return Err(child::failed(command, status));
    }
    let text = std::fs::read_to_string(&report)
        .map_err(|error| Failure::unreadable(report.display(), &error))?;
    let kib: Option<f64> = text.trim().parse().ok();
    kib.map(|kib| kib / 1024.0)
        .ok_or_else(|| Failure::failed(format!("cannot read what 'time' says: '{}'", text.trim())))
}
