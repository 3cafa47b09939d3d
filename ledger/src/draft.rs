//! A record on its way into a ledger: checked, completed, and given what only the end of the ledger tells.
//!
//! Completing has two halves. What is known beforehand (flags, time, run, commit) is put in by [`Draft::stdin`] and
//! [`Draft::flags`]; what depends on the records before it (iteration, stale count, a repeated key) is put in under the
//! lock by [`Before`], so that two writers cannot both be the third iteration.

use std::collections::HashMap;
use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::line::{BadLine, Edit, Line};
use crate::log::Tail;
use crate::read::Found;
use crate::record::{self, Attempt, Gate, Head, Kind, SCHEMA};
use crate::seal;
use crate::time::Instant;

/// What flags and surroundings say of every record.
#[derive(Clone, Debug)]
pub struct Given {
    /// The time, for records without one.
    pub now: Instant,
    /// The run, for records without one.
    pub run: Option<String>,
    /// Whether the ledger holds this run alone.
    pub is_run_ledger: bool,
    /// Fields set by flags, as (name, JSON); they replace what a record has, `null` takes it away.
    pub fields: Vec<(String, String)>,
    /// The commit that is checked out, for attempts that name none.
    pub commit: Option<String>,
    /// The iteration, unless it is counted.
    pub iteration: Option<i64>,
    /// The key under which a repetition is known.
    pub id: Option<String>,
}

/// A record that lacks only what the end of the ledger tells.
#[derive(Clone, Debug)]
pub struct Draft {
    line: Line,
    kind: Kind,
    run: String,
    name: String,
    gate: Option<Gate>,
    commit: Option<String>,
    has_action: bool,
    has_iteration: bool,
    new_findings: Option<i64>,
}

#[derive(Deserialize)]
struct Extra<'a> {
    new_findings: Option<i64>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
}

impl Draft {
    /// Takes a record from a stream.
    ///
    /// # Errors
    ///
    /// If it is no record, or one that no reader could use.
    pub fn stdin(text: &[u8], given: &Given) -> Result<Draft, BadLine> {
        let line = Line::parse(text)?;
        let head: Head<'_> = line.view()?;
        if let (Some(theirs), Some(ours), true) = (&head.run, &given.run, given.is_run_ledger)
            && theirs != ours
        {
            return Err(BadLine::BadField(format!(
                "it belongs to run '{theirs}', not '{ours}'"
            )));
        }
        Draft::complete(&line, given)
    }

    /// Makes a record of flags alone.
    ///
    /// # Errors
    ///
    /// If the flags make no record that a reader could use.
    pub fn flags(kind: Kind, given: &Given) -> Result<Draft, BadLine> {
        let line = Line::parse(b"{}")?.edit(&Edit::new().end("kind", &kind));
        Draft::complete(&line, given)
    }

    fn complete(line: &Line, given: &Given) -> Result<Draft, BadLine> {
        let mut edit = Edit::new().without("seq").without("crc");
        for (name, json) in &given.fields {
            let value: Box<RawValue> = serde_json::from_str(json)
                .map_err(|error| BadLine::BadField(format!("--json {name}: {error}")))?;
            edit = match line.has(name) {
                _ if json == "null" => edit.without(name),
                true => edit.replace(name, &value),
                false => edit.end(name, &value),
            };
        }
        let line = line.edit(&edit);
        let kind = record::check(&line)?;
        let head: Head<'_> = line.view()?;
        let mut edit = Edit::new();
        if head.v.is_none() {
            edit = edit.front("v", &SCHEMA);
        }
        if head.ts.is_none() {
            edit = edit.front("ts", &given.now.to_string());
        }
        let run = head
            .run
            .as_deref()
            .or(given.run.as_deref())
            .unwrap_or_default()
            .to_owned();
        if head.run.is_none() && !run.is_empty() {
            edit = edit.front("run", &run);
        }
        if head.kind.is_none() {
            edit = edit.front("kind", &kind);
        }
        if let Some(id) = &given.id {
            edit = edit.end("id", id);
        }
        let attempt: Attempt<'_> = line.view()?;
        let extra: Extra<'_> = line.view()?;
        if kind == Kind::Iteration && extra.new_findings.is_none_or(|count| count < 0) {
            return Err(BadLine::BadField("new_findings is not a count".to_owned()));
        }
        let mut commit = attempt
            .commit
            .as_deref()
            .filter(|commit| !commit.is_empty())
            .map(str::to_owned);
        let is_given = |name: &str| given.fields.iter().any(|(given, _)| given == name);
        if kind == Kind::Attempt
            && attempt.commit.is_none()
            && !is_given("commit")
            && let Some(head) = &given.commit
        {
            edit = edit.end("commit", head);
            commit = Some(head.clone());
        }
        if kind == Kind::Iteration {
            edit = edit.without("stale_count").without("pivot");
        }
        Ok(Draft {
            kind,
            run,
            name: head.gate_name().to_owned(),
            gate: attempt.gate.as_deref().and_then(Gate::named),
            commit,
            has_action: extra.action.is_some() || is_given("action"),
            has_iteration: attempt.iteration.is_some(),
            new_findings: extra.new_findings,
            line: line.edit(&edit),
        })
    }

    /// What the record is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the gate said, where the record says it.
    #[must_use]
    pub fn gate(&self) -> Option<Gate> {
        self.gate
    }

    /// The commit whose subject may say what was tried: that of an attempt without an action.
    #[must_use]
    pub fn commit_without_action(&self) -> Option<&str> {
        let wanted = self.kind == Kind::Attempt && !self.has_action;
        self.commit.as_deref().filter(|_| wanted)
    }

