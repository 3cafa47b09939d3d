//! What a verdict costs on a ledger of any length.

use std::path::Path;

use ledger::edge::Failure;

use super::logs::{mib, peak_alone};
use crate::bench::data;
use crate::bench::lab::{Lab, cpu_seconds, seconds};
use crate::bench::measure::{Pairs, median};
use crate::bench::rivals::missing;
use crate::bench::table::{Line, Target, Unit};
use crate::temp::write;

/// How many records are made once and stored again and again.
const PART: u64 = 100_000;

/// Appends the records of a file to a ledger, so many times over.
fn make(lab: &Lab, ledger: &Path, records: &str, times: u64) -> Result<(), Failure> {
    let script = format!(
        "n={times}; while [ $n -gt 0 ]; do cat {records}; n=$((n - 1)); done |
         lrecord --sync none --ledger {} >/dev/null",
        ledger.display()
    );
    seconds(lab.shell(&script)).map(drop)
}

/// A verdict at the end of a long ledger and of a short one; and one that has to search the whole ledger.
pub(crate) fn tail(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let (short, long) = (lab.file("short.jsonl"), lab.file("long.jsonl"));
    let count: u64 = lab.size(10_000_000, 1_000_000);
    data::stream(&lab.file("few"), 1000)?;
    data::stream(&lab.file("many"), PART)?;
    make(lab, &short, "few", 1)?;
    make(lab, &long, "many", count / PART)?;
    let lstall = |ledger: &Path| {
        let mut command = lab.tool("lstall");
        command.arg("--ledger").arg(ledger);
        command
    };
    let millions = count / 1_000_000;
    let what = format!("lstall, {millions} million records");
    let pairs = Pairs::measure(
        lab.size(201, 41),
        || seconds(lstall(&long)),
        || seconds(lstall(&short)),
    )?;
    let mut lines = vec![pairs.times(&what, "1000 records", Target::AtMost(1.2))];
    lines.push(if lab.rivals.has("time") {
        mib(
            &format!("{what}, memory"),
            Target::AtMost(16.0),
            peak_alone(lab, &lstall(&long))?,
        )
    } else {
        Line::skipped(&format!("{what}, memory"), "", missing("time"))
    });
    let _ = std::fs::remove_file(&long);

    let stalled = lab.file("stalled.jsonl");
    data::stream_with_hits(&lab.file("hits"), PART)?;
    make(lab, &stalled, "hits", 1_000_000 / PART)?;
    for _ in 0..3 {
        write(&lab.file("end"), data::attempt(data::LIVE, 7) + "\n")?;
        make(lab, &stalled, "end", 1)?;
    }
    let mut took = Vec::new();
    for _ in 0..lab.size(11, 5) {
        took.push(cpu_seconds(lstall(&stalled))? * 1e3);
    }
    let note = "processor time, stalled, 1 in 100 records a hit";
    lines.push(Line {
        unit: Unit::Ms,
        ..Line::count(
            "dead ends, 1 million records",
            Target::AtMost(50.0),
            median(&took),
            note,
        )
    });
    Ok(lines)
}
