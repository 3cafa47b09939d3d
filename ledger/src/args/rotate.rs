//! The command line of `lrotate`.

use clap::Parser;

use crate::edge::{FormatArgs, LedgerArgs};

/// Seal a ledger's file and begin a new one
///
/// The file NAME becomes NAME.FIRST-LAST, after the numbers of its lines, and is never written again. The new file begins with a
/// `checkpoint` record, which is printed: it carries what readers need, so that old segments may go. Every tool reads through the
/// segments beside a ledger as if they were still in it, packed by gzip too (NAME.FIRST-LAST.gz).
///
/// Writers and followers notice by themselves. Without a ledger, or without a line in it, there is nothing to do.
#[derive(Clone, Debug, Parser)]
#[command(name = "lrotate", version, max_term_width = 100, after_help = EXAMPLE, after_long_help = MORE)]
pub struct Lrotate {
    /// Only if the file is larger: bytes, or with K, M or G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_size: Option<u64>,
    /// Remove all sealed segments but the newest N; damaged ones stay [default: all stay]
    #[arg(long, value_name = "N")]
    pub keep: Option<u64>,
    /// How long to wait for writers
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::time::parse_duration, hide_short_help = true)]
    pub wait: std::time::Duration,
    /// Rotate on NFS too
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

const EXAMPLE: &str = "Example:\n  lrotate --max-size 64M --keep 8";

const MORE: &str = "\
Examples:
  From cron, or at the end of a turn:
    lrotate --max-size 64M --keep 8
  Pack all segments but the newest, which readers still come to:
    ls .loop/ledger.jsonl.*-*[0-9] | sort -V | head -n -1 | xargs -r gzip
  Where the records are now:
    lrotate --format jsonl | jq -r .sealed

A checkpoint has room for 64 KiB. What does not fit it names in `cut`, oldest first; with the segments still there nothing is
lost by that. A reader that goes back into a packed segment unpacks it into a file without a name in TMPDIR.

Exit status:
  0   the segment was sealed, or there was nothing to do
  1   it could not be done; what was acknowledged before is where readers find it
  2   wrong usage
  75  writers held the lock all the time

Environment:
  LOOP_RUN, LOOP_LEDGER  as --run and --ledger
  LOOP_NOW               the time, RFC 3339 or epoch seconds, instead of the clock";

fn size(text: &str) -> Result<u64, String> {
    let wrong = || "not a size such as 500000, 64K, 10M or 2G".to_owned();
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let shift = match unit {
        "" | "B" => 0,
        "K" | "KiB" | "k" => 10,
        "M" | "MiB" | "m" => 20,
        "G" | "GiB" | "g" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Lrotate::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("64K"), Ok(65_536));
        assert_eq!(size("10M"), Ok(10 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        for bad in [
            "",
            "M",
            "-1",
            "1.5M",
            "1T",
            "99999999999999999999",
            "18446744073709551615K",
        ] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
