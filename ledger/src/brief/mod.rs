//! What a loop is told at the top of a turn: where it stands, what was tried, what not to try again.
//!
//! A brief is computed from records, never written by the agent that ended, so a turn that was killed leaves one too. The
//! steps are pure: [`read`] gathers the facts from the end of a ledger, [`past`] looks up where the live failure occurred
//! before, in any ledger; [`Brief::fitted`] drops what is oldest until the text has room, and [`markdown`] is that text.
//! A brief has facts and the orders that others recorded, no advice of its own.

mod asides;
mod fit;
pub mod markdown;
pub mod past;
mod read;
mod recent;

use serde::Serialize;

use crate::record::Gate;

pub use fit::{BUDGET_MIN, Fitted};
pub use read::{Asked, read};

/// The facts for the next turn, lists newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Brief {
    /// Schema number.
    pub v: u32,
    /// `brief`: an answer, not a record; a ledger does not take it.
    pub kind: &'static str,
    /// The run; absent for the one without a name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The gates of the last turn, the worst first.
    pub gates: Vec<GateBrief>,
    /// What was tried at the first of these gates, each once, with how it ended last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Tried>,
    /// The search for findings, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// The experiments, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiments: Option<Experiments>,
    /// Questions and orders that nobody has acknowledged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Open>,
    /// What agents noted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What agents would try next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Said>,
    /// What agents would not try again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<Said>,
    /// Claims, reviews and phases that were handed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handoffs: Vec<Handed>,
    /// Lines that were skipped, of those that were read; absent when none.
    #[serde(skip_serializing_if = "is_zero")]
    pub damaged: u64,
    /// What was left out so that the brief fits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
}

/// How one gate stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateBrief {
    /// The gate; empty for the one without a name.
    pub name: String,
    /// Its last outcome.
    pub gate: Gate,
    /// How many attempts there were; absent where only the earlier ones would tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// When the last one was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// The commit that it checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How far it got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The live failure; empty for a pass, and for a failure that nobody named.
    pub fingerprint: String,
    /// How many attempts in a row failed so, none of the failures becoming rarer.
    pub streak: u64,
    /// At which streak the direction must change.
    pub k: u64,
    /// Whether it must.
    pub change_direction: bool,
    /// What failed, as far as it was described; at most a few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Described>,
    /// How many more failures there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures_more: u64,
    /// Whether the live failure was looked up.
    #[serde(skip)]
    is_looked_up: bool,
    /// Where the live failure was seen before its present streak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Actions that were tried more than once under the live failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dead_ends: Vec<DeadEnd>,
    /// What the last pass resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// How many different failures were resolved, as far back as attempts were read.
    #[serde(skip_serializing_if = "is_zero")]
    pub resolved_count: u64,
}

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Described {
    /// What it says.
    pub title: String,
    /// The test or the file it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How often it occurred.
    pub count: u64,
}

/// Where a failure was seen before.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Seen {
    /// The last time.
    pub last: Moment,
    /// The last time that it was repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repaired: Option<Moment>,
}

/// An attempt of any run, as far as it is told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// Its run; empty for the one without a name.
    pub run: String,
    /// Its gate; empty for the one without a name.
    pub name: String,
    /// Whether it belongs to the very history that the brief is about.
    pub here: bool,
    /// Which pass of the loop it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<i64>,
    /// The commit that was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// An action that was tried more than once under the live failure, and failed so each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadEnd {
    /// What was tried.
    pub action: String,
    /// How often.
    pub count: u64,
    /// The other run that tried it; absent for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The other gate; absent for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A failure that a pass put an end to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Resolved {
    /// The failure of the attempt before the pass.
    pub fingerprint: String,
    /// What failed, as far as it was described.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Described>,
    /// The attempt that passed.
    pub by: Moment,
}

/// An action and how it ended last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    #[serde(skip)]
    age: u64,
    /// What was tried.
    pub action: String,
    /// What the gate said when it was tried last.
    pub gate: Gate,
    /// What failed then.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// How often it was tried, as far back as records were read.
    pub count: u64,
}

/// A loop that searches for findings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Search {
    /// Which round it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<i64>,
    /// The phase of the last round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What the last round found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_findings: Option<u64>,
    /// Rounds in a row without findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_count: Option<u64>,
    /// The change that they force: none, structural, human.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pivot: Option<String>,
    /// The directions that were tried, each once, with what it found last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Direction>,
}

/// A direction and what it found last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Direction {
    #[serde(skip)]
    age: u64,
    /// The direction.
    pub direction: String,
    /// What was found when it was taken last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_findings: Option<u64>,
    /// How often it was taken, as far back as records were read.
    pub count: u64,
}

/// Measured changes that were kept or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Experiments {
    /// The name of what is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The value that the next change is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<serde_json::Number>,
    /// The best value that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Measured>,
    /// How many in a row were not kept.
    pub not_kept: u64,
    /// The last ones.
    pub last: Vec<Measured>,
}

/// One experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    #[serde(skip)]
    age: u64,
    /// keep, discard, undecided, crash or `measurement_failure`.
    pub decision: String,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Number>,
    /// The commit that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A question or an order without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    #[serde(skip)]
    age: u64,
    /// question, pivot or verdict.
    pub kind: &'static str,
    /// Its number in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// What is ordered: `structural`, `human`, `escalate` and the like; absent of a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What an agent noted with an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    #[serde(skip)]
    age: u64,
    /// Which pass of the loop it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iteration: Option<i64>,
    /// What it supposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// A word to go with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One thing that an agent would do, or would not; in JSON a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Said {
    #[serde(skip)]
    age: u64,
    /// What.
    pub text: String,
}

/// A claim, a review, an inbox or a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Handed {
    #[serde(skip)]
    age: u64,
    /// handoff or phase.
    pub kind: &'static str,
    /// When it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// What happened: claim, review, advanced and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What it is about: a label, a phase, a path, a commit's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The commit it happened with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// A word to go with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Which facts.
    pub what: &'static str,
    /// How many of them.
    pub count: u64,
}

impl Brief {
    /// Whether nothing happened yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty()
            && self.search.is_none()
            && self.experiments.is_none()
            && self.open.is_empty()
            && self.handoffs.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
