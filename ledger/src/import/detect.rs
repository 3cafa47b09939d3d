//! Which of the earlier tools wrote a file, and for which run: by what is in it, else by its name.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::place::valid_run;

/// The files of the earlier tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Attempts of a loop, a JSON object a line: `journal.jsonl`.
    Journal,
    /// Rounds of a search, a JSON object a line: `RUN.iterations.jsonl`.
    Iterations,
    /// Experiments, a row of a table a line: `results.tsv`.
    Results,
    /// Tokens spent per phase or gate, a JSON object a line: `token-log.jsonl`.
    Tokens,
    /// An armed limit window, one JSON object: `.limited-SESSION`.
    Limits,
    /// Where a sequence of phases stands: `.phase-idx`, `SEQUENCE-COMPLETE`.
    Phases,
}

impl Format {
    /// The name that flags and keys use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Journal => "journal",
            Format::Iterations => "iterations",
            Format::Results => "results",
            Format::Tokens => "tokens",
            Format::Limits => "limits",
            Format::Phases => "phases",
        }
    }

    /// Whether the file is one value instead of lines.
    #[must_use]
    pub fn is_one_value(self) -> bool {
        matches!(self, Format::Limits | Format::Phases)
    }

    fn named(name: &str) -> Option<Format> {
        let ends = |end| name.ends_with(end);
        match name {
            "journal.jsonl" => Some(Format::Journal),
            "token-log.jsonl" => Some(Format::Tokens),
            ".phase-idx" | "SEQUENCE-COMPLETE" => Some(Format::Phases),
            _ if name.starts_with(".limited-") => Some(Format::Limits),
            _ if ends(".iterations.jsonl") => Some(Format::Iterations),
            _ if ends(".tsv") => Some(Format::Results),
            _ => None,
        }
    }
}

/// The members that tell the formats apart.
#[derive(Deserialize)]
struct Marks {
    v: Option<IgnoredAny>,
    kind: Option<IgnoredAny>,
    new_findings: Option<IgnoredAny>,
    phase_id: Option<IgnoredAny>,
    until: Option<IgnoredAny>,
    nudges: Option<IgnoredAny>,
    gate: Option<IgnoredAny>,
    fingerprint: Option<IgnoredAny>,
    action: Option<IgnoredAny>,
}

/// What a file is, by its name and how it begins.
///
/// # Errors
///
/// If neither says it, or if it is no file of an earlier tool but a ledger.
pub fn detect(name: &str, head: &[u8]) -> Result<Format, String> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let named = Format::named(name);
    if let Some(format) = named.filter(|format| format.is_one_value()) {
        return Ok(format);
    }
    for line in head.split(|byte| *byte == b'\n') {
        if is_row(line) {
            return Ok(Format::Results);
        }
        if let Some(format) = of_object(line)? {
            return Ok(format);
        }
    }
    // One value may stand on several lines.
    let whole = of_object(head)?.or(named);
    whole.ok_or_else(|| {
        "neither its name nor its content tells what it is: say it with --from".to_owned()
    })
}

fn of_object(text: &[u8]) -> Result<Option<Format>, String> {
    let Ok(marks) = crate::line::view::<Marks>(text) else {
        return Ok(None);
    };
    if marks.v.is_some() && marks.kind.is_some() {
        return Err("it is a ledger already: name it with --ledger where it is read".to_owned());
    }
    Ok(if marks.new_findings.is_some() {
        Some(Format::Iterations)
    } else if marks.phase_id.is_some() {
        Some(Format::Tokens)
    } else if marks.until.is_some() && marks.nudges.is_some() {
        Some(Format::Limits)
    } else if marks.gate.is_some() || marks.fingerprint.is_some() || marks.action.is_some() {
        Some(Format::Journal)
    } else {
        None
    })
}

fn is_row(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\t').next().unwrap_or_default();
    let is_number = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    let columns = memchr::memchr_iter(b'\t', text).count() + 1;
    columns >= super::results::COLUMNS_MIN && (is_number || first.starts_with(b"experiment"))
}

/// The run that the name of a file tells; none if it tells none.
///
/// `RUN.iterations.jsonl` is of the run RUN; `results.tsv` in a directory named by a date and a time is of that run.
#[must_use]
pub fn run_named(path: &std::path::Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    if let Some(run) = name.strip_suffix(".iterations.jsonl") {
        return Some(valid_run(run));
    }
    let parent = path.parent()?.file_name()?.to_str()?;
    let digits =
        |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    let is_run = parent
        .split_once('-')
        .is_some_and(|(date, time)| digits(date, 8) && digits(time, 6));
    (name == "results.tsv" && is_run).then(|| parent.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(name: &str, head: &str, expected: Option<Format>) {
        assert_eq!(
            detect(name, head.as_bytes()).ok(),
            expected,
            "{name}: {head}"
        );
    }

    #[test]
    fn content_tells_before_the_name_does() {
        check("journal.jsonl", "", Some(Format::Journal));
        check("x.iterations.jsonl", "garbage\n", Some(Format::Iterations));
        check(
            "x",
            "\u{feff}[]\n{\"x\":1}\n{\"new_findings\":0}\n",
            Some(Format::Iterations),
        );
        check(
            "journal.jsonl",
            "{\"new_findings\":0}\n",
            Some(Format::Iterations),
        );
        check(
            "x.jsonl",
            "{\"phase_id\":\"a:b\",\"total\":{}}\r\n",
            Some(Format::Tokens),
        );
        check("x.jsonl", "{\"gate\":\"fail\"}", Some(Format::Journal));
        check(
            "x",
            "{\n \"until\": 5,\n \"nudges\": 0\n}\n",
            Some(Format::Limits),
        );
        check(".limited-builder", "torn {", Some(Format::Limits));
        check(".phase-idx", "2\n", Some(Format::Phases));
        check("SEQUENCE-COMPLETE", "", Some(Format::Phases));
        check(
            "x",
            "experiment#\tcommit\tmetric_value\tsecondary_values\tstatus\tdescription\n",
            Some(Format::Results),
        );
        check("x", "0\ta\t1\t\tkeep\tb\n", Some(Format::Results));
        check("x", "2\n", None);
        check("x", "", None);
        check(
            "x",
            "{\"v\":1,\"kind\":\"attempt\",\"gate\":\"fail\"}\n",
            None,
        );
    }

    #[test]
    fn a_name_tells_the_run() {
        let run = |path: &str| run_named(Path::new(path));
        assert_eq!(run("a/b/auth.iterations.jsonl").as_deref(), Some("auth"));
        assert_eq!(run("größe x.iterations.jsonl").as_deref(), Some("gr--e-x"));
        assert_eq!(
            run("runs/20260701-120000/results.tsv").as_deref(),
            Some("20260701-120000")
        );
        assert_eq!(run("runs/results.tsv"), None);
        assert_eq!(run("journal.jsonl"), None);
    }
}
