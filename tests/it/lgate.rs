//! `lgate`: what a command said, whatever it does.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use serde_json::{Value, json};
use snapbox::str;
use tests::{Sandbox, json};

/// Runs a gate quietly; gives its record.
#[track_caller]
fn gate(sandbox: &Sandbox, flags: &str, command: &[&str]) -> Value {
    sandbox
        .tool(&format!("lgate --quiet {flags} --"))
        .args(command)
        .ok()
        .record()
}

#[test]
fn the_outcome_is_one_record_and_the_output_goes_to_stderr() {
    let sandbox = Sandbox::new();
    let run = |script: &str| {
        sandbox
            .program("lgate")
            .args(["--name", "test", "--", "sh", "-c", script])
            .ok()
    };
    run("echo told; echo warned >&2").err(str![[r#"
told
warned

"#]]).out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"gate","name":"test","gate":"pass","cmd":["sh","-c","echo told; echo warned >&2"],"exit":0,"duration_ms":[..],"output":"told\nwarned\n","output_bytes":12}

"#]]);
    run("echo 'a.c:1: error'; exit 3").err(str![[r#"
a.c:1: error

"#]]).out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"gate","name":"test","gate":"fail","cmd":["sh","-c","echo 'a.c:1: error'; exit 3"],"exit":3,"duration_ms":[..],"output":"a.c:1: error\n","output_bytes":13}

"#]]);
    run("exit 127").err("").out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"gate","name":"test","gate":"blocked","cmd":["sh","-c","exit 127"],"exit":127,"duration_ms":[..],"output":"","output_bytes":0}

"#]]);
    run("kill -9 $$").out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"gate","name":"test","gate":"fail","cmd":["sh","-c","kill -9 $$"],"signal":9,"duration_ms":[..],"output":"","output_bytes":0}

"#]]);
    sandbox
        .tool("lgate -- no-such-program x")
        .ok()
        .err(str![[r#"
lgate: cannot run 'no-such-program': No such file or directory

"#]])
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"gate","gate":"blocked","cmd":["no-such-program","x"],"duration_ms":[..],"output":"cannot run 'no-such-program': No such file or directory\n","output_bytes":56}

"#]]);
    assert_eq!(sandbox.files(), [""; 0], "short output needs no file");
}

#[test]
fn fields_are_printed_in_the_order_in_which_they_are_declared() {
    let sandbox = Sandbox::new().git();
    let printed = sandbox
        .tool("lgate --quiet --timeout 2s --name test --")
        .args([
            "sh",
            "-c",
            "head -c 20000 /dev/zero | tr '\\0' x; sleep 100",
        ])
        .ok();
    let names = json::names(printed.text().trim_end());
    assert_eq!(
        names.join(" "),
        "v ts kind name gate cmd signal timed_out duration_ms commit tree output output_path output_bytes"
    );
}

#[test]
fn text_tells_a_person_how_it_went() {
    let sandbox = Sandbox::new();
    for script in ["exit 0", "exit 3", "exit 126"] {
        let shown = sandbox
            .tool("lgate --quiet --format text --")
            .args(["sh", "-c", script])
            .ok()
            .silent();
        let word = ["pass", "fail", "blocked"]
            .into_iter()
            .find(|word| shown.text().contains(word));
        assert_eq!(
            word,
            Some(match script {
                "exit 0" => "pass",
                "exit 3" => "fail",
                _ => "blocked",
            }),
            "{shown}"
        );
        assert!(!shown.text().starts_with('{'), "{shown}");
    }
}

#[test]
fn the_status_is_its_own_or_that_of_the_command() {
    let sandbox = Sandbox::new();
    let cases = [
        ("exit 0", 0, "pass"),
        ("exit 1", 1, "fail"),
        ("exit 77", 77, "fail"),
        ("exit 126", 126, "blocked"),
        ("exit 127", 127, "blocked"),
        ("kill -15 $$", 143, "fail"),
        ("kill -9 $$", 137, "fail"),
    ];
    for (script, status, outcome) in cases {
        let reported = sandbox
            .program("lgate")
            .args(["--quiet", "--", "sh", "-c", script])
            .ok();
        assert_eq!(reported.record()["gate"], outcome, "{reported}");
        let passed_on = sandbox
            .program("lgate")
            .args(["--quiet", "--exit-code", "--", "sh", "-c", script])
            .run()
            .code(status);
        assert_eq!(passed_on.record()["gate"], outcome);
    }
    sandbox
        .tool("lgate --quiet --exit-code -- no-such-program")
        .run()
        .code(127);
    sandbox.write("plain", "no program");
    sandbox
        .tool("lgate --quiet --exit-code -- ./plain")
        .run()
        .code(126);
    sandbox
        .tool("lgate --quiet --exit-code -- ./")
        .run()
        .code(126);
}

#[test]
fn a_code_can_be_declared_to_mean_that_it_could_not_run() {
    let sandbox = Sandbox::new();
    let outcome = |flags: &str, code: u32| {
        gate(&sandbox, flags, &["sh", "-c", &format!("exit {code}")])["gate"].clone()
    };
    assert_eq!(outcome("--blocked 3 --blocked 5", 5), "blocked");
    assert_eq!(outcome("--blocked 3,5", 5), "blocked");
    assert_eq!(outcome("--blocked 3", 5), "fail");
    assert_eq!(outcome("--blocked 3", 0), "pass");
    sandbox.tool("lgate --blocked 0 -- true").run().code(2);
}

#[test]
fn a_command_whose_time_is_over_has_failed() {
    let sandbox = Sandbox::new();
    let late = sandbox
        .tool("lgate --quiet --timeout 50ms --exit-code -- sleep 100")
        .run()
        .code(124)
        .record();
    assert_eq!(
        (&late["gate"], &late["timed_out"]),
        (&json!("fail"), &json!(true))
    );
    // One that does not hear is killed, with all that it began.
    let deaf = "trap '' TERM; echo $$ > pid; sh -c 'trap \"\" TERM; echo $$ > child; while :; do sleep 1; done' & while :; do sleep 1; done";
    let late = gate(&sandbox, "--timeout 2s", &["sh", "-c", deaf]);
    assert_eq!(
        (&late["signal"], &late["timed_out"]),
        (&json!(9), &json!(true))
    );
    assert!(!sandbox.is_alive("pid") && !sandbox.is_alive("child"));
    let on_time = gate(&sandbox, "--timeout 0", &["true"]);
    assert_eq!(
        (&on_time["gate"], &on_time["timed_out"]),
        (&json!("pass"), &json!(null))
    );
}

#[test]
fn nothing_of_its_group_outlives_it() {
    let sandbox = Sandbox::new();
    let record = gate(
        &sandbox,
        "",
        &["sh", "-c", "sleep 100 & echo $! > pid; echo done"],
    );
    assert_eq!(
        (&record["gate"], &record["output"]),
        (&json!("pass"), &json!("done\n"))
    );
    assert!(!sandbox.is_alive("pid"));
}

#[test]
fn a_signal_ends_the_command_and_makes_no_record() {
    let sandbox = Sandbox::new();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let gate = sandbox
            .tool("lgate --")
            .args([
                "sh",
                "-c",
                "echo $$ > pid.new; mv pid.new pid; exec sleep 100",
            ])
            .spawn();
        sandbox.wait_for("pid");
        gate.signal_group(name);
        let ended = gate.wait().died_by(number);
        assert_eq!(ended.text(), "");
        assert!(!sandbox.is_alive("pid"), "{name}");
        std::fs::remove_file(sandbox.path("pid")).unwrap();
    }
}

#[test]
fn it_has_nothing_on_stdin() {
    let sandbox = Sandbox::new();
    let record = sandbox
        .tool("lgate --quiet -- cat")
        .stdin("not for you")
        .ok()
        .record();
    assert_eq!(
        (&record["gate"], &record["output"]),
        (&json!("pass"), &json!(""))
    );
}

#[test]
fn no_shell_comes_between() {
    let sandbox = Sandbox::new();
    let record = gate(&sandbox, "", &["printf", "%s|", "$HOME", "a b", "", "*"]);
    assert_eq!(record["output"], "$HOME|a b||*|");
    assert_eq!(
        record["cmd"],
        json!(["printf", "%s|", "$HOME", "a b", "", "*"])
    );
    sandbox
        .program("lgate")
        .args(["--", "make test && it's"])
        .ok()
        .err(str![[r#"
lgate: warning: 'make test && it's' is one word and no file: a shell command is run by sh -c 'make test && it'\''s'
lgate: cannot run 'make test && it's': No such file or directory

"#]]);
    sandbox.write("a program", "#!/bin/sh\nexit 0\n");
    sandbox.sh("chmod +x 'a program'").ok();
    sandbox
        .program("lgate")
        .args(["--", "./a program"])
        .ok()
        .silent();
}

#[test]
fn long_output_is_kept_whole_in_a_file() {
    let sandbox = Sandbox::new();
    let long = "seq 20000; echo 'a.c:1:1: error: boom'; seq 20000; exit 1";
    let record = gate(&sandbox, "--name test", &["sh", "-c", long]);
    let whole = sandbox.sh(long).run().stdout;
    let path = record["output_path"].as_str().unwrap();
    assert!(
        path.starts_with(".loop/gates/test-") && path.ends_with(".log"),
        "{path}"
    );
    assert_eq!(sandbox.read(path), whole);
    assert_eq!(record["output_bytes"], whole.len());
    let inlined = record["output"].as_str().unwrap();
    assert!(
        inlined.starts_with("1\n2\n")
            && inlined.ends_with("\n20000\n")
            && inlined.len() <= 16 << 10,
        "{}",
        inlined.len()
    );
    assert_eq!(
        sandbox.path(path).metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        sandbox
            .path(".loop")
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    assert!(sandbox.path(".loop/.gitignore").exists());
    // Of what is not in the record lfp names the failure all the same.
    let named = sandbox.tool("lfp").stdin(record.to_string()).ok().record();
    assert_eq!(named["failures"][0]["file"], "a.c", "{named}");
    assert!(named["output"].is_null() && named["output_path"].is_string());
}

#[test]
fn the_newest_twenty_logs_of_a_gate_are_kept() {
    let sandbox = Sandbox::new();
    for number in 0..23 {
        sandbox
            .tool("lgate --quiet --name test -- seq 9000")
            .env("LOOP_NOW", format!("2026-11-12T07:00:{number:02}Z"))
            .ok();
    }
    sandbox.tool("lgate --quiet --name test-2 -- seq 9000").ok();
    let logs: Vec<String> = sandbox
        .files()
        .into_iter()
        .filter(|file| file.ends_with(".log"))
        .collect();
    let of_test: Vec<&String> = logs
        .iter()
        .filter(|log| log.contains("/test-2026"))
        .collect();
    assert_eq!((of_test.len(), logs.len()), (20, 21), "{logs:#?}");
    assert!(
        of_test[0].contains("T070003"),
        "the oldest go: {}",
        of_test[0]
    );
}

#[test]
fn two_gates_at_the_same_time_do_not_share_a_log() {
    let sandbox = Sandbox::new();
    let paths: Vec<Value> = thread::scope(|scope| {
        let gates: Vec<_> = (0..6)
            .map(|number| {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    gate(sandbox, "", &["seq", &format!("{}", 9000 + number)])["output_path"]
                        .clone()
                })
            })
            .collect();
        gates.into_iter().map(|gate| gate.join().unwrap()).collect()
    });
    assert_eq!(
        paths
            .iter()
            .map(Value::to_string)
            .collect::<HashSet<_>>()
            .len(),
        6,
        "{paths:?}"
    );
    let lengths: HashSet<usize> = paths
        .iter()
        .map(|path| sandbox.read(path.as_str().unwrap()).len())
        .collect();
    assert_eq!(lengths.len(), 6);
}

#[test]
fn where_no_log_can_be_written_the_outcome_goes_out_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write(".loop", "in the way");
    let reported = sandbox
        .tool("lgate --quiet -- sh -c")
        .arg("seq 20000; exit 1")
        .ok();
    let record = reported.record();
    assert_eq!(
        (&record["gate"], &record["output_path"]),
        (&json!("fail"), &json!(null))
    );
    assert!(record["output"].as_str().unwrap().ends_with("\n20000\n"));
    assert_eq!(reported.said().lines().count(), 1, "{reported}");
}

#[test]
fn a_log_of_ones_own_takes_its_place() {
    let sandbox = Sandbox::new();
    let record = gate(&sandbox, "--log all.log", &["seq", "20000"]);
    assert_eq!(
        sandbox.read("all.log"),
        sandbox.tool("seq 20000").ok().stdout
    );
    assert!(!sandbox.path(".loop").exists(), "{record}");
    gate(&sandbox, "--log short.log", &["echo", "short"]);
    assert_eq!(sandbox.read("short.log"), b"short\n");
}

#[test]
fn a_log_outside_is_never_read() {
    let sandbox = Sandbox::new();
    sandbox.write("secret.log", "secret.c:1:1: error: not for you\n");
    sandbox.sh("mkdir -p -m 700 .loop/gates; ln -s ../../secret.log .loop/gates/link.log; ln -s .. .loop/up").ok();
    let absolute = sandbox.path("secret.log").display().to_string();
    for path in [
        "secret.log",
        "../work/secret.log",
        ".loop/../secret.log",
        ".loop/gates/link.log",
        ".loop/up/secret.log",
        &absolute,
        "/dev/zero",
        ".loop",
        ".loop/gates/missing.log",
        "",
    ] {
        let record = json!({"kind": "gate", "gate": "fail", "output": "mine.c:1:1: error: mine\n", "output_path": path});
        let named = sandbox.tool("lfp").stdin(record.to_string()).ok();
        assert!(
            !named.text().contains("secret.c") && named.text().contains("mine.c"),
            "{path}\n{named}"
        );
    }
}

#[test]
fn secrets_are_masked_in_what_is_kept_and_shown_in_what_is_live() {
    let sandbox = Sandbox::new();
    let token = ["ghp_", "0123456789abcdefABCDEF0123456789abcd"].concat();
    let run = |flags: &str, repeat: u32| {
        let script = format!(
            "for i in $(seq {repeat}); do echo line $i; done; echo token={token}; echo 'Authorization: Bearer abcdefghijklmnop0123456789'; echo end"
        );
        sandbox
            .tool(&format!("lgate {flags} --"))
            .args(["sh", "-c", &script])
            .ok()
    };
    let short = run("", 1);
    assert!(short.said().contains(&token), "{short}");
    let record = short.record();
    let output = record["output"].as_str().unwrap();
    assert!(
        !short.text().contains(&token) && !output.contains("abcdefghijklmnop"),
        "{short}"
    );
    assert!(
        output.contains("[redacted]") && output.ends_with("end\n"),
        "{output}"
    );
    let long = run("--quiet", 9000).record();
    let kept = String::from_utf8(sandbox.read(long["output_path"].as_str().unwrap())).unwrap();
    assert!(!kept.contains(&token) && kept.contains("[redacted]") && kept.contains("line 4500\n"));
    assert!(run("--no-redact", 1).text().contains(&token));
}

#[test]
fn output_that_is_no_text_is_text_in_the_record() {
    let sandbox = Sandbox::new();
    let printed = sandbox
        .tool("lgate --")
        .args(["printf", r"a\377\000\033[31mb\r\n\342\202"])
        .ok();
    assert_eq!(
        printed.stderr, b"a\xff\0\x1b[31mb\r\n\xe2\x82",
        "what is shown is as it came"
    );
    let record = printed.record();
    let output = record["output"].as_str().unwrap();
    assert!(
        output.starts_with("a\u{fffd}\0\u{1b}[31mb") && record["output_bytes"] == 13,
        "{output:?}"
    );
}

#[test]
fn the_environment_can_be_made_the_same_everywhere() {
    let sandbox = Sandbox::new()
        .with("LC_ALL", "C")
        .with("COLUMNS", "33")
        .with("TERM", "xterm");
    let script = "echo $LC_ALL $NO_COLOR $TERM $COLUMNS $PYTHONHASHSEED";
    assert_eq!(
        gate(&sandbox, "", &["sh", "-c", script])["output"],
        "C xterm 33\n"
    );
    assert_eq!(
        gate(&sandbox, "--stable-env", &["sh", "-c", script])["output"],
        "C.UTF-8 1 dumb 200 0\n"
    );
}

#[test]
fn the_tree_is_that_of_everything_that_was_checked() {
    let sandbox = Sandbox::new().git();
    let tree = || {
        gate(&sandbox, "", &["true"])["tree"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut seen = vec![tree()];
    assert_eq!(tree(), seen[0], "nothing changed");
    sandbox.write("new", "1");
    seen.push(tree());
    sandbox.write("new", "2");
    seen.push(tree());
    sandbox.tool("git add new").ok();
    sandbox.write("sub/dir/file", "1");
    seen.push(tree());
    sandbox.tool("git add .").ok();
    sandbox.tool("git commit -q -m all").ok();
    seen.push(tree());
    sandbox.sh("chmod +x new").ok();
    seen.push(tree());
    std::fs::remove_file(sandbox.path("new")).unwrap();
    seen.push(tree());
    assert_eq!(
        seen.iter().collect::<HashSet<_>>().len(),
        seen.len(),
        "{seen:?}"
    );
    // What the tools write themselves does not count, nor what git is told to ignore.
    sandbox.tool("lrecord --kind ack").ok();
    sandbox.write(".git/info/exclude", "*.tmp\n");
    sandbox.write("x.tmp", "1");
    assert_eq!(&tree(), seen.last().unwrap());
    assert_eq!(
        sandbox.tool("git status --porcelain").ok().text(),
        " D new\n",
        "and the index is as it was"
    );
    // The same work in another directory is the same.
    sandbox.sh("git stash -q; cp -r . ../home/copy").ok();
    let here = tree();
    let there = sandbox
        .tool("lgate --quiet -- true")
        .within("../home/copy")
        .ok()
        .record();
    assert_eq!(there["tree"], here);
}

#[test]
fn a_tree_is_left_out_where_there_is_none() {
    let sandbox = Sandbox::new();
    assert_eq!(gate(&sandbox, "", &["true"])["tree"], json!(null));
    let sandbox = sandbox.git();
    assert!(gate(&sandbox, "", &["true"])["tree"].is_string());
    assert!(gate(&sandbox, "", &["true"])["commit"].is_string());
    assert_eq!(gate(&sandbox, "--no-tree", &["true"])["tree"], json!(null));
    let unborn = Sandbox::new();
    unborn.tool("git init -q .").ok();
    let record = unborn.tool("lgate --quiet -- true").ok().silent().record();
    assert_eq!(record["commit"], json!(null));
}

#[test]
fn readers_that_went_away_do_not_stop_it() {
    let sandbox = Sandbox::new();
    sandbox
        .bash("lgate -- sh -c 'sleep 0.05; seq 3; touch ended' 2>/dev/null | true")
        .ok();
    assert!(sandbox.path("ended").exists());
    // Stderr without a reader: the command goes on, its output is in the record.
    let record = sandbox.bash("{ lgate -- sh -c 'sleep 0.05; seq 20000; touch ended-2' 2>&1 >record | true; }; cat record").ok().record();
    assert!(sandbox.path("ended-2").exists());
    assert_eq!(
        (&record["gate"], &record["output_bytes"]),
        (&json!("pass"), &json!(108_894))
    );
    sandbox
        .sh("lgate --quiet -- true > /dev/full")
        .run()
        .code(1)
        .err(str![[r#"
lgate: cannot write to stdout: No space left on device

"#]]);
}

#[test]
fn memory_stays_flat_whatever_it_prints() {
    let sandbox = Sandbox::new();
    let record = sandbox
        .bash("ulimit -v 150000; exec lgate --quiet -- head -c 200000000 /dev/zero")
        .limit(120)
        .ok()
        .record();
    assert_eq!(record["output_bytes"], 200_000_000);
    let log = sandbox.path(record["output_path"].as_str().unwrap());
    assert_eq!(log.metadata().unwrap().len(), 200_000_000);
}

#[test]
fn wrong_use_is_told_in_one_line() {
    let sandbox = Sandbox::new();
    for call in [
        "lgate",
        "lgate --",
        "lgate --timeout soon -- true",
        "lgate --blocked 256 -- true",
        "lgate --blocked x -- true",
    ] {
        let refused = sandbox.tool(call).run().code(2).out("");
        assert_eq!(refused.said().lines().count(), 1, "{refused}");
    }
    sandbox
        .program("lgate")
        .args(["--name", "a\u{1b}[31m", "--", "true"])
        .run()
        .code(2);
    sandbox
        .program("lgate")
        .args(["--name", &"x".repeat(200), "--", "true"])
        .run()
        .code(2);
}

#[test]
fn odd_names_stay_inside() {
    let sandbox = Sandbox::new();
    for name in ["../../../x", "a/b", "..", ".", "-x", "größe ü", ""] {
        let record = sandbox
            .program("lgate")
            .args(["--quiet", &format!("--name={name}"), "--", "seq", "9000"])
            .ok()
            .record();
        let path = record["output_path"].as_str().unwrap();
        assert!(
            path.starts_with(".loop/gates/") && path.matches('/').count() == 2,
            "{name}: {path}"
        );
        assert_eq!(record["name"].as_str().unwrap_or(""), name);
    }
    assert!(
        sandbox
            .files()
            .iter()
            .all(|file| file.starts_with(".loop/")),
        "{:?}",
        sandbox.files()
    );
}
