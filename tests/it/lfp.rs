//! `lfp`: what failed, by a name that lasts.
//!
//! Which text has which name is tried on labelled logs beside the rules; here it is what every scheme of names must do.

use serde_json::{Value, json};
use snapbox::str;
use tests::{Outcome, Sandbox, json, ledger};

const TEXT: &str = "running 2 tests\nsrc/io.c:12:7: error: unknown type name 'lenght'\nmake: *** [Makefile:3: io.o] Error 1\n";

#[track_caller]
fn lfp(sandbox: &Sandbox, flags: &str, text: impl Into<Vec<u8>>) -> Outcome {
    sandbox.tool(&format!("lfp {flags}")).stdin(text).ok()
}

#[track_caller]
fn bare(sandbox: &Sandbox, flags: &str, text: impl Into<Vec<u8>>) -> String {
    lfp(sandbox, &format!("--bare {flags}"), text)
        .silent()
        .text()
        .trim_end()
        .to_owned()
}

fn gate_record(output: &str) -> String {
    json!({"v": 1, "ts": "2026-11-12T06:00:00.000Z", "kind": "gate", "name": "test", "gate": "fail", "cmd": ["make"], "exit": 2, "duration_ms": 5, "output": output, "output_bytes": output.len()}).to_string() + "\n"
}

#[test]
fn text_becomes_an_attempt() {
    let sandbox = Sandbox::new();
    lfp(&sandbox, "--gate fail", TEXT).silent().out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"fail","fingerprint":"[..]","scheme":2,"stage":"compile","failures":[{"sig":"[..]","site":"[..]","class":"[..]","tool":"diagnostic","kind":"diagnostic","file":"src/io.c","title":"unknown type name 'lenght'","count":1}],"sigs":[["[..]",1]]}

"#]]);
    lfp(&sandbox, "--status 0", TEXT).silent().out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"pass","fingerprint":"","scheme":2}

"#]]);
    let names = |printed: &Outcome| json::names(printed.text().trim_end()).join(" ");
    assert_eq!(
        names(&lfp(&sandbox, "--gate fail", TEXT)),
        "v ts kind gate fingerprint scheme stage failures sigs"
    );
}

#[test]
fn a_gate_becomes_an_attempt_and_keeps_what_lfp_does_not_know() {
    let sandbox = Sandbox::new();
    let odd = r#"{"z" : 1.50e+3,  "kind":"gate","\u0066oo":[1, 2 ,{"output":"\u00e9\/"}],"gate":"fail","output":"a.c:1:1: error: x\n","A":-0.0,"big":123456789012345678901234567890,"é":"\ud83d\ude00","seq":7,"crc":"01234567", "output_bytes" : 18}"#;
    let printed = lfp(&sandbox, "", odd).silent();
    let expected = r#"{"z" : 1.50e+3,  "kind":"attempt","\u0066oo":[1, 2 ,{"output":"\u00e9\/"}],"gate":"fail","A":-0.0,"big":123456789012345678901234567890,"é":"\ud83d\ude00", "output_bytes" : 18,"fingerprint":""#;
    assert!(printed.text().starts_with(expected), "{printed}");
    let stored = sandbox
        .bash("lgate --quiet -- sh -c 'echo \"a.c:1:1: error: x\"; exit 1' | lfp | lrecord")
        .ok()
        .silent();
    assert_eq!(
        json::names(stored.text().trim_end()).join(" "),
        "v ts kind gate cmd exit duration_ms output_bytes fingerprint scheme stage failures sigs iteration seq crc"
    );
}

#[test]
fn records_come_one_by_one() {
    let sandbox = Sandbox::new();
    let records = [gate_record(TEXT), gate_record(""), gate_record(TEXT)].concat();
    let named = lfp(&sandbox, "", records).silent().records();
    let prints: Vec<&Value> = named.iter().map(|record| &record["fingerprint"]).collect();
    assert_eq!((prints.len(), prints[0]), (3, prints[2]));
    assert_ne!(prints[0], prints[1]);
    assert!(
        named
            .iter()
            .all(|record| record["kind"] == "attempt" && record["output"].is_null())
    );
    // The first is answered before the second comes; else this would wait for ever.
    sandbox.write("one", gate_record(TEXT));
    let script = "mkfifo in; { cat one; while ! test -s out; do sleep 0.01; done; cat one; } > in & lfp --input records < in > out; cat out";
    assert_eq!(sandbox.bash(script).ok().silent().records().len(), 2);
}

