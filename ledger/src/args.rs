//! The command lines of this crate's tools: typed, public, without effects. Man pages and completions come from them.

mod log;
mod rotate;
mod verify;

use clap::{Parser, ValueEnum};

use crate::brief::{BUDGET_MIN, Fitted};
use crate::edge::{FormatArgs, LedgerArgs};
use crate::import::Format;
use crate::log::Sync;
use crate::record::{Gate, Kind};
use crate::time::parse_duration;

pub use log::{Llog, Since};
pub use rotate::Lrotate;
pub use verify::Lverify;

/// Append records to the ledger of a run, so that none is lost
///
/// Reads records from standard input, one JSON object a line, completes each with what the ledger knows, appends it, and
/// prints it as it was stored, once it is safe on disk. With --kind, --new-findings or --no-stdin, or with a terminal as
/// standard input, one record is made from flags instead and standard input is not opened.
///
/// Completing means: `v`, `ts`, `run`, `kind` in front where they are missing; `commit` (git's HEAD) and `iteration` of an
/// attempt; its `action`, from --notes or, when the commit is new, from the commit's subject; `stale_count` and `pivot` of an
/// iteration; `seq` and `crc` at the end. Flags replace what a record has. Everything else stays as it came.
#[derive(Clone, Debug, Parser)]
#[command(name = "lrecord", version, max_term_width = 100, after_help = RECORD_EXAMPLE, after_long_help = RECORD_MORE)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Lrecord {
    /// Make one record of this kind from flags
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<Kind>,
    /// Make one record from flags, whatever standard input is
    #[arg(long)]
    pub no_stdin: bool,
    /// Which gate, where a ledger holds several; '' for the one without a name
    #[arg(long, value_name = "NAME", help_heading = "Fields")]
    pub name: Option<String>,
    /// The pass of the loop; auto: one more than the last attempt's of this run and gate
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = iteration, help_heading = "Fields")]
    pub iteration: Iteration,
    /// What was tried
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Fields",
        allow_hyphen_values = true
    )]
    pub action: Option<String>,
    /// What was supposed
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Fields",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub hypothesis: Option<String>,
    /// A word to go with it
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Fields",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub note: Option<String>,
    /// What the gate said: pass, fail or blocked
    #[arg(long, value_name = "OUTCOME", value_parser = gate, help_heading = "Fields")]
    pub gate: Option<Gate>,
    /// The commit that was checked [default: git's HEAD]
    #[arg(long, value_name = "ID", help_heading = "Fields")]
    pub commit: Option<String>,
    /// The phase of an iteration
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Fields",
        hide_short_help = true
    )]
    pub phase: Option<String>,
    /// Make an iteration record: how many findings were new
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32), help_heading = "Fields", hide_short_help = true)]
    pub new_findings: Option<u32>,
    /// The direction that an iteration took
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Fields",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub direction: Option<String>,
    /// Set a field to a text; may be repeated
    #[arg(long, value_name = "FIELD=TEXT", value_parser = pair, help_heading = "Fields")]
    pub set: Vec<(String, String)>,
    /// Set a field to a JSON value; may be repeated
    #[arg(long, value_name = "FIELD=JSON", value_parser = pair, help_heading = "Fields", hide_short_help = true)]
    pub json: Vec<(String, String)>,
    /// A file that ends with the agent's notes, for what was tried
    #[arg(long, value_name = "FILE", help_heading = "Fields")]
    pub notes: Option<String>,
    /// Mask secrets of well-known shapes in every text
    #[arg(long, hide_short_help = true)]
    pub redact: bool,
    /// A key that makes a retry safe: a record with it is stored once
    #[arg(long, value_name = "KEY", hide_short_help = true)]
    pub id: Option<String>,
    /// What is promised when a record is printed: data survives a power loss, batch and none survive this process
    #[arg(
        long,
        value_enum,
        value_name = "PROMISE",
        default_value = "data",
        hide_short_help = true
    )]
    pub sync: SyncArg,
    /// How long to wait for other writers
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration, hide_short_help = true)]
    pub wait: std::time::Duration,
    /// Write to NFS, where an append is not atomic
    #[arg(long, hide_short_help = true)]
    pub allow_nfs: bool,
    /// End with 14 if a gate failed, 15 if one was blocked
    #[arg(long)]
    pub exit_code: bool,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub ledger: LedgerArgs,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub format: FormatArgs,
}

const RECORD_EXAMPLE: &str =
    "Example:\n  lgate -- make test | lfp | lrecord --action 'pin numpy' && lstall";

const RECORD_MORE: &str = "\
Examples:
  Record what a gate said, and what was tried:
    lgate -- make test | lfp | lrecord --action 'pin numpy'
  Record an outcome by hand:
    lrecord --kind attempt --gate fail --set fingerprint=9f3c11d0a2b4 --action 'raise the limit'
  Say that a person has acted on an escalation:
    lrecord --kind ack --note 'rotated the key'
  Record an iteration of a research loop:
    lrecord --new-findings 0 --phase search --direction 'look at the cache'
  Fail in make and in CI when the tests fail:
    lgate -- make test | lfp | lrecord --exit-code

