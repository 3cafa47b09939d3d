//! The verdict: the worst finding, with all of them.

use ledger::history::History;
use ledger::record::{Finding, Gate, GateStanding, Kind, SCHEMA, Severity, Standing, Verdict};
use ledger::text::counted;
use ledger::time::Instant;

use crate::Config;
use crate::detectors::Detector;

/// What to judge by.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The detectors to ask.
    pub detectors: Vec<Detector>,
    /// What they go by.
    pub config: Config,
}

/// Judges one history.
///
/// `dead_ends` are the actions known to have failed under its live failure.
#[must_use]
pub fn judge(history: &History, asked: &Asked, dead_ends: Vec<String>, now: Instant) -> Verdict {
    let findings: Vec<Finding> = asked
        .detectors
        .iter()
        .map(|detector| find(detector, history, &asked.config))
        .collect();
    let worst = findings
        .iter()
        .filter(|finding| finding.fired)
        .min_by_key(|finding| std::cmp::Reverse((finding.severity, finding.count)));
    let stalled = worst.filter(|finding| finding.severity >= Severity::SwitchStrategy);
    // Without a stall the verdict rests on the streak, which the first detector asked counts.
    let basis = stalled.or(findings.first());
    let last = history.last();
    let reason = basis.map_or("", |finding| finding.reason.as_str());
    let damaged_within = stalled.map_or(0, |finding| history.damaged_within(finding.count));
    let reason = match damaged_within {
        0 => reason.to_owned(),
        _ => format!(
            "{reason} (unsure: {} in between)",
            counted(damaged_within, "damaged line")
        ),
    };
    Verdict {
        v: SCHEMA,
        ts: now.to_string(),
        run: named(&history.run),
        kind: Kind::Verdict,
        name: named(&history.name),
        verdict: if stalled.is_some() {
            Standing::Stalled
        } else {
            Standing::Progress
        },
        gate: last.map(|attempt| attempt.gate),
        stall_count: basis.map_or(0, |finding| finding.count),
        fingerprint: last.map_or_else(String::new, |attempt| attempt.fingerprint.clone()),
        recommend: recommend(worst.map(|finding| finding.severity)).to_owned(),
        dead_ends,
        reason,
        detectors: findings,
        gates: Vec::new(),
        damaged: 0,
    }
}

/// The verdict on a turn of several gates: the worst of theirs, with all of them.
///
/// None without a verdict.
#[must_use]
pub fn of_gates(verdicts: Vec<Verdict>) -> Option<Verdict> {
    let standings: Vec<GateStanding> = verdicts.iter().filter_map(standing).collect();
    let mut worst = verdicts
        .into_iter()
        .min_by_key(|verdict| std::cmp::Reverse(badness(verdict)))?;
    if standings.len() > 1 {
        worst.gates = standings;
    }
    Some(worst)
}

/// One detector's finding; what had fired when somebody acknowledged it counts from there on.
fn find(detector: &Detector, history: &History, config: &Config) -> Finding {
    let finding = (detector.find)(history, config);
    if !finding.fired
        || history.acknowledged == 0
        || !(detector.find)(&history.when_acknowledged(), config).fired
    {
        return finding;
    }
    (detector.find)(
        &History {
            counted_from: history.acknowledged,
            ..history.clone()
        },
        config,
    )
}

fn badness(verdict: &Verdict) -> (bool, Option<Severity>, Option<Gate>, u64) {
    let fired = verdict
        .detectors
        .iter()
        .filter(|finding| finding.fired)
        .map(|finding| finding.severity)
        .max();
    (
        verdict.verdict == Standing::Stalled,
        fired,
        verdict.gate,
        verdict.stall_count,
    )
}

fn standing(verdict: &Verdict) -> Option<GateStanding> {
    Some(GateStanding {
        name: verdict.name.clone().unwrap_or_default(),
        gate: verdict.gate?,
        verdict: verdict.verdict,
        stall_count: verdict.stall_count,
        fingerprint: verdict.fingerprint.clone(),
        recommend: verdict.recommend.clone(),
    })
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn recommend(worst: Option<Severity>) -> &'static str {
    match worst {
        None | Some(Severity::Note) => "continue",
        Some(Severity::Rerun) => "rerun",
        Some(Severity::SwitchStrategy) => "switch-strategy",
        Some(Severity::Escalate) => "escalate",
        Some(Severity::Stop) => "stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors;

    fn asked() -> Asked {
        Asked {
            detectors: detectors::ALL.to_vec(),
            config: Config {
                k: 3,
                escalates_at_once: false,
            },
        }
    }

    fn verdict(history: &History) -> Verdict {
        judge(history, &asked(), Vec::new(), Instant(0))
    }

    fn check(story: &str, standing: Standing, recommend: &str, stall_count: u64) {
        let verdict = verdict(&History::told(story));
        assert_eq!(
            (
                verdict.verdict,
                verdict.recommend.as_str(),
                verdict.stall_count
            ),
            (standing, recommend, stall_count),
            "{story}"
        );
    }

    #[test]
    fn the_worst_finding_is_the_verdict() {
        check("", Standing::Progress, "continue", 0);
        check("a a", Standing::Progress, "continue", 2);
        check("a a a", Standing::Stalled, "switch-strategy", 3);
        check("a b a b", Standing::Stalled, "switch-strategy", 3);
        check("a b a b a b a", Standing::Stalled, "escalate", 6);
        check("a a a .", Standing::Progress, "continue", 0);
    }

    #[test]
    fn an_acknowledged_verdict_counts_anew() {
        let mut history = History::told("a a a a a a");
        assert_eq!(verdict(&history).recommend, "escalate");
        history.acknowledged = 6;
        assert_eq!(verdict(&history).recommend, "continue");
        let mut later = History::told("a a a a a a a a");
        later.acknowledged = 6;
        assert_eq!(
            (
                verdict(&later).recommend.as_str(),
                verdict(&later).stall_count
            ),
            ("continue", 2)
        );
        let mut again = History::told("a a a a a a a a a");
        again.acknowledged = 6;
        assert_eq!(verdict(&again).recommend, "switch-strategy");
    }

    #[test]
    fn an_ack_of_nothing_changes_nothing() {
        let mut history = History::told("a a a");
        history.acknowledged = 2;
        assert_eq!(verdict(&history).verdict, Standing::Stalled);
    }

    #[test]
    fn a_turn_is_as_bad_as_its_worst_gate() {
        let gate = |name: &str, story: &str| {
            verdict(&History {
                name: name.to_owned(),
                ..History::told(story)
            })
        };
        let turn = of_gates(vec![
            gate("lint", "."),
            gate("test", "a a a"),
            gate("doc", "b"),
        ])
        .unwrap();
        assert_eq!(
            (turn.name.as_deref(), turn.verdict),
            (Some("test"), Standing::Stalled)
        );
        assert_eq!(turn.gates.len(), 3);
        let alone = of_gates(vec![gate("", "a")]).unwrap();
        assert!(alone.gates.is_empty());
        assert!(of_gates(Vec::new()).is_none());
    }

    #[test]
    fn damage_inside_the_streak_is_said() {
        let mut history = History::told("b a a a");
        history.damaged_after = vec![3, 2, 0, 0];
        assert!(
            verdict(&history)
                .reason
                .ends_with("(unsure: 2 damaged lines in between)")
        );
        history.damaged_after = vec![3, 0, 0, 0];
        assert!(!verdict(&history).reason.contains("damaged"));
    }
}
