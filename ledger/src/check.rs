//! Whether a ledger is sound: one pass over its lines, in memory that does not grow with it.
//!
//! A line is sound if its checksum agrees with it, or if it never had one and a reader can use it. Numbers follow by the rule
//! of the writer: a record has the number after that of the last verified one, plus one for every line in between; only of a
//! damaged line it cannot be told whether it had a number, for a torn one that the next writer closed had none.

use std::cmp::Ordering;

use serde::Serialize;

use crate::line::{BadLine, view};
use crate::read::Found;
use crate::record::{Attempt, Checkpoint, Head, Kind, SCHEMA};
use crate::seal;

/// How many places a report names of every sort.
const PLACES_MAX: usize = 20;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Its checksum does not agree with it.
    Crc,
    /// It has a number that this ledger gave, and no checksum any more.
    Unsealed,
    /// It has no checksum, and is no JSON object in UTF-8.
    NotJson,
    /// It has no checksum, and a field with a value that it cannot have.
    BadField,
    /// It is longer than any reader takes.
    TooLong,
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Numbers are missing before it.
    Gap {
        /// How many.
        missing: u64,
    },
    /// It was there before.
    Repeat,
    /// It is smaller than those before it.
    Order,
}

/// What one line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is wrong with it.
    Sound,
    /// It is no record any more.
    Damaged(Damage),
    /// It is a record, and its number is not one that can follow.
    Fault(Fault),
}

/// A place where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The sealed segment that it is in; absent in the ledger's own file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The line, counted from 1.
    pub line: u64,
    /// Where the line begins, in bytes from the start of the file.
    pub offset: u64,
    /// How long the line is, in bytes, without its newline.
    pub bytes: u64,
    /// What is wrong with a damaged line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<Damage>,
    /// The number of a line whose number is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The good beginning of a ledger: everything before what is wrong first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prefix {
    /// How many records it has.
    pub records: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The ledger.
    pub ledger: String,
    /// Whether nothing is wrong; a torn tail is not.
    pub sound: bool,
    /// How many sealed segments were checked with it.
    pub segments: u64,
    /// Records: lines that a reader can use.
    pub records: u64,
    /// Of these, those with a checksum that agrees.
    pub verified: u64,
    /// Of these, those that never had one.
    pub unverified: u64,
    /// The first and the last number; absent without a verified record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seq: Option<u64>,
    /// The last number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
    /// How much was checked, in bytes.
    pub bytes: u64,
    /// Everything before what is wrong first.
    pub good_prefix: Prefix,
    /// What follows the last newline, in bytes: in flight, or left by a writer that was killed.
    pub torn_tail_bytes: u64,
    /// Lines that are no record any more.
    pub damaged: u64,
    /// How many of these have a checksum that does not agree.
    pub crc_failures: u64,
    /// How many numbers are missing.
    pub missing: u64,
    /// How many times numbers are missing.
    pub gaps: u64,
    /// How many numbers were there before.
    pub repeats: u64,
    /// How many times numbers begin again below those before.
    pub out_of_order: u64,
    /// Records of a newer schema than this version knows.
    pub newer: u64,
    /// The first places of damaged lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged_at: Vec<Place>,
    /// The first places of wrong numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong_numbers_at: Vec<Place>,
}

/// A check, as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Check {
    report: Report,
    segment: Option<String>,
    line: u64,
    offset: u64,
    /// The last number, and the first one of those that rise up to it.
    last: Option<(u64, u64)>,
    /// Lines since then that may have had a number.
    since: u64,
    is_bad: bool,
}

impl Check {
    /// A check of a ledger from its beginning.
    #[must_use]
    pub fn new() -> Check {
        Check::default()
    }

    /// A check of a sealed segment alone, whose first line has the number `first`.
    #[must_use]
    pub fn of_segment(first: u64) -> Check {
        Check {
            last: first.checked_sub(1).map(|before| (before, before)),
            ..Check::default()
        }
    }

    /// Goes on in another file: a sealed segment, or the ledger's own.
    pub fn begin(&mut self, segment: Option<String>) {
        self.report.segments += u64::from(segment.is_some());
        self.segment = segment;
        self.line = 0;
        self.offset = 0;
    }

    /// The last number that was seen.
    #[must_use]
    pub fn last_number(&self) -> Option<u64> {
        self.last.map(|(last, _)| last)
    }

