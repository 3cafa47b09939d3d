//! From a ledger to histories: backwards, and no further than the verdict needs.

use std::io;

use crate::line::view;
use crate::read::{Backwards, Found};
use crate::record::{self, Head, Kind, SCHEMA};
use crate::seal;
use crate::segments::Whole;

use super::{Attempt, History};

/// Which histories of a ledger are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The run: a name, or none for that of the last attempt.
    pub run: Option<String>,
    /// The gate: a name, empty for the one without; or none for every gate of the last turn.
    pub name: Option<String>,
    /// Whether to judge every run in the ledger.
    pub all_runs: bool,
    /// How many attempts of each history are looked at.
    pub window: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histories {
    /// The histories of each run: outer by run, inner by gate; the last attempt's first.
    pub runs: Vec<Vec<History>>,
    /// Lines that could not be read, of those that were looked at.
    pub damaged: u64,
}

/// Reads the wanted histories from the end of a ledger.
///
/// # Errors
///
/// If the file cannot be read, or has records of a newer schema.
pub fn histories(mut lines: Backwards<'_>, wanted: &Selection) -> io::Result<Histories> {
    let mut reading = Reading {
        wanted,
        runs: Vec::new(),
        damaged: 0,
    };
    while !reading.is_done() {
        match lines.next()? {
            None => break,
            Some(Found::Line(line)) if line.trim_ascii().is_empty() => {}
            Some(Found::Line(line)) => match take(line)? {
                Some(taken) => reading.add(&taken, line),
                None => reading.damaged += 1,
            },
            Some(Found::TooLong(_)) => reading.damaged += 1,
        }
    }
    let damaged = reading.damaged;
    let runs = reading
        .runs
        .into_iter()
        .map(|run| run.gates.into_iter().map(GateReading::finish).collect())
        .collect();
    Ok(Histories { runs, damaged })
}

/// The head of a line that is a record; none of a damaged one.
///
/// A record of a newer schema is an error: to pass it over could turn the verdict.
pub(crate) fn take(line: &[u8]) -> io::Result<Option<Head<'_>>> {
    let Some(head) = seal::verify(line)
        .ok()
        .and_then(|_| view::<Head<'_>>(line).ok())
    else {
        return Ok(None);
    };
    if let Some(v) = head.v.filter(|v| *v > SCHEMA) {
        return Err(io::Error::other(format!(
            "it has records of schema {v}: use a looputils that knows it"
        )));
    }
    let readable =
        head.known_kind() != Some(Kind::Attempt) || view::<record::Attempt<'_>>(line).is_ok();
    Ok(readable.then_some(head))
}

struct Reading<'w> {
    wanted: &'w Selection,
    runs: Vec<Run>,
    damaged: u64,
}

struct Run {
    name: String,
    gates: Vec<GateReading>,
    /// Whether the turn that ended last is read whole, so that no further gate belongs to it.
    turn_is_whole: bool,
    /// The gates acknowledged by records behind what was read; none names every gate.
    acknowledged: Vec<Option<String>>,
}

/// A history as it is read: newest attempt first.
struct GateReading {
    history: History,
    is_acknowledged: bool,
}

impl GateReading {
    fn finish(self) -> History {
        let mut history = self.history;
        history.attempts.reverse();
        history.damaged_after.reverse();
        history
    }
}

impl Reading<'_> {
    fn is_done(&self) -> bool {
        let [run] = self.runs.as_slice() else {
            return false;
        };
        let full = |gate: &GateReading| gate.history.attempts.len() >= self.wanted.window;
        !self.wanted.all_runs
            && run.turn_is_whole
            && !run.gates.is_empty()
            && run.gates.iter().all(full)
    }

    fn add(&mut self, head: &Head<'_>, line: &[u8]) {
        let kind = head.known_kind();
        if !matches!(kind, Some(Kind::Attempt | Kind::Ack)) {
            return;
        }
        let Some(run) = self.run(head.run_name(), kind == Some(Kind::Attempt)) else {
            return;
        };
        if kind == Some(Kind::Ack) {
            run.acknowledged.push(
                head.name
                    .as_deref()
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
            );
            return;
        }
        let (wanted, damaged) = (self.wanted, self.damaged);
        let Some(run) = self.run(head.run_name(), true) else {
            return;
        };
        let Some(gate) = run.gate(head.gate_name(), wanted) else {
            return;
        };
        if gate.history.attempts.len() >= wanted.window {
            return;
        }
        if let Ok(attempt) = view::<record::Attempt<'_>>(line) {
            gate.history.attempts.push(Attempt::of(&attempt));
            gate.history.damaged_after.push(damaged);
            gate.history.acknowledged += usize::from(gate.is_acknowledged);
        }
    }

    /// The run of this name, if it is wanted; an attempt may begin one.
    fn run(&mut self, name: &str, is_attempt: bool) -> Option<&mut Run> {
        let wanted = self.wanted.run.as_deref().is_none_or(|run| run == name);
        let known = self.runs.iter().position(|run| run.name == name);
        let begins =
            self.runs.iter().all(|run| run.gates.is_empty()) || self.wanted.all_runs || !is_attempt;
        match known {
            Some(at) => self.runs.get_mut(at),
            None if wanted && begins => {
                let turn_is_whole = self.wanted.name.is_some();
                self.runs.push(Run {
                    name: name.to_owned(),
                    gates: Vec::new(),
                    turn_is_whole,
                    acknowledged: Vec::new(),
                });
                self.runs.last_mut()
            }
            None => None,
        }
    }
}

