//! Which records of a ledger somebody wants to see.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::history;
use crate::line::view;
use crate::record::{Head, Kind};
use crate::time::Instant;

/// How many records in a row that are too old end a search from the end: records keep the time that they came with, so one
/// may be older than those before it.
const OLDER_MAX: u64 = 1000;

/// A field that must have a value, as text or as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    /// The field.
    pub name: String,
    /// The value as text.
    pub text: String,
    /// The value as JSON, if it is that too.
    pub json: Option<Value>,
}

impl Where {
    /// Reads `field=value`.
    ///
    /// # Errors
    ///
    /// If it is not of that form.
    pub fn parse(text: &str) -> Result<Where, String> {
        match text.split_once('=') {
            Some((name, text)) if !name.is_empty() => Ok(Where {
                name: name.to_owned(),
                text: text.to_owned(),
                json: serde_json::from_str(text).ok(),
            }),
            _ => Err("not of the form FIELD=VALUE".to_owned()),
        }
    }

    /// Whether a record with this value, or without the field, is wanted; an empty text is the same as no field.
    fn takes(&self, value: Option<&RawValue>) -> bool {
        let Some(value) = value else {
            return self.text.is_empty();
        };
        let Ok(value) = serde_json::from_str::<Value>(value.get()) else {
            return false;
        };
        let same_number = || {
            let ours = self.json.as_ref().and_then(Value::as_f64);
            ours.is_some() && ours == value.as_f64()
        };
        value.as_str() == Some(&self.text) || self.json.as_ref() == Some(&value) || same_number()
    }
}

/// What somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Records of this run.
    pub run: Option<String>,
    /// Records of this kind.
    pub kind: Option<Kind>,
    /// Records with these values.
    pub fields: Vec<Where>,
    /// Records of this time or later; those without a time are of any.
    pub since: Option<Instant>,
}

/// What a line is to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A wanted record.
    Wanted,
    /// A record that is not wanted, or a blank line.
    Other,
    /// A record from before the time wanted.
    Older,
    /// No record.
    Damaged,
}

impl Wanted {
    /// Looks at a line.
    ///
    /// # Errors
    ///
    /// If it is a record of a newer schema.
    pub fn take(&self, line: &[u8]) -> io::Result<Taken> {
        if line.trim_ascii().is_empty() {
            return Ok(Taken::Other);
        }
        let Some(head) = history::take(line)? else {
            return Ok(Taken::Damaged);
        };
        if self.is_older(&head) {
            return Ok(Taken::Older);
        }
        let wanted = self.run.as_deref().is_none_or(|run| run == head.run_name())
            && (self.kind.is_none() || self.kind == head.known_kind())
            && self.has_fields(line);
        Ok(if wanted { Taken::Wanted } else { Taken::Other })
    }

    fn is_older(&self, head: &Head<'_>) -> bool {
        let Some(since) = self.since else {
            return false;
        };
        let at = head.ts.as_deref().and_then(Instant::parse);
        at.is_some_and(|at| at < since)
    }

    fn has_fields(&self, line: &[u8]) -> bool {
        if self.fields.is_empty() {
            return true;
        }
        let Ok(members) = view::<BTreeMap<Cow<'_, str>, &RawValue>>(line) else {
            return false;
        };
        let takes = |field: &Where| field.takes(members.get(field.name.as_str()).copied());
        self.fields.iter().all(takes)
    }
}

/// Counts the wanted records from the end of a ledger, until there are enough.
#[derive(Clone, Debug)]
pub struct Countdown {
    left: u64,
    older: u64,
}

impl Countdown {
    /// So many are enough.
    #[must_use]
    pub fn new(count: u64) -> Countdown {
        Countdown {
            left: count,
            older: 0,
        }
    }

    /// Counts a line; says whether lines further back are worth looking at.
    pub fn go_on(&mut self, taken: Taken) -> bool {
        match taken {
            Taken::Wanted => self.left = self.left.saturating_sub(1),
            Taken::Older => {
                self.older += 1;
                return self.older < OLDER_MAX;
            }
            Taken::Other | Taken::Damaged => {}
        }
        if taken != Taken::Damaged {
            self.older = 0;
        }
        self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, expected: bool) {
        let line = br#"{"v":1,"kind":"attempt","ts":"2026-11-12T07:00:00Z","gate":"fail","iteration":3,"timed_out":true,"name":"","sigs":[["a",1]],"note":"3","n":1.50}"#;
        let wanted = Wanted {
            fields: vec![Where::parse(field).unwrap()],
            ..Wanted::default()
        };
        assert_eq!(
            wanted.take(line).unwrap() == Taken::Wanted,
            expected,
            "{field}"
        );
    }

    #[test]
    fn a_field_is_compared_as_text_or_as_json() {
        check("gate=fail", true);
        check("gate=\"fail\"", true);
        check("gate=pass", false);
        check("iteration=3", true);
        check("iteration=3.0", true);
        check("iteration=\"3\"", false);
        check("note=3", true);
        check("n=1.5", true);
        check("timed_out=true", true);
        check("sigs=[[\"a\",1]]", true);
        check("name=", true);
        check("action=", true);
        check("gate=", false);
        check("action=x", false);
        assert!(Where::parse("gate").is_err() && Where::parse("=x").is_err());
    }

    #[test]
    fn what_is_older_is_not_wanted_and_ends_the_search_in_the_end() {
        let wanted = Wanted {
            since: Instant::parse("2026-11-12T07:00:00Z"),
            ..Wanted::default()
        };
        let take = |ts: &str| {
            wanted
                .take(format!("{{\"kind\":\"ack\"{ts}}}").as_bytes())
                .unwrap()
        };
        assert_eq!(take(",\"ts\":\"2026-11-12T07:00:00Z\""), Taken::Wanted);
        assert_eq!(take(",\"ts\":\"2026-11-12T06:59:59Z\""), Taken::Older);
        assert_eq!(take(""), Taken::Wanted);
        assert_eq!(wanted.take(b"x").unwrap(), Taken::Damaged);
        let mut countdown = Countdown::new(5);
        assert!((1..OLDER_MAX).all(|_| countdown.go_on(Taken::Older)));
        assert!(!countdown.go_on(Taken::Older));
        let mut countdown = Countdown::new(2);
        assert!(countdown.go_on(Taken::Wanted) && countdown.go_on(Taken::Other));
        assert!(!countdown.go_on(Taken::Wanted));
    }
}