    /// Checks one complete line.
    pub fn line(&mut self, found: Found<'_>) -> Seen {
        self.line += 1;
        let seen = match found {
            Found::Line(line) if line.trim_ascii().is_empty() => Seen::Sound,
            Found::Line(line) => self.text(line),
            Found::TooLong(_) => Seen::Damaged(Damage::TooLong),
        };
        let bytes = found.len();
        if seen != Seen::Sound {
            self.note(seen, bytes);
        }
        self.offset += bytes + 1;
        self.report.bytes += bytes + 1;
        if !self.is_bad {
            self.report.good_prefix = Prefix {
                records: self.report.records,
                bytes: self.report.bytes,
            };
        }
        seen
    }

    fn text(&mut self, line: &[u8]) -> Seen {
        match seal::verify(line) {
            Err(_) => Seen::Damaged(Damage::Crc),
            Ok(Some(seq)) => {
                self.report.records += 1;
                self.report.verified += 1;
                // Only a line by another hand, or of another version, has to be looked into.
                if !line.starts_with(br#"{"v":1,"#) && is_newer(line) {
                    self.report.newer += 1;
                    self.is_bad = true;
                }
                self.number(seq, line)
            }
            Ok(None) => match readable(line) {
                Ok(Some(seq)) if self.could_be(seq) => Seen::Damaged(Damage::Unsealed),
                Ok(_) => {
                    self.report.records += 1;
                    self.report.unverified += 1;
                    self.since += 1;
                    Seen::Sound
                }
                Err(damage) => Seen::Damaged(damage),
            },
        }
    }

    /// Whether the next record of this ledger could have this number.
    fn could_be(&self, seq: u64) -> bool {
        let before = self.last_number().unwrap_or(0);
        seq > before && seq <= before.saturating_add(1).saturating_add(self.since)
    }

    fn number(&mut self, seq: u64, line: &[u8]) -> Seen {
        let before = self.last.map_or(0, |(last, _)| last);
        let may_be = before.saturating_add(1).saturating_add(self.since);
        self.since = 0;
        self.report.first_seq = self.report.first_seq.or(Some(seq));
        self.report.last_seq = Some(seq);
        let first = match self.last {
            Some((_, first)) if seq > before => first,
            Some((_, first)) if seq >= first => first,
            _ => seq,
        };
        let fault = match (self.last, seq.cmp(&before)) {
            (_, Ordering::Greater) if seq <= may_be => None,
            // What a checkpoint speaks of may be gone.
            (None, _) if self.line == 1 && Checkpoint::begins(Some(line)).is_some() => None,
            (_, Ordering::Greater) => Some(Fault::Gap {
                missing: seq - may_be,
            }),
            _ if self.last.is_some_and(|(_, first)| seq >= first) => Some(Fault::Repeat),
            _ => Some(Fault::Order),
        };
        self.last = Some((seq, first));
        fault.map_or(Seen::Sound, Seen::Fault)
    }

    fn note(&mut self, seen: Seen, bytes: u64) {
        self.is_bad = true;
        let mut place = Place {
            segment: self.segment.clone(),
            line: self.line,
            offset: self.offset,
            bytes,
            what: None,
            seq: None,
            fault: None,
        };
        let report = &mut self.report;
        let places = match seen {
            Seen::Sound => return,
            Seen::Damaged(damage) => {
                self.since += 1;
                report.damaged += 1;
                report.crc_failures += u64::from(damage == Damage::Crc);
                place.what = Some(damage);
                &mut report.damaged_at
            }
            Seen::Fault(fault) => {
                match fault {
                    Fault::Gap { missing } => {
                        report.gaps += 1;
                        report.missing += missing;
                    }
                    Fault::Repeat => report.repeats += 1,
                    Fault::Order => report.out_of_order += 1,
                }
                place.seq = report.last_seq;
                place.fault = Some(fault);
                &mut report.wrong_numbers_at
            }
        };
        if places.len() < PLACES_MAX {
            places.push(place);
        }
    }

    /// The report on a ledger of this name, behind whose last newline so many bytes follow.
    #[must_use]
    pub fn finish(self, ledger: &str, torn_tail_bytes: u64) -> Report {
        Report {
            ledger: ledger.to_owned(),
            sound: !self.is_bad,
            torn_tail_bytes,
            ..self.report
        }
    }
}

fn is_newer(line: &[u8]) -> bool {
    view::<Head<'_>>(line).is_ok_and(|head| head.v.is_some_and(|v| v > SCHEMA))
}