impl Run {
    /// The gate of this name, if it belongs to the last turn or is asked for.
    fn gate(&mut self, name: &str, wanted: &Selection) -> Option<&mut GateReading> {
        if wanted.name.as_deref().is_some_and(|asked| asked != name) {
            return None;
        }
        let is_new = self.gates.iter().all(|gate| gate.history.name != name);
        // The turn reaches back to the previous attempt of the gate that ran last.
        self.turn_is_whole |= self
            .gates
            .first()
            .is_some_and(|last| last.history.name == name);
        if is_new && (!self.turn_is_whole || wanted.name.is_some()) {
            let history = History {
                run: self.name.clone(),
                name: name.to_owned(),
                ..History::default()
            };
            self.gates.push(GateReading {
                history,
                is_acknowledged: false,
            });
        }
        let acknowledged = &self.acknowledged;
        let gate = self
            .gates
            .iter_mut()
            .find(|gate| gate.history.name == name)?;
        gate.is_acknowledged |= acknowledged
            .iter()
            .any(|of| of.as_deref().is_none_or(|of| of == name));
        Some(gate)
    }
}

/// The actions that were tried more than once under the live failure of a history, sorted, over the whole ledger.
///
/// The failure's name is searched for as bytes, and only the hits are parsed. For segments that are no longer there stands
/// the checkpoint that the oldest one begins with.
///
/// # Errors
///
/// If the ledger cannot be read.
pub fn dead_ends(ledger: &Whole<'_>, history: &History) -> io::Result<Vec<String>> {
    let Some(last) = history.last().filter(|last| !last.fingerprint.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut tried = std::collections::BTreeMap::new();
    let before = ledger.first_checkpoint()?;
    for known in before.iter().flat_map(|before| &before.tried) {
        let same = known.run == history.run && known.name == history.name;
        if same && known.fingerprint == last.fingerprint && known.scheme == last.scheme {
            tried.extend(known.actions.iter().cloned());
        }
    }
    let needle = serde_json::json!(last.fingerprint).to_string();
    ledger.search(needle.as_bytes(), |line| {
        let Ok(Some(head)) = take(line) else { return };
        let same = head.known_kind() == Some(Kind::Attempt)
            && head.run_name() == history.run
            && head.gate_name() == history.name;
        let Some(attempt) = same
            .then(|| view::<record::Attempt<'_>>(line).ok())
            .flatten()
        else {
            return;
        };
        let attempt = Attempt::of(&attempt);
        if attempt.failed_like(last)
            && let Some(action) = attempt.action
        {
            *tried.entry(action).or_insert(0_u64) += 1;
        }
    })?;
    Ok(tried
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(action, _)| action)
        .collect())
}

/// The same over the attempts of a history alone.
#[must_use]
pub fn recent_dead_ends(history: &History) -> Vec<String> {
    let Some(last) = history.last().filter(|last| !last.fingerprint.is_empty()) else {
        return Vec::new();
    };
    let alike = || {
        history
            .attempts
            .iter()
            .filter(|attempt| attempt.failed_like(last))
            .filter_map(|attempt| attempt.action.as_ref())
    };
    let actions: std::collections::BTreeSet<&String> = alike().collect();
    actions
        .into_iter()
        .filter(|action| alike().filter(|other| other == action).count() > 1)
        .cloned()
        .collect()
}
