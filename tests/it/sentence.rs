//! The sentence and the loop, as people write them, in the shells that they use.

use std::thread;

use tests::{Call, Sandbox, ledger, programs};

const SENTENCE: &str = "lgate -- make test | lfp | lrecord && lstall --exit-code=all";

/// The loop without the agent's brief: `./agent` is what an agent does in one turn.
const LOOP: &str = r"
while :; do rc=0
  ./agent || :
  lgate -- make test | lfp | lrecord && lstall --exit-code=all || rc=$?
  case $rc in 0) break ;; 10|14) ;; *) exit $rc ;; esac
done
";

/// A project whose `make test` fails until the file `repaired` is there.
fn project() -> Sandbox {
    let sandbox = Sandbox::new().git();
    sandbox.write("Makefile", "test:\n\t@sh ./test.sh\n");
    sandbox.write("test.sh", "if test -e repaired; then echo ok; exit 0; fi\necho 'sum.c:3:5: error: expected 5, got 1'\nexit 1\n");
    sandbox
}

/// Runs a check in each shell, in a project of its own.
fn in_each_shell(project: impl Fn() -> Sandbox, check: impl Fn(&Sandbox, &dyn Fn(&str) -> Call)) {
    for shell in ["bash", "dash"] {
        if programs::has(shell) && programs::has("make") {
            let sandbox = project();
            check(&sandbox, &|script| {
                if shell == "bash" {
                    sandbox.bash(script)
                } else {
                    sandbox.dash(script)
                }
            });
        }
    }
}

/// The attempts in the ledger of the project.
fn attempts(sandbox: &Sandbox, ledger: &str) -> Vec<serde_json::Value> {
    let bytes = std::fs::read(sandbox.path(ledger)).unwrap_or_default();
    ledger::whole(&bytes)
        .into_iter()
        .filter(|record| record["kind"] == "attempt")
        .collect()
}

#[test]
fn the_sentence_answers_with_the_state_of_the_turn() {
    in_each_shell(project, |sandbox, shell| {
        let turn = |status: i32| shell(SENTENCE).run().code(status);
        turn(14);
        turn(14);
        turn(10);
        turn(10);
        turn(10);
        turn(11);
        sandbox.write("repaired", "");
        turn(0);
        std::fs::remove_file(sandbox.path("repaired")).unwrap();
        turn(14);
        assert_eq!(attempts(sandbox, ".loop/ledger.jsonl").len(), 8);
    });
}

#[test]
fn the_sentence_followed_by_echo_prints_the_status() {
    // Without -e, as at a prompt; with it, as a script should write it.
    let sandbox = project();
    for script in [
        format!("set +e; {SENTENCE}; echo $?"),
        format!("rc=0; {SENTENCE} || rc=$?; echo $rc"),
    ] {
        let printed = sandbox.bash(&script).ok();
        assert_eq!(printed.text().lines().last(), Some("14"), "{printed}");
    }
}

#[test]
fn a_gate_that_cannot_run_is_no_failure_of_the_work() {
    in_each_shell(project, |sandbox, shell| {
        shell("lgate -- no-such-program | lfp | lrecord && lstall --exit-code=all")
            .run()
            .code(15);
        shell("lgate -- sh -c no-such-program | lfp | lrecord && lstall --exit-code=all")
            .run()
            .code(15);
        shell("lgate --blocked 7 -- sh -c 'exit 7' | lfp | lrecord && lstall --exit-code=all")
            .run()
            .code(15);
        shell("lgate -- no-such-program | lfp | lrecord --exit-code")
            .run()
            .code(15);
        let gates: Vec<_> = attempts(sandbox, ".loop/ledger.jsonl")
            .into_iter()
            .map(|attempt| attempt["gate"].clone())
            .collect();
        assert_eq!(gates, ["blocked"; 4]);
    });
}

#[test]
fn make_and_ci_fail_when_the_tests_fail() {
    in_each_shell(project, |sandbox, shell| {
        let call = "lgate -- make test | lfp | lrecord --exit-code";
        shell(call).run().code(14);
        sandbox.write("repaired", "");
        shell(call).run().code(0);
        // As a rule of a Makefile, whose shell knows no pipefail.
        sandbox.write(
            "Makefile",
            format!("test:\n\t@sh ./test.sh\ncheck:\n\t{call}\n"),
        );
        shell("make check").run().code(0);
        std::fs::remove_file(sandbox.path("repaired")).unwrap();
        shell("make check").run().code(2);
    });
}

