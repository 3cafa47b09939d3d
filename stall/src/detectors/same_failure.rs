//! The last k attempts failed alike, and no failure among them became rarer.

use ledger::history::History;
use ledger::record::Finding;

use super::{Detector, Streak, times};
use crate::Config;

pub(super) const DETECTOR: Detector = Detector {
    name: "same-failure",
    looks_for: "the same failure k times in a row",
    find,
};

fn find(history: &History, config: &Config) -> Finding {
    let count = history.streak();
    let escalates_at = if config.escalates_at_once {
        config.k + 1
    } else {
        config.k * 2
    };
    let reason = match history.last() {
        Some(last) if count > 0 => format!("failed as {} {}", last.fingerprint, times(count)),
        Some(last) if last.passed() => "the gate passed".to_owned(),
        Some(_) if history.counted_from > 0 => "nothing new since it was acknowledged".to_owned(),
        Some(_) => "the failure has no name".to_owned(),
        None => "no attempt".to_owned(),
    };
    Streak {
        detector: DETECTOR.name,
        count,
        threshold: config.k,
        escalates_at,
    }
    .finding(reason)
}

#[cfg(test)]
mod tests {
    use ledger::record::Severity;

    use super::*;

    fn check(story: &str, fired: bool, count: u64, severity: Severity) {
        let finding = find(
            &History::told(story),
            &Config {
                k: 3,
                escalates_at_once: false,
            },
        );
        assert_eq!(
            (finding.fired, finding.count, finding.severity),
            (fired, count, severity),
            "{story}"
        );
    }

    #[test]
    fn it_fires_at_the_third_and_escalates_at_the_sixth() {
        check("b a a a", true, 3, Severity::SwitchStrategy);
        check("a a a a a", true, 5, Severity::SwitchStrategy);
        check("a a a a a a", true, 6, Severity::Escalate);
        let finding = find(
            &History::told("a a a a"),
            &Config {
                k: 3,
                escalates_at_once: true,
            },
        );
        assert_eq!(finding.severity, Severity::Escalate);
    }

    #[test]
    fn it_misses_what_is_not_the_same() {
        check("a a", false, 2, Severity::SwitchStrategy);
        check("a a b a", false, 1, Severity::SwitchStrategy);
        check("a a a .", false, 0, Severity::SwitchStrategy);
        check("a a . a", false, 1, Severity::SwitchStrategy);
        check("a ? a a", false, 2, Severity::SwitchStrategy);
        check("? ? ?", false, 0, Severity::SwitchStrategy);
        check("", false, 0, Severity::SwitchStrategy);
    }

    #[test]
    fn fewer_of_the_same_failure_is_progress() {
        check("a*9 a*8 a*7 a*6", false, 1, Severity::SwitchStrategy);
        check("a*9 a*8 a*8 a*8", true, 3, Severity::SwitchStrategy);
        check("a*7 a*8 a*9", true, 3, Severity::SwitchStrategy);
    }
}
