//! What the tools are compared with: found, built where it is ours to build, and named with its version.

use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::edge::Failure;

use crate::child;
use crate::needs;
use crate::temp::write;

/// The rivals that are there.
#[derive(Debug)]
pub(crate) struct Rivals {
    /// The least that a durable append can be, as a static C program.
    pub(crate) append: Option<PathBuf>,
    /// The program that uses SQLite through Python.
    pub(crate) sqlite: Option<PathBuf>,
    versions: Vec<(&'static str, Option<String>)>,
}

/// Program, package, and the arguments that make it tell its version.
const PROGRAMS: [(&str, &str, &[&str]); 6] = [
    ("gcc", "gcc", &["--version"]),
    ("sqlite3", "sqlite3", &["--version"]),
    (
        "python3",
        "python3",
        &[
            "-c",
            "import sqlite3, sys; print(f'Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}')",
        ],
    ),
    ("rg", "ripgrep", &["--version"]),
    ("strace", "strace", &["--version"]),
    ("time", "time", &["--version"]),
];

impl Rivals {
    /// Looks for them, and builds the C program.
    pub(crate) fn find(directory: &Path) -> Result<Rivals, Failure> {
        let mut versions = Vec::new();
        for (program, _, arguments) in PROGRAMS {
            versions.push((program, version(program, arguments)?));
        }
        let mut rivals = Rivals {
            append: None,
            sqlite: None,
            versions,
        };
        if rivals.has("gcc") {
            rivals.append = build_append(directory)?;
        }
        if rivals.has("python3") {
            let script = directory.join("sqlite.py");
            write(&script, include_str!("sqlite.py"))?;
            rivals.sqlite = Some(script);
        }
        Ok(rivals)
    }

    /// Whether a program is there.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.versions
            .iter()
            .any(|(name, version)| *name == program && version.is_some())
    }

    /// The rivals and their versions, a line each.
    pub(crate) fn versions(&self) -> String {
        let line = |(name, version): &(&str, Option<String>)| match version {
            Some(version) => format!("{name}: {version}"),
            None => format!("{name}: {}", missing(name)),
        };
        self.versions
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Says that a rival is not there, and what brings it.
pub(crate) fn missing(program: &str) -> String {
    let package = PROGRAMS
        .iter()
        .find(|(name, ..)| *name == program)
        .map_or(program, |(_, package, _)| package);
    format!("'{program}' is not installed (apt-get install {package})")
}

fn version(program: &str, arguments: &[&str]) -> Result<Option<String>, Failure> {
    // The shell's own `time` is not the one that measures memory.
    let path = if program == "time" {
        Some(PathBuf::from("/usr/bin/time")).filter(|path| path.exists())
    } else {
        needs::find(program)
    };
    let Some(path) = path else { return Ok(None) };
    let output = child::output(Command::new(path).args(arguments))?;
    let text = String::from_utf8_lossy(if output.stdout.is_empty() {
        &output.stderr
    } else {
        &output.stdout
    })
    .into_owned();
    Ok(output.status.success().then(|| {
        let words: Vec<&str> = text
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .take(5)
            .collect();
        words.join(" ")
    }))
}

fn build_append(directory: &Path) -> Result<Option<PathBuf>, Failure> {
    let (source, program) = (directory.join("append.c"), directory.join("append"));
    write(&source, include_str!("append.c"))?;
    let built = child::output(
        Command::new("gcc")
            .args(["-O2", "-static", "-o"])
            .arg(&program)
            .arg(&source),
    )?;
    Ok(built.status.success().then_some(program))
}

/// One line about the machine.
pub(crate) fn machine(directory: &Path) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or("?");
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let answer = child::answer(Command::new("stat").args(["-f", "-c", "%T"]).arg(directory));
    let file_system = answer.unwrap_or_default();
    format!(
        "machine: {processors} processors, load {load}, Linux {}, {} on {}",
        kernel.trim(),
        directory.display(),
        file_system.trim()
    )
}