#[test]
fn a_log_cannot_forge_an_outcome() {
    let sandbox = Sandbox::new();
    let forged = "{\"kind\":\"gate\",\"gate\":\"pass\"}\n";
    let named = lfp(&sandbox, "--gate fail", forged).record();
    assert_eq!(named["gate"], "fail");
    for text in [
        format!("{TEXT}{forged}"),
        format!("{forged}{TEXT}"),
        format!("{forged}{TEXT}{forged}"),
    ] {
        let named = lfp(&sandbox, "", text.clone()).record();
        assert_ne!(named["gate"], "pass", "{text}");
        let named = lfp(&sandbox, "--status 2", text).record();
        assert_eq!(named["gate"], "fail");
    }
    // Longer than what is held in memory while lfp makes up its mind.
    let long = forged.repeat(100_000) + TEXT;
    assert_ne!(lfp(&sandbox, "", long).records()[0]["gate"], "pass");
    // In the output of a gate it is text like any other.
    let named = lfp(&sandbox, "", gate_record(forged)).record();
    assert_eq!(named["gate"], "fail");
}

#[test]
fn bad_lines_pass_through_untouched_and_are_named() {
    let sandbox = Sandbox::new();
    let good = gate_record(TEXT);
    let bad: [&[u8]; 9] = [
        b"garbage",
        b"[]",
        b"3",
        b"{\"kind\":\"gate\",\"gate\":\"pa",
        b"\xff\xfe",
        b"\0\0\0",
        b"{\"kind\":\"gate\",\"gate\":7}",
        b"{\"kind\":\"ack\",\"note\":\"not mine\"}",
        b"{\"kind\":\"gate\",\"gate\":\"fail\",\"gate\":\"pass\"}",
    ];
    for line in bad {
        let stream = [good.as_bytes(), line, b"\n", good.as_bytes()].concat();
        let named = sandbox
            .tool("lfp --input records")
            .stdin(stream)
            .ok()
            .no_bug();
        let lines: Vec<&[u8]> = named.stdout.split(|byte| *byte == b'\n').collect();
        assert_eq!((lines.len(), lines[1]), (4, line), "{named}");
        assert!(
            named.said().contains("line 2: ") && named.said().lines().count() == 1,
            "{named}"
        );
    }
    // The next in the pipe refuses what passed through, and stores the rest.
    let stream = [good.as_bytes(), b"garbage\n", good.as_bytes()].concat();
    let stored = sandbox
        .bash("lfp --input records | lrecord")
        .stdin(stream)
        .run()
        .code(1);
    assert_eq!(ledger::numbers(&stored.stdout), [1, 2]);
}

#[test]
fn where_nothing_failed_there_is_no_name() {
    let sandbox = Sandbox::new();
    assert_eq!(bare(&sandbox, "--gate pass", TEXT), "(no-failure)");
    assert_eq!(bare(&sandbox, "--status 0", TEXT), "(no-failure)");
    assert_eq!(bare(&sandbox, "", "all is well\n"), "(no-failure)");
    assert_eq!(
        lfp(&sandbox, "", "").silent().text(),
        "",
        "of nothing nothing is known"
    );
    assert_eq!(lfp(&sandbox, "--gate pass", "").record()["fingerprint"], "");
    // A failure without a word has a name all the same.
    let unknown = bare(&sandbox, "--gate fail", "");
    assert_eq!(unknown.len(), 12);
    assert_eq!(unknown, bare(&sandbox, "--status 1", ""));
}

