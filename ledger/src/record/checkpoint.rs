//! The record that a segment begins with: what readers need of all that came before it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Kind, SCHEMA};
use crate::line::view;
use crate::seal;

/// What came before a segment, as far as readers need it and it fits in one record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Schema number.
    pub v: u32,
    /// When the segment began.
    pub ts: String,
    /// [`Kind::Checkpoint`].
    pub kind: Kind,
    /// The file with the records before, as it was named when it was sealed.
    pub sealed: String,
    /// The number of the last line in it.
    pub last_seq: u64,
    /// How every run and gate stood, the last attempt's first.
    pub histories: Vec<HistoryEnd>,
    /// The last stale count of every run, as pairs of run and count, the last first.
    pub stale_counts: Vec<(String, u64)>,
    /// What was tried under which failure, the last first.
    pub tried: Vec<Tried>,
    /// The last records that verdicts rest on, in their order, each with the fields that they rest on.
    pub records: Vec<Box<RawValue>>,
    /// Which of the lists are not complete; absent when all are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<Part>,
    /// Its number; set by the ledger.
    #[serde(default, skip_serializing)]
    pub seq: u64,
}

/// One of the lists of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the field of this name")]
pub enum Part {
    Histories,
    StaleCounts,
    Tried,
    Records,
}

/// How one run and gate stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEnd {
    /// The run; empty for the one without a name.
    pub run: String,
    /// The gate; empty for the one without a name.
    pub name: String,
    /// The iteration of the last attempt, 0 if it had none.
    pub iteration: i64,
    /// What its gate said, as it stood there.
    pub gate: String,
    /// What failed; empty for a pass.
    pub fingerprint: String,
    /// The rules by which the fingerprint was made.
    pub scheme: u32,
    /// How many attempts in a row ended so.
    pub streak: u64,
    /// The commit of the last attempt, if it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What was tried under one failure of one run and gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The run; empty for the one without a name.
    pub run: String,
    /// The gate; empty for the one without a name.
    pub name: String,
    /// The failure.
    pub fingerprint: String,
    /// The rules by which the fingerprint was made.
    pub scheme: u32,
    /// Pairs of action and how often it was tried.
    pub actions: Vec<(String, u64)>,
}

impl Checkpoint {
    /// Takes the first line of a file as the checkpoint of what came before; none if it is no sound one.
    ///
    /// Its number must follow the last one that it speaks of: one that was copied into another ledger says nothing there.
    #[must_use]
    pub fn begins(line: Option<&[u8]>) -> Option<Checkpoint> {
        let line = line?;
        let seq = seal::verify(line).ok().flatten()?;
        let seen: Checkpoint = view(line).ok()?;
        let fits = seen.kind == Kind::Checkpoint && seen.v <= SCHEMA && seen.seq == seq;
        (fits && seen.last_seq.checked_add(1) == Some(seq)).then_some(seen)
    }

    /// The records that it carries, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<u8> {
        let lines = self.records.iter().flat_map(|record| [record.get(), "\n"]);
        lines.collect::<String>().into_bytes()
    }

    /// How a run and gate stood: an end, none if it had no attempt, or no answer because the list is cut.
    #[must_use]
    pub fn history(&self, run: &str, name: &str) -> Option<Option<&HistoryEnd>> {
        let found = self
            .histories
            .iter()
            .find(|end| end.run == run && end.name == name);
        (found.is_some() || !self.cut.contains(&Part::Histories)).then_some(found)
    }

    /// The last stale count of a run, 0 if it had none; no answer because the list is cut.
    #[must_use]
    pub fn stale_count(&self, run: &str) -> Option<u64> {
        let found = self.stale_counts.iter().find(|(of, _)| of == run);
        let complete = !self.cut.contains(&Part::StaleCounts);
        found.map(|(_, count)| *count).or(complete.then_some(0))
    }
}