#[test]
fn a_record_that_cannot_be_stored_stops_the_loop() {
    in_each_shell(project, |sandbox, shell| {
        sandbox.write(".loop", "in the way");
        sandbox.write("agent", "#!/bin/sh\n");
        sandbox.sh("chmod +x agent").ok();
        let stopped = shell(LOOP).run().code(1);
        assert!(stopped.said().contains("lrecord: '"), "{stopped}");
    });
}

/// An agent that repairs the project in its turn number `repairs`, and says what it tries in commits.
fn agent(sandbox: &Sandbox, repairs: u32) {
    let script = format!(
        "#!/bin/sh\nset -eu\nturn=$(($(cat turn 2>/dev/null || echo 0) + 1)); echo $turn > turn\ncase $turn in {repairs}) touch repaired; git commit -q --allow-empty -m 'repair it' ;; *) git commit -q --allow-empty -m 'try again' ;; esac\n"
    );
    sandbox.write("agent", script);
    sandbox.sh("chmod +x agent").ok();
}

#[test]
fn the_loop_ends_on_green() {
    in_each_shell(project, |sandbox, shell| {
        agent(sandbox, 5);
        let ended = shell(LOOP).run().code(0);
        let verdicts: Vec<_> = ended
            .records()
            .iter()
            .filter(|record| record["kind"] == "verdict")
            .map(|verdict| verdict["verdict"].clone())
            .collect();
        assert_eq!(
            verdicts,
            ["PROGRESS", "PROGRESS", "STALLED", "STALLED", "PROGRESS"]
        );
        let attempts = attempts(sandbox, ".loop/ledger.jsonl");
        let actions: Vec<_> = attempts
            .iter()
            .map(|attempt| attempt["action"].clone())
            .collect();
        assert_eq!(
            actions,
            [
                "try again",
                "try again",
                "try again",
                "try again",
                "repair it"
            ]
        );
        let iterations: Vec<_> = attempts
            .iter()
            .map(|attempt| attempt["iteration"].clone())
            .collect();
        assert_eq!(iterations, [1, 2, 3, 4, 5]);
    });
}

#[test]
fn the_loop_calls_a_person_when_nothing_helps() {
    in_each_shell(project, |sandbox, shell| {
        agent(sandbox, 100);
        let ended = shell(LOOP).run().code(11);
        let last = ended.records().pop().unwrap();
        assert_eq!(
            (&last["recommend"], &last["dead_ends"]),
            (&"escalate".into(), &serde_json::json!(["try again"]))
        );
        // Somebody has acted: the loop goes on.
        sandbox.tool("lrecord --kind ack --note done").ok();
        sandbox.write("turn", "98");
        shell(LOOP).run().code(0);
    });
}

#[test]
fn an_interrupted_turn_is_no_attempt() {
    in_each_shell(project, |sandbox, shell| {
        sandbox.write("test.sh", "echo $$ > pid\ntouch started\necho 'sum.c:3:5: error: expected 5, got 1'\nexec sleep 100\n");
        sandbox.write("agent", "#!/bin/sh\n");
        sandbox.sh("chmod +x agent").ok();
        let running = shell(LOOP).spawn();
        sandbox.wait_for("started");
        // As the terminal does on ^C.
        running.signal_group("INT");
        let ended = running.wait();
        assert!(ended.code != Some(0) && ended.stdout.is_empty(), "{ended}");
        assert!(
            ended.signal == Some(2) || ended.code == Some(130),
            "{ended}"
        );
        assert_eq!(attempts(sandbox, ".loop/ledger.jsonl").len(), 0);
        assert!(!sandbox.is_alive("pid"), "the gate goes on");
    });
}