#[test]
fn a_name_is_the_same_wherever_and_whenever_it_failed() {
    let sandbox = Sandbox::new();
    let name = |text: &str| bare(&sandbox, "--gate fail", text);
    let first = "a.c:3:1: error: one\nb.c:4:2: error: two\n";
    let named = name(first);
    assert!(
        named.len() == 12 && named.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{named}"
    );
    let same = [
        "b.c:4:2: error: two\na.c:3:1: error: one\n",
        "a.c:3:1: error: one\na.c:3:1: error: one\nb.c:4:2: error: two\n",
        "a.c:30:10: error: one\nb.c:1:1: error: two\n",
        "\u{1b}[1ma.c:3:1: \u{1b}[31merror: \u{1b}[0mone\r\nb.c:4:2: error: two\r\n",
        "noise\na.c:3:1: error: one\nmore noise\nb.c:4:2: error: two",
    ];
    for text in same {
        assert_eq!(name(text), named, "{text:?}");
    }
    let here = format!(
        "{0}/a.c:3:1: error: one\n{0}/b.c:4:2: error: two\n",
        sandbox.work().display()
    );
    assert_eq!(name(&here), named, "the checkout's own folder says nothing");
    for text in [
        "a.c:3:1: error: one\n",
        "a.c:3:1: error: one\nb.c:4:2: error: three\n",
        "a.c:3:1: error: one\nc.c:4:2: error: two\n",
    ] {
        assert_ne!(name(text), named, "{text:?}");
    }
}

#[test]
fn the_record_and_the_text_of_a_run_have_one_name() {
    let sandbox = Sandbox::new();
    let of_text = bare(&sandbox, "--gate fail", TEXT);
    assert_eq!(bare(&sandbox, "", gate_record(TEXT)), of_text);
    sandbox.write("log", TEXT);
    assert_eq!(
        sandbox
            .tool("lfp --bare --gate fail log")
            .ok()
            .text()
            .trim_end(),
        of_text
    );
    let batch = json!({"id": 7, "text": TEXT, "gate": "fail"}).to_string();
    assert_eq!(
        lfp(&sandbox, "--batch", batch).record(),
        json!({"id": 7, "fingerprint": of_text})
    );
}

#[test]
fn a_gate_that_could_not_run_or_took_too_long_is_known_by_its_command() {
    let sandbox = Sandbox::new();
    let name = |state: &Value, command: &str, output: &str| {
        let mut record = json!({"kind": "gate", "gate": "fail", "name": "test", "cmd": [command], "output": output});
        for (field, value) in state.as_object().unwrap() {
            record[field] = value.clone();
        }
        bare(&sandbox, "", record.to_string())
    };
    let (blocked, late) = (json!({"gate": "blocked"}), json!({"timed_out": true}));
    for state in [&blocked, &late] {
        assert_eq!(
            name(state, "make", TEXT),
            name(state, "make", "other.c:1:1: error: x\n")
        );
        assert_ne!(name(state, "make", TEXT), name(state, "ninja", TEXT));
    }
    assert_ne!(name(&blocked, "make", TEXT), name(&late, "make", TEXT));
    assert_ne!(name(&blocked, "make", TEXT), name(&json!({}), "make", TEXT));
    assert_eq!(
        bare(&sandbox, "--status 127", "one\n"),
        bare(&sandbox, "--gate blocked", "two\n")
    );
    assert_eq!(
        bare(&sandbox, "--timed-out", "one\n"),
        bare(&sandbox, "--timed-out", "two\n")
    );
}

#[test]
fn levels_tell_more_or_less_apart() {
    let sandbox = Sandbox::new();
    let name =
        |level: &str, text: &str| bare(&sandbox, &format!("--gate fail --level {level}"), text);
    let (one, moved) = (
        "a.py:3:1: E501 line too long\n",
        "a.py:9:1: E501 line too long\n",
    );
    let (reworded, elsewhere) = (
        "a.py:3:1: E501 line is long\n",
        "b.py:3:1: E501 line too long\n",
    );
    assert_ne!(name("exact", one), name("exact", moved));
    assert_eq!(name("signature", one), name("signature", moved));
    assert_ne!(name("signature", one), name("signature", elsewhere));
    assert_eq!(name("class", one), name("class", elsewhere));
    assert_ne!(name("signature", one), name("signature", reworded));
    assert_eq!(name("site", one), name("site", reworded));
    assert_ne!(name("site", one), name("site", elsewhere));
}

#[test]
fn schemes_are_told_apart() {
    let sandbox = Sandbox::new();
    let one = lfp(&sandbox, "--scheme 1 --gate fail", TEXT).record();
    let two = lfp(&sandbox, "--gate fail", TEXT).record();
    assert_eq!((&one["scheme"], &two["scheme"]), (&json!(1), &json!(2)));
    assert_ne!(one["fingerprint"], two["fingerprint"]);
    sandbox.tool("lfp --scheme 3").run().code(2);
}

