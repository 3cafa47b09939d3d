//! `cargo xtask bench`: what the tools cost, beside what else does the job.
//!
//! Machines are noisy, so a figure is a ratio of two things measured in turns, or a count; never a time alone. Each row
//! is a function in [`rows`] that measures and gives lines of the table; a missed target is said and fails nothing.

mod data;
mod lab;
mod measure;
mod rivals;
mod rows;
mod table;

use ledger::edge::{Answer, Failure};

use self::lab::Lab;
use self::table::Line;
use crate::args::BenchArgs;
use crate::workspace::Workspace;
use crate::{child, out};

/// A row of the table: its name for `--only`, and the measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    name: &'static str,
    measure: fn(&Lab) -> Result<Vec<Line>, Failure>,
}

const ROWS: [Row; 11] = [
    Row {
        name: "start",
        measure: rows::start::start,
    },
    Row {
        name: "chain",
        measure: rows::start::chain,
    },
    Row {
        name: "record",
        measure: rows::record::one,
    },
    Row {
        name: "calls",
        measure: rows::record::calls,
    },
    Row {
        name: "acks",
        measure: rows::record::acks,
    },
    Row {
        name: "stream",
        measure: rows::record::stream,
    },
    Row {
        name: "writers",
        measure: rows::writers::writers,
    },
    Row {
        name: "scan",
        measure: rows::logs::scan,
    },
    Row {
        name: "memory",
        measure: rows::logs::memory,
    },
    Row {
        name: "gate",
        measure: rows::logs::gate,
    },
    Row {
        name: "tail",
        measure: rows::tail::tail,
    },
];

/// The names of the rows.
pub(crate) fn names() -> [&'static str; ROWS.len()] {
    ROWS.map(|row| row.name)
}

/// The row of this name.
pub(crate) fn row(name: &str) -> Result<Row, String> {
    let found = ROWS.into_iter().find(|row| row.name == name);
    found.ok_or_else(|| format!("no such row; there are {}", names().join(", ")))
}

pub(crate) fn bench(workspace: &Workspace, args: &BenchArgs) -> Result<Answer, Failure> {
    let lab = Lab::set_up(workspace, args)?;
    out::line(&lab.surroundings())?;
    out::line("")?;
    out::line(&table::heading())?;
    let wanted =
        |row: &Row| args.only.is_empty() || args.only.iter().any(|only| only.name == row.name);
    for row in ROWS.iter().filter(|row| wanted(row)) {
        out::progress(&format!("bench: {}", row.name));
        for line in (row.measure)(&lab)? {
            out::line(&line.shown())?;
        }
        child::still_wanted()?;
    }
    Ok(Answer::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_name() {
        assert_eq!(row("tail").unwrap().name, "tail");
        assert!(row("tale").unwrap_err().contains("start, chain"));
    }
}