    /// Whether this is an attempt that does not say what was tried.
    #[must_use]
    pub fn lacks_action(&self) -> bool {
        self.kind == Kind::Attempt && !self.has_action
    }

    /// The history it belongs to: run and gate.
    #[must_use]
    pub fn history(&self) -> (&str, &str) {
        (&self.run, &self.name)
    }

    /// Adds a field, for an attempt that lacks it.
    pub fn add(&mut self, name: &str, value: &impl serde::Serialize) {
        if !self.line.has(name) {
            self.line = self.line.edit(&Edit::new().end(name, value));
        }
        self.has_action |= name == "action";
    }
}

/// How many records back, and how many bytes, a repeated key is looked for.
const ID_RECORDS: usize = 1000;
const ID_BYTES: u64 = 4 << 20;

/// What stands before the records that are being written; asked under the lock, once a question.
#[derive(Debug, Default)]
pub struct Before {
    iterations: HashMap<(String, String), i64>,
    stale_counts: HashMap<String, u64>,
}

impl Before {
    /// Gives a draft what the records before it decide.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn finish(&mut self, draft: &Draft, given: &Given, tail: &Tail<'_>) -> io::Result<Line> {
        match draft.kind {
            Kind::Attempt => {
                let iteration = match given.iteration {
                    Some(iteration) => iteration,
                    None if draft.has_iteration => return Ok(draft.line.clone()),
                    None => self
                        .iteration(&draft.run, &draft.name, tail)?
                        .saturating_add(1),
                };
                self.iterations
                    .insert((draft.run.clone(), draft.name.clone()), iteration);
                let edit = Edit::new();
                let set = draft.has_iteration;
                let edit = if set {
                    edit.replace("iteration", &iteration)
                } else {
                    edit.end("iteration", &iteration)
                };
                Ok(draft.line.edit(&edit))
            }
            Kind::Iteration => {
                let stale_count = match draft.new_findings {
                    Some(0) => self.stale_count(&draft.run, tail)?.saturating_add(1),
                    _ => 0,
                };
                self.stale_counts.insert(draft.run.clone(), stale_count);
                let edit = Edit::new()
                    .end("stale_count", &stale_count)
                    .end("pivot", &pivot(stale_count));
                Ok(draft.line.edit(&edit))
            }
            _ => Ok(draft.line.clone()),
        }
    }

    fn iteration(&self, run: &str, name: &str, tail: &Tail<'_>) -> io::Result<i64> {
        if let Some(known) = self.iterations.get(&(run.to_owned(), name.to_owned())) {
            return Ok(*known);
        }
        let found = last(tail, |head, line| {
            let wanted = head.run_name() == run
                && head.gate_name() == name
                && head.known_kind() == Some(Kind::Attempt);
            wanted
                .then(|| crate::line::view::<Attempt<'_>>(line).ok())?
                .map(|attempt| attempt.iteration.unwrap_or(0))
        })?;
        Ok(found.unwrap_or(0))
    }

    fn stale_count(&self, run: &str, tail: &Tail<'_>) -> io::Result<u64> {
        #[derive(Deserialize)]
        struct Stale {
            stale_count: u64,
        }
        if let Some(known) = self.stale_counts.get(run) {
            return Ok(*known);
        }
        let found = last(tail, |head, line| {
            let wanted = head.run_name() == run && head.known_kind() == Some(Kind::Iteration);
            // A record whose count is no good is passed over: the run's last good one holds.
            wanted
                .then(|| crate::line::view::<Stale>(line).ok())?
                .map(|stale| stale.stale_count)
        })?;
        Ok(found.unwrap_or(0))
    }
}

/// The direction that a number of iterations without findings forces.
fn pivot(stale_count: u64) -> &'static str {
    match stale_count {
        0 | 1 => "none",
        2 | 3 => "structural",
        _ => "human",
    }
}

/// What the last good record that `wanted` knows says.
fn last<T>(
    tail: &Tail<'_>,
    wanted: impl Fn(&Head<'_>, &[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut lines = tail.backwards()?;
    while let Some(found) = lines.next()? {
        let Found::Line(line) = found else { continue };
        if seal::verify(line).is_err() {
            continue;
        }
        let Ok(head) = crate::line::view::<Head<'_>>(line) else {
            continue;
        };
        if let Some(answer) = wanted(&head, line) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// The stored record with this key, if it is among the last 1,000 and at most 4 MiB back.
///
/// # Errors
///
/// If the ledger cannot be read.
pub fn find_id(tail: &Tail<'_>, id: &str) -> io::Result<Option<Line>> {
    let mut lines = tail.backwards()?;
    let end = lines.offset();
    for _ in 0..ID_RECORDS {
        let Some(found) = lines.next()? else {
            return Ok(None);
        };
        if let Found::Line(line) = found
            && seal::verify(line).is_ok()
            && crate::line::view::<Head<'_>>(line).is_ok_and(|head| head.id.as_deref() == Some(id))
        {
            return Ok(Line::parse(line).ok());
        }
        if end - lines.offset() > ID_BYTES {
            break;
        }
    }
    Ok(None)
}

/// The commit of the last attempt of a history; none without one that names it.
///
/// # Errors
///
/// If the ledger cannot be read.
pub fn last_commit(tail: &Tail<'_>, run: &str, name: &str) -> io::Result<Option<String>> {
    last(tail, |head, line| {
        let wanted = head.run_name() == run
            && head.gate_name() == name
            && head.known_kind() == Some(Kind::Attempt);
        wanted
            .then(|| crate::line::view::<Attempt<'_>>(line).ok())?
            .map(|attempt| attempt.commit.map(std::borrow::Cow::into_owned))
    })
    .map(Option::flatten)
}
