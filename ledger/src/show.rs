//! Records as people read them, a line each.

use serde::Deserialize;

use crate::edge::Style;
use crate::line;
use crate::record::{Attempt, Gate, Head, Kind};
use crate::text::{shortened, visible};

#[derive(Deserialize)]
struct Said {
    reason: Option<String>,
    note: Option<String>,
    direction: Option<String>,
    stale_count: Option<u64>,
    pivot: Option<String>,
    duplicate: Option<bool>,
}

/// Shows a stored record on one line: number, time, run and gate, what it is, what it says.
#[must_use]
pub fn record(text: &str, style: Style) -> String {
    let bytes = text.as_bytes();
    let Ok(head) = line::view::<Head<'_>>(bytes) else {
        return visible(text).into_owned();
    };
    let kind = head.known_kind();
    let mut words = vec![
        style.dim(
            &head
                .seq
                .map_or_else(|| "-".to_owned(), |seq| format!("#{seq}")),
        ),
        style.dim(
            head.ts
                .as_deref()
                .and_then(|ts| ts.get(..19))
                .unwrap_or("-"),
        ),
    ];
    let history = [head.run_name(), head.gate_name()]
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>();
    if !history.is_empty() {
        words.push(visible(&history.join("/")).into_owned());
    }
    match (kind, line::view::<Attempt<'_>>(bytes)) {
        (Some(Kind::Attempt), Ok(attempt)) => words.extend(of_attempt(&attempt, style)),
        _ => words.push(visible(head.kind.as_deref().unwrap_or("record")).into_owned()),
    }
    if let Ok(said) = line::view::<Said>(bytes) {
        words.extend(
            said.stale_count
                .map(|count| format!("{count} without findings")),
        );
        words.extend(
            said.pivot
                .filter(|pivot| pivot != "none")
                .map(|pivot| style.warm(&visible(&pivot))),
        );
        let texts = [said.reason, said.direction, said.note]
            .into_iter()
            .flatten();
        words.extend(texts.map(|text| shortened(&visible(&text), 100).into_owned()));
        words.extend(said.duplicate.map(|_| style.dim("(stored before)")));
    }
    words.join("  ")
}

fn of_attempt(attempt: &Attempt<'_>, style: Style) -> Vec<String> {
    let number = attempt
        .iteration
        .map_or_else(String::new, |iteration| format!(" {iteration}"));
    let gate = match attempt.outcome() {
        Gate::Pass => style.good("pass"),
        Gate::Fail => style.bad("fail"),
        Gate::Blocked => style.warm("blocked"),
    };
    let mut words = vec![format!("attempt{number}"), gate];
    let texts = [&attempt.fingerprint, &attempt.stage, &attempt.action]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty());
    words.extend(texts.map(|text| shortened(&visible(text), 70).into_owned()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(record(text, Style::plain()), expected);
    }

    #[test]
    fn a_record_is_one_harmless_line() {
        check(
            r#"{"v":1,"ts":"2026-11-12T07:00:00.000Z","run":"auth","kind":"attempt","name":"test","gate":"fail","fingerprint":"9f3c11d0a2b4","action":"pin\n\u001b[31mnumpy","iteration":3,"seq":41,"crc":"00000000"}"#,
            "#41  2026-11-12T07:00:00  auth/test  attempt 3  fail  9f3c11d0a2b4  pin numpy",
        );
        check(r#"{"kind":"ack","note":"rotated"}"#, "-  -  ack  rotated");
        check(
            r#"{"new_findings":0,"stale_count":2,"pivot":"structural"}"#,
            "-  -  record  2 without findings  structural",
        );
    }
}
