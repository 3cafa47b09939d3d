//! `llog` shows what is asked for, as it is stored, and reads no further than it takes.

use std::fs;

use crate::place::{Place, number};

fn place(count: u64) -> Place {
    let place = Place::new();
    for n in 1..=count {
        let gate = if n % 3 == 0 { "pass" } else { "fail" };
        let text = format!(
            r#"{{"v":1,"ts":"2026-11-12T0{}:00:00.000Z","run":"r{}","kind":"attempt","gate":"{gate}","iteration":{n},"note":"ü {n}"}}"#,
            n % 8,
            n % 2
        );
        place.record(&[&text]);
    }
    place
}

fn numbers(place: &Place, line: &str) -> Vec<u64> {
    place.run(line).ok().lines().map(number).collect()
}

#[test]
fn the_last_records_are_shown_newest_last_and_byte_for_byte() {
    let place = place(12);
    let stored = fs::read_to_string(place.ledger()).unwrap();
    assert_eq!(place.run("llog --all").ok(), stored);
    assert_eq!(place.run("llog --raw").ok(), stored);
    assert_eq!(numbers(&place, "llog"), (3..=12).collect::<Vec<_>>());
    assert_eq!(numbers(&place, "llog -n 2"), [11, 12]);
    assert_eq!(numbers(&place, "llog -n 0"), [0_u64; 0]);
    assert_eq!(numbers(&place, "llog -n 99").len(), 12);
    for at in [3, 6, 9] {
        place.run(&format!("lrotate --max-size {at}"));
        place.record(&[r#"{"kind":"ack"}"#]);
        assert!(place.run("llog --all").ok().starts_with(&stored));
        assert_eq!(place.run("llog --raw").ok(), place.run("llog --all").ok());
    }
    assert_eq!(
        place.run("llog -n 2 --kind attempt").ok(),
        stored.lines().skip(10).collect::<Vec<_>>().join("\n") + "\n"
    );
    place.pack();
    assert_eq!(numbers(&place, "llog -n 2 --kind attempt"), [11, 12]);
    assert_eq!(
        numbers(&place, "llog -n 8 --kind attempt"),
        (5..=12).collect::<Vec<_>>()
    );
    assert!(place.run("llog --raw").ok().starts_with(&stored));
}

#[test]
fn what_is_not_asked_for_is_passed_over() {
    let place = place(12);
    assert_eq!(numbers(&place, "llog --run r1 -n 3"), [7, 9, 11]);
    assert_eq!(numbers(&place, "llog --where gate=pass"), [3, 6, 9, 12]);
    assert_eq!(
        numbers(&place, "llog --where gate=pass --where run=r0"),
        [6, 12]
    );
    assert_eq!(numbers(&place, "llog --where iteration=5.0"), [5]);
    assert_eq!(numbers(&place, "llog --kind ack"), [0_u64; 0]);
    assert_eq!(numbers(&place, "llog --since 2026-11-12T06:00:00Z"), [6, 7]);
    assert_eq!(numbers(&place, "llog --since 2h -n 9"), [5, 6, 7]);
    assert_eq!(numbers(&place, "llog --all --since 1h"), [6, 7]);
    assert_eq!(place.run("llog --where gate").code, Some(2));
    assert_eq!(place.run("llog --since soon").code, Some(2));
    assert_eq!(place.run("llog --raw -n 3").code, Some(2));
    assert_eq!(place.run("llog --kind nothing").code, Some(2));
}

#[test]
fn damage_is_skipped_and_said_once() {
    let place = place(3);
    let mut text = fs::read(place.ledger()).unwrap();
    text.splice(0..0, b"\xff\xfe\n[]\n".iter().copied());
    text.extend(b"{\"kind\":\"ack\"");
    fs::write(place.ledger(), &text).unwrap();
    let ended = place.run("llog");
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.out.lines().map(number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        ended.err,
        "llog: warning: 'l.jsonl': skipped 2 damaged lines\n"
    );
    assert_eq!(fs::read(place.ledger()).unwrap(), text);
    // Only what was looked at is counted.
    assert_eq!(place.run("llog -n 2").err, "");
    let mut raw = place.command("llog --raw");
    assert_eq!(raw.output().unwrap().stdout, text);
    place.record(&[r#"{"v":9,"kind":"ack"}"#]);
    let ended = place.run("llog");
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(ended.err.contains("schema 9"));
}

#[test]
fn a_ledger_can_come_from_stdin_and_need_not_be_there() {
    let place = place(3);
    let stored = fs::read(place.ledger()).unwrap();
    let ended = place.run_with("llog --ledger - -n 1", &stored);
    assert_eq!(number(ended.ok().trim_end()), 3);
    let ended = place.run_with("llog --ledger - --follow --where gate=fail", &stored);
    assert_eq!(ended.ok().lines().map(number).collect::<Vec<_>>(), [1, 2]);
    let ended = place.run("llog --ledger none.jsonl");
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
    assert_eq!(ended.err, "llog: no ledger at 'none.jsonl' yet\n");
}

#[test]
fn a_table_is_aligned() {
    let place = Place::new();
    place.record(&[
        r#"{"ts":"2026-11-12T07:00:00.000Z","run":"auth","kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4","iteration":9,"action":"x\u001b[31m\ny"}"#,
        r#"{"ts":"2026-11-12T07:00:01.000Z","kind":"attempt","gate":"pass","iteration":10}"#,
    ]);
    place.rotate();
    let out = place.run("llog --format text").ok();
    assert_eq!(
        out,
        "#1  2026-11-12T07:00:00  auth  attempt 9   fail  9f3c11d0a2b4  x y\n\
         #2  2026-11-12T07:00:01        attempt 10  pass\n\
         #3  1970-01-01T00:00:00        checkpoint                      goes on from l.jsonl.1-2\n"
    );
}
