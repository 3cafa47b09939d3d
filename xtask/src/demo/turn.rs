//! One turn of the loop: the agent tries something, the chain judges it.

use std::io::Write;
use std::process::Stdio;

use ledger::edge::Failure;
use serde_json::Value;

use super::project::Project;
use crate::child::{self, Running};

/// The sentence that everything serves.
pub(crate) const CHAIN: &str = "lgate -- make test | lfp | lrecord && lstall --exit-code=all";

/// How the chain ends when every gate passed.
pub(crate) const GREEN: i32 = 0;
/// How it ends when the loop has to change direction.
pub(crate) const STUCK: i32 = 10;
/// How it ends when the gate failed, but the loop moves.
pub(crate) const MOVING: i32 = 14;

/// What came of a turn.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// What the agent says it tried.
    pub(crate) tried: String,
    /// What the ledger says was tried.
    pub(crate) action: String,
    /// What the gate printed.
    pub(crate) printed: String,
    /// What the gate said.
    pub(crate) gate: String,
    /// The name of the failure.
    pub(crate) fingerprint: String,
    /// What failed, in words.
    pub(crate) titles: Vec<String>,
    /// The actions that were tried in vain more than once.
    pub(crate) dead_ends: Vec<String>,
    /// The exit status of the chain.
    pub(crate) status: i32,
}

impl Turn {
    /// Runs the agent with a prompt, then the chain.
    pub(crate) fn take(project: &Project, prompt: &str) -> Result<Turn, Failure> {
        let tried = agent(project, prompt)?;
        let output = child::output(project.command("sh").args(["-c", CHAIN]))?;
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        let records: Vec<Value> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| {
                serde_json::from_str(line).map_err(|error| format!("no record: '{line}': {error}"))
            })
            .collect::<Result<_, String>>()
            .map_err(Failure::failed)?;
        let [attempt, verdict] = records.as_slice() else {
            return Err(Failure::failed(format!(
                "'{CHAIN}' gave no attempt and no verdict: {}",
                printed.trim_end()
            )));
        };
        let status = output
            .status
            .code()
            .ok_or_else(|| Failure::failed("the chain was ended by a signal"))?;
        let text = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let list = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        Ok(Turn {
            tried,
            action: text(attempt, "action"),
            printed,
            gate: text(attempt, "gate"),
            fingerprint: text(attempt, "fingerprint"),
            titles: list(attempt, "failures")
                .iter()
                .map(|failure| text(failure, "title"))
                .collect(),
            dead_ends: list(verdict, "dead_ends")
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            status,
        })
    }
}

fn agent(project: &Project, prompt: &str) -> Result<String, Failure> {
    let mut command = project.command(project.agent());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = Running::start(&mut command)?;
    if let Some(mut stdin) = running.child().stdin.take() {
        // An agent that does not read to the end has its own reasons.
        let _ = stdin.write_all(prompt.as_bytes());
    }
    let output = running.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::failed(format!(
            "the agent failed ({}): {}",
            output.status,
            said.trim_end()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