/// Whether a reader can use a line that has no checksum; the number that it has all the same.
fn readable(line: &[u8]) -> Result<Option<u64>, Damage> {
    let checked = view::<Head<'_>>(line).and_then(|head| match head.known_kind() {
        Some(Kind::Attempt) => view::<Attempt<'_>>(line).map(|_| head.seq),
        _ => Ok(head.seq),
    });
    checked.map_err(|why| match why {
        BadLine::BadField(_) => Damage::BadField,
        _ => Damage::NotJson,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Forwards;

    fn sealed(seq: u64) -> String {
        seal::seal(r#"{"v":1,"kind":"ack"}"#, seq)
    }

    fn check(story: &str) -> Report {
        let text: String = story
            .split_whitespace()
            .map(|word| match word.parse::<u64>() {
                Ok(seq) => sealed(seq) + "\n",
                Err(_) if word == "_" => "{\"kind\":\"ack\"}\n".to_owned(),
                Err(_) if word == "-" => "\n".to_owned(),
                Err(_) => "garbage\n".to_owned(),
            })
            .collect();
        let mut check = Check::new();
        let mut lines = Forwards::new(text.as_bytes());
        while let Some(found) = lines.next().unwrap() {
            check.line(found);
        }
        check.finish("x", 0)
    }

    fn check_numbers(story: &str, gaps_missing_repeats_order: (u64, u64, u64, u64)) {
        let report = check(story);
        let found = (
            report.gaps,
            report.missing,
            report.repeats,
            report.out_of_order,
        );
        assert_eq!(found, gaps_missing_repeats_order, "{story}");
        let sound = gaps_missing_repeats_order == (0, 0, 0, 0) && report.damaged == 0;
        assert_eq!(report.sound, sound, "{story}");
    }

    #[test]
    fn numbers_follow_by_the_rule_of_the_writer() {
        check_numbers("", (0, 0, 0, 0));
        check_numbers("1 2 3", (0, 0, 0, 0));
        check_numbers("_ - 2 _ _ 5", (0, 0, 0, 0));
        // A line that somebody put in later had no number.
        check_numbers("1 _ 2", (0, 0, 0, 0));
        check_numbers("1 x 2", (0, 0, 0, 0));
        check_numbers("1 x 3", (0, 0, 0, 0));
        check_numbers("1 x 4", (1, 1, 0, 0));
        check_numbers("1 4 5", (1, 2, 0, 0));
        check_numbers("3 4", (1, 2, 0, 0));
        check_numbers("1 2 2 3", (0, 0, 1, 0));
        check_numbers("1 2 3 2 3 4", (0, 0, 1, 0));
        check_numbers("5 3 4", (1, 4, 0, 1));
    }

    #[test]
    fn the_good_prefix_ends_before_what_is_wrong_first() {
        let report = check("1 2 x 4");
        let bytes = 2 * (sealed(1).len() as u64 + 1);
        assert_eq!(report.good_prefix, Prefix { records: 2, bytes });
        assert_eq!((report.records, report.damaged), (3, 1));
        let [place] = report.damaged_at.as_slice() else {
            panic!("{report:?}");
        };
        assert_eq!(
            (place.line, place.offset, place.what),
            (3, bytes, Some(Damage::NotJson))
        );
        assert_eq!(check("1 2").good_prefix.records, 2);
    }

    #[test]
    fn what_no_reader_can_use_is_damaged() {
        for (text, damage) in [
            ("[]", Damage::NotJson),
            ("3", Damage::NotJson),
            ("{\"a\":1", Damage::NotJson),
            ("{\"kind\":7}", Damage::BadField),
            ("{\"gate\":[]}", Damage::BadField),
            ("{\"a\":1,\"seq\":1,\"crc\":\"00000000\"}", Damage::Crc),
        ] {
            let seen = Check::new().line(Found::Line(text.as_bytes()));
            assert_eq!(seen, Seen::Damaged(damage), "{text}");
        }
        assert_eq!(
            Check::new().line(Found::TooLong(9)),
            Seen::Damaged(Damage::TooLong)
        );
        assert_eq!(
            Check::new().line(Found::Line(b"{\"kind\":\"of-tomorrow\"}")),
            Seen::Sound
        );
    }

    #[test]
    fn a_newer_schema_is_said() {
        let mut check = Check::new();
        check.line(Found::Line(seal::seal(r#"{"v":2}"#, 1).as_bytes()));
        let report = check.finish("x", 0);
        assert_eq!((report.newer, report.sound), (1, false));
    }
}