Exit status:
  0   every record was stored
  1   one was not, or there was none; the message says why (a record that was not flushed may or may not survive)
  2   wrong usage
  14  with --exit-code: a gate failed
  15  with --exit-code: a gate could not run
  75  other writers held the lock all the time

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  LOOP_NOW               the time, RFC 3339 or epoch seconds, instead of the clock

Files:
  .loop/ledger.jsonl, .loop/runs/NAME.jsonl  the ledgers; NAME.jsonl.lock beside each is the lock, and is never removed

A pipeline hides a failed lrecord from 'set -e' when '&&' follows it: write '|| rc=$?' and stop on a status you do not know.";

/// Brief the next turn of a loop: what failed, what was tried, what not to try again
///
/// Reads the end of a ledger and prints a text for the top of a prompt. Its first line says whether the live failure was seen
/// before, in any run, and what made it pass then; the rest says where the loop stands, which actions are dead ends, what waits
/// for an answer, what was tried and noted. Whatever agents and tools wrote stands on one line between single quotes.
///
/// What has no room in the budget is left out, the oldest first, and the text says how much that was. The same ledgers give the
/// same bytes. Nothing is written. Without any attempt it is the one line "no attempt yet".
#[derive(Clone, Debug, Parser)]
#[command(name = "lresume", version, max_term_width = 100, after_help = RESUME_EXAMPLE, after_long_help = RESUME_MORE)]
pub struct Lresume {
    /// Brief about this gate; '' for the one without a name [default: every gate of the last turn]
    #[arg(long, value_name = "GATE")]
    pub name: Option<String>,
    /// The streak at which the direction must change
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub k: u64,
    /// How long the brief may be, in characters; at least 64
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(BUDGET_MIN as i64..=10_000_000))]
    pub budget: u32,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub ledger: LedgerArgs,
    /// A text for a prompt, or the same facts as one JSON object
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "markdown")]
    pub format: BriefFormat,
}

const RESUME_EXAMPLE: &str = "Example:\n  { cat PROMPT.md; lresume; } | claude -p";

const RESUME_MORE: &str = "\
Examples:
  Put what happened so far at the top of each turn:
    { cat PROMPT.md; lresume; } | claude -p
  The same facts for a program:
    lresume --format jsonl | jq '.gates[0].dead_ends'
  A short one, about one of several gates:
    lresume --name test --budget 800

Exit status:
  0   the brief was printed, also of a ledger that is not there yet
  1   the ledger cannot be read
  2   wrong usage

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger

Files:
  .loop/ledger.jsonl, .loop/runs/*.jsonl  where the live failure is looked up; with --ledger in that ledger alone

Facts beside attempts are looked for among the last 1000 records, dead ends among the last 1000 records of each ledger that name
the live failure.";

/// How a brief is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BriefFormat {
    /// Text for a prompt.
    #[value(alias = "text")]
    Markdown,
    /// One JSON object.
    Jsonl,
}

impl From<BriefFormat> for Fitted {
    fn from(format: BriefFormat) -> Fitted {
        match format {
            BriefFormat::Markdown => Fitted::Markdown,
            BriefFormat::Jsonl => Fitted::Jsonl,
        }
    }
}

/// Say what changed since the last recorded attempt
///
/// Compares the repository in the working directory with the commit of the last attempt that names one, with that of any record
/// (--seq), or with any revision (--base): the commits since, what they changed, what is changed in the work tree, and the files
/// that git does not know. What cannot be found out is said, and the rest is told all the same.
///
/// The work tree is compared with HEAD: whether a change in it is older than the attempt, git does not know.
#[derive(Clone, Debug, Parser)]
#[command(name = "lsince", version, max_term_width = 100, after_help = SINCE_EXAMPLE, after_long_help = SINCE_MORE)]
pub struct Lsince {
    /// The attempts of this gate; '' for the one without a name [default: of any gate]
    #[arg(long, value_name = "GATE")]
    pub name: Option<String>,
    /// Compare with this revision
    #[arg(
        long,
        value_name = "REV",
        conflicts_with = "seq",
        allow_hyphen_values = true
    )]
    pub base: Option<String>,
    /// Compare with the commit of record number N, or of the last attempt before it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seq: Option<u64>,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub ledger: LedgerArgs,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub format: FormatArgs,
}

const SINCE_EXAMPLE: &str = "Example:\n  lsince --format text";

const SINCE_MORE: &str = "\
Examples:
  What changed since the gate ran last:
    lsince --format text
  What changed since record 41:
    lsince --seq 41
  What changed since a release, as data:
    lsince --base v1.2 | jq '.commits[].subject'

Exit status:
  0   the answer was printed, also without a repository or without an attempt
  1   the ledger cannot be read, there is no such record, or git knows no such revision
  2   wrong usage

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  NO_COLOR, CLICOLOR_FORCE  no colours, or colours even without a terminal

git is run without hooks, pagers, external diff programs and network.";

/// Bring the state of earlier tools into the ledger
///
/// Reads the files of the tools that looputils grew out of and appends what they say as records: journals of attempts
/// (`journal.jsonl`), iterations of a search (`RUN.iterations.jsonl`), tables of experiments (`results.tsv`), logs of tokens
/// (`token-log.jsonl`), armed limit windows (`.limited-SESSION`), and where a sequence of phases stands (`.phase-idx`,
/// `SEQUENCE-COMPLETE`). Which it is, is seen from the content, else from the name.
///
/// Times and order are kept, and so are fields that are unknown here, under their names; a name that means something else
/// here gets `source_` in front. A record that says no time gets that of the one before it in its file, else the file's. What
/// cannot be a record is told with its line and the reason, and the rest is imported. A file that is imported again adds
/// only what is new in it.
#[derive(Clone, Debug, Parser)]
#[command(name = "limport", version, max_term_width = 100, after_help = IMPORT_EXAMPLE, after_long_help = IMPORT_MORE)]
pub struct Limport {
    /// The files; '-' is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<std::path::PathBuf>,
    /// What the files are [default: seen from each]
    #[arg(long, value_enum, value_name = "TOOL")]
    pub from: Option<Format>,
    /// Print the records, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What is promised when a record is printed: data survives a power loss, batch and none survive this process
    #[arg(
        long,
        value_enum,
        value_name = "PROMISE",
        default_value = "data",
        hide_short_help = true
    )]
    pub sync: SyncArg,
    /// How long to wait for other writers
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration, hide_short_help = true)]
    pub wait: std::time::Duration,
    /// Write to NFS, where an append is not atomic
    #[arg(long, hide_short_help = true)]
    pub allow_nfs: bool,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub ledger: LedgerArgs,
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "flattened: the flags are described where they are defined"
    )]
    pub format: FormatArgs,
}

const IMPORT_EXAMPLE: &str = "Example:\n  limport --run auth .orchestrator/loop/journal.jsonl";

const IMPORT_MORE: &str = "\
Examples:
  Bring a journal in under a run's name, and ask for a verdict:
    limport --run auth .orchestrator/loop/journal.jsonl && lstall --run auth
  See what would become of a table of experiments:
    limport --dry-run runs/20260701-120000/results.tsv
  Bring in every search, each under its own name:
    limport .aris/runs/*.iterations.jsonl
  A journal that stays where it is needs no import: lstall --ledger journal.jsonl

Without --run, LOOP_RUN and LOOP_LEDGER, NAME.iterations.jsonl and a results.tsv in a directory named YYYYMMDD-HHMMSS go to the
ledger of the run that they name.

Exit status:
  0   everything is in the ledger, newly or since an earlier import
  1   a line could not be mapped, or a file not be read; all others are imported
  2   wrong usage
  75  other writers held the lock all the time

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  LOOP_NOW               the time of records from standard input that say none, RFC 3339 or epoch seconds";

/// Which pass of the loop an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iteration {
    /// One more than the last.
    Auto,
    /// This one.
    Number(i64),
}

/// What a printed record promises, as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(
    missing_docs,
    reason = "each is described with `Sync`; the help of the flag says it to users"
)]
pub enum SyncArg {
    Data,
    Batch,
    None,
}

impl From<SyncArg> for Sync {
    fn from(arg: SyncArg) -> Sync {
        match arg {
            SyncArg::Data => Sync::Data,
            SyncArg::Batch => Sync::Batch,
            SyncArg::None => Sync::None,
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::named(text).ok_or_else(|| "no such kind of record".to_owned())
}

fn gate(text: &str) -> Result<Gate, String> {
    Gate::named(text).ok_or_else(|| "pass, fail or blocked".to_owned())
}

fn iteration(text: &str) -> Result<Iteration, String> {
    match text {
        "auto" => Ok(Iteration::Auto),
        _ => text
            .parse()
            .ok()
            .filter(|n| *n >= 0)
            .map(Iteration::Number)
            .ok_or_else(|| "a count or 'auto'".to_owned()),
    }
}

/// Fields that flags of their own, or the ledger itself, set.
const NOT_SETTABLE: [&str; 6] = ["v", "kind", "run", "seq", "crc", "id"];

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form FIELD=VALUE")?;
    if name.is_empty() || NOT_SETTABLE.contains(&name) {
        return Err(format!("'{name}' is not a field that can be set"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Lrecord::command().debug_assert();
        Limport::command().debug_assert();
        Lresume::command().debug_assert();
        Lsince::command().debug_assert();
    }

    #[test]
    fn fields_of_the_ledger_cannot_be_set() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for bad in ["a", "=b", "seq=1", "crc=0", "kind=ack", "run=x"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
    }
}
