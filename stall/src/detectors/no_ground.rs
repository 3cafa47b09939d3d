//! Attempts go by and none gains ground: cycles, growing failures and detours included.
//!
//! An attempt gains ground when it passes, or when what failed was not all failing before: its failures, as a multiset,
//! do not include those of an earlier failing attempt in the window. One fewer of the same kind is a gain; the same set
//! after a detour is none; more failures on top of an old set are none.

use ledger::history::{Attempt, History};
use ledger::record::Finding;

use super::{Detector, Streak};
use crate::Config;

pub(super) const DETECTOR: Detector = Detector {
    name: "no-ground",
    looks_for: "k attempts in which nothing new was solved",
    find,
};

fn find(history: &History, config: &Config) -> Finding {
    let count = attempts_since_gain(history);
    let reason = match history.last() {
        None => "no attempt".to_owned(),
        Some(last) if last.passed() => "the gate passed".to_owned(),
        Some(_) if history.counted_from > 0 && count == 0 => {
            "nothing new since it was acknowledged".to_owned()
        }
        Some(_) if count <= 1 => "the last attempt gained ground".to_owned(),
        Some(_) => format!("{count} attempts since ground was last gained, that one included"),
    };
    // A pass is the end of a loop, not a loop without ground, however small k is.
    let passed = history.last().is_none_or(Attempt::passed);
    let count = if passed { 0 } else { count };
    Streak {
        detector: DETECTOR.name,
        count,
        threshold: config.k,
        escalates_at: config.k * 2,
    }
    .finding(reason)
}

/// How many attempts there are from the last one that gained ground on, it included.
fn attempts_since_gain(history: &History) -> u64 {
    let attempts = &history.attempts;
    let gained = (0..attempts.len())
        .rev()
        .find(|index| gains(history, *index))
        .unwrap_or(0);
    (attempts.len() - gained.max(history.counted_from)) as u64
}

fn gains(history: &History, index: usize) -> bool {
    let Some((attempt, earlier)) = history.attempts.get(..=index).and_then(<[_]>::split_last)
    else {
        return false;
    };
    let includes = |old: &&Attempt| !old.passed() && attempt.failures.includes(&old.failures);
    attempt.passed() || !earlier.iter().rev().any(|old| includes(&old))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(story: &str, expected: &str) {
        let words: Vec<&str> = story.split_whitespace().collect();
        let config = Config {
            k: 3,
            escalates_at_once: false,
        };
        let stuck: Vec<String> = (1..=words.len())
            .filter(|end| find(&History::told(&words[..*end].join(" ")), &config).fired)
            .map(|end| end.to_string())
            .collect();
        assert_eq!(stuck.join(" "), expected, "{story}");
    }

    #[test]
    fn it_fires_where_nothing_is_solved() {
        check("a a a a", "3 4");
        check("a b a b", "4");
        check("a b c a b c", "5 6");
        check("a ab abc", "3");
        check("a . a a", "4");
        check("? ? ?", "3");
    }

    #[test]
    fn it_misses_a_slow_repair() {
        check("a a b b c c", "");
        check("abc ab a .", "");
        check("a*9 a*9 a*8 a*8 a*7", "");
        check("a . a . a .", "");
        check("abc x bc x c", "");
        check("ab b ab a", "");
    }

    #[test]
    fn one_attempt_is_enough_for_k_1_but_a_pass_never_is() {
        let config = Config {
            k: 1,
            escalates_at_once: false,
        };
        assert!(find(&History::told("a"), &config).fired);
        assert!(!find(&History::told("a ."), &config).fired);
        assert!(!find(&History::told(""), &config).fired);
    }
}
