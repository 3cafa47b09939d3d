//! `lrecord`: what is stored, what is printed, how it ends.

use serde_json::json;
use snapbox::data::Inline;
use snapbox::str;
use tests::{Sandbox, json, ledger, programs};

const FAILED: &str = r#"{"kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4"}"#;
const LEDGER: &str = ".loop/ledger.jsonl";

/// The value of a field in every record of the ledger.
fn stored(sandbox: &Sandbox, field: &str) -> Vec<serde_json::Value> {
    ledger::whole(&sandbox.read(LEDGER))
        .into_iter()
        .map(|record| record[field].clone())
        .collect()
}

#[test]
fn a_record_is_completed_stored_and_printed_as_it_is_stored() {
    let sandbox = Sandbox::new();
    let first = sandbox
        .tool("lrecord")
        .stdin(FAILED)
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4","iteration":1,"seq":1,"crc":"3e3b11ff"}

"#]]);
    let second = sandbox
        .tool("lrecord")
        .stdin(format!("{FAILED}\n"))
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4","iteration":2,"seq":2,"crc":"34c4ee22"}

"#]]);
    let stored = sandbox.read(LEDGER);
    assert_eq!(stored, [first.stdout, second.stdout].concat());
    assert_eq!(ledger::numbers(&stored), [1, 2]);
}

