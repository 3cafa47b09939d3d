//! The rules by which a loop is called stuck.
//!
//! Each is one pure function in a file of its own, entered in [`ALL`]; a test in its file drives it to fire and another
//! shows its nearest miss. To add one: write the file, enter it here.

mod no_ground;
mod same_failure;

use ledger::history::History;
use ledger::record::{Finding, Severity};

use crate::Config;

/// A rule about a history.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// Its name in flags and records.
    pub name: &'static str,
    /// What it looks for, for people.
    pub looks_for: &'static str,
    /// The rule.
    pub find: fn(&History, &Config) -> Finding,
}

/// Every detector.
pub const ALL: [Detector; 2] = [same_failure::DETECTOR, no_ground::DETECTOR];

/// How many attempts in a row fulfil a rule, and what follows from the number.
struct Streak {
    detector: &'static str,
    count: u64,
    threshold: u64,
    escalates_at: u64,
}

impl Streak {
    fn finding(self, reason: String) -> Finding {
        let escalates = self.count >= self.escalates_at;
        Finding {
            detector: self.detector.to_owned(),
            fired: self.count >= self.threshold,
            count: self.count,
            threshold: self.threshold,
            severity: if escalates {
                Severity::Escalate
            } else {
                Severity::SwitchStrategy
            },
            reason,
        }
    }
}

/// `once`, `2 times in a row`, for reasons.
fn times(count: u64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times in a row")
    }
}