#[test]
fn a_batch_answers_each_text() {
    let sandbox = Sandbox::new();
    let batch = [
        json!({"id": "a", "text": TEXT, "gate": "fail"}).to_string(),
        json!({"id": {"x": [1]}, "text": TEXT, "status": 2, "more": true}).to_string(),
        json!({"id": "c", "text": TEXT, "status": 0}).to_string(),
        "{\"id\":\"d\"}".to_owned(),
        "garbage".to_owned(),
        json!({"id": "e", "text": "", "gate": "fail"}).to_string(),
    ];
    let answered = sandbox
        .tool("lfp --batch")
        .stdin(batch.join("\n"))
        .run()
        .code(1);
    assert_eq!(answered.said().lines().count(), 2, "{answered}");
    assert!(
        answered.said().contains("line 4: ") && answered.said().contains("line 5: "),
        "{answered}"
    );
    let answers = answered.records();
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(
        ids,
        [&json!("a"), &json!({"x": [1]}), &json!("c"), &json!("e")]
    );
    assert_eq!(answers[0]["fingerprint"], answers[1]["fingerprint"]);
    assert_eq!(answers[2]["fingerprint"], "");
}

#[test]
fn it_explains_itself() {
    let sandbox = Sandbox::new();
    let text =
        "tests/test_io.py:3:1: error: cannot read /tmp/pytest-of-me/pytest-7/f.txt after 1.37s\n";
    let explained = lfp(&sandbox, "--gate fail --explain", text).silent();
    for word in ["tests/test_io.py", "kept", "replaced"] {
        assert!(explained.text().contains(word), "{word}\n{explained}");
    }
    let shown = lfp(&sandbox, "--gate fail --format text", TEXT).silent();
    assert!(
        shown.text().starts_with("fail  ") && shown.text().contains("src/io.c"),
        "{shown}"
    );
    let nasty = lfp(
        &sandbox,
        "--gate fail --format text",
        "a.c:1:1: error: \u{1b}]0;x\u{7}\u{1b}[2J\u{202e}boo\n",
    );
    assert!(
        nasty.text().chars().all(|c| c == '\n' || !c.is_control()),
        "{nasty}"
    );
}