#[test]
fn text_shows_the_same_for_people() {
    let sandbox = Sandbox::new().with("LOOP_RUN", "auth");
    let records = [
        r#"{"kind":"attempt","name":"test","gate":"fail","fingerprint":"9f3c11d0a2b4","stage":"assert","action":"pin numpy"}"#,
        r#"{"kind":"attempt","name":"test","gate":"pass","fingerprint":""}"#,
        r#"{"kind":"attempt","gate":"blocked","fingerprint":"0b0b0b0b0b0b"}"#,
        r#"{"kind":"iteration","new_findings":0,"direction":"look\u001b[31m at\nthe cache"}"#,
        r#"{"kind":"ack","note":"rotated the key"}"#,
    ];
    let shown = sandbox
        .tool("lrecord --format text")
        .stdin(records.join("\n"))
        .ok()
        .silent();
    shown.out(str![[r#"
#1  2026-11-12T07:00:00  auth/test  attempt 1  fail  9f3c11d0a2b4  assert  pin numpy
#2  2026-11-12T07:00:00  auth/test  attempt 2  pass
#3  2026-11-12T07:00:00  auth  attempt 1  blocked  0b0b0b0b0b0b
#4  2026-11-12T07:00:00  auth  iteration  1 without findings  look at the cache
#5  2026-11-12T07:00:00  auth  ack  rotated the key

"#]]);
    let forced = sandbox
        .tool("lrecord --format text")
        .env("CLICOLOR_FORCE", "1")
        .stdin(FAILED)
        .ok();
    assert!(
        forced.text().contains("\u{1b}[1;31mfail\u{1b}[0m"),
        "{forced}"
    );
    let plain = sandbox
        .tool("lrecord --format text")
        .env("CLICOLOR_FORCE", "0")
        .stdin(FAILED)
        .ok();
    assert!(!plain.text().contains('\u{1b}'), "{plain}");
}

#[test]
fn flags_make_a_record_without_stdin() {
    let sandbox = Sandbox::new();
    sandbox
        .tool("lrecord --kind attempt --name test --gate fail --set fingerprint=9f3c11d0a2b4 --commit 1c0ffee")
        .args(["--action", "pin numpy", "--hypothesis", "numpy 2 broke it", "--note", "-- as \"told\""])
        .args(["--json", r#"seeds=[1, 2,{"a":null}]"#, "--set", "host=a=b"])
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","name":"test","action":"pin numpy","hypothesis":"numpy 2 broke it","note":"-- as \"told\"","commit":"1c0ffee","gate":"fail","fingerprint":"9f3c11d0a2b4","host":"a=b","seeds":[1, 2,{"a":null}],"iteration":1,"seq":1,"crc":"4b45fdda"}

"#]]);
    sandbox
        .tool("lrecord --kind question --json needs=\"human\" --note which?")
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"question","note":"which?","needs":"human","seq":2,"crc":"fb9be894"}

"#]]);
    sandbox
        .tool("lrecord --no-stdin --gate pass")
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"pass","iteration":1,"seq":3,"crc":"de8c82d0"}

"#]]);
}

#[test]
fn flags_replace_what_a_record_has_and_an_empty_text_takes_it_away() {
    let sandbox = Sandbox::new();
    sandbox
        .program("lrecord")
        .args([
            "--action",
            "new",
            "--note",
            "",
            "--iteration",
            "7",
            "--set",
            "host=b",
        ])
        .stdin(r#"{"note":"old","gate":"fail","host":"a","action":"old","iteration":1}"#)
        .ok()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"fail","host":"b","action":"new","iteration":7,"seq":1,"crc":"6463c592"}

"#]]);
}

#[test]
fn what_it_does_not_know_stays_byte_for_byte_in_its_order() {
    let sandbox = Sandbox::new();
    let odd = r#"{"z" : 1.50e+3,  "kind":"attempt","\u0066oo":[1, 2 ,{"a":"\u00e9\/"}],"gate":"fail","A":-0.0,"big":123456789012345678901234567890,"é":"ü\ud83d\ude00", "deep":{"seq":3,"crc":"x"}}"#;
    let printed = sandbox.tool("lrecord").stdin(odd).ok().silent().out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","z" : 1.50e+3,  "kind":"attempt","\u0066oo":[1, 2 ,{"a":"\u00e9\/"}],"gate":"fail","A":-0.0,"big":123456789012345678901234567890,"é":"ü\ud83d\ude00", "deep":{"seq":3,"crc":"x"},"iteration":1,"seq":1,"crc":"0f2403ea"}

"#]]);
    let inside = odd.trim_start_matches('{').trim_end_matches('}');
    assert!(printed.text().contains(inside), "{printed}");
}

#[test]
fn number_and_checksum_of_another_ledger_are_dropped() {
    let sandbox = Sandbox::new();
    let theirs = ledger::sealed(
        r#""v":1,"ts":"2025-01-01T00:00:00.000Z","kind":"ack","x":1"#,
        977,
    );
    sandbox
        .tool("lrecord")
        .stdin(theirs)
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2025-01-01T00:00:00.000Z","kind":"ack","x":1,"seq":1,"crc":"da2a9134"}

"#]]);
}

#[test]
fn iterations_are_counted_for_each_run_and_gate() {
    let sandbox = Sandbox::new();
    let record = |run: &str, name: &str| {
        format!("{{\"run\":\"{run}\",\"name\":\"{name}\",\"gate\":\"fail\"}}\n")
    };
    let all = [
        record("a", "test"),
        record("a", "lint"),
        record("b", "test"),
        record("a", "test"),
        record("a", ""),
    ];
    sandbox.tool("lrecord").stdin(all.concat()).ok();
    sandbox
        .tool("lrecord --run a --name test --kind attempt --gate fail")
        .ok();
    sandbox
        .tool("lrecord --ledger .loop/ledger.jsonl --run a --name test --kind attempt --gate fail")
        .ok();
    assert_eq!(stored(&sandbox, "iteration"), [1, 1, 1, 2, 1, 3]);
    assert_eq!(
        sandbox.files(),
        [
            ".loop/",
            ".loop/.gitignore",
            LEDGER,
            ".loop/ledger.jsonl.lock",
            ".loop/runs/",
            ".loop/runs/a.jsonl",
            ".loop/runs/a.jsonl.lock"
        ]
    );
    let of_run = ledger::whole(&sandbox.read(".loop/runs/a.jsonl"));
    assert_eq!(of_run[0]["iteration"], 1, "a run's own ledger begins anew");
}

#[test]
fn an_iteration_that_is_given_is_the_one_that_counting_goes_on_from() {
    let sandbox = Sandbox::new();
    for iteration in ["auto", "41", "auto"] {
        sandbox
            .tool("lrecord --kind attempt --gate fail --iteration")
            .arg(iteration)
            .ok();
    }
    sandbox
        .tool("lrecord")
        .stdin(r#"{"gate":"fail","iteration":100}"#)
        .ok();
    sandbox.tool("lrecord").stdin(r#"{"gate":"fail"}"#).ok();
    assert_eq!(stored(&sandbox, "iteration"), [1, 41, 42, 100, 101]);
}

#[test]
fn iterations_without_findings_are_counted_under_the_lock() {
    let sandbox = Sandbox::new();
    for findings in ["3", "0", "0", "0", "0", "1", "0"] {
        sandbox
            .tool("lrecord --phase search --new-findings")
            .arg(findings)
            .ok();
    }
    assert_eq!(stored(&sandbox, "stale_count"), [0, 1, 2, 3, 4, 0, 1]);
    let pivots = [
        "none",
        "none",
        "structural",
        "structural",
        "human",
        "none",
        "none",
    ];
    assert_eq!(stored(&sandbox, "pivot"), pivots);
    // Runs do not share a count; one that came with a record is not believed.
    sandbox
        .tool("lrecord")
        .stdin(r#"{"run":"b","new_findings":0,"stale_count":99,"pivot":"human"}"#)
        .ok();
    sandbox.tool("lrecord --new-findings 0").ok().out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"iteration","new_findings":0,"stale_count":2,"pivot":"structural","seq":9,"crc":"c8d69f8d"}

"#]]);
    assert_eq!(stored(&sandbox, "stale_count"), [0, 1, 2, 3, 4, 0, 1, 1, 2]);
}

#[test]
fn a_stale_count_that_is_no_count_is_passed_over() {
    let sandbox = Sandbox::new();
    let bad = ["-1", "1.5", "\"2\"", "null", "true", "1e3"];
    let mut begun = ledger::sealed(r#""kind":"iteration","new_findings":0,"stale_count":2"#, 1);
    for (seq, count) in (2..).zip(bad) {
        begun += &ledger::sealed(
            &format!(r#""kind":"iteration","new_findings":0,"stale_count":{count}"#),
            seq,
        );
    }
    sandbox.write(LEDGER, begun);
    let record = sandbox.tool("lrecord --new-findings 0").ok().record();
    assert_eq!(
        (&record["stale_count"], &record["seq"]),
        (&json!(3), &json!(8))
    );
}

#[test]
fn a_count_that_is_none_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for count in ["-1", "1.5", "x", "", "99999999999999999999"] {
        let refused = sandbox
            .program("lrecord")
            .arg(format!("--new-findings={count}"))
            .run()
            .code(2);
        assert_eq!(refused.said().lines().count(), 1, "{refused}");
    }
    assert_eq!(sandbox.files(), [""; 0], "nothing is made for a wrong call");
    let refused = r#"{"kind":"iteration","new_findings":-1}"#;
    sandbox
        .tool("lrecord")
        .stdin(refused)
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: stdin line 1: new_findings is not a count

"#]]);
}

#[test]
fn a_gate_that_failed_can_be_the_status() {
    let sandbox = Sandbox::new();
    let gate = |outcome: &str| format!("{{\"kind\":\"attempt\",\"gate\":\"{outcome}\"}}\n");
    let (pass, fail, blocked) = (gate("pass"), gate("fail"), gate("blocked"));
    let cases = [
        (pass.clone(), 0),
        (fail.clone(), 14),
        (blocked.clone(), 15),
        ([pass.as_str(), &fail, &blocked, &pass].concat(), 15),
        ([fail.as_str(), &pass].concat(), 14),
        (r#"{"kind":"ack"}"#.to_owned(), 0),
    ];
    for (records, status) in cases {
        sandbox.tool("lrecord").stdin(records.clone()).ok();
        sandbox
            .tool("lrecord --exit-code")
            .stdin(records)
            .run()
            .code(status)
            .silent();
    }
    sandbox
        .tool("lrecord --exit-code --kind attempt --gate blocked")
        .run()
        .code(15);
}

#[test]
fn a_pipeline_that_broke_records_nothing() {
    let sandbox = Sandbox::new();
    sandbox.tool("lrecord").run().code(1).out("").err(str![[r#"
lrecord: no record on stdin

"#]]);
    sandbox
        .tool("lrecord")
        .stdin("\n \n")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: no record on stdin

"#]]);
    sandbox
        .tool("lrecord")
        .stdin(r#"{"kind":"attempt","fingerprint":"9f3c11d0a2b4"}"#)
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: stdin line 1: no outcome: use lgate, or lfp --status

"#]]);
    sandbox
        .tool("lrecord --kind attempt")
        .run()
        .code(2)
        .out("")
        .err(str![[r#"
lrecord: no outcome: use lgate, or lfp --status

"#]]);
    assert!(!sandbox.path(LEDGER).exists(), "{:?}", sandbox.files());
}

#[test]
fn wrong_use_is_told_in_one_line() {
    let sandbox = Sandbox::new();
    let check = |call: &str, expected: Inline| {
        sandbox.tool(call).run().code(2).out("").err(expected);
    };
    check(
        "lrecord --kind atempt",
        str![[r#"
lrecord: invalid value 'atempt' for '--kind <KIND>': no such kind of record; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind attempt --gate maybe",
        str![[r#"
lrecord: invalid value 'maybe' for '--gate <OUTCOME>': pass, fail or blocked; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind ack --set seq=1",
        str![[r#"
lrecord: invalid value 'seq=1' for '--set <FIELD=TEXT>': 'seq' is not a field that can be set; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind ack --set run=x",
        str![[r#"
lrecord: invalid value 'run=x' for '--set <FIELD=TEXT>': 'run' is not a field that can be set; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind ack --set nothing",
        str![[r#"
lrecord: invalid value 'nothing' for '--set <FIELD=TEXT>': not of the form FIELD=VALUE; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind ack --json x={",
        str![[r#"
lrecord: --json x: EOF while parsing an object at line 1 column 1

"#]],
    );
    check(
        "lrecord --kind attempt --gate pass --iteration -1",
        str![[r#"
lrecord: unexpected argument '-1' found; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind ack --wait soon",
        str![[r#"
lrecord: invalid value 'soon' for '--wait <TIME>': not a length of time such as 90s, 5m or 2h; see 'lrecord --help'

"#]],
    );
    check(
        "lrecord --kind ack --ledger -",
        str![[r#"
lrecord: a ledger to write cannot be '-'

"#]],
    );
    check(
        "lrecord surplus",
        str![[r#"
lrecord: unexpected argument 'surplus' found; see 'lrecord --help'

"#]],
    );
    sandbox
        .tool("lrecord --kind ack")
        .env("LOOP_NOW", "yesterday")
        .run()
        .code(2)
        .err(str![[r#"
lrecord: LOOP_NOW 'yesterday' is neither RFC 3339 nor epoch seconds

"#]]);
    assert_eq!(sandbox.files(), [""; 0]);
}

#[test]
fn a_run_has_a_ledger_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox
        .tool("lrecord")
        .env("LOOP_RUN", "auth")
        .stdin(FAILED)
        .ok()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","run":"auth","kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4","iteration":1,"seq":1,"crc":"6b30ba35"}

"#]]);
    sandbox
        .tool("lrecord --run night")
        .env("LOOP_RUN", "auth")
        .stdin(FAILED)
        .ok();
    let theirs = r#"{"run":"other","gate":"pass"}"#;
    sandbox
        .tool("lrecord --run auth")
        .stdin(theirs)
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: stdin line 1: it belongs to run 'other', not 'auth'

"#]]);
    sandbox
        .tool("lrecord")
        .env("LOOP_RUN", "")
        .stdin(theirs)
        .ok();
    let runs = |name: &str| {
        ledger::whole(&sandbox.read(name))
            .into_iter()
            .map(|record| record["run"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(runs(".loop/runs/auth.jsonl"), ["auth"]);
    assert_eq!(runs(".loop/runs/night.jsonl"), ["night"]);
    assert_eq!(runs(LEDGER), ["other"]);
}

#[test]
fn a_ledger_that_is_named_is_the_one() {
    let sandbox = Sandbox::new()
        .with("LOOP_LEDGER", "mine.jsonl")
        .with("LOOP_RUN", "auth");
    sandbox.tool("lrecord --kind ack").ok();
    sandbox
        .tool("lrecord --kind ack --ledger other.jsonl --run b")
        .ok();
    sandbox
        .tool("lrecord")
        .stdin(r#"{"kind":"ack","run":"theirs"}"#)
        .ok();
    assert_eq!(
        sandbox.files(),
        [
            "mine.jsonl",
            "mine.jsonl.lock",
            "other.jsonl",
            "other.jsonl.lock"
        ]
    );
    let runs: Vec<_> = ledger::whole(&sandbox.read("mine.jsonl"))
        .into_iter()
        .map(|record| record["run"].clone())
        .collect();
    assert_eq!(runs, ["auth", "theirs"]);
    assert_eq!(ledger::whole(&sandbox.read("other.jsonl"))[0]["run"], "b");
}

#[test]
fn a_refused_name_is_answered_with_a_valid_one() {
    let sandbox = Sandbox::new();
    let check = |name: &str, expected: Inline| {
        sandbox
            .tool("lrecord --kind ack --run")
            .arg(name)
            .run()
            .code(2)
            .out("")
            .err(expected.clone());
        sandbox
            .tool("lrecord --kind ack")
            .env("LOOP_RUN", name)
            .run()
            .code(2)
            .out("");
        let record = json!({"kind": "ack", "run": name}).to_string();
        sandbox.tool("lrecord").stdin(record).run().code(1).out("");
    };
    check(
        "12/merge",
        str![[r#"
lrecord: '12/merge' cannot name a run: try '12-merge'

"#]],
    );
    check(
        "../../etc/passwd",
        str![[r#"
lrecord: '../../etc/passwd' cannot name a run: try '..-..-etc-passwd'

"#]],
    );
    check(
        "..",
        str![[r#"
lrecord: '..' cannot name a run: try 'run'

"#]],
    );
    check(
        "a b\u{1b}[31m\nc",
        str![[r#"
lrecord: 'a b c' cannot name a run: try 'a-b--31m-c'

"#]],
    );
    check(
        &"x".repeat(129),
        str![[r#"
lrecord: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' cannot name a run: try 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'

"#]],
    );
    assert!(!sandbox.path("../../etc").exists() && !sandbox.path(LEDGER).exists());
    // What is offered is taken.
    sandbox.tool("lrecord --kind ack --run 12-merge").ok();
}

#[test]
fn a_key_makes_a_retry_safe() {
    let sandbox = Sandbox::new();
    sandbox.tool("lrecord --id turn-7").stdin(FAILED).ok();
    sandbox.tool("lrecord --kind ack").ok();
    sandbox
        .tool("lrecord --id turn-7")
        .stdin(FAILED)
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4","id":"turn-7","iteration":1,"seq":1,"duplicate":true}

"#]]);
    sandbox.tool("lrecord --id turn-8").stdin(FAILED).ok();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2, 3]);
    let two = format!("{FAILED}\n{FAILED}\n");
    sandbox
        .tool("lrecord --id turn-9")
        .stdin(two)
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: --id names one record, and there are more

"#]]);
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2, 3]);
}

#[test]
fn a_key_holds_for_a_thousand_records() {
    let sandbox = Sandbox::new();
    sandbox.tool("lrecord --id near --kind ack").ok();
    sandbox
        .tool("lrecord")
        .stdin("{\"kind\":\"ack\"}\n".repeat(999))
        .ok();
    let again = sandbox.tool("lrecord --id near --kind ack").ok().record();
    assert_eq!(
        (&again["seq"], &again["duplicate"]),
        (&json!(1), &json!(true))
    );
    sandbox.tool("lrecord --kind ack").ok();
    let later = sandbox.tool("lrecord --id near --kind ack").ok().record();
    assert_eq!(
        (&later["seq"], &later["duplicate"]),
        (&json!(1002), &json!(null))
    );
}

#[test]
fn an_action_comes_from_the_notes_of_the_agent() {
    let sandbox = Sandbox::new().git();
    sandbox.write(
        "said.md",
        "I tried.\n<notes>{\"hypothesis\": \"numpy 2\\n broke it\", \"action\":\"pin numpy\", \"avoid\": \"sleeping\", \"next\": [\"a\", \"b\"]}</notes>\n",
    );
    sandbox
        .tool("lrecord --notes said.md")
        .stdin(FAILED)
        .ok()
        .silent()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"attempt","gate":"fail","fingerprint":"9f3c11d0a2b4","commit":"868fed38eb9bdfd4b8487c2d925da7bc401cd617","action":"pin numpy","hypothesis":"numpy 2 broke it","avoid":["sleeping"],"next":["a","b"],"iteration":1,"seq":1,"crc":"9df7df3f"}

"#]]);
    let given = sandbox
        .tool("lrecord --notes said.md --action mine")
        .stdin(FAILED)
        .ok()
        .record();
    assert_eq!(given["action"], "mine");
    sandbox.write("silent.md", "nothing to say");
    sandbox
        .tool("lrecord --notes silent.md")
        .stdin(FAILED)
        .ok()
        .err(str![[r#"
lrecord: warning: 'silent.md' has no notes block

"#]]);
    sandbox
        .tool("lrecord --notes missing.md")
        .stdin(FAILED)
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: cannot read 'missing.md': No such file or directory

"#]]);
}

#[test]
fn a_new_commit_says_what_was_tried() {
    let sandbox = Sandbox::new().git();
    let action = |flags: &str| {
        sandbox
            .tool(&format!("lrecord {flags}"))
            .stdin(FAILED)
            .ok()
            .silent()
            .record()["action"]
            .clone()
    };
    assert_eq!(action(""), "begin");
    assert_eq!(action(""), json!(null), "the commit is not new any more");
    assert_eq!(action("--name lint"), "begin", "to this gate it is");
    sandbox.commit("pin \u{1b}[31mnumpy\u{1b}[0m\u{7} 'x' $(id)");
    assert_eq!(action(""), "pin numpy 'x' $(id)");
    sandbox.commit("next");
    assert_eq!(action("--action told"), "told");
    assert_eq!(action(""), json!(null));
    let all = stored(&sandbox, "commit");
    assert!(
        all.iter()
            .all(|commit| commit.as_str().is_some_and(|commit| commit.len() == 40)),
        "{all:?}"
    );
}

#[test]
fn the_commit_is_found_wherever_git_keeps_it() {
    let sandbox = Sandbox::new().git();
    let head = || {
        sandbox
            .tool("git rev-parse HEAD")
            .ok()
            .text()
            .trim()
            .to_owned()
    };
    let check = |expected: &str| {
        let record = sandbox
            .tool("lrecord --kind attempt --gate pass")
            .ok()
            .silent()
            .record();
        assert_eq!(record["commit"], expected);
    };
    check(&head());
    sandbox.tool("git pack-refs --all").ok();
    check(&head());
    sandbox.commit("on top of a packed one");
    check(&head());
    sandbox.tool("git checkout -q --detach HEAD~1").ok();
    check(&head());
    sandbox.tool("git checkout -q -b a/b/c").ok();
    check(&head());
    sandbox
        .sh("mkdir deep && cd deep && lrecord --kind attempt --gate pass")
        .ok();
    let empty = Sandbox::new();
    empty.tool("git init -q .").ok();
    let record = empty
        .tool("lrecord --kind attempt --gate pass")
        .ok()
        .silent()
        .record();
    assert_eq!(record["commit"], json!(null), "there is no commit yet");
}

#[test]
fn a_reader_that_went_away_does_not_stop_it() {
    let sandbox = Sandbox::new();
    let records = "{\"kind\":\"ack\"}\n".repeat(5000);
    sandbox.write("records", &records);
    sandbox.bash("lrecord < records | true").ok().silent();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)).len(), 5000);
    sandbox.bash("lrecord < records | head -n 1").ok().silent();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)).len(), 10_000);
    // The reader is gone before the first record comes.
    sandbox
        .bash("{ sleep 0.05; exec lrecord --kind ack; } | true")
        .ok()
        .silent();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)).len(), 10_001);
}

#[test]
fn a_stdout_that_cannot_be_written_is_told() {
    let sandbox = Sandbox::new();
    sandbox
        .sh("lrecord --kind ack > /dev/full")
        .run()
        .code(1)
        .err(str![[r#"
lrecord: cannot write to stdout: No space left on device

"#]]);
    assert_eq!(
        ledger::numbers(&sandbox.read(LEDGER)),
        [1],
        "it was stored all the same"
    );
    let closed = sandbox.sh("lrecord --kind ack >&-").run().no_bug();
    assert_eq!(
        closed.said().lines().count(),
        usize::from(closed.code != Some(0)),
        "{closed}"
    );
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2]);
}

#[test]
fn a_slow_stream_is_stored_record_by_record() {
    let sandbox = Sandbox::new();
    // The second record is sent only after the first is in the ledger; else this would wait for ever.
    let script = "mkfifo in; { echo '{\"kind\":\"ack\"}'; while ! grep -q seq .loop/ledger.jsonl 2>/dev/null; do sleep 0.01; done; echo '{\"kind\":\"ack\"}'; } > in & lrecord < in";
    sandbox.bash(script).ok().silent();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2]);
}

#[test]
fn a_lock_that_is_held_is_a_reason_to_come_back_later() {
    if !programs::has("flock") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.tool("lrecord --kind ack").ok();
    let lock = ".loop/ledger.jsonl.lock";
    sandbox
        .tool(&format!("flock {lock} lrecord --kind ack --wait 20ms"))
        .run()
        .code(75)
        .out("")
        .err(str![[r#"
lrecord: '.loop/ledger.jsonl' is locked: still held by another writer after 0.02 s

"#]]);
    sandbox
        .tool(&format!("flock {lock} lrecord --kind ack --wait 0"))
        .run()
        .code(75)
        .out("");
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1]);
    // A shell script joins the protocol: lrecord waits until it is done.
    let script = format!(
        "flock {lock} sh -c 'touch held; sleep 0.2; touch done' & while ! test -e held; do sleep 0.01; done; lrecord --kind ack >/dev/null; test -e done; wait"
    );
    sandbox.bash(&script).ok().silent();
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2]);
}

#[test]
fn what_is_no_ledger_is_not_written_to() {
    let sandbox = Sandbox::new();
    sandbox
        .sh("mkdir directory; mkfifo fifo; ln -s /dev/null null")
        .ok();
    let check = |ledger: &str, expected: Inline| {
        sandbox
            .tool("lrecord --kind ack --ledger")
            .arg(ledger)
            .run()
            .code(1)
            .out("")
            .err(expected);
    };
    check(
        "directory",
        str![[r#"
lrecord: cannot append to 'directory': not a regular file

"#]],
    );
    check(
        "fifo",
        str![[r#"
lrecord: cannot append to 'fifo': not a regular file

"#]],
    );
    check(
        "/dev/null",
        str![[r#"
lrecord: cannot append to '/dev/null': not a regular file

"#]],
    );
    check(
        "null",
        str![[r#"
lrecord: cannot append to 'null': not a regular file

"#]],
    );
    check(
        "missing/ledger.jsonl",
        str![[r#"
lrecord: cannot append to 'missing/ledger.jsonl': No such file or directory

"#]],
    );
    check(
        "directory/",
        str![[r#"
lrecord: cannot append to 'directory/': not a regular file

"#]],
    );
    assert_eq!(
        sandbox.files(),
        ["directory/", "fifo", "null"],
        "and no lock is left beside it"
    );
}

#[test]
fn a_ledger_of_a_newer_format_is_left_alone() {
    let sandbox = Sandbox::new();
    let newer = ledger::sealed(r#""v":2,"kind":"attempt","gate":"fail""#, 1);
    sandbox.write(LEDGER, &newer);
    sandbox
        .tool("lrecord --kind ack")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: '.loop/ledger.jsonl' has records of schema 2: use a looputils that knows it

"#]]);
    assert_eq!(sandbox.read(LEDGER), newer.as_bytes());
}

#[test]
fn a_record_too_long_is_refused_and_the_others_are_stored() {
    let sandbox = Sandbox::new();
    let record = |size: usize| format!("{{\"kind\":\"ack\",\"note\":\"{}\"}}\n", "x".repeat(size));
    let limit = 64 << 10;
    let records = [record(10), record(limit), record(20), record(limit - 200)].concat();
    let refused = sandbox.tool("lrecord").stdin(records).run().code(1);
    let lengths: Vec<usize> = refused.text().lines().map(str::len).collect();
    assert_eq!(sandbox.read(LEDGER), refused.stdout);
    assert_eq!(
        ledger::numbers(&sandbox.read(LEDGER)),
        [1, 2, 3],
        "{lengths:?} {}",
        refused.said()
    );
    refused.err(str![[r#"
lrecord: stdin line 2: record of 65623 bytes is longer than 65536: put evidence in a file and name it

"#]]);
}

#[test]
fn every_promise_stores_the_same() {
    let sandbox = Sandbox::new();
    for promise in ["data", "batch", "none"] {
        sandbox
            .tool("lrecord --kind ack --sync")
            .arg(promise)
            .ok()
            .silent();
    }
    assert_eq!(ledger::numbers(&sandbox.read(LEDGER)), [1, 2, 3]);
}

#[test]
fn a_ledger_written_by_hand_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write(LEDGER, "{\"gate\":\"fail\",\"fingerprint\":\"a\",\"iteration\":4}\n{\"gate\":\"fail\",\"fingerprint\":\"a\",\"iteration\":5}\n");
    let record = sandbox.tool("lrecord").stdin(FAILED).ok().silent().record();
    assert_eq!(
        (&record["seq"], &record["iteration"]),
        (&json!(3), &json!(6))
    );
}

#[test]
fn fields_are_printed_in_the_order_in_which_they_are_declared() {
    let sandbox = Sandbox::new().git().with("LOOP_RUN", "auth");
    let printed = sandbox
        .tool("lrecord")
        .stdin(r#"{"name":"test","gate":"fail","fingerprint":"9f3c11d0a2b4"}"#)
        .ok();
    let names = json::names(printed.text().trim_end());
    assert_eq!(
        names.join(" "),
        "v ts run kind name gate fingerprint commit action iteration seq crc"
    );
}
