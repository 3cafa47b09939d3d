//! What one gate said in one run.

use ledger::record::{self, Gate};

use crate::failures::{Failures, scheme};

/// One try at the task, as detectors see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What the gate said.
    pub gate: Gate,
    /// What failed; empty for a pass, and for a failure that nobody named.
    pub fingerprint: String,
    /// The rules by which the fingerprint was made.
    pub scheme: u32,
    /// What failed, as a multiset.
    pub failures: Failures,
    /// What was tried, if anybody said.
    pub action: Option<String>,
}

impl Attempt {
    /// Takes over what detectors need.
    #[must_use]
    pub fn of(attempt: &record::Attempt<'_>) -> Attempt {
        let gate = attempt.outcome();
        let named = attempt
            .fingerprint
            .as_deref()
            .filter(|_| gate != Gate::Pass);
        Attempt {
            gate,
            fingerprint: named.unwrap_or_default().to_owned(),
            scheme: scheme(attempt),
            failures: if gate == Gate::Pass {
                Failures::default()
            } else {
                Failures::of(attempt)
            },
            action: attempt
                .action
                .as_deref()
                .map(trimmed)
                .filter(|action| !action.is_empty())
                .map(str::to_owned),
        }
    }

    /// Whether the gate passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.gate == Gate::Pass
    }

    /// Whether both failed, and in the same way, by the same rules.
    #[must_use]
    pub fn failed_like(&self, other: &Attempt) -> bool {
        !self.passed()
            && !other.passed()
            && self.fingerprint == other.fingerprint
            && self.scheme == other.scheme
    }
}

/// Text without the white space around it, the separators U+001C to U+001F included, as the earlier journal cut it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}

/// The attempts of one run and gate, oldest first, as far back as the window reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The run; empty for the one without a name.
    pub run: String,
    /// The gate; empty for the one without a name.
    pub name: String,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// How many of them came before somebody last acknowledged a verdict.
    pub acknowledged: usize,
    /// The index from which a counter counts: attempts before it are known, but not held against the loop.
    pub counted_from: usize,
    /// For each attempt, how many damaged lines follow it in the ledger.
    pub damaged_after: Vec<u64>,
}

impl History {
    /// The attempts that count, oldest first.
    #[must_use]
    pub fn counted(&self) -> &[Attempt] {
        self.attempts.get(self.counted_from..).unwrap_or_default()
    }

    /// The last attempt.
    #[must_use]
    pub fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The history as it was when it was last acknowledged.
    #[must_use]
    pub fn when_acknowledged(&self) -> History {
        let attempts = self
            .attempts
            .get(..self.acknowledged)
            .unwrap_or_default()
            .to_vec();
        History {
            attempts,
            acknowledged: 0,
            ..self.clone()
        }
    }

    /// Damaged lines behind the attempt that is `count` from the end, the last one being the first.
    #[must_use]
    pub fn damaged_within(&self, count: u64) -> u64 {
        let first = self.damaged_after.len().saturating_sub(count as usize);
        self.damaged_after.get(first).copied().unwrap_or(0)
    }

    /// A history for tests: one letter a failure, `.` a pass, words apart are attempts; `ab` fails as a and b, `a*3` as a three times.
    #[cfg(test)]
    pub(crate) fn told(story: &str) -> History {
        let attempts: Vec<Attempt> = story.split_whitespace().map(told).collect();
        History {
            damaged_after: vec![0; attempts.len()],
            attempts,
            ..History::default()
        }
    }
}

#[cfg(test)]
fn told(word: &str) -> Attempt {
    let (names, count) = word.split_once('*').unwrap_or((word, "1"));
    let sigs: Vec<String> = names
        .chars()
        .map(|name| format!("[\"{name}\",{count}]"))
        .collect();
    let text = match word {
        "." => "{\"gate\":\"pass\"}".to_owned(),
        "?" => "{\"gate\":\"fail\"}".to_owned(),
        _ => format!(
            "{{\"gate\":\"fail\",\"fingerprint\":\"{names}\",\"sigs\":[{}]}}",
            sigs.join(",")
        ),
    };
    Attempt::of(&ledger::line::view(text.as_bytes()).unwrap())
}