#[test]
fn a_record_stays_small_however_much_failed() {
    let sandbox = Sandbox::new();
    let many: String = (0..4000)
        .map(|number| {
            format!(
                "src/file_{number}.c:1:1: error: no member named 'field_{number}' in 'struct {}'\n",
                "x".repeat(200)
            )
        })
        .collect();
    let named = lfp(&sandbox, "--gate fail", many.clone()).silent();
    assert!(named.stdout.len() < 64 << 10, "{}", named.stdout.len());
    let record = named.record();
    assert_eq!(
        (
            record["sigs"].as_array().unwrap().len(),
            &record["sigs_total"]
        ),
        (1024, &json!(4000))
    );
    assert!(record["failures"].as_array().unwrap().len() <= 40);
    let sigs: Vec<&str> = record["sigs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sig| sig[0].as_str().unwrap())
        .collect();
    assert!(sigs.is_sorted(), "sorted");
    // And a ledger takes it.
    sandbox
        .bash("lfp --gate fail | lrecord")
        .stdin(many)
        .ok()
        .silent();
}

#[test]
fn hostile_text_is_only_text() {
    let sandbox = Sandbox::new();
    let mut texts: Vec<(&str, Vec<u8>)> = vec![
        ("NUL bytes", vec![0; 200_000]),
        (
            "bytes that are no UTF-8",
            (0..200_000_u32)
                .map(|number| (number * 7 % 256) as u8)
                .collect(),
        ),
        (
            "one long line",
            [b"a.c:1:1: error: ".as_slice(), &vec![b'x'; 20 << 20]].concat(),
        ),
        (
            "escapes without end",
            "\u{1b}[".repeat(100_000).into_bytes(),
        ),
        (
            "a title without end",
            [b"\x1b]0;".as_slice(), &vec![b'x'; 100_000]].concat(),
        ),
        ("backspaces", "\u{8}".repeat(100_000).into_bytes()),
        ("returns", "x\r".repeat(100_000).into_bytes()),
        ("brackets", "[{(<".repeat(100_000).into_bytes()),
        ("errors", "error: ".repeat(100_000).into_bytes()),
        ("quotes", "'\"`".repeat(100_000).into_bytes()),
        ("digits", "1".repeat(300_000).into_bytes()),
        ("paths", "/a".repeat(150_000).into_bytes()),
        (
            "tracebacks without end",
            "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n"
                .repeat(5000)
                .into_bytes(),
        ),
        (
            "sections without end",
            "= FAILURES =\n____ test ____\nE   x\n"
                .repeat(5000)
                .into_bytes(),
        ),
    ];
    texts.push((
        "all of them",
        texts
            .iter()
            .filter(|(name, _)| *name != "one long line")
            .flat_map(|(_, text)| text.clone())
            .collect(),
    ));
    for (what, text) in texts {
        let named = sandbox
            .bash("ulimit -v 300000; exec lfp --gate fail")
            .stdin(text)
            .limit(120)
            .ok()
            .no_bug()
            .silent();
        let record = named.record();
        assert_eq!(
            record["fingerprint"].as_str().map(str::len),
            Some(12),
            "{what}"
        );
        assert!(named.stdout.len() < 64 << 10, "{what}");
    }
}

#[test]
fn the_answer_does_not_depend_on_how_the_text_comes() {
    let sandbox = Sandbox::new();
    let noise: String = (0..60_000)
        .map(|number| format!("step {number} of the build went well\n"))
        .collect();
    let text = format!("{noise}a.c:3:1: error: one\n{noise}b.c:4:2: error: two\n{noise}");
    sandbox.write("log", &text);
    let whole = sandbox.tool("lfp --gate fail log").ok().record();
    for way in [
        "cat log | lfp --gate fail",
        "{ head -c 65537 log; tail -c +65538 log; } | lfp --gate fail",
        "dd if=log bs=1000 2>/dev/null | lfp --gate fail",
        "lfp --gate fail < log",
        "lfp --gate fail - < log",
    ] {
        assert_eq!(sandbox.bash(way).ok().record(), whole, "{way}");
    }
    assert_eq!(whole["sigs"].as_array().unwrap().len(), 2);
}

#[test]
fn several_files_are_several_runs() {
    let sandbox = Sandbox::new();
    sandbox.write("a.log", TEXT);
    sandbox.write("b.log", "x.c:1:1: error: other\n");
    let named = sandbox
        .tool("lfp --gate fail a.log b.log a.log")
        .ok()
        .silent()
        .records();
    assert_eq!(
        (named.len(), &named[0]["fingerprint"]),
        (3, &named[2]["fingerprint"])
    );
    assert_ne!(named[0]["fingerprint"], named[1]["fingerprint"]);
    let missing = sandbox
        .tool("lfp --gate fail a.log missing.log")
        .run()
        .code(1);
    missing.err(str![[r#"
lfp: cannot read 'missing.log': No such file or directory

"#]]);
    sandbox
        .tool("lfp --gate fail .")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lfp: cannot read '.': Is a directory

"#]]);
}

#[test]
fn wrong_use_is_told_in_one_line() {
    let sandbox = Sandbox::new();
    for call in [
        "lfp --gate maybe",
        "lfp --level deep",
        "lfp --status x",
        "lfp --input xml",
        "lfp --gate pass --status 1",
        "lfp --gate pass --timed-out",
        "lfp --bare --batch",
        "lfp --scheme 0",
    ] {
        let refused = sandbox.tool(call).stdin(TEXT).run().code(2).out("");
        assert_eq!(refused.said().lines().count(), 1, "{refused}");
        assert!(refused.said().starts_with("lfp: "), "{refused}");
    }
}

#[test]
fn a_reader_that_went_away_ends_it_silently() {
    let sandbox = Sandbox::new();
    sandbox.write("records", gate_record(TEXT).repeat(20_000));
    let died = sandbox.bash("lfp < records | head -n 1 > first").run();
    assert_eq!((died.code, died.said().as_str()), (Some(141), ""), "{died}");
    sandbox
        .bash("lfp --gate fail < records > /dev/full")
        .run()
        .code(1)
        .err(str![[r#"
lfp: cannot write to stdout: No space left on device

"#]]);
    assert_eq!(
        sandbox.tool("ls -A").within("../tmp").ok().text(),
        "",
        "nothing is left of what was spooled"
    );
}