#[test]
fn a_gate_that_is_interrupted_alone_is_no_attempt() {
    in_each_shell(project, |sandbox, shell| {
        for signal in ["INT", "TERM", "HUP"] {
            sandbox.write(
                "test.sh",
                "echo $$ > pid.new; mv pid.new pid\nexec sleep 100\n",
            );
            let script = "{ sh -c 'echo $$ > gate; exec lgate -- make test'; } | lfp | lrecord && lstall --exit-code=all || exit $?";
            let running = shell(script).spawn();
            sandbox.wait_for("pid");
            sandbox.sh(&format!("kill -{signal} $(cat gate)")).ok();
            let ended = running.wait();
            assert!(matches!(ended.code, Some(1)), "{signal}: {ended}");
            assert!(
                ended.said().contains("lrecord: no record on stdin"),
                "{ended}"
            );
            assert_eq!(attempts(sandbox, ".loop/ledger.jsonl").len(), 0);
            assert!(!sandbox.is_alive("pid"), "the gate goes on after {signal}");
            std::fs::remove_file(sandbox.path("pid")).unwrap();
        }
    });
}

#[test]
fn two_loops_side_by_side_do_not_meet() {
    if !programs::has("make") {
        return;
    }
    for ledger in [None, Some("shared.jsonl")] {
        let sandbox = project();
        sandbox
            .sh("for loop in a b; do mkdir $loop; cp Makefile test.sh $loop; done")
            .ok();
        for (name, turns) in [("a", 4), ("b", 7)] {
            let script = format!(
                "#!/bin/sh\nset -eu\nturn=$(($(cat turn 2>/dev/null || echo 0) + 1)); echo $turn > turn\nif test $turn = {turns}; then touch repaired; fi\necho \"a.c:$turn:1: error: number $turn$turn\" > said; cat said\n"
            );
            sandbox.write(&format!("{name}/agent"), script);
            sandbox.write(
                &format!("{name}/test.sh"),
                "test -e repaired && exit 0; cat said; exit 1\n",
            );
            sandbox.sh(&format!("chmod +x {name}/agent")).ok();
        }
        thread::scope(|scope| {
            for name in ["a", "b"] {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    let mut call = sandbox.bash(LOOP).within(name).env("LOOP_RUN", name);
                    if let Some(ledger) = ledger {
                        call = call.env("LOOP_LEDGER", sandbox.path(ledger));
                    }
                    call.run().code(0);
                });
            }
        });
        let all: Vec<_> = match ledger {
            None => [".loop/runs/a.jsonl", ".loop/runs/b.jsonl"]
                .into_iter()
                .flat_map(|path| attempts(&sandbox, path))
                .collect(),
            Some(ledger) => {
                assert_eq!(
                    ledger::numbers(&sandbox.read(ledger)),
                    (1..=11).collect::<Vec<_>>()
                );
                attempts(&sandbox, ledger)
            }
        };
        for (name, turns) in [("a", 4), ("b", 7)] {
            let of_run: Vec<_> = all
                .iter()
                .filter(|attempt| attempt["run"] == name)
                .collect();
            let iterations: Vec<_> = of_run
                .iter()
                .map(|attempt| attempt["iteration"].as_u64().unwrap())
                .collect();
            assert_eq!(
                iterations,
                (1..=turns).collect::<Vec<_>>(),
                "of {name}, ledger {ledger:?}"
            );
            assert_eq!(of_run.last().unwrap()["gate"], "pass");
        }
    }
}

#[test]
fn the_chain_works_without_a_repository_and_in_a_subdirectory() {
    let sandbox = Sandbox::new();
    sandbox
        .bash("lgate -- false | lfp | lrecord && lstall --exit-code=all")
        .run()
        .code(14);
    let sandbox = project();
    sandbox
        .sh("mkdir -p deep/down; cp Makefile test.sh deep/down")
        .ok();
    sandbox.bash(SENTENCE).within("deep/down").run().code(14);
    sandbox.bash(SENTENCE).run().code(14);
    assert_eq!(attempts(&sandbox, ".loop/ledger.jsonl").len(), 2);
}

#[test]
fn several_gates_make_one_turn() {
    in_each_shell(project, |sandbox, shell| {
        let turn = "for gate in lint test; do lgate --name $gate -- sh ./$gate.sh | lfp | lrecord >/dev/null; done; lstall --exit-code=all";
        sandbox.write("lint.sh", "echo 'a.c:1:1: error: long line'; exit 1\n");
        shell(turn).run().code(14);
        sandbox.write("lint.sh", "exit 0\n");
        shell(turn).run().code(14);
        let verdict = shell(turn).run().code(10).record();
        assert_eq!(
            (&verdict["name"], &verdict["stall_count"]),
            (&"test".into(), &3.into())
        );
        sandbox.write("repaired", "");
        shell(turn).run().code(0);
    });
}
