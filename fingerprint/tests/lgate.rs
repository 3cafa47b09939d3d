//! `lgate` as a process: what it runs, what it reports, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ledger::record::{Gate, GateRun};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const LGATE: &str = env!("CARGO_BIN_EXE_lgate");

/// A directory of its own for one test.
struct Room(PathBuf);

impl Room {
    fn new() -> Room {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "lgate-test-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Room(fs::canonicalize(path).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.0).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("LGATE", LGATE),
        ]);
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "a")
                .env(format!("GIT_{who}_EMAIL"), "a@example.com");
        }
        command
    }

    fn lgate(&self, arguments: &[&str]) -> Output {
        self.command(LGATE, arguments).output().unwrap()
    }

    fn sh(&self, script: &str) -> Output {
        self.command("sh", &["-c", script]).output().unwrap()
    }

    /// The record of a run that must have been reported.
    fn record(&self, arguments: &[&str]) -> GateRun {
        run(&self.lgate(arguments))
    }

    fn git(&self, script: &str) {
        let done = self.sh(script);
        assert!(
            done.status.success(),
            "{script}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn tree(&self) -> String {
        self.record(&["--", "true"]).tree.unwrap()
    }

    fn logs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(".loop/gates")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn value(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{output:?}");
    assert!(text.len() < 64 << 10);
    serde_json::from_str(text).unwrap()
}

fn run(output: &Output) -> GateRun {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_value(value(output)).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "waited for {what} in vain"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process runs, whose id stands in a file.
fn is_alive(pid_file: &Path) -> bool {
    let pid = fs::read_to_string(pid_file).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !matches!(
        stat.rsplit_once(") ").map(|(_, rest)| &rest[..1]),
        None | Some("Z" | "X")
    )
}

fn check(arguments: &[&str], gate: Gate, exit: Option<i32>, code: i32) {
    let room = Room::new();
    let run = room.record(arguments);
    assert_eq!((run.gate, run.exit), (Some(gate), exit), "{arguments:?}");
    let with_code = [&["--exit-code"], arguments].concat();
    assert_eq!(
        room.lgate(&with_code).status.code(),
        Some(code),
        "{arguments:?}"
    );
}

#[test]
fn the_exit_status_is_the_outcome() {
    check(&["true"], Gate::Pass, Some(0), 0);
    check(&["--", "sh", "-c", "exit 1"], Gate::Fail, Some(1), 1);
    check(&["sh", "-c", "exit 126"], Gate::Blocked, Some(126), 126);
    check(&["sh", "-c", "exit 127"], Gate::Blocked, Some(127), 127);
    check(
        &[
            "--blocked",
            "3",
            "--blocked",
            "4",
            "--",
            "sh",
            "-c",
            "exit 4",
        ],
        Gate::Blocked,
        Some(4),
        4,
    );
    check(
        &["--blocked", "3", "--", "sh", "-c", "exit 4"],
        Gate::Fail,
        Some(4),
        4,
    );
    check(&["sh", "-c", "kill -SEGV $$"], Gate::Fail, None, 139);
    check(&["--", "./nothing"], Gate::Blocked, None, 127);
    check(&["--", "/"], Gate::Blocked, None, 126);
}

#[test]
fn a_command_that_cannot_be_run_says_why() {
    let room = Room::new();
    let output = room.lgate(&["--quiet", "no-such-tool", "x"]);
    assert_eq!(
        run(&output).output.unwrap(),
        "cannot run 'no-such-tool': No such file or directory\n"
    );
    assert_eq!(
        stderr(&output),
        "lgate: cannot run 'no-such-tool': No such file or directory\n"
    );
    room.write("script", "echo");
    assert_eq!(
        room.record(&["./script"]).output.unwrap(),
        "cannot run './script': Permission denied\n"
    );
}

#[test]
fn the_record_has_its_fields_in_order() {
    let room = Room::new();
    let mut command = room.command(
        LGATE,
        &[
            "--name",
            "unit",
            "--",
            "sh",
            "-c",
            "echo out; echo err >&2; exit 2",
        ],
    );
    let output = command
        .env("LOOP_NOW", "0")
        .env("LOOP_RUN", "r")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let (front, rest) = text.split_once("\"duration_ms\":").unwrap();
    assert_eq!(
        front,
        r#"{"v":1,"ts":"1970-01-01T00:00:00.000Z","kind":"gate","name":"unit","gate":"fail","cmd":["sh","-c","echo out; echo err >&2; exit 2"],"exit":2,"#
    );
    assert!(
        rest.ends_with(",\"output\":\"out\\nerr\\n\",\"output_bytes\":8}\n"),
        "{rest}"
    );
    assert_eq!(stderr(&output), "out\nerr\n");
    let quiet = room.lgate(&[
        "-q",
        "--format",
        "text",
        "--",
        "sh",
        "-c",
        "echo out; exit 2",
    ]);
    assert!(
        String::from_utf8(quiet.stdout)
            .unwrap()
            .starts_with("fail  sh -c echo out; exit 2, exit status 2 after 0.")
    );
    assert_eq!(quiet.stderr, b"");
}

#[test]
fn the_order_of_stdout_and_stderr_is_kept() {
    let room = Room::new();
    let run = room.record(&[
        "sh",
        "-c",
        "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done",
    ]);
    let expected = (1..10)
        .map(|i| {
            format!(
                "o{i}
e{i}
"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(run.output.unwrap(), expected);
}

#[test]
fn arguments_are_taken_as_they_are() {
    let room = Room::new();
    let run = room.record(&["--", "printf", "%s|", "a b", "--name", "-h", "--", "'"]);
    assert_eq!(run.output.unwrap(), "a b|--name|-h|--|'|");
    assert_eq!(run.cmd, ["printf", "%s|", "a b", "--name", "-h", "--", "'"]);
}

#[test]
fn wrong_use_is_refused() {
    let room = Room::new();
    for wrong in [
        &["--name", "a\nb", "--", "true"][..],
        &["--name", &"x".repeat(129), "--", "true"],
        &["--timeout", "soon", "--", "true"],
        &["--blocked", "0", "--", "true"],
        &["--blocked", "256", "--", "true"],
        &["--nonsense", "--", "true"],
        &[],
    ] {
        let output = room.lgate(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{output:?}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(
        value(&room.lgate(&["--name", "größe/1 \"x\"", "--", "true"]))["name"],
        "größe/1 \"x\""
    );
}

#[test]
fn a_shell_command_in_one_word_gets_advice() {
    let room = Room::new();
    let advice = stderr(&room.lgate(&["echo 'hi' && make"]));
    assert!(
        advice.contains(r"warning: 'echo 'hi' && make' is one word and no file"),
        "{advice}"
    );
    assert!(
        advice.contains(r"sh -c 'echo '\''hi'\'' && make'"),
        "{advice}"
    );
    room.write("my test", "#!/bin/sh\necho ran\n");
    fs::set_permissions(room.path("my test"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(stderr(&room.lgate(&["./my test"])), "ran\n");
}

#[test]
fn stdin_is_empty_and_the_environment_can_be_fixed() {
    let room = Room::new();
    let mut child = room
        .command(LGATE, &["--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"for others")
        .unwrap();
    assert_eq!(run(&child.wait_with_output().unwrap()).output.unwrap(), "");
    let script = "echo $LC_ALL $NO_COLOR $TERM $COLUMNS $PYTHONHASHSEED";
    assert_eq!(
        room.record(&["--stable-env", "--", "sh", "-c", script])
            .output
            .unwrap(),
        "C.UTF-8 1 dumb 200 0\n"
    );
    assert_eq!(
        room.record(&["--", "sh", "-c", script]).output.unwrap(),
        "\n"
    );
}

#[test]
fn a_timeout_is_a_failure() {
    let room = Room::new();
    let run = room.record(&[
        "--timeout",
        "200ms",
        "--blocked",
        "7",
        "--",
        "sh",
        "-c",
        "echo begun; sleep 60",
    ]);
    assert_eq!(
        (run.gate, run.timed_out, run.signal),
        (Some(Gate::Fail), true, Some(15))
    );
    assert_eq!(run.output.unwrap(), "begun\n");
    assert!((200..3000).contains(&run.duration_ms));
    let stopped = room.record(&["--timeout", "200ms", "--", "sh", "-c", "kill -STOP $$"]);
    assert_eq!(stopped.signal, Some(15));
    assert!(stopped.duration_ms < 3000);
    let polite = &[
        "--timeout",
        "100ms",
        "--exit-code",
        "--",
        "sh",
        "-c",
        "trap 'exit 0' TERM; sleep 60 & wait",
    ];
    let output = room.lgate(polite);
    assert_eq!(output.status.code(), Some(124));
    assert_eq!(
        (&value(&output)["exit"], &value(&output)["gate"]),
        (&Value::from(0), &Value::from("fail"))
    );
    assert_eq!(
        room.record(&["--timeout", "0", "--", "true"]).gate,
        Some(Gate::Pass)
    );
}

#[test]
fn who_does_not_hear_the_timeout_is_killed() {
    let room = Room::new();
    let script = "trap '' TERM; sh -c 'echo $$ >pid; kill -STOP $$' & while :; do sleep 1; done";
    let begin = Instant::now();
    let run = room.record(&["--timeout", "200ms", "--", "sh", "-c", script]);
    assert_eq!((run.timed_out, run.signal), (true, Some(9)));
    assert!(
        (5..8).contains(&begin.elapsed().as_secs()),
        "{:?}",
        begin.elapsed()
    );
    assert!(!is_alive(&room.path("pid")));
}

/// Starts a gate, sends lgate a signal once the command runs, and waits for the end of both.
fn interrupt(signal: Signal, script: &str) -> (Room, Output, Duration) {
    let room = Room::new();
    let script =
        format!("{script}\necho $$ >pid; seq 10000; echo >ready; while :; do sleep 0.05; done");
    let mut command = room.command(
        LGATE,
        &["--name", "x", "--log", "all.log", "--", "sh", "-c", &script],
    );
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the command", || room.path("ready").exists());
    let begin = Instant::now();
    kill_process(pid_of(&child), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!is_alive(&room.path("pid")));
    assert!(!room.path("all.log").exists());
    assert_eq!(output.stdout, b"");
    (room, output, begin.elapsed())
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

#[test]
fn a_signal_reaches_the_command_and_ends_both() {
    for (signal, name) in [
        (Signal::INT, "INT"),
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
    ] {
        let (room, output, _) =
            interrupt(signal, &format!("trap 'echo {name} >>got; exit 0' {name}"));
        assert_eq!(output.status.signal(), Some(signal.as_raw()));
        assert_eq!(
            fs::read_to_string(room.path("got")).unwrap(),
            format!("{name}\n")
        );
    }
}

#[test]
fn an_interrupted_command_is_asked_and_then_killed() {
    let (_, output, took) = interrupt(Signal::INT, "trap '' INT");
    assert_eq!(output.status.signal(), Some(2));
    assert!(took < Duration::from_secs(3), "{took:?}");
    let (_, output, took) = interrupt(Signal::HUP, "trap '' HUP TERM");
    assert_eq!(output.status.signal(), Some(1));
    assert!((5..8).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn an_interrupted_gate_leaves_no_log() {
    let room = Room::new();
    let script = "seq 100000; echo >ready; sleep 60";
    let child = room
        .command(LGATE, &["-q", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the log", || {
        room.path("ready").exists() && !room.logs().is_empty()
    });
    kill_process(pid_of(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.signal(), Some(15));
    assert_eq!(room.logs(), Vec::<String>::new());
}

#[test]
fn a_hangup_that_was_ignored_stays_ignored() {
    let room = Room::new();
    let script = r#"trap '' HUP; exec "$LGATE" -- sh -c 'echo >ready; while [ ! -e go ]; do sleep 0.01; done'"#;
    let child = room
        .command("sh", &["-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the command", || room.path("ready").exists());
    kill_process(pid_of(&child), Signal::HUP).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    room.write("go", "");
    assert_eq!(
        run(&child.wait_with_output().unwrap()).gate,
        Some(Gate::Pass)
    );
}

#[test]
fn nothing_in_the_group_outlives_the_command() {
    let room = Room::new();
    let begin = Instant::now();
    let run = room.record(&[
        "sh",
        "-c",
        "sleep 60 >/dev/null 2>&1 & echo $! >pid; sleep 61 & exit 3",
    ]);
    assert_eq!((run.gate, run.exit), (Some(Gate::Fail), Some(3)));
    assert!(run.duration_ms < 1000 && begin.elapsed() < Duration::from_secs(3));
    assert!(!is_alive(&room.path("pid")));
    let begin = Instant::now();
    room.record(&[
        "sh",
        "-c",
        "sh -c 'trap \"\" TERM; echo $$ >pid2; sleep 60; sleep 60' & sleep 0.3",
    ]);
    assert!(
        (5..8).contains(&begin.elapsed().as_secs()),
        "{:?}",
        begin.elapsed()
    );
    assert!(!is_alive(&room.path("pid2")));
}

#[test]
fn what_is_about_to_end_may_end() {
    let room = Room::new();
    let run = room.record(&["sh", "-c", "(sleep 0.1; echo late) & echo early"]);
    assert_eq!(run.output.unwrap(), "early\nlate\n");
}

#[test]
fn who_left_the_group_is_not_waited_for() {
    let room = Room::new();
    let begin = Instant::now();
    let script = "setsid sh -c 'echo $$ >pid; while :; do echo noise; sleep 0.01; done' & sleep 0.2; echo done";
    let run = room.record(&["sh", "-c", script]);
    assert_eq!(run.gate, Some(Gate::Pass));
    assert!(run.output.unwrap().contains("done\n"));
    assert!(
        begin.elapsed() < Duration::from_secs(3),
        "{:?}",
        begin.elapsed()
    );
    room.sh("kill -9 $(cat pid)");
    let begin = Instant::now();
    let script = "setsid sh -c 'echo $$ >pid; exec yes' & sleep 0.2";
    let run = room.record(&["-q", "--log", "/dev/null", "--", "sh", "-c", script]);
    assert_eq!(run.gate, Some(Gate::Pass));
    assert!(
        begin.elapsed() < Duration::from_secs(3),
        "{:?}",
        begin.elapsed()
    );
    room.sh("kill -9 $(cat pid)");
}

#[test]
fn a_reader_of_stderr_that_sleeps_holds_up_neither_timeout_nor_signal() {
    let room = Room::new();
    let script = r#"(ulimit -v 80000; exec "$LGATE" --timeout 500ms -- yes) 2>&1 >record | { sleep 60 & echo $! >reader; wait; }"#;
    let mut child = room.command("sh", &["-c", script]).spawn().unwrap();
    wait_for("the record", || {
        fs::metadata(room.path("record")).is_ok_and(|there| there.len() > 0)
    });
    room.sh("kill $(cat reader)");
    child.wait().unwrap();
    let run: GateRun =
        serde_json::from_str(&fs::read_to_string(room.path("record")).unwrap()).unwrap();
    assert!(run.timed_out && run.signal == Some(15));
}

#[test]
fn long_output_is_kept_whole_in_a_log() {
    let room = Room::new();
    let run = room.record(&["--name", "unit", "--", "seq", "20000"]);
    let whole = (1..=20000)
        .map(|i| {
            format!(
                "{i}
"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let (path, output) = (run.output_path.unwrap(), run.output.unwrap());
    assert_eq!(run.output_bytes, whole.len() as u64);
    assert!(
        path.starts_with(".loop/gates/unit-") && path.ends_with("Z.log"),
        "{path}"
    );
    assert_eq!(fs::read_to_string(room.path(&path)).unwrap(), whole);
    assert_eq!(
        fs::metadata(room.path(&path)).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        output.starts_with("1\n2\n")
            && output.ends_with("19999\n20000\n")
            && output.len() < 16 << 10
    );
    let (head, rest) = output.split_once("\n[lgate: ").unwrap();
    let (missing, tail) = rest.split_once(" bytes left out]\n").unwrap();
    assert_eq!(
        head.len() + 1 + missing.parse::<usize>().unwrap() + tail.len(),
        whole.len()
    );
    let home = ledger::place::Home {
        path: room.path(".loop"),
        linked: None,
    };
    assert_eq!(home.file(&path), Some(room.path(&path)));
    assert!(room.record(&["--", "seq", "1000"]).output_path.is_none());
}

#[test]
fn the_newest_twenty_logs_of_a_gate_are_kept() {
    let room = Room::new();
    for name in ["a-b", "a/b", "a", ""] {
        for i in 0..23 {
            let mut command = room.command(LGATE, &["-q", "--name", name, "--", "seq", "9000"]);
            assert!(
                command
                    .env("LOOP_NOW", (1000 + i / 2).to_string())
                    .output()
                    .unwrap()
                    .status
                    .success()
            );
        }
    }
    room.write(".loop/gates/a-notes.log", "mine");
    assert!(
        room.record(&["-q", "--name", "a", "--", "seq", "9000"])
            .output_path
            .is_some()
    );
    let logs = room.logs();
    let count = |prefix: &str| logs.iter().filter(|name| name.starts_with(prefix)).count();
    assert_eq!(
        (
            count("a-b-"),
            count("a%2Fb-"),
            count("gate-"),
            count("a-1970"),
            count("a-2")
        ),
        (20, 20, 20, 19, 1)
    );
    assert!(logs.contains(&"a-notes.log".to_owned()));
    assert!(!logs.contains(&"a-b-19700101T001640.000Z.log".to_owned()));
    assert!(logs.contains(&"a-b-19700101T001651.000Z.log".to_owned()));
}

#[test]
fn a_log_that_somebody_named_has_everything() {
    let room = Room::new();
    let run = room.record(&["--log", "all.log", "--", "echo", "short"]);
    assert_eq!(
        (run.output.as_deref(), run.output_path),
        (Some("short\n"), None)
    );
    assert_eq!(fs::read_to_string(room.path("all.log")).unwrap(), "short\n");
    let run = room.record(&["--log", "all.log", "--", "seq", "9000"]);
    assert!(run.output_path.is_none() && run.output.unwrap().contains("bytes left out]"));
    assert!(
        fs::read_to_string(room.path("all.log"))
            .unwrap()
            .ends_with("\n9000\n")
    );
    assert_eq!(room.logs(), Vec::<String>::new());
    fs::create_dir(room.path(".loop")).unwrap();
    let run = room.record(&["--log", ".loop/x.log", "--", "echo", "short"]);
    assert_eq!(run.output_path.as_deref(), Some(".loop/x.log"));
}

#[test]
fn where_no_log_can_be_written_the_outcome_still_goes_out() {
    let room = Room::new();
    symlink("/", room.path(".loop")).unwrap();
    let output = room.lgate(&["-q", "--", "seq", "9000"]);
    assert!(
        stderr(&output).starts_with("lgate: warning: cannot keep all of the output: "),
        "{output:?}"
    );
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(run(&output).output.unwrap().ends_with("\n9000\n"));
    let output = room.lgate(&["-q", "--log", "/dev/full", "--", "seq", "100000"]);
    assert!(
        stderr(&output).contains("'/dev/full': No space left on device"),
        "{output:?}"
    );
    assert_eq!(
        (run(&output).gate, Path::new("/dev/full").exists()),
        (Some(Gate::Pass), true)
    );
    let room = Room::new();
    let output = room.sh(r#"ulimit -f 64; "$LGATE" -q -- seq 100000"#);
    assert!(stderr(&output).contains("File too large"), "{output:?}");
    assert!(run(&output).output_path.is_none());
    assert_eq!(room.logs(), Vec::<String>::new());
}

#[test]
fn a_closed_stdout_does_not_stop_it() {
    let room = Room::new();
    let output = room
        .sh(r#"{ "$LGATE" -q -- sh -c 'sleep 0.2; echo >done'; echo $? >code; } | true; cat code"#);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n");
    assert!(room.path("done").exists());
}

#[test]
fn secrets_are_shown_but_not_kept() {
    let room = Room::new();
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ456789";
    let script = format!("echo token {secret}; seq $1; echo DB_PASSWORD=hunter2");
    let output = room.lgate(&["sh", "-c", &script, "sh", "9000"]);
    let (shown, run) = (stderr(&output), run(&output));
    assert!(shown.contains(secret) && shown.contains("hunter2"));
    let log = fs::read_to_string(room.path(&run.output_path.clone().unwrap())).unwrap();
    for kept in [&run.output.clone().unwrap(), &log, &run.cmd.join(" ")] {
        assert!(
            !kept.contains(secret) && !kept.contains("hunter2"),
            "{kept}"
        );
        assert!(kept.contains("ghp_[redacted]"));
    }
    assert_eq!(run.output_bytes, shown.len() as u64);
    let run = room.record(&["--no-redact", "--", "sh", "-c", &script, "sh", "1"]);
    assert!(run.output.unwrap().contains(secret) && run.cmd[2].contains(secret));
}

#[test]
fn hostile_output_fits_a_record() {
    let room = Room::new();
    let run = room.record(&[
        "-q",
        "--",
        "sh",
        "-c",
        r"head -c 300000 /dev/zero; printf '\377\033[2J\200'",
    ]);
    assert!(run.output.unwrap().ends_with("\0\u{fffd}\u{1b}[2J\u{fffd}"));
    let long = "\u{1}".repeat(100_000);
    assert!(room.record(&["-q", "--", "true", &long, &long]).cmd[1].ends_with('…'));
}

#[test]
fn memory_does_not_grow_with_output() {
    let room = Room::new();
    let output = room.sh(r#"ulimit -v 60000; "$LGATE" -- head -c 300000000 /dev/zero 2>/dev/null"#);
    assert_eq!(run(&output).output_bytes, 300_000_000);
    let script = r#"ulimit -v 60000; "$LGATE" -q -- sh -c 'yes "see https://example.com/ TOKEN" | head -c 100000000'"#;
    assert_eq!(run(&room.sh(script)).output_bytes, 100_000_000);
}

#[test]
fn without_a_repository_there_is_no_tree() {
    let room = Room::new();
    let run = room.record(&["true"]);
    assert_eq!((run.commit, run.tree), (None, None));
    room.git("git init -q && git commit -q --allow-empty -m x");
    assert_eq!(room.record(&["true"]).commit.unwrap().len(), 40);
    assert_eq!(room.record(&["--no-tree", "--", "true"]).tree, None);
    room.write(".git/index", "broken");
    let output = room.lgate(&["true"]);
    assert_eq!(
        stderr(&output),
        format!(
            "lgate: warning: no hash of the work tree: git cannot read '{}'\n",
            room.0.display()
        )
    );
    assert!(run_has_no_tree(&output));
}

fn run_has_no_tree(output: &Output) -> bool {
    run(output).tree.is_none()
}

#[test]
fn every_change_of_the_work_gives_another_tree() {
    let room = Room::new();
    room.git("git init -q && printf 'ignored\\n' >.gitignore && echo a >a && echo b >'b \"c\n' && git add . && git commit -q -m x");
    let mut seen = vec![room.tree()];
    assert_eq!(room.tree(), seen[0]);
    for step in [
        "echo 1 >>a",
        "echo 2 >>a",
        "git add a",
        "echo 3 >>a",
        "echo u >untracked",
        "echo v >untracked",
        "chmod +x untracked",
        "printf x >\"new\nline \\\"q\\\" $(printf '\\377')\"",
        "printf y >\"new\nline \\\"q\\\" $(printf '\\377')\"",
        "ln -s here link",
        "ln -sf there link",
        "echo c >>'b \"c\n'",
        "rm 'b \"c\n'",
        "git rm -q --cached 'b \"c\n'",
        "mkdir -p dir/sub && echo z >dir/sub/file",
        "mv dir/sub/file dir/sub/other",
        "chmod +x a",
        "git add -A",
        "git commit -q -m y",
        "git commit -q --amend -m z",
        "git init -q inner && echo i >inner/i",
        "echo j >inner/i",
        "cd inner && git add i && git commit -q -m i",
        "git checkout -q -b side && git commit -q --allow-empty -m w",
        "echo 1 >a && git add a && echo work >a",
        "echo 2 >a && git add a && echo work >a",
        "rm a && mkfifo a",
    ] {
        room.git(step);
        let tree = room.tree();
        assert_eq!(tree, room.tree(), "{step}");
        assert!(!seen.contains(&tree), "{step}");
        seen.push(tree);
    }
}

#[test]
fn what_is_no_change_of_the_work_leaves_the_tree() {
    let room = Room::new();
    room.git("git init -q && echo ignored >.gitignore && echo a >a && mkdir d && echo d >d/d && git add . && git commit -q -m x");
    room.write("d/new", "untracked");
    let tree = room.tree();
    for step in [
        "touch a",
        "echo x >ignored",
        "mkdir -p .loop && echo x >.loop/notes",
        "git branch other",
        "echo 2 >a; echo a >a",
    ] {
        room.git(step);
        assert_eq!(room.tree(), tree, "{step}");
    }
    room.git("cd d && echo x >my.jsonl && echo >my.jsonl.lock && ln -s d ../alias");
    assert_ne!(room.tree(), tree);
    let in_d = |ledger: &str, log: &str| {
        let mut command = room.command(LGATE, &["--log", log, "--", "true"]);
        run(&command
            .current_dir(room.path("d"))
            .env("LOOP_LEDGER", ledger)
            .output()
            .unwrap())
        .tree
    };
    room.git("rm alias");
    for ledger in [
        "my.jsonl",
        "../d/my.jsonl",
        "./my.jsonl",
        room.path("d/my.jsonl").to_str().unwrap(),
    ] {
        assert_eq!(in_d(ledger, "../gate.log"), Some(tree.clone()), "{ledger}");
    }
    assert!(room.path("gate.log").exists());
}

#[test]
fn the_tree_is_the_one_before_the_command() {
    let room = Room::new();
    room.git("git init -q && git commit -q --allow-empty -m x");
    let tree = room.tree();
    assert_eq!(
        room.record(&["sh", "-c", "echo >made"]).tree,
        Some(tree.clone())
    );
    assert_ne!(room.tree(), tree);
}
