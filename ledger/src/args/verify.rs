//! The command line of `lverify`.

use clap::Parser;

use crate::edge::{FormatArgs, LedgerArgs};

/// Check a ledger, and repair it where asked
///
/// Reads a ledger once, from its beginning, and says what is in it: records with a checksum that agrees and records that never
/// had one, the good prefix, the torn tail, damaged lines, numbers that are missing, repeated or out of order.
///
/// A torn tail alone is no damage: a writer may be at work, and if it was killed, nothing that it acknowledged is in it and the
/// next append closes it. A line that was torn and closed is damaged.
#[derive(Clone, Debug, Parser)]
#[command(name = "lverify", version, max_term_width = 100, after_help = EXAMPLE, after_long_help = MORE)]
pub struct Lverify {
    /// Take out what is damaged, after copying it to a file beside the ledger
    #[arg(long)]
    pub repair: bool,
    /// Check the sealed segments before the ledger too
    #[arg(long)]
    pub follow_segments: bool,
    /// How long to wait for writers, with --repair
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::time::parse_duration, hide_short_help = true)]
    pub wait: std::time::Duration,
    /// Repair on NFS too
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

const EXAMPLE: &str = "Example:\n  lverify --follow-segments || lverify --repair";

const MORE: &str = "\
Repair:
  Under the lock that writers take. The damaged bytes go to NAME.damaged-TIME, which is on disk before anything else
  happens. Then a new file takes the ledger's place: every sound line byte for byte; where a damaged line was, a 'repair'
  record that says how many bytes were there and where they are now, so that the numbers behind it stay right; no torn tail. A
  tail that lacks nothing but its newline is a record and gets the newline. Missing numbers cannot be repaired. Sealed segments
  are never changed.

Examples:
  Check everything there is of a run:
    lverify --run auth --follow-segments
  Only where the good part ends:
    lverify --format jsonl | jq .good_prefix
  Repair, and look at what was taken out:
    lverify --repair && cat .loop/ledger.jsonl.damaged-*

Exit status:
  0   it is sound, or it is now; a missing ledger is an empty one
  1   it is damaged, or could not be read or repaired
  2   wrong usage
  75  with --repair: writers held the lock all the time

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  LOOP_NOW               the time, RFC 3339 or epoch seconds, instead of the clock
  NO_COLOR, CLICOLOR_FORCE  no colours, or colours even without a terminal";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Lverify::command().debug_assert();
    }
}
