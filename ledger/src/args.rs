//! The command lines of this crate's tools: typed, public, without effects. Man pages and completions come from them.

use clap::{Parser, ValueEnum};

use crate::edge::{FormatArgs, LedgerArgs};
use crate::log::Sync;
use crate::record::{Gate, Kind};
use crate::time::parse_duration;

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
    }

    #[test]
    fn fields_of_the_ledger_cannot_be_set() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for bad in ["a", "=b", "seq=1", "crc=0", "kind=ack", "run=x"] {
            assert!(pair(bad).is_err(), "{bad}");
        }
    }
}
