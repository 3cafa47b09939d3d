//! Killed, or refused by the system, at any call, a rotation loses nothing.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::place::{Ended, Place, binary, ended, has_strace, number, selection};

const ATTEMPT: &str =
    r#"{"v":1,"kind":"attempt","gate":"fail","fingerprint":"aaaa00000001","action":"x"}"#;

/// A ledger with one sealed segment, a few records behind it, and a torn tail.
fn ledger() -> (Place, Vec<String>) {
    let place = Place::new();
    let mut lines = place.record(&[ATTEMPT, ATTEMPT]);
    place.rotate();
    lines.extend(place.record(&[ATTEMPT, ATTEMPT]));
    let mut text = fs::read(place.ledger()).unwrap();
    text.extend(b"{\"to");
    fs::write(place.ledger(), text).unwrap();
    (place, lines)
}

fn rotate(place: &Place, strace: &[&str]) -> Ended {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq"])
        .args(strace)
        .arg(binary("lrotate"))
        .args(["--keep", "1"])
        .current_dir(place.path())
        .env("LOOP_LEDGER", "l.jsonl")
        .env("LOOP_NOW", "2026-11-12T07:00:00Z");
    ended(&mut command)
}

/// How often each system call is made, from the first that names the ledger on: (name, first count, last count).
fn calls() -> Vec<(String, usize, usize)> {
    let (place, _) = ledger();
    let traced = rotate(&place, &["-o", "trace", "-e", "signal=none"]);
    assert_eq!(traced.code, Some(0), "{traced:?}");
    let trace = fs::read_to_string(place.path().join("trace")).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut begun = false;
    for line in trace.lines() {
        let call = line
            .split_once(' ')
            .map_or(line, |(_, call)| call.trim_start());
        begun |= call.contains("l.jsonl");
        let Some((name, _)) = call.split_once('(') else {
            continue;
        };
        let entry = counts.entry(name.to_owned()).or_default();
        if !begun {
            entry.0 += 1;
        }
        entry.1 += 1;
    }
    counts
        .into_iter()
        .map(|(name, (before, all))| (name, before + 1, all))
        .collect()
}

/// Everything that was acknowledged is found, and the ledger goes on.
fn check_nothing_lost(place: &Place, lines: &[String], when: &str) {
    let found = place.lines();
    // The oldest segment may have been removed: a checkpoint speaks of it.
    for line in lines.get(2..).unwrap() {
        assert!(found.contains(line), "{when}: lost {line}");
    }
    assert_eq!(place.attempts(when), 4, "{when}");
    let next = place.record(&[ATTEMPT]).remove(0);
    let last = found.iter().map(|line| number(line)).max().unwrap();
    assert!(number(&next) > last, "{when}: {last} and then {next}");
    assert_eq!(place.lines().last(), Some(&next), "{when}");
    // The healed tail is a damaged line; every number is as it must be.
    let checked = place.run("lverify --follow-segments --format jsonl").out;
    assert!(
        checked.contains(r#""gaps":0,"repeats":0,"out_of_order":0"#),
        "{when}: {checked}"
    );
    assert!(place.rotate(), "{when}");
    assert_eq!(place.attempts(when), 5, "{when}");
}

impl Place {
    fn attempts(&self, when: &str) -> usize {
        if !self.ledger().exists() {
            // No file, but sealed segments: as a reader opens it.
            let nothing = fs::File::open("/dev/null").unwrap();
            let path = self.ledger();
            let whole = ledger::segments::Whole::new(&nothing, 0).with_segments_of(Some(&path));
            let found =
                ledger::history::histories(whole.backwards().unwrap(), &selection(99, false))
                    .unwrap();
            return found
                .runs
                .iter()
                .flatten()
                .map(|history| history.attempts.len())
                .sum();
        }
        let (found, dead_ends) = self.histories(&selection(99, false));
        assert_eq!(dead_ends, [["x"]], "{when}");
        found
            .runs
            .iter()
            .flatten()
            .map(|history| history.attempts.len())
            .sum()
    }
}

#[test]
fn killed_at_any_call_a_rotation_loses_nothing() {
    if !has_strace() {
        return;
    }
    let mut points = 0;
    let mut sealed = 0;
    for (name, first, last) in calls() {
        for count in first..=last {
            let (place, lines) = ledger();
            let inject = format!("inject={name}:signal=SIGKILL:when={count}");
            let killed = rotate(
                &place,
                &[
                    "-e",
                    &format!("trace={name}"),
                    "-e",
                    &inject,
                    "-o",
                    "/dev/null",
                ],
            );
            sealed += usize::from(place.sealed().len() == 2);
            points += usize::from(killed.code != Some(0));
            check_nothing_lost(&place, &lines, &format!("{name} {count}"));
        }
    }
    assert!(points > 40, "only {points} kill points");
    assert!(sealed > 0 && sealed < points);
    println!("{points} kill points, {sealed} of them behind the seal");
}

#[test]
fn refused_at_any_call_a_rotation_says_so_and_loses_nothing() {
    if !has_strace() {
        return;
    }
    let mut faults = 0;
    let wanted = [
        "write",
        "fsync",
        "fdatasync",
        "rename",
        "openat",
        "flock",
        "unlink",
        "fchmod",
        "ftruncate",
    ];
    for (name, first, last) in calls() {
        if !wanted.contains(&name.as_str()) {
            continue;
        }
        for count in first..=last {
            for error in ["ENOSPC", "EIO"] {
                let (place, lines) = ledger();
                let inject = format!("inject={name}:error={error}:when={count}");
                let refused = rotate(
                    &place,
                    &[
                        "-e",
                        &format!("trace={name}"),
                        "-e",
                        &inject,
                        "-o",
                        "/dev/null",
                    ],
                );
                let when = format!("{name} {count} {error}");
                assert_ne!(refused.code, Some(101), "{when}: {refused:?}");
                if refused.code == Some(0) {
                    let next = fs::read_to_string(place.ledger()).unwrap();
                    assert!(next.contains(r#""kind":"checkpoint""#), "{when}");
                } else {
                    let said = refused
                        .err
                        .lines()
                        .filter(|line| !line.contains(": warning: "));
                    assert_eq!(said.count(), 1, "{when}: {refused:?}");
                }
                faults += 1;
                check_nothing_lost(&place, &lines, &when);
            }
        }
    }
    assert!(faults > 20, "only {faults} faults");
    println!("{faults} faults");
}
