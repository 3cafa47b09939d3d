//! What it costs to read the log of a gate, and to run one that prints much.

use std::io::Write;
use std::process::{ChildStdin, Command};

use ledger::edge::Failure;

use crate::bench::data;
use crate::bench::lab::{Lab, peak_mib, seconds};
use crate::bench::measure::Pairs;
use crate::bench::rivals::missing;
use crate::bench::table::{Line, Target, Unit};

/// What a line of a log that looks like an error is searched by.
const PATTERN: &str = "error|fail|failed|assert|assertion|exception|traceback|panic|fatal|undefined|not found|cannot|unexpected|✗|✘|×";

/// A log of a failed build, and one without a word that looks like an error.
pub(crate) fn scan(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let size: u64 = lab.size(100_000_000, 20_000_000);
    let megabytes = size / 1_000_000;
    let cases = [
        ("failed", true, "2", Target::AtMost(1.0)),
        ("clean", false, "1", Target::AtMost(0.45)),
    ];
    let mut lines = Vec::new();
    for (name, failures, scheme, target) in cases {
        let log = lab.file(name);
        data::log(&log, size, failures)?;
        let what = format!("lfp --scheme {scheme}, {megabytes} MB {name} log");
        let against = "rg -c -i, the pattern of scheme 1";
        if !lab.rivals.has("rg") {
            lines.push(Line::skipped(&what, against, missing("rg")));
            continue;
        }
        let ours = || {
            let mut command = lab.tool("lfp");
            command
                .args(["--scheme", scheme, "--gate", "fail", "--bare"])
                .arg(&log);
            seconds(command)
        };
        let theirs = || {
            let mut command = lab.shell(&format!("rg -c -i '{PATTERN}' {name} || :"));
            command.stdout(std::process::Stdio::null());
            seconds(command)
        };
        lines.push(Pairs::measure(lab.size(9, 5), ours, theirs)?.times(&what, against, target));
    }
    lines.push(Line::skipped(
        "lfp, 1 MB log",
        "the same in Python",
        "there is no such program here",
    ));
    Ok(lines)
}

/// The memory of `lfp` on a pipe, and how little the length of the input matters.
pub(crate) fn memory(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let what = "lfp, memory";
    if !lab.rivals.has("time") {
        return Ok(vec![Line::skipped(what, "", missing("time"))]);
    }
    let source = lab.file("block");
    data::log(&source, 10_000_000, true)?;
    let block =
        std::fs::read(&source).map_err(|error| Failure::unreadable(source.display(), &error))?;
    let mut lfp = lab.tool("lfp");
    lfp.args(["--gate", "fail", "--bare"]);
    let peak = |blocks: usize| peak_mib(lab, &lfp, |stdin| feed(stdin, &block, blocks));
    let blocks = if lab.big { 1000 } else { lab.size(100, 10) };
    let (short, long) = (peak(1)?, peak(blocks)?);
    let name = format!("{what}, {} MB from a pipe", blocks * 10);
    Ok(vec![
        mib(&name, Target::AtMost(32.0), long),
        times(&name, "10 MB", Target::AtMost(1.2), long, short),
    ])
}

fn feed(mut stdin: ChildStdin, block: &[u8], blocks: usize) {
    for _ in 0..blocks {
        // A reader that ends early has what it needs.
        if stdin.write_all(block).is_err() {
            return;
        }
    }
}

/// A command that prints much, through `lgate` and into a file.
pub(crate) fn gate(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let printed = lab.file("printed");
    data::log(&printed, lab.size(100_000_000, 20_000_000), true)?;
    let times_printed = lab.size(10, 5);
    let megabytes = lab.size(1000, 100);
    let print = |count: usize| format!("cat{}", " printed".repeat(count));
    let long = print(times_printed);
    let mut lines = Vec::new();
    for (flags, target) in [("--quiet --no-redact ", 1.5), ("", 3.0)] {
        let ours = || {
            // The logs that are kept would fill the disk.
            let _ = std::fs::remove_dir_all(lab.file(".loop").join("gates"));
            seconds(lab.shell(&format!("lgate {flags}-- {long}")))
        };
        let theirs = || seconds(lab.shell(&format!("rm -f to-file; {long} >to-file")));
        let what = format!("lgate {flags}-- CMD that prints {megabytes} MB");
        lines.push(Pairs::measure(lab.size(5, 3), ours, theirs)?.times(
            &what,
            "CMD >file",
            Target::AtMost(target),
        ));
    }
    let what = format!("lgate, memory, {megabytes} MB printed");
    if lab.rivals.has("time") {
        let peak = |script: &str| {
            let _ = std::fs::remove_dir_all(lab.file(".loop").join("gates"));
            let mut lgate = lab.tool("lgate");
            lgate.args(["--", "sh", "-c", script]);
            peak_mib(lab, &lgate, drop)
        };
        let (short, long) = (peak("head -c 10000000 printed")?, peak(&long)?);
        lines.push(mib(&what, Target::None, long));
        lines.push(times(
            &what,
            "10 MB printed",
            Target::AtMost(1.2),
            long,
            short,
        ));
    } else {
        lines.push(Line::skipped(&what, "", missing("time")));
    }
    let _ = std::fs::remove_dir_all(lab.file(".loop").join("gates"));
    Ok(lines)
}

/// A line for an amount of memory.
pub(crate) fn mib(what: &str, target: Target, figure: f64) -> Line {
    Line {
        unit: Unit::Mib,
        ..Line::count(what, target, figure, "peak, GNU time")
    }
}

fn times(what: &str, against: &str, target: Target, ours: f64, theirs: f64) -> Line {
    Line {
        what: what.to_owned(),
        against: against.to_owned(),
        target,
        unit: Unit::Ratio,
        figure: Ok(ours / theirs),
        note: format!("{ours:.1} MiB : {theirs:.1} MiB"),
    }
}

/// A command whose memory is asked for, as GNU time starts it: nothing to feed.
pub(crate) fn peak_alone(lab: &Lab, command: &Command) -> Result<f64, Failure> {
    peak_mib(lab, command, drop)
}
