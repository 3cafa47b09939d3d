//! The project of the demo: made anew each time, with a repository and an agent.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::edge::Failure;

use crate::child;
use crate::temp::{TempDir, make, write};

const AGENT: &str = include_str!("agent.sh");
const FILES: [(&str, &str); 3] = [
    ("bill.py", include_str!("bill.py")),
    ("test_bill.py", include_str!("test_bill.py")),
    ("Makefile", include_str!("Makefile")),
];

/// A directory with a project in it, and the tools to run a loop there.
#[derive(Debug)]
pub(crate) struct Project {
    top: TempDir,
    tools: PathBuf,
    path: OsString,
}

impl Project {
    /// Makes it.
    pub(crate) fn make(tools: &Path) -> Result<Project, Failure> {
        let top = TempDir::new("demo")?;
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            std::iter::once(tools.to_owned()).chain(std::env::split_paths(&inherited)),
        )
        .map_err(|_| Failure::failed(format!("'{}' cannot stand in PATH", tools.display())))?;
        let project = Project {
            top,
            tools: tools.to_owned(),
            path,
        };
        make(&project.directory())?;
        for (name, text) in FILES {
            write(&project.directory().join(name), text)?;
        }
        write(&project.agent(), AGENT)?;
        std::fs::set_permissions(project.agent(), std::fs::Permissions::from_mode(0o755)).map_err(
            |error| Failure::failed(format!("cannot make the agent executable: {error}")),
        )?;
        project.git(&["init", "--quiet", "--initial-branch", "main"])?;
        for (name, value) in [
            ("user.name", "agent"),
            ("user.email", "agent@localhost"),
            ("commit.gpgSign", "false"),
        ] {
            project.git(&["config", name, value])?;
        }
        project.git(&["add", "--all"])?;
        project.git(&["commit", "--quiet", "--message", "split a bill"])?;
        Ok(project)
    }

    /// Leaves it where it is, for whoever was told about it.
    pub(crate) fn stay(&mut self) {
        self.top.stay();
    }

    /// Where the project's files are.
    pub(crate) fn directory(&self) -> PathBuf {
        self.top.path().join("bill")
    }

    /// The ledger that the loop writes.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.directory().join(".loop").join("ledger.jsonl")
    }

    /// The agent.
    pub(crate) fn agent(&self) -> PathBuf {
        self.top.path().join("agent.sh")
    }

    /// Where the tools are.
    pub(crate) fn tools(&self) -> &Path {
        &self.tools
    }

    /// A command that runs in the project, with the tools, and without what the caller's own loop, repository, make or
    /// Python says.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        child::without_variables(
            &mut command,
            &["LOOP_", "GIT_", "MAKE", "MFLAGS", "PYTHON", "CARGO"],
        );
        command
            .current_dir(self.directory())
            .env("PATH", &self.path);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn git(&self, arguments: &[&str]) -> Result<(), Failure> {
        child::answer(self.command("git").args(arguments)).map(drop)
    }
}
