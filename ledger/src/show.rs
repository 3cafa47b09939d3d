//! Records as people read them, a line each.

use serde::Deserialize;

use crate::check::{Damage, Fault, Place, Report};
use crate::edge::Style;
use crate::line;
use crate::record::{Attempt, Gate, Head, Kind};
use crate::text::{counted, shortened, visible};

#[derive(Deserialize)]
struct Said {
    verdict: Option<String>,
    decision: Option<String>,
    reason: Option<String>,
    note: Option<String>,
    direction: Option<String>,
    stale_count: Option<u64>,
    pivot: Option<String>,
    duplicate: Option<bool>,
    sealed: Option<String>,
    removed_bytes: Option<u64>,
    copy: Option<String>,
}

/// A stored record, in the columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number, time, run and gate, what it is, how it ended, what failed; empty where it does not say.
    columns: [Cell; COLUMNS],
    /// What else it says.
    words: Vec<String>,
}

const COLUMNS: usize = 6;

/// Text as it is counted, and as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cell {
    width: usize,
    shown: String,
}

impl Cell {
    fn new(text: &str, paint: impl Fn(&str) -> String) -> Cell {
        Cell {
            width: text.chars().count(),
            shown: if text.is_empty() {
                String::new()
            } else {
                paint(text)
            },
        }
    }

    fn plain(text: &str) -> Cell {
        Cell::new(text, str::to_owned)
    }
}

impl Row {
    /// Takes what people want to see of a stored record.
    #[must_use]
    pub fn of(text: &str, style: Style) -> Row {
        let bytes = text.as_bytes();
        let Ok(head) = line::view::<Head<'_>>(bytes) else {
            return Row {
                columns: Default::default(),
                words: vec![visible(text).into_owned()],
            };
        };
        let number = head
            .seq
            .map_or_else(|| "-".to_owned(), |seq| format!("#{seq}"));
        let time = head
            .ts
            .as_deref()
            .and_then(|ts| ts.get(..19))
            .unwrap_or("-");
        let history = [head.run_name(), head.gate_name()]
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>();
        let kind = Cell::plain(&visible(head.kind.as_deref().unwrap_or("record")));
        let (what, mut outcome, failure, mut words) =
            match (head.known_kind(), line::view::<Attempt<'_>>(bytes)) {
                (Some(Kind::Attempt), Ok(attempt)) => of_attempt(&attempt, style),
                _ => (kind, Cell::default(), Cell::default(), Vec::new()),
            };
        if let Ok(said) = line::view::<Said>(bytes) {
            if let Some(verdict) = said.verdict.as_ref().or(said.decision.as_ref()) {
                outcome = Cell::new(&visible(verdict), |text| style.bold(text));
            }
            words.extend(said.words(style));
        }
        Row {
            columns: [
                Cell::new(&number, |text| style.dim(text)),
                Cell::new(&visible(time), |text| style.dim(text)),
                Cell::plain(&visible(&history.join("/"))),
                what,
                outcome,
                failure,
            ],
            words,
        }
    }
}

impl Said {
    fn words(self, style: Style) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(
            self.stale_count
                .map(|count| format!("{count} without findings")),
        );
        let pivot = self.pivot.filter(|pivot| pivot != "none");
        words.extend(pivot.map(|pivot| style.warm(&visible(&pivot))));
        words.extend(
            self.sealed
                .map(|name| format!("goes on from {}", visible(&name))),
        );
        let removed = self.removed_bytes.filter(|bytes| *bytes > 0);
        words.extend(removed.map(|bytes| format!("took out {}", counted(bytes, "damaged byte"))));
        let copy = self.copy.filter(|_| removed.is_some());
        words.extend(copy.map(|copy| format!("kept in {}", visible(&copy))));
        let texts = [self.reason, self.direction, self.note]
            .into_iter()
            .flatten();
        words.extend(texts.map(|text| shortened(&visible(&text), 100).into_owned()));
        words.extend(self.duplicate.map(|_| style.dim("(stored before)")));
        words
    }
}

fn of_attempt(attempt: &Attempt<'_>, style: Style) -> (Cell, Cell, Cell, Vec<String>) {
    let number = attempt
        .iteration
        .map_or_else(String::new, |iteration| format!(" {iteration}"));
    let outcome = attempt.outcome();
    let gate = Cell::new(outcome.as_str(), |text| match outcome {
        Gate::Pass => style.good(text),
        Gate::Fail => style.bad(text),
        Gate::Blocked => style.warm(text),
    });
    let short = |text: &str| shortened(&visible(text), 70).into_owned();
    let failure = short(attempt.fingerprint.as_deref().unwrap_or_default());
    let words = [&attempt.stage, &attempt.action]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .map(|text| short(text))
        .collect();
    (
        Cell::plain(&format!("attempt{number}")),
        gate,
        Cell::plain(&failure),
        words,
    )
}

/// Shows a stored record on one line: number, time, run and gate, what it is, what it says.
#[must_use]
pub fn record(text: &str, style: Style) -> String {
    let row = Row::of(text, style);
    let columns = row.columns.into_iter().map(|cell| cell.shown);
    let words = columns.chain(row.words).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("  ")
}

/// Columns as wide as the records seen need them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    widths: [usize; COLUMNS],
}

