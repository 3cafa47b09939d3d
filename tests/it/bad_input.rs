//! Damaged ledgers are still ledgers, and no input crashes a tool, loses a record or passes unnoticed.

use serde_json::json;
use snapbox::str;
use tests::{Sandbox, ledger};

const LEDGER: &str = "ledger.jsonl";
const APPEND: &str = "lrecord --sync none --kind attempt --gate fail --json scheme=2 --set fingerprint=aaaa00000000 --ledger ledger.jsonl";

/// Appends a failure that is `aaaa00000000` and checks that nothing else in the ledger changed.
#[track_caller]
fn append(sandbox: &Sandbox, before: &[u8]) -> String {
    let printed = sandbox.tool(APPEND).ok().no_bug();
    let after = sandbox.read(LEDGER);
    let new = after
        .strip_prefix(before)
        .unwrap_or_else(|| panic!("earlier bytes changed\n{printed}"));
    let new = if before.is_empty() || before.ends_with(b"\n") {
        new
    } else {
        new.strip_prefix(b"\n").expect("a torn tail is closed")
    };
    assert_eq!(new, printed.stdout, "{printed}");
    assert_eq!(ledger::whole(new).len(), 1);
    printed.said()
}

/// How many lines of a ledger are attempts that end it in a row; here, all sound lines are alike.
fn sound(bytes: &[u8]) -> u64 {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| {
            line.ends_with(b"\n") && serde_json::from_slice::<serde_json::Value>(line).is_ok()
        })
        .count() as u64
}

#[test]
fn every_prefix_of_a_ledger_is_a_ledger() {
    let sandbox = Sandbox::new();
    let whole = ledger::told("a a").into_bytes();
    for len in 0..=whole.len() {
        let prefix = &whole[..len];
        sandbox.write(LEDGER, prefix);
        let (complete, is_torn) = (
            sound(prefix),
            !prefix.is_empty() && !prefix.ends_with(b"\n"),
        );
        // What follows the last newline is in flight: not read, and no reason for a word.
        let before = sandbox
            .tool("lstall --k 2 --ledger ledger.jsonl")
            .ok()
            .no_bug()
            .silent()
            .record();
        assert_eq!(before["stall_count"], complete, "{len} bytes");
        let said = append(&sandbox, prefix);
        assert_eq!(
            said.contains("healed a torn tail"),
            is_torn,
            "{len} bytes: {said}"
        );
        let healed = sandbox.read(LEDGER);
        let after = sandbox
            .tool("lstall --k 2 --ledger ledger.jsonl")
            .ok()
            .no_bug();
        // A tail that lacked nothing but its newline is a record again.
        assert_eq!(
            after.record()["stall_count"],
            sound(&healed),
            "{len} bytes\n{after}"
        );
        let damaged = healed
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .count() as u64
            - sound(&healed);
        assert_eq!(
            after.record()["damaged"].as_u64().unwrap_or(0),
            damaged,
            "{len} bytes\n{after}"
        );
        assert_eq!(
            after.stderr.is_empty(),
            damaged == 0,
            "{len} bytes\n{after}"
        );
    }
}

#[test]
fn every_flipped_byte_is_noticed_or_does_no_harm() {
    let whole = ledger::told("a a").into_bytes();
    // The flips are divided among sandboxes that work side by side.
    std::thread::scope(|scope| {
        for part in 0..2 {
            let whole = &whole;
            std::thread::Builder::new()
                .name(format!("flipped-{part}"))
                .spawn_scoped(scope, move || {
                    let sandbox = Sandbox::new();
                    for at in (part..whole.len()).step_by(2) {
                        // What is no ASCII is noticed by other means than what is.
                        for mask in if at % 6 < 2 {
                            [0x01, 0x80].as_slice()
                        } else {
                            &[0x01]
                        } {
                            flip(&sandbox, whole, at, whole[at] ^ mask);
                        }
                    }
                    for (at, byte) in whole.iter().enumerate().skip(part).step_by(22) {
                        for new in [b'\n', 0, b'"', b'}'] {
                            if *byte != new {
                                flip(&sandbox, whole, at, new);
                            }
                        }
                    }
                })
                .unwrap();
        }
    });
}

