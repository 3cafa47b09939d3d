//! `cargo xtask ci`: everything that a change has to pass, step by step, up to the first that fails.

use std::process::Command;
use std::time::Instant;

use ledger::edge::{self, Answer, Failure};

use crate::args::{CiArgs, TestArgs};
use crate::temp::TempDir;
use crate::workspace::Workspace;
use crate::{child, man, needs, out, test};

pub(crate) fn ci(workspace: &Workspace, args: &CiArgs) -> Result<Answer, Failure> {
    step("format", || cargo(workspace, &["fmt", "--all", "--check"]))?;
    step("lints", || {
        cargo(
            workspace,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        )
    })?;
    step("documentation", || {
        let mut doc = workspace.cargo();
        doc.args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings");
        child::succeed(&mut doc)
    })?;
    if has_deny(workspace)? {
        step("dependencies", || {
            cargo(
                workspace,
                &[
                    "deny",
                    "--workspace",
                    "check",
                    "bans",
                    "licenses",
                    "sources",
                ],
            )
        })?;
    } else {
        edge::warn(
            "dependencies are not checked: 'cargo install cargo-deny --locked' brings what that takes",
        );
    }
    step("one rust version", || one_rust_version(workspace))?;
    step("man pages", || {
        let temp = TempDir::new("man")?;
        man::write(temp.path())?;
        man::all_have_pages(workspace)
    })?;
    if !args.no_test {
        step("tests", || {
            match test::test(workspace, &TestArgs { args: Vec::new() })? {
                Answer::Done => Ok(()),
                _ => Err(Failure::failed("tests failed")),
            }
        })?;
    }
    Ok(Answer::Done)
}

fn step(name: &str, job: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    out::progress(&format!("ci: {name}"));
    let begin = Instant::now();
    let result = job();
    let seconds = begin.elapsed().as_secs_f32();
    let ended = if result.is_ok() { "ok" } else { "failed" };
    out::line(&format!("ci: {name}: {ended} after {seconds:.1} s"))?;
    result
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Result<(), Failure> {
    child::succeed(workspace.cargo().args(arguments))
}

fn has_deny(workspace: &Workspace) -> Result<bool, Failure> {
    if needs::find("cargo-deny").is_none() {
        return Ok(false);
    }
    let mut version: Command = workspace.cargo();
    Ok(child::output(version.args(["deny", "--version"]))?
        .status
        .success())
}

fn one_rust_version(workspace: &Workspace) -> Result<(), Failure> {
    let wanted = workspace
        .rust_versions
        .first()
        .and_then(|(_, version)| version.clone());
    let other = workspace
        .rust_versions
        .iter()
        .find(|(_, version)| *version != wanted || version.is_none());
    match other {
        None => Ok(()),
        Some((name, version)) => Err(Failure::failed(format!(
            "package '{name}' has rust-version {}, others have {}",
            version.as_deref().unwrap_or("none"),
            wanted.as_deref().unwrap_or("none")
        ))),
    }
}