/// No column is made wider than this for the sake of one record.
const WIDTH_MAX: usize = 32;

impl Table {
    /// Makes room for a record.
    pub fn fit(&mut self, row: &Row) {
        for (width, cell) in self.widths.iter_mut().zip(&row.columns) {
            *width = (*width).max(cell.width.min(WIDTH_MAX));
        }
    }

    /// A record in its columns; one that no record so far needs takes no room.
    #[must_use]
    pub fn line(&self, row: &Row) -> String {
        let mut line = String::new();
        for (width, cell) in self.widths.iter().zip(&row.columns) {
            if *width > 0 || cell.width > 0 {
                line += &cell.shown;
                line += &" ".repeat(width.saturating_sub(cell.width) + 2);
            }
        }
        line += &row.words.join("  ");
        line.truncate(line.trim_end().len());
        line
    }
}

/// Shows whether a ledger is sound: the answer first, then what it rests on.
#[must_use]
pub fn report(report: &Report, style: Style) -> String {
    let answer = if report.sound {
        style.good("sound")
    } else {
        style.bad("DAMAGED")
    };
    let numbers = match (report.first_seq, report.last_seq) {
        (Some(first), Some(last)) => format!(", #{first} to #{last}"),
        _ => String::new(),
    };
    let mut lines = vec![
        format!("{answer}  {}", visible(&report.ledger)),
        format!(
            "  records      {} in {}{numbers}",
            report.records,
            counted(report.bytes, "byte")
        ),
    ];
    let mut say = |count: u64, lead: &str, text: String| {
        if count > 0 {
            lines.push(format!("  {lead:<11}  {text}"));
        }
    };
    say(
        report.segments,
        "segments",
        format!("{} before the file", report.segments),
    );
    say(
        report.unverified,
        "unverified",
        format!("{} without a checksum", report.unverified),
    );
    let tail = counted(report.torn_tail_bytes, "byte");
    say(
        report.torn_tail_bytes,
        "torn tail",
        format!("{tail}: in flight, or the next append closes it"),
    );
    say(
        report.newer,
        "newer",
        format!(
            "{} of a schema that this version does not know",
            report.newer
        ),
    );
    let prefix = &report.good_prefix;
    let good = format!(
        "{} in {}",
        counted(prefix.records, "record"),
        counted(prefix.bytes, "byte")
    );
    say(u64::from(!report.sound), "good prefix", good);
    say(report.damaged, "damaged", counted(report.damaged, "line"));
    for place in &report.damaged_at {
        say(1, "", of_place(place));
    }
    say(report.gaps, "missing", counted(report.missing, "number"));
    say(
        report.repeats,
        "repeated",
        counted(report.repeats, "number"),
    );
    say(
        report.out_of_order,
        "out of order",
        counted(report.out_of_order, "number"),
    );
    for place in &report.wrong_numbers_at {
        say(1, "", of_place(place));
    }
    lines.join("\n")
}

fn of_place(place: &Place) -> String {
    let file = place
        .segment
        .as_deref()
        .map(|name| format!("{} ", visible(name)));
    let what = match (place.what, place.fault) {
        (Some(Damage::Crc), _) => "the checksum does not agree".to_owned(),
        (Some(Damage::Unsealed), _) => "its checksum is gone".to_owned(),
        (Some(Damage::NotJson), _) => "not a JSON object".to_owned(),
        (Some(Damage::BadField), _) => "a field with a value that it cannot have".to_owned(),
        (Some(Damage::TooLong), _) => "too long".to_owned(),
        (None, Some(Fault::Gap { missing })) => format!("{missing} missing before it"),
        (None, Some(Fault::Repeat)) => "it was there before".to_owned(),
        (None, _) => "out of order".to_owned(),
    };
    let number = place.seq.map(|seq| format!(" #{seq}")).unwrap_or_default();
    let at = file.unwrap_or_default();
    format!(
        "{at}line {}{number}, byte {}: {what}",
        place.line, place.offset
    )
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
        check(
            r#"{"kind":"verdict","verdict":"STALLED","reason":"3 times in a row"}"#,
            "-  -  verdict  STALLED  3 times in a row",
        );
        check(
            r#"{"kind":"repair","removed_bytes":1,"copy":"x.damaged-1"}"#,
            "-  -  repair  took out 1 damaged byte  kept in x.damaged-1",
        );
        check("\u{1b}[31mno record", "no record");
    }

    #[test]
    fn a_table_has_columns_for_what_its_records_say() {
        let rows: Vec<Row> = [
            r#"{"kind":"attempt","gate":"pass","iteration":9,"action":"a","seq":9}"#,
            r#"{"kind":"attempt","gate":"blocked","fingerprint":"9f3c11d0a2b4","iteration":10,"action":"b","seq":10}"#,
            r#"{"kind":"ack","note":"c"}"#,
        ]
        .iter()
        .map(|text| Row::of(text, Style::plain()))
        .collect();
        let mut table = Table::default();
        for row in &rows {
            table.fit(row);
        }
        let lines: Vec<String> = rows.iter().map(|row| table.line(row)).collect();
        assert_eq!(
            lines,
            [
                "#9   -  attempt 9   pass                   a",
                "#10  -  attempt 10  blocked  9f3c11d0a2b4  b",
                "-    -  ack                                c",
            ]
        );
    }
}
