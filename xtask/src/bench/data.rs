//! Data to measure on: the same bytes in every run.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ledger::edge::Failure;
use ledger::log::reason;

/// A fixed sequence of numbers without a pattern (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014: `SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    /// The sequence from its beginning.
    pub(crate) fn new() -> Numbers {
        Numbers(1)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Writes a log of a build of at least `size` bytes; with `failures`, about nine lines in a thousand look like errors,
/// and the end is that of a failed build.
pub(crate) fn log(path: &Path, size: u64, failures: bool) -> Result<(), Failure> {
    file(path, |out| {
        let mut numbers = Numbers::new();
        let mut written = 0;
        while written < size {
            let line = log_line(&mut numbers, failures);
            written += line.len() as u64;
            out.write_all(line.as_bytes())?;
        }
        if failures {
            out.write_all(
                b"FAILED tests/test_io.py::test_read - OSError: [Errno 5] Input/output error\n",
            )?;
            out.write_all(
                b"= 1 failed, 96 passed in 12.31s =\nmake: *** [Makefile:12: test] Error 1\n",
            )?;
        }
        Ok(())
    })
}

fn log_line(numbers: &mut Numbers, failures: bool) -> String {
    let (n, kind) = (numbers.next() % 100_000, numbers.next() % 1000);
    match kind {
        0..=4 if failures => format!(
            "2026-11-12T07:{:02}:{:02}Z ERROR worker-{n} connection to 10.0.0.{} failed: timed out\n",
            n % 60,
            kind % 60,
            n % 250
        ),
        5..=8 if failures => format!(
            "src/module_{}.c:{n}:7: error: 'value_{}' undeclared (first use in this function)\n",
            n % 90,
            n % 7
        ),
        0..=249 => format!(
            "   Compiling crate-{} v{}.{}.{} (/home/ci/work/crates/crate-{})\n",
            n % 400,
            n % 9,
            n % 30,
            n % 17,
            n % 400
        ),
        250..=499 => format!(
            "tests/unit/test_module_{}.py::test_case_{} PASSED [ {:>2}%]\n",
            n % 300,
            n % 1000,
            n % 100
        ),
        500..=749 => format!(
            "10.1.{}.{} - - [12/Nov/2026:07:{:02}:11 +0000] \"GET /api/v1/items/{n} HTTP/1.1\" 200 {}\n",
            n % 250,
            n % 199,
            n % 60,
            n % 9000
        ),
        750..=899 => format!(
            "#{} {}.{:03} Get:{} http://deb.debian.org/debian bookworm/main amd64 lib{} [{} kB]\n",
            n % 40,
            n % 60,
            n % 1000,
            n % 90,
            n % 700,
            n % 4000
        ),
        _ => format!(
            "[{:>3}/{:>3}] Linking CXX static library lib/libpart_{}.a\n",
            n % 500,
            500,
            n % 500
        ),
    }
}

/// The text of an attempt that failed as `fingerprint`; about 200 bytes.
pub(crate) fn attempt(fingerprint: u64, action: u64) -> String {
    let fingerprint = fingerprint & 0xffff_ffff_ffff;
    format!(
        "{{\"v\":1,\"ts\":\"2026-11-12T07:00:00.000Z\",\"kind\":\"attempt\",\"gate\":\"fail\",\"fingerprint\":\"{fingerprint:012x}\",\
         \"scheme\":2,\"stage\":\"assert\",\"sigs\":[[\"{fingerprint:012x}\",1]],\"action\":\"try number {action}\",\"iteration\":{action}}}"
    )
}

/// Writes `count` attempts as a stream that a ledger has not numbered yet.
pub(crate) fn stream(path: &Path, count: u64) -> Result<(), Failure> {
    file(path, |out| {
        let mut numbers = Numbers::new();
        (1..=count).try_for_each(|seq| writeln!(out, "{}", attempt(numbers.next(), seq)))
    })
}

/// Writes `count` attempts, of which one in a hundred failed as [`LIVE`].
pub(crate) fn stream_with_hits(path: &Path, count: u64) -> Result<(), Failure> {
    file(path, |out| {
        let mut numbers = Numbers::new();
        (1..=count).try_for_each(|seq| {
            let other = numbers.next();
            let record = if seq % 100 == 0 {
                attempt(LIVE, seq % 500)
            } else {
                attempt(other, seq)
            };
            writeln!(out, "{record}")
        })
    })
}

/// The failure at the end of a ledger that is stalled.
pub(crate) const LIVE: u64 = 0x9f3c_11d0_a2b4;

fn file(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let made = File::create(path).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        fill(&mut out)?;
        out.flush()
    });
    made.map_err(|error| {
        Failure::failed(format!(
            "cannot write '{}': {}",
            path.display(),
            reason(&error)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_records() {
        let temp = crate::temp::TempDir::new("data-test").unwrap();
        let path = temp.path().join("l.jsonl");
        for write in [stream, stream_with_hits] {
            write(&path, 250).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), 250);
            for line in text.lines() {
                assert!(ledger::line::Line::parse(line.as_bytes()).is_ok(), "{line}");
                assert!(line.len() < 300);
            }
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("\"fingerprint\":\"9f3c11d0a2b4\"").count(), 2);
    }

    #[test]
    fn a_clean_log_has_no_word_that_looks_like_an_error() {
        let temp = crate::temp::TempDir::new("data-test").unwrap();
        let path = temp.path().join("log");
        log(&path, 200_000, false).unwrap();
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(
            ["error", "fail", "not found", "cannot", "unexpected"]
                .iter()
                .all(|word| !text.contains(word))
        );
        log(&path, 200_000, true).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains("error"));
    }
}
