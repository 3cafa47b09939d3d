//! The command lines of this crate's tools: typed, public, without effects. Man pages and completions come from them.

use clap::{Parser, ValueEnum};
use ledger::edge::{FormatArgs, LedgerArgs};

use crate::detectors::{self, Detector};

/// Say whether a loop is stuck
///
/// Reads the end of a ledger and prints one `verdict` record: PROGRESS or STALLED, what to do, how long it has been so, the
/// live failure, and the actions that were tried in vain more than once. Every detector that was asked is in it, fired or not.
///
/// Without --name, the gates that ran since the previous attempt of the gate that ran last are judged, and the worst is the
/// verdict. Nothing is written.
#[derive(Clone, Debug, Parser)]
#[command(name = "lstall", version, max_term_width = 100, after_help = EXAMPLE, after_long_help = MORE)]
pub struct Lstall {
    /// Judge this gate; '' for the one without a name [default: every gate of the last turn]
    #[arg(long, value_name = "GATE")]
    pub name: Option<String>,
    /// How many attempts make a stall
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub k: u64,
    /// How many attempts of a gate are looked at
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub window: u32,
    /// Ask these detectors only; separated by commas
    #[arg(long, value_name = "DETECTOR", value_delimiter = ',', value_parser = detector, conflicts_with = "not")]
    pub only: Vec<Detector>,
    /// Ask all but these detectors; separated by commas
    #[arg(long, value_name = "DETECTOR", value_delimiter = ',', value_parser = detector)]
    pub not: Vec<Detector>,
    /// End with 10 if stalled; with '=all' answer the whole turn: 0, 14, 15, 10 or 11
    #[arg(long, value_enum, value_name = "all", num_args = 0..=1, require_equals = true, default_missing_value = "stalled", hide_possible_values = true)]
    pub exit_code: Option<ExitCode>,
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

const EXAMPLE: &str =
    "Example:\n  lgate -- make test | lfp | lrecord && lstall --exit-code=all; echo $?";

const MORE: &str = "\
Detectors:
  same-failure  the same failure k times in a row, none of it rarer; asks for a person from 2k on
                (with --only same-failure from k+1 on, as the earlier journal did)
  no-ground     k attempts, counted from and including the last that gained ground, gained none;
                an attempt gains ground when it passes, or when it repairs something of each
                earlier one (one fewer of the same failure is a repair)

Examples:
  The whole turn in one status:
    lgate -- make test | lfp | lrecord && lstall --exit-code=all; echo $?
  One gate of several, by one rule:
    lstall --name lint --only same-failure --k 5
  A ledger from elsewhere, one verdict a run:
    ssh build cat .loop/ledger.jsonl | lstall --ledger -

Exit status:
  0   the verdict was printed; with --exit-code=all: every live gate passed
  1   it could not be made; with --exit-code=all also: there is no attempt to judge
  2   wrong usage
  10  with --exit-code: stalled
  11  with --exit-code=all: a person must act
  14  with --exit-code=all: a gate failed, but the loop is moving
  15  with --exit-code=all: a gate could not run

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  LOOP_NOW               the time, RFC 3339 or epoch seconds, instead of the clock
  NO_COLOR, CLICOLOR_FORCE  no colours, or colours even without a terminal";

/// What the exit status answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExitCode {
    /// Whether the loop is stalled.
    Stalled,
    /// How the whole turn ended.
    All,
}

fn detector(name: &str) -> Result<Detector, String> {
    let known = || detectors::ALL.map(|detector| detector.name).join(", ");
    let found = detectors::ALL
        .into_iter()
        .find(|detector| detector.name == name);
    found.ok_or_else(|| format!("no such detector; there are {}", known()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Lstall::command().debug_assert();
    }

    #[test]
    fn every_detector_is_in_the_help() {
        for detector in detectors::ALL {
            assert!(
                MORE.contains(&format!("  {}", detector.name)),
                "{}",
                detector.name
            );
        }
    }
}
