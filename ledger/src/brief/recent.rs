//! A record as a brief reads it: by name, and without minding a field of another type.

use serde_json::{Number, Value};

use crate::history;
use crate::line::view;
use crate::notes::folded;
use crate::record::{self, Head, Kind, SCHEMA};
use crate::seal;
use crate::text::shortened;

use super::{Described, Moment};

/// The longest text of a field in a brief, in characters; what a failure says, and where it lies.
const TITLE_MAX: usize = 160;
const PLACE_MAX: usize = 120;
/// How many failures are described.
const FAILURES_MAX: usize = 5;

/// One record of the end of a ledger.
pub(super) struct Recent {
    /// How many records back it is.
    pub(super) age: u64,
    pub(super) kind: Kind,
    pub(super) run: String,
    /// The gate; empty for the one without a name.
    pub(super) name: String,
    pub(super) seq: Option<u64>,
    pub(super) ts: Option<String>,
    body: Value,
}

impl Recent {
    /// Reads a line; none if it is damaged, or of a kind that no brief tells of.
    pub(super) fn parse(age: u64, line: &[u8]) -> Option<Recent> {
        seal::verify(line).ok()?;
        let head: Head<'_> = view(line).ok()?;
        let kind = head.known_kind().filter(|kind| is_told(*kind))?;
        if head.v.is_some_and(|v| v > SCHEMA) {
            return None;
        }
        Some(Recent {
            age,
            kind,
            run: head.run_name().to_owned(),
            name: head.gate_name().to_owned(),
            seq: head.seq,
            ts: head.ts.as_deref().and_then(folded),
            // What histories can read, a brief passes over only where it cannot show it.
            body: serde_json::from_slice(line).unwrap_or_default(),
        })
    }

    /// The attempt as histories have it; none if the record is none, or one that they pass over.
    pub(super) fn attempt(line: &[u8]) -> Option<history::Attempt> {
        view::<record::Attempt<'_>>(line)
            .ok()
            .map(|attempt| history::Attempt::of(&attempt))
    }

    /// A text on one line, made safe to show; none if it is missing, blank or no text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.body.get(name)?.as_str().and_then(folded)
    }

    /// A list of texts, or one text as a list.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.body.get(name) {
            Some(Value::String(one)) => folded(one).into_iter().collect(),
            Some(Value::Array(all)) => all
                .iter()
                .filter_map(Value::as_str)
                .filter_map(folded)
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.body.get(name)?.as_u64()
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.body.get(name)?.as_i64()
    }

    /// A number as it stands.
    pub(super) fn number(&self, name: &str) -> Option<Number> {
        match self.body.get(name) {
            Some(Value::Number(number)) => Some(number.clone()),
            _ => None,
        }
    }

    /// What is told of an attempt elsewhere.
    pub(super) fn moment(&self, here: bool) -> Moment {
        Moment {
            ts: self.ts.clone(),
            run: self.run.clone(),
            name: self.name.clone(),
            here,
            iteration: self.integer("iteration"),
            commit: self.text("commit"),
            action: self.text("action"),
        }
    }

    /// The failures in words, at most a few, and how many more there are.
    pub(super) fn described(&self) -> (Vec<Described>, u64) {
        let empty = Vec::new();
        let failures = self
            .body
            .get("failures")
            .and_then(Value::as_array)
            .unwrap_or(&empty);
        let all: Vec<Described> = failures.iter().filter_map(described).collect();
        let listed = self
            .body
            .get("sigs")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let total = all.len().max(listed) as u64;
        let total = total.max(self.count("sigs_total").unwrap_or(0));
        let shown: Vec<Described> = all.into_iter().take(FAILURES_MAX).collect();
        let more = total - shown.len() as u64;
        // A failure that only has a name has its fingerprint to say so.
        if shown.is_empty() {
            return (shown, 0);
        }
        (shown, more)
    }
}

fn is_told(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Attempt
            | Kind::Iteration
            | Kind::Experiment
            | Kind::Rebaseline
            | Kind::Question
            | Kind::Ack
            | Kind::Pivot
            | Kind::Verdict
            | Kind::Handoff
            | Kind::Phase
    )
}

fn described(failure: &Value) -> Option<Described> {
    let text = |name: &str, max: usize| {
        let text = failure.get(name)?.as_str().and_then(folded)?;
        Some(shortened(&text, max).into_owned())
    };
    let at = text("id", PLACE_MAX).or_else(|| text("file", PLACE_MAX));
    let title = text("title", TITLE_MAX).or_else(|| text("code", TITLE_MAX));
    Some(Described {
        title: title.or_else(|| at.clone())?,
        at,
        count: failure
            .get("count")
            .and_then(Value::as_u64)
            .unwrap_or(1)
            .max(1),
    })
}
