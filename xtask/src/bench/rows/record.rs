//! What it costs to append: one record a process, one record after another, and as many as there are.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use ledger::edge::Failure;

use crate::bench::data;
use crate::bench::lab::{Lab, from_file, seconds};
use crate::bench::measure::{Pairs, rate};
use crate::bench::rivals::missing;
use crate::bench::table::{Line, Target};
use crate::child::{self, Running};
use crate::temp::write;

/// `lrecord` on a ledger, from a file of records.
fn lrecord(lab: &Lab, ledger: &str, records: &str) -> Result<Command, Failure> {
    let mut command = lab.tool("lrecord");
    command.arg("--ledger").arg(lab.file(ledger));
    from_file(&mut command, &lab.file(records))?;
    Ok(command)
}

fn one_record(lab: &Lab) -> Result<(), Failure> {
    write(&lab.file("one.jsonl"), data::attempt(7, 7) + "\n")
}

/// One record a process.
pub(crate) fn one(lab: &Lab) -> Result<Vec<Line>, Failure> {
    one_record(lab)?;
    let what = "lrecord, one record a process";
    let count = lab.size(201, 41);
    let ours = || seconds(lrecord(lab, "one-ours.jsonl", "one.jsonl")?);
    let mut lines = Vec::new();

    let against = "static C: open, lock, write, fdatasync";
    lines.push(match &lab.rivals.append {
        None => Line::skipped(what, against, missing("gcc")),
        Some(append) => {
            let theirs = || {
                let mut command = lab.command(append);
                command
                    .arg("one")
                    .arg(lab.file("one-c.jsonl"))
                    .arg(data::attempt(7, 7) + "\n");
                seconds(command)
            };
            Pairs::measure(count, ours, theirs)?.times(what, against, Target::AtMost(1.6))
        }
    });

    let against = "sqlite3: insert, WAL, synchronous=FULL";
    lines.push(if lab.rivals.has("sqlite3") {
        let insert = format!(
            "PRAGMA synchronous=FULL; INSERT INTO records VALUES ('{}');",
            data::attempt(7, 7)
        );
        let sqlite = |script: &str| {
            let mut command = lab.command("sqlite3");
            command.arg(lab.file("one.db")).arg(script);
            command
        };
        child::succeed(&mut sqlite(
            "PRAGMA journal_mode=WAL; CREATE TABLE records (line TEXT);",
        ))?;
        Pairs::measure(count / 2, ours, || seconds(sqlite(&insert)))?.times(
            what,
            against,
            Target::AtMost(0.3),
        )
    } else {
        Line::skipped(what, against, missing("sqlite3"))
    });
    Ok(lines)
}

/// The system calls and flushes of one record, counted.
pub(crate) fn calls(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let what = [
        "lrecord, flushes a record",
        "lrecord, system calls a record",
    ];
    if !lab.rivals.has("strace") {
        return Ok(what
            .map(|what| Line::skipped(what, "", missing("strace")))
            .into());
    }
    one_record(lab)?;
    // The first record makes the ledger; the second is what all others cost.
    seconds(lrecord(lab, "calls.jsonl", "one.jsonl")?)?;
    let record = lrecord(lab, "calls.jsonl", "one.jsonl")?;
    let trace = lab.file("trace.txt");
    let mut strace = lab.command("strace");
    strace
        .args(["-f", "-o"])
        .arg(&trace)
        .arg(record.get_program())
        .args(record.get_args());
    from_file(&mut strace, &lab.file("one.jsonl"))?;
    seconds(strace)?;
    let trace = std::fs::read_to_string(&trace)
        .map_err(|error| Failure::unreadable(trace.display(), &error))?;
    let (flushes, calls) = counted(&trace);
    let [flush, call] = what;
    Ok(vec![
        Line::count(flush, Target::AtMost(1.0), flushes, "strace"),
        Line::count(
            call,
            Target::AtMost(75.0),
            calls,
            "strace, the start of the process included",
        ),
    ])
}