/// Puts one wrong byte into a ledger of two equal failures.
fn flip(sandbox: &Sandbox, whole: &[u8], at: usize, byte: u8) {
    let mut damaged = whole.to_vec();
    damaged[at] = byte;
    sandbox.write(LEDGER, &damaged);
    let verdict = sandbox
        .tool("lstall --k 2 --ledger ledger.jsonl")
        .ok()
        .no_bug();
    let record = verdict.record();
    let is_right = record["verdict"] == "STALLED"
        && record["stall_count"] == 2
        && record["fingerprint"] == "aaaa00000000";
    let in_flight = at + 1 == whole.len();
    assert!(
        is_right || in_flight || !verdict.stderr.is_empty(),
        "byte {at} became {byte:#x}\n{verdict}"
    );
    assert_eq!(
        record["damaged"].is_null(),
        verdict.stderr.is_empty(),
        "byte {at} became {byte:#x}\n{verdict}"
    );
    append(sandbox, &damaged);
    let after = sandbox
        .tool("lstall --k 2 --ledger ledger.jsonl")
        .ok()
        .no_bug()
        .record();
    assert_eq!(
        after["fingerprint"], "aaaa00000000",
        "byte {at} became {byte:#x}"
    );
}

/// Lines that are damage wherever they stand in a ledger.
fn damage() -> Vec<(&'static str, Vec<u8>)> {
    let mut invalid = br#"{"kind":"attempt","gate":"fail","fingerprint":"f"#.to_vec();
    invalid.extend(b"\xff\xfe\"}");
    let sealed = ledger::sealed(r#""kind":"attempt","gate":"pass","fingerprint":"""#, 9);
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("NUL bytes", vec![0; 5000]),
        ("garbage", text("%$&/ garbage")),
        ("half a record", text(r#"{"kind":"attempt","gate":"pa"#)),
        (
            "two records glued",
            text(r#"{"kind":"attempt","gate":"pass"}{"kind":"attempt","gate":"pass"}"#),
        ),
        ("an array", text("[]")),
        (
            "an array of records",
            text(r#"[{"kind":"attempt","gate":"pass"}]"#),
        ),
        ("a number", text("3")),
        ("null", text("null")),
        ("a string", text(r#""attempt""#)),
        ("deep arrays", text(&"[".repeat(200_000))),
        ("deep objects", text(&r#"{"a":"#.repeat(200_000))),
        ("invalid UTF-8", invalid),
        (
            "a checksum that is wrong",
            text(&sealed.trim_end().replace("pass", "fail")),
        ),
        (
            "a byte order mark",
            text("\u{feff}{\"kind\":\"attempt\",\"gate\":\"pass\"}"),
        ),
        (
            "the same field twice",
            text(r#"{"kind":"attempt","gate":"fail","gate":"pass"}"#),
        ),
        (
            "a gate that is a number",
            text(r#"{"kind":"attempt","gate":5}"#),
        ),
        (
            "a kind that is a list",
            text(r#"{"kind":[],"gate":"pass"}"#),
        ),
        (
            "a negative count",
            text(r#"{"kind":"attempt","gate":"fail","sigs":[["a",-1]]}"#),
        ),
        (
            "a number beyond all numbers",
            text(r#"{"kind":"attempt","gate":"pass","iteration":1e999}"#),
        ),
        (
            "a number of forty digits",
            text(&format!(
                "{{\"kind\":\"attempt\",\"gate\":\"pass\",\"iteration\":{}}}",
                "9".repeat(40)
            )),
        ),
        (
            "half a surrogate pair",
            text(r#"{"kind":"attempt","gate":"pass","action":"\ud800"}"#),
        ),
        (
            "a control character",
            text("{\"kind\":\"attempt\",\"gate\":\"pass\",\"action\":\"a\u{1}b\"}"),
        ),
    ]
}

/// Four failures, `a` but for the first, with a line before the last but one.
fn with_line(line: &[u8]) -> Vec<u8> {
    let told = ledger::told("b a a a");
    let at = told.match_indices('\n').nth(2).unwrap().0 + 1;
    [&told.as_bytes()[..at], line, b"\n", &told.as_bytes()[at..]].concat()
}

#[test]
fn damage_is_skipped_counted_and_said() {
    let sandbox = Sandbox::new();
    for (what, line) in damage() {
        let damaged = with_line(&line);
        sandbox.write(LEDGER, &damaged);
        let verdict = sandbox.tool("lstall --ledger ledger.jsonl").ok().no_bug();
        let record = verdict.record();
        assert_eq!(
            (&record["verdict"], &record["stall_count"]),
            (&json!("STALLED"), &json!(3)),
            "{what}\n{verdict}"
        );
        assert_eq!(record["damaged"], 1, "{what}\n{verdict}");
        assert_eq!(verdict.said().lines().count(), 1, "{what}\n{verdict}");
        assert!(
            record["reason"].as_str().unwrap().contains("unsure"),
            "{what}\n{verdict}"
        );
        append(&sandbox, &damaged);
        let last = [&damaged, line.as_slice(), b"\n"].concat();
        sandbox.write(LEDGER, &last);
        append(&sandbox, &last);
    }
}

#[test]
fn damage_at_the_end_does_not_hold_the_next_number() {
    let sandbox = Sandbox::new();
    for (what, line) in damage() {
        // Three records, then three complete lines of damage: their numbers are taken.
        let mut bytes = ledger::told("a a a").into_bytes();
        for _ in 0..3 {
            bytes.extend(&line);
            bytes.push(b'\n');
        }
        sandbox.write(LEDGER, &bytes);
        let record = sandbox.tool(APPEND).ok().no_bug().record();
        assert_eq!(record["seq"], 7, "{what}");
    }
}

#[test]
fn what_is_odd_but_sound_is_read() {
    let sandbox = Sandbox::new();
    let told = ledger::told("b a a a");
    let odd = [
        ("empty lines", told.replace('\n', "\n\n \n")),
        ("line ends of Windows", told.replace('\n', "\r\n")),
        (
            "fields of its own twice",
            told.clone() + "{\"x\":1,\"x\":2,\"kind\":\"heartbeat\"}\n",
        ),
        (
            "a kind of tomorrow",
            told.clone() + &ledger::sealed(r#""kind":"dream","gate":7"#, 5),
        ),
        (
            "deep but closed",
            format!(
                "{told}{{\"kind\":\"heartbeat\",\"a\":{}{}}}\n",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
        ),
        (
            "records of nobody",
            told.clone() + "{}\n{\"a\":{\"kind\":\"attempt\"}}\n",
        ),
        (
            "numbers for others",
            told.clone()
                + "{\"kind\":\"heartbeat\",\"n\":1e400,\"m\":-0,\"l\":123456789012345678901234567890}\n",
        ),
    ];
    for (what, bytes) in odd {
        sandbox.write(LEDGER, &bytes);
        let verdict = sandbox.tool("lstall --ledger ledger.jsonl").ok().no_bug();
        let record = verdict.record();
        assert_eq!(
            (&record["verdict"], &record["stall_count"]),
            (&json!("STALLED"), &json!(3)),
            "{what}\n{verdict}"
        );
        append(&sandbox, bytes.as_bytes());
    }
}

#[test]
fn a_giant_line_is_not_read_into_memory() {
    let sandbox = Sandbox::new();
    let giant = vec![b'x'; 48 << 20];
    let inside = with_line(&giant);
    let limited = |tool: &str| format!("ulimit -v 150000; exec {tool}");
    sandbox.write(LEDGER, &inside);
    let verdict = sandbox
        .bash(&limited("lstall --ledger ledger.jsonl"))
        .ok()
        .no_bug();
    let record = verdict.record();
    assert_eq!(
        (&record["stall_count"], &record["damaged"]),
        (&json!(3), &json!(1)),
        "{verdict}"
    );
    let record = sandbox.bash(&limited(APPEND)).ok().no_bug().record();
    assert_eq!(record["seq"], 5);
    // The same without an end: a write in flight for a reader, a tail to heal for a writer.
    let torn = [ledger::told("b a a a").as_bytes(), &giant].concat();
    sandbox.write(LEDGER, &torn);
    let record = sandbox
        .bash(&limited("lstall --ledger ledger.jsonl"))
        .ok()
        .silent()
        .record();
    assert_eq!(record["stall_count"], 3);
    let healed = sandbox.bash(&limited(APPEND)).ok().err(str![[r#"
lrecord: warning: healed a torn tail of 50331648 bytes

"#]]);
    assert_eq!(healed.record()["seq"], 5);
    let record = sandbox
        .bash(&limited("lstall --ledger ledger.jsonl"))
        .ok()
        .record();
    assert_eq!(
        (&record["stall_count"], &record["damaged"]),
        (&json!(4), &json!(1))
    );
    // And as a record on stdin.
    let stream = [
        b"{\"kind\":\"ack\"}\n",
        giant.as_slice(),
        b"\n{\"kind\":\"ack\"}\n",
    ]
    .concat();
    let refused = sandbox
        .bash(&limited("lrecord --ledger other.jsonl"))
        .stdin(stream)
        .run()
        .code(1)
        .err(str![[r#"
lrecord: stdin line 2: a line of 50331648 bytes is too long for a record

"#]]);
    assert_eq!(refused.records().len(), 2);
}

#[test]
fn a_ledger_of_nothing_but_damage_has_no_verdict() {
    let sandbox = Sandbox::new();
    sandbox.write(LEDGER, vec![0xff; 100_000]);
    sandbox
        .tool("lstall --exit-code=all --ledger ledger.jsonl")
        .run()
        .code(1)
        .err(str![[r#"
lstall: no attempt to judge

"#]]);
    sandbox.write(LEDGER, "\n".repeat(100_000));
    sandbox
        .tool("lstall --exit-code=all --ledger ledger.jsonl")
        .run()
        .code(1)
        .err(str![[r#"
lstall: no attempt to judge

"#]]);
    sandbox.write(LEDGER, "[]\n".repeat(1000));
    let verdict = sandbox
        .tool("lstall --exit-code=all --ledger ledger.jsonl")
        .run()
        .code(1);
    assert_eq!(verdict.record()["damaged"], 1000);
    let record = sandbox.tool(APPEND).ok().record();
    assert_eq!(record["seq"], 1001);
}

#[test]
fn bad_lines_of_a_stream_are_refused_by_number_and_the_good_ones_stored() {
    for (what, line) in damage() {
        // A checksum belongs to the ledger that wrote it: of a record that comes in it is dropped.
        let is_refused = !what.starts_with("a checksum");
        let sandbox = Sandbox::new();
        let stream = [
            b"{\"kind\":\"ack\"}\n",
            line.as_slice(),
            b"\n\n{\"kind\":\"ack\",\"note\":\"last\"}",
        ]
        .concat();
        let stored = sandbox
            .tool("lrecord --ledger ledger.jsonl")
            .stdin(stream)
            .run()
            .code(i32::from(is_refused))
            .no_bug();
        assert_eq!(
            stored.said().starts_with("lrecord: stdin line 2: "),
            is_refused,
            "{what}\n{stored}"
        );
        assert_eq!(
            stored.said().lines().count(),
            usize::from(is_refused),
            "{what}\n{stored}"
        );
        assert_eq!(sandbox.read(LEDGER), stored.stdout, "{what}");
        let numbers = ledger::numbers(&stored.stdout);
        assert_eq!(
            numbers.len(),
            if is_refused { 2 } else { 3 },
            "{what}\n{stored}"
        );
        assert!(stored.text().contains("last"), "{what}\n{stored}");
    }
}

#[test]
fn a_reserved_field_that_no_reader_could_use_is_refused() {
    let sandbox = Sandbox::new();
    let lines = [
        r#"{"v":2,"kind":"ack"}"#,
        r#"{"v":-1,"kind":"ack"}"#,
        r#"{"kind":"atempt","gate":"fail"}"#,
        r#"{"kind":"attempt","gate":"maybe"}"#,
        r#"{"kind":"attempt","gate":null}"#,
        r#"{"kind":"attempt","gate":"fail","fingerprint":7}"#,
        r#"{"kind":"ack","run":"../x"}"#,
        r#"{"kind":"ack","run":7}"#,
        r#"{"kind":"ack","ts":7}"#,
        r#"{"kind":"iteration","new_findings":"0"}"#,
        r#"{"kind":"iteration"}"#,
        r#"{"x":1}"#,
        r#"{"gate":"pass","gate":"fail"}"#,
        "{}",
    ];
    let refused = sandbox
        .tool("lrecord --ledger ledger.jsonl")
        .stdin(lines.join("\n"))
        .run()
        .code(1);
    refused.out("").err(str![[r#"
lrecord: stdin line 1: schema 2 is newer than 1: use a looputils that knows it
lrecord: stdin line 2: invalid value: integer `-1`, expected u32 (byte 7)
lrecord: stdin line 3: unknown kind 'atempt'
lrecord: stdin line 4: unknown gate 'maybe'
lrecord: stdin line 5: no outcome: use lgate, or lfp --status
lrecord: stdin line 6: invalid type: integer `7`, expected a string (byte 47)
lrecord: stdin line 7: '../x' cannot name a run: try '..-x'
lrecord: stdin line 8: invalid type: integer `7`, expected a string (byte 21)
lrecord: stdin line 9: invalid type: integer `7`, expected a string (byte 20)
lrecord: stdin line 10: invalid type: string "0", expected i64 (byte 38)
lrecord: stdin line 11: new_findings is not a count
lrecord: stdin line 12: no kind
lrecord: stdin line 13: duplicate field `gate` (byte 21)
lrecord: stdin line 14: no kind

"#]]);
}

#[test]
fn line_ends_of_windows_and_a_missing_last_one_are_no_damage() {
    let sandbox = Sandbox::new();
    let stream = "{\"kind\":\"ack\"}\r\n\r\n  {\"kind\":\"ack\"}\t\r\n{\"kind\":\"ack\"}";
    sandbox
        .tool("lrecord --ledger ledger.jsonl")
        .stdin(stream)
        .ok()
        .silent();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2, 3]);
    assert!(!sandbox.read(LEDGER).contains(&b'\r'));
}

#[test]
fn a_field_too_large_to_count_does_not_overflow() {
    let sandbox = Sandbox::new();
    // A number that no ledger reaches is damage: it is not counted on from.
    let huge = ledger::sealed(r#""kind":"attempt","gate":"fail","x":1"#, u64::MAX);
    sandbox.write(LEDGER, &huge);
    append(&sandbox, huge.as_bytes());
    assert_eq!(sandbox.tool(APPEND).ok().no_bug().record()["seq"], 3);
    let last = i64::MAX;
    let body = format!(r#""kind":"attempt","gate":"fail","iteration":{last}"#);
    sandbox.write(LEDGER, ledger::sealed(&body, 1));
    assert_eq!(
        sandbox.tool(APPEND).ok().no_bug().record()["iteration"],
        last
    );
    let max = u64::MAX;
    let body = format!(r#""kind":"iteration","new_findings":0,"stale_count":{max}"#);
    sandbox.write(LEDGER, ledger::sealed(&body, 1));
    let record = sandbox
        .tool("lrecord --ledger ledger.jsonl --new-findings 0")
        .ok()
        .no_bug()
        .record();
    assert_eq!(
        (&record["stale_count"], &record["pivot"]),
        (&json!(max), &json!("human"))
    );
}
