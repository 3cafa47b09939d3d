//! What one gate said in one run: the attempts that verdicts and briefs rest on, oldest first.
//!
//! A history is read from the end of a ledger and no further than it is needed ([`histories`]); only what asks about all of
//! it ([`dead_ends`]) searches the whole file, as bytes. What a history means is left to those who judge it.

mod failures;
mod read;

pub use failures::Failures;
pub(crate) use read::take;
pub use read::{Histories, Selection, dead_ends, histories, recent_dead_ends};

use crate::record::{self, Gate};
use failures::scheme;

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

    /// How many attempts at the end failed alike, with no failure among them becoming rarer.
    ///
    /// An attempt whose failure nobody named ends a streak.
    #[must_use]
    pub fn streak(&self) -> u64 {
        let counted = self.counted();
        let Some(last) = counted
            .last()
            .filter(|last| !last.passed() && !last.fingerprint.is_empty())
        else {
            return 0;
        };
        let alike = counted
            .iter()
            .rev()
            .take_while(|attempt| attempt.failed_like(last))
            .count();
        let streak = counted.get(counted.len() - alike..).unwrap_or_default();
        // Fewer of the same failure is ground gained: the streak begins anew where that last happened.
        let fell = |pair: &[Attempt]| matches!(pair, [before, after] if after.failures.fell_since(&before.failures));
        (alike
            - streak
                .windows(2)
                .rposition(fell)
                .map_or(0, |before| before + 1)) as u64
    }

    /// A history told in words, for tests: one letter a failure, `.` a pass, `?` a failure without a name; words apart are
    /// attempts; `ab` fails as a and b, `a*3` as a three times.
    #[must_use]
    pub fn told(story: &str) -> History {
        let attempts: Vec<Attempt> = story.split_whitespace().map(told).collect();
        History {
            damaged_after: vec![0; attempts.len()],
            attempts,
            ..History::default()
        }
    }
}

fn told(word: &str) -> Attempt {
    let (names, count) = word.split_once('*').unwrap_or((word, "1"));
    let passed = names == ".";
    let sigs = || {
        names
            .chars()
            .map(|name| (name.to_string().into(), count.parse().unwrap_or(1)))
            .collect()
    };
    Attempt::of(&record::Attempt {
        gate: Some(if passed { "pass" } else { "fail" }.into()),
        fingerprint: (names != "?" && !passed).then(|| names.into()),
        sigs: (names != "?").then(sigs),
        ..record::Attempt::default()
    })
}