fn counted(trace: &str) -> (f64, f64) {
    let call = |line: &str| {
        line.split_whitespace()
            .nth(1)
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let calls = trace
        .lines()
        .map(call)
        .filter(|call| call.contains('(') && !call.starts_with("+++") && !call.starts_with("---"));
    calls.fold((0.0, 0.0), |(flushes, all), call| {
        let is_flush = ["fdatasync(", "fsync(", "sync_file_range(", "syncfs("]
            .iter()
            .any(|name| call.starts_with(name));
        (flushes + f64::from(u8::from(is_flush)), all + 1.0)
    })
}

/// One record after another, each acknowledged before the next.
pub(crate) fn acks(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let (what, against) = (
        "lrecord, a stream, one acknowledgement each",
        "C: lock, write, fdatasync in a loop",
    );
    let Some(append) = &lab.rivals.append else {
        return Ok(vec![Line::skipped(what, against, missing("gcc"))]);
    };
    let count = lab.size(2000, 300);
    let theirs = || {
        let mut command = lab.command(append);
        command
            .arg("loop")
            .arg(lab.file("acks-c.jsonl"))
            .arg(count.to_string());
        seconds(command)
    };
    let ours = || {
        let mut command = lab.tool("lrecord");
        command.arg("--ledger").arg(lab.file("acks-ours.jsonl"));
        let mut client = Client::start(command)?;
        let begin = Instant::now();
        for number in 0..count {
            client.store(&(data::attempt(number, number) + "\n"))?;
        }
        let took = begin.elapsed().as_secs_f64();
        client.end()?;
        Ok(took)
    };
    Ok(vec![Pairs::measure(lab.size(11, 5), ours, theirs)?.times(
        what,
        against,
        Target::AtMost(1.1),
    )])
}

/// A process that stores a record for each line it is given, and says so.
#[derive(Debug)]
pub(crate) struct Client {
    running: Running,
    stdin: Option<std::process::ChildStdin>,
    stdout: BufReader<std::process::ChildStdout>,
    answer: String,
}

impl Client {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Result<Client, Failure> {
        let mut running = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let child = running.child();
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::failed("a process that was given pipes has none"));
        };
        Ok(Client {
            running,
            stdin: Some(stdin),
            stdout: BufReader::new(stdout),
            answer: String::new(),
        })
    }

    /// Gives it a line and waits until it is stored.
    pub(crate) fn store(&mut self, line: &str) -> Result<(), Failure> {
        let lost = |error| Failure::failed(format!("a record was not acknowledged: {error}"));
        if let Some(stdin) = &mut self.stdin {
            stdin.write_all(line.as_bytes()).map_err(lost)?;
        }
        self.answer.clear();
        match self.stdout.read_line(&mut self.answer).map_err(lost)? {
            0 => {
                child::still_wanted()?;
                Err(Failure::failed(
                    "a record was not acknowledged: the process ended",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Ends it.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        drop(self.stdin.take());
        let _ = self.stdout.read_to_string(&mut self.answer);
        self.running.wait().map(drop)
    }
}

/// As fast as records come.
pub(crate) fn stream(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let what = "lrecord, a stream, as fast as it comes";
    let count: u32 = lab.size(1_000_000, 200_000);
    let records = lab.file("stream.jsonl");
    data::stream(&records, count.into())?;
    let ours = || {
        // A ledger of gigabytes measures the disk.
        let _ = std::fs::remove_file(lab.file("stream-ours.jsonl"));
        Ok(f64::from(count) / seconds(lrecord(lab, "stream-ours.jsonl", "stream.jsonl")?)?)
    };
    let against = "SQLite WAL, batches of 512, Python";
    let Some(script) = lab.rivals.sqlite.as_ref() else {
        let rates = Pairs::measure(lab.size(5, 3), ours, || Ok(1.0))?;
        return Ok(vec![
            records_a_second(what, rates.ours()),
            Line::skipped(what, against, missing("python3")),
        ]);
    };
    let theirs = || {
        for name in ["stream.db", "stream.db-wal", "stream.db-shm"] {
            let _ = std::fs::remove_file(lab.file(name));
        }
        let mut command = lab.command("python3");
        command
            .arg(script)
            .arg("stream")
            .arg(lab.file("stream.db"))
            .arg("512");
        from_file(&mut command, &records)?;
        let output =
            Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let took: Option<f64> = said.trim().parse().ok();
        took.map(|took| f64::from(count) / took).ok_or_else(|| {
            Failure::failed(format!(
                "SQLite failed: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            ))
        })
    };
    let pairs = Pairs::measure(lab.size(5, 3), ours, theirs)?;
    let _ = std::fs::remove_file(lab.file("stream-ours.jsonl"));
    Ok(vec![
        records_a_second(what, pairs.ours()),
        pairs.rates(what, against, Target::AtLeast(3.0)),
    ])
}

fn records_a_second(what: &str, figure: f64) -> Line {
    Line::count(
        what,
        Target::AtLeast(1e6),
        figure,
        &format!("{}, records of 220 bytes, one process", rate(figure)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_not_their_ends() {
        let trace = "7 execve(\"/x\", [\"x\"]) = 0\n7 fdatasync(3) = 0\n7 <... read resumed>\"\") = 0\n7 --- SIGCHLD {} ---\n7 exit_group(0) = ?\n7 +++ exited with 0 +++\n";
        assert_eq!(counted(trace), (1.0, 3.0));
    }
}
