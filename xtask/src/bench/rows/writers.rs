//! Many writers at once, each of which waits until its record is stored.

use std::process::Command;
use std::sync::Barrier;
use std::time::Instant;

use ledger::edge::Failure;

use super::record::Client;
use crate::bench::data;
use crate::bench::lab::Lab;
use crate::bench::measure::{Pairs, quantile};
use crate::bench::rivals::missing;
use crate::bench::table::{Line, Target};

const WRITERS: usize = 64;

/// 64 processes on one ledger: the flush after the lock, inside it, and in a database.
pub(crate) fn writers(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let rate = "lrecord, 64 processes, each waits: rate";
    let worst = "lrecord, 64 processes, each waits: p99";
    let inside = "C: the flush inside the lock";
    let ours = |each: u64| {
        crowd(each, || {
            let mut command = lab.tool("lrecord");
            command.arg("--ledger").arg(lab.file("writers-ours.jsonl"));
            command
        })
    };
    let mut lines = Vec::new();
    let each = lab.size(100, 20);
    if let Some(append) = &lab.rivals.append {
        let theirs = |each: u64| {
            crowd(each, || {
                let mut command = lab.command(append);
                command.arg("serve").arg(lab.file("writers-c.jsonl"));
                command
            })
        };
        let (mut our_p99, mut their_p99) = (Vec::new(), Vec::new());
        let rates = Pairs::measure(
            lab.size(7, 3),
            || {
                ours(each).map(|crowd| {
                    our_p99.push(crowd.p99);
                    crowd.rate
                })
            },
            || {
                theirs(each).map(|crowd| {
                    their_p99.push(crowd.p99);
                    crowd.rate
                })
            },
        )?;
        let (mut our_p99, mut their_p99) = (our_p99.into_iter(), their_p99.into_iter());
        let next = |values: &mut dyn Iterator<Item = f64>| {
            values
                .next()
                .ok_or_else(|| Failure::failed("a measurement is missing"))
        };
        let p99 = Pairs::measure(
            lab.size(7, 3),
            || next(&mut our_p99),
            || next(&mut their_p99),
        )?;
        lines.push(rates.rates(rate, inside, Target::AtLeast(3.0)));
        lines.push(p99.times(worst, inside, Target::AtMost(0.2)));
    } else {
        lines.push(Line::skipped(rate, inside, missing("gcc")));
    }

    let database = "SQLite WAL, synchronous=FULL, Python";
    lines.push(match &lab.rivals.sqlite {
        None => Line::skipped(rate, database, missing("python3")),
        Some(script) => {
            let theirs = || {
                crowd(3, || {
                    let mut command = lab.command("python3");
                    command.arg(script).arg("serve").arg(lab.file("writers.db"));
                    command
                })
            };
            let pairs = Pairs::measure(
                lab.size(5, 1),
                || ours(each).map(|crowd| crowd.rate),
                || theirs().map(|crowd| crowd.rate),
            )?;
            pairs.rates(rate, database, Target::AtLeast(20.0))
        }
    });
    Ok(lines)
}

/// What a crowd of writers did.
struct Crowd {
    /// Records a second, all together.
    rate: f64,
    /// The wait of the one in a hundred that waited longest, in seconds.
    p99: f64,
}

/// Lets every writer store `each` records, one after another, all writers at once.
fn crowd(each: u64, command: impl Fn() -> Command) -> Result<Crowd, Failure> {
    let mut clients = Vec::new();
    for _ in 0..WRITERS {
        clients.push(Client::start(command())?);
    }
    let ready = Barrier::new(WRITERS + 1);
    let (waits, took) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0_u64..)
            .zip(clients)
            .map(|(number, mut client)| {
                let ready = &ready;
                scope.spawn(move || {
                    // The first record is stored before the clock runs: then every process has started.
                    let line = data::attempt(number, number) + "\n";
                    let first = client.store(&line);
                    ready.wait();
                    first?;
                    let mut waits = Vec::new();
                    for _ in 0..each {
                        let begin = Instant::now();
                        client.store(&line)?;
                        waits.push(begin.elapsed().as_secs_f64());
                    }
                    Ok::<_, Failure>((waits, client))
                })
            })
            .collect();
        ready.wait();
        let begin = Instant::now();
        let results: Vec<_> = threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .map_err(|_| Failure::failed("a writer was lost"))
            })
            .collect();
        (results, begin.elapsed().as_secs_f64())
    });
    let mut all = Vec::new();
    for result in waits {
        let (waits, client) = result??;
        all.extend(waits);
        client.end()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand records")]
    let count = all.len() as f64;
    Ok(Crowd {
        rate: count / took,
        p99: quantile(&all, 0.99),
    })
}
