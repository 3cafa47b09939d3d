//! The command line of `llog`.

use std::time::Duration;

use clap::Parser;

use crate::edge::{FormatArgs, LedgerArgs};
use crate::record::Kind;
use crate::select::Where;
use crate::time::{Instant, parse_duration};

/// Show the records of a ledger
///
/// Prints the last records, newest last: a table on a terminal, elsewhere the lines byte for byte as they are stored. A ledger
/// is read from its end and no further than it takes, through sealed segments too. Damaged lines are skipped and counted; what
/// follows the last newline is in flight and not shown.
///
/// Nothing is written. With a ledger given, --run selects the records of a run.
#[derive(Clone, Debug, Parser)]
#[command(name = "llog", version, max_term_width = 100, after_help = EXAMPLE, after_long_help = MORE)]
pub struct Llog {
    /// How many records
    #[arg(short, value_name = "N", default_value_t = 10)]
    pub n: u64,
    /// Every record, not only the last
    #[arg(long, conflicts_with = "n")]
    pub all: bool,
    /// Go on with what is appended, through rotations, until interrupted
    #[arg(long)]
    pub follow: bool,
    /// Records of this kind
    #[arg(long, value_name = "KIND", value_parser = super::kind)]
    pub kind: Option<Kind>,
    /// Records in which a field has this value, as text or as JSON; empty: or is absent; may be repeated
    #[arg(long = "where", value_name = "FIELD=VALUE", value_parser = Where::parse)]
    pub fields: Vec<Where>,
    /// Records of this time or later: RFC 3339, epoch seconds, or so long ago ('90s', '2h', '1d')
    #[arg(long, value_name = "TIME", value_parser = since, allow_hyphen_values = true)]
    pub since: Option<Since>,
    /// Every byte as it is, damaged lines and the torn tail included
    #[arg(long, conflicts_with_all = ["n", "all", "kind", "fields", "since", "format"])]
    pub raw: bool,
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

const EXAMPLE: &str = "Example:\n  llog -n 20 --kind attempt --where gate=fail";

const MORE: &str = "\
Examples:
  The last twenty failures:
    llog -n 20 --kind attempt --where gate=fail
  What happened in the last two hours, of every kind:
    llog --all --since 2h
  Watch a run from another terminal:
    llog --run auth --follow
  Every action that was tried, counted:
    llog --all --kind attempt | jq -r .action | sort | uniq -c
  A ledger from elsewhere:
    ssh build cat .loop/ledger.jsonl | llog --ledger -

Records keep the time that they came with, so one may be older than those before it: --since ends where a thousand in a row are
too old. With --follow, '--ledger -' shows the wanted records of stdin as they come.

Exit status:
  0   the records were printed; there may be none
  1   the ledger cannot be read, or has records of a newer schema
  2   wrong usage

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  LOOP_NOW               the time, RFC 3339 or epoch seconds, instead of the clock
  NO_COLOR, CLICOLOR_FORCE  no colours, or colours even without a terminal";

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From this time.
    At(Instant),
    /// From so long ago.
    Ago(Duration),
}

impl Since {
    /// The time that it means now.
    #[must_use]
    pub fn from(self, now: Instant) -> Instant {
        match self {
            Since::At(at) => at,
            Since::Ago(ago) => {
                let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                Instant(now.0.saturating_sub(ago))
            }
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Some(at) = Instant::parse(text) {
        return Ok(Since::At(at));
    }
    let ago = parse_duration(text).map(Since::Ago);
    ago.map_err(|_| {
        "neither RFC 3339, nor epoch seconds, nor a length of time such as 2h".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Llog::command().debug_assert();
    }

    #[test]
    fn a_time_is_a_point_or_a_length() {
        let now = Instant(7_200_000);
        let from = |text: &str| since(text).map(|since| since.from(now).0);
        assert_eq!(from("1970-01-01T00:00:01Z"), Ok(1000));
        assert_eq!(from("3"), Ok(3000));
        assert_eq!(from("2h"), Ok(0));
        assert_eq!(from("90s"), Ok(7_110_000));
        assert!(from("yesterday").is_err() && from("").is_err());
    }
}
