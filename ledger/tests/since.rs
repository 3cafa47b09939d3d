//! `lsince` on real git repositories.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// A fresh directory, removed with it unless the test failed.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir()
            .canonicalize()
            .unwrap()
            .join(format!("ledger-since-{}-{count}", std::process::id()));
        fs::create_dir_all(path.join("work")).unwrap();
        Place(path)
    }

    /// A repository with one commit.
    fn repository() -> Place {
        let place = Place::new();
        place.git(&["init", "-q", "-b", "main", "."]);
        place.write("a.txt", b"one\n");
        place.commit("begin");
        place
    }

    fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn program(&self, name: &str, below: &str, args: &[&str]) -> Output {
        Command::new(name)
            .args(args)
            .current_dir(self.work().join(below))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.0)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", &self.0)
            .env("GIT_AUTHOR_NAME", "A Tester")
            .env("GIT_AUTHOR_EMAIL", "tester@example.org")
            .env("GIT_COMMITTER_NAME", "A Tester")
            .env("GIT_COMMITTER_EMAIL", "tester@example.org")
            .env("LOOP_NOW", "2026-11-12T07:00:00Z")
            .output()
            .unwrap()
    }

    fn git(&self, args: &[&str]) -> String {
        let output = self.program("git", "", args);
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything; gives the commit's name.
    fn commit(&self, subject: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Records an attempt at what is checked out.
    fn attempt(&self, action: &str) {
        let args = ["--kind", "attempt", "--gate", "fail", "--action", action];
        let output = self.program(env!("CARGO_BIN_EXE_lrecord"), "", &args);
        assert!(output.status.success(), "{output:?}");
    }

    fn lsince(&self, below: &str, args: &[&str]) -> Output {
        self.program(env!("CARGO_BIN_EXE_lsince"), below, args)
    }

    fn since(&self, args: &[&str]) -> Value {
        let output = self.lsince("", args);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            output.stdout.split_inclusive(|byte| *byte == b'\n').count(),
            1
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn text(&self, args: &[&str]) -> String {
        let output = self.lsince("", &[&["--format", "text"], args].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }
}

/// The texts of a member of every entry of a list.
fn each<'v>(since: &'v Value, list: &str, member: &str) -> Vec<&'v str> {
    let entries = since[list].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry[member].as_str().unwrap())
        .collect()
}

#[test]
fn commits_files_work_tree_and_untracked_are_told_apart() {
    let place = Place::repository();
    place.write("old.txt", b"1\n2\n3\n4\n5\n6\n");
    place.commit("more");
    place.attempt("raise the limit");
    place.write("a.txt", b"one\ntwo\n");
    place.commit("second");
    place.git(&["mv", "old.txt", "new.txt"]);
    place.write("bin", b"\0\x01");
    place.commit("third");
    place.write("a.txt", b"two\n");
    place.write("staged.txt", b"x\n");
    place.git(&["add", "staged.txt"]);
    place.write("notes/todo.txt", b"y\n");
    let since = place.since(&[]);
    assert_eq!(each(&since, "commits", "subject"), ["second", "third"]);
    assert_eq!(since["commits_total"], json!(2));
    assert_eq!(each(&since, "files", "path"), ["a.txt", "bin", "new.txt"]);
    assert_eq!(
        since["files"][2],
        json!({"path": "new.txt", "from": "old.txt", "added": 0, "deleted": 0})
    );
    assert_eq!(
        since["work_tree"],
        json!([
            {"path": "a.txt", "status": ".M", "added": 0, "deleted": 1},
            {"path": "staged.txt", "status": "A.", "added": 1, "deleted": 0}
        ])
    );
    assert_eq!(since["untracked"], json!(["notes/"]));
    assert_eq!(since["base"]["action"], json!("raise the limit"));
    assert_eq!(since["base"]["seq"], json!(1));
    assert_eq!(
        (&since["branch"], since.get("remarks")),
        (&json!("main"), None)
    );
    let base = since["base"]["commit"].as_str().unwrap();
    let head = since["head"].as_str().unwrap();
    let commits = each(&since, "commits", "commit");
    assert_eq!(
        place.text(&[]),
        format!(
            "since #1 attempt 1 2026-11-12T07:00:00  {}  raise the limit\n2 commits up to {} on main\n  {}  second\n  {}  third\n\
             3 changed files\n  a.txt  +1 -0\n  bin  binary\n  old.txt -> new.txt  +0 -0\n\
             2 changes in the work tree\n  .M a.txt  +0 -1\n  A. staged.txt  +1 -0\n1 untracked file\n  notes/\n",
            &base[..7],
            &head[..7],
            &commits[0][..7],
            &commits[1][..7]
        )
    );
}

#[test]
fn nothing_changed_is_an_answer() {
    let place = Place::repository();
    place.attempt("x");
    let since = place.since(&[]);
    assert_eq!(
        (
            &since["commits"],
            &since["files"],
            &since["work_tree"],
            &since["untracked"]
        ),
        (&json!([]), &json!([]), &json!([]), &json!([]))
    );
    // Within a directory of the repository it is the same.
    place.write("below/x", b"");
    place.commit("below");
    let below = place.lsince("below", &[]).stdout;
    assert_eq!(below, place.lsince("", &[]).stdout);
    assert_eq!(
        each(&serde_json::from_slice(&below).unwrap(), "files", "path"),
        ["below/x"]
    );
}

#[test]
fn any_record_and_any_revision_can_be_the_base() {
    let place = Place::repository();
    place.attempt("first");
    place.commit("second");
    let args = ["--kind", "ack", "--note", "n"];
    place.program(env!("CARGO_BIN_EXE_lrecord"), "", &args);
    place.attempt("third");
    place.commit("fourth");
    assert_eq!(each(&place.since(&[]), "commits", "subject"), ["fourth"]);
    let of_first = ["second", "fourth"];
    assert_eq!(
        each(&place.since(&["--seq", "1"]), "commits", "subject"),
        of_first
    );
    // A record without a commit stands for the attempt before it.
    let ack = place.since(&["--seq", "2"]);
    assert_eq!(
        (each(&ack, "commits", "subject"), &ack["base"]["seq"]),
        (of_first.to_vec(), &json!(1))
    );
    assert_eq!(
        each(&place.since(&["--base", "HEAD~1"]), "commits", "subject"),
        ["fourth"]
    );
    for (args, why) in [
        (["--seq", "9"], "lsince: no record 9 in the ledger\n"),
        (["--base", "nope"], "lsince: git knows no commit 'nope'\n"),
        (["--base", "--all"], "lsince: git knows no commit '--all'\n"),
        (
            ["--base", "HEAD..HEAD~1"],
            "lsince: git knows no commit 'HEAD..HEAD~1'\n",
        ),
        (
            ["--base", "--output=pwned"],
            "lsince: git knows no commit '--output=pwned'\n",
        ),
    ] {
        let refused = place.lsince("", &args);
        assert_eq!(
            (
                refused.status.code(),
                String::from_utf8(refused.stderr).unwrap().as_str()
            ),
            (Some(1), why)
        );
    }
    assert!(!place.work().join("pwned").exists());
    let both = place.lsince("", &["--base", "HEAD", "--seq", "1"]);
    assert_eq!(both.status.code(), Some(2));
    // In a journal without numbers, the number is the line's.
    let first = place.git(&["rev-parse", "HEAD~2"]);
    let line = |commit: &str| {
        format!(
            "{}\n",
            json!({"gate": "fail", "action": "a", "commit": commit})
        )
    };
    place.write(
        "journal.jsonl",
        (line(&first) + &line("not a commit")).as_bytes(),
    );
    let since = place.since(&["--ledger", "journal.jsonl", "--seq", "2"]);
    assert_eq!(each(&since, "commits", "subject"), of_first);
}

#[test]
fn a_repository_without_commits_has_a_work_tree() {
    let place = Place::new();
    place.git(&["init", "-q", "-b", "main", "."]);
    place.write("x", b"1\n");
    let since = place.since(&[]);
    assert_eq!(
        since["remarks"],
        json!(["no commit yet: the work tree alone"])
    );
    assert_eq!(
        (&since["untracked"], since.get("head")),
        (&json!(["x"]), None)
    );
    place.git(&["add", "x"]);
    assert_eq!(each(&place.since(&[]), "work_tree", "status"), ["A."]);
    assert!(place.text(&[]).starts_with("no commit yet\n"));
}

#[test]
fn without_an_attempt_the_work_tree_is_told() {
    let place = Place::repository();
    place.write("x", b"1\n");
    let since = place.since(&[]);
    assert_eq!(
        since["remarks"],
        json!(["no attempt that names a commit: the work tree alone"])
    );
    assert_eq!(
        (&since["untracked"], since.get("base")),
        (&json!(["x"]), None)
    );
    assert!(!place.work().join(".loop").exists(), "it only reads");
}

#[test]
fn a_detached_head_is_no_branch() {
    let place = Place::repository();
    place.attempt("x");
    place.commit("second");
    place.git(&["checkout", "-q", "--detach"]);
    let since = place.since(&[]);
    assert_eq!(each(&since, "commits", "subject"), ["second"]);
    assert_eq!(since.get("branch"), None);
    assert!(place.text(&[]).contains(" on a detached head\n"));
}

#[test]
fn a_rewritten_history_is_compared_with_its_common_ancestor() {
    let place = Place::repository();
    place.write("b.txt", b"b\n");
    let old = place.commit("second");
    place.attempt("x");
    place.write("b.txt", b"c\n");
    place.git(&["commit", "-q", "-a", "--amend", "-m", "second, better"]);
    let since = place.since(&[]);
    assert_eq!(each(&since, "commits", "subject"), ["second, better"]);
    assert_eq!(each(&since, "files", "path"), ["b.txt"]);
    assert!(
        since["remarks"][0].as_str().unwrap().starts_with(&format!(
            "commit {} is not in the history of HEAD",
            &old[..7]
        )),
        "{since}"
    );
    // An unrelated history has none.
    place.git(&["checkout", "-q", "--orphan", "other"]);
    place.commit("alone");
    let since = place.since(&[]);
    assert_eq!(since["commits"], json!([]));
    assert!(
        since["remarks"][0]
            .as_str()
            .unwrap()
            .contains("no common ancestor"),
        "{since}"
    );
}

#[test]
fn a_commit_that_is_gone_is_said() {
    let place = Place::repository();
    place.attempt("first");
    let gone = place.commit("second");
    place.attempt("second");
    place.git(&["reset", "-q", "--hard", "HEAD~1"]);
    place.git(&["reflog", "expire", "--expire=now", "--all"]);
    place.git(&["gc", "-q", "--prune=now"]);
    place.commit("another");
    let since = place.since(&[]);
    assert_eq!(each(&since, "commits", "subject"), ["another"]);
    assert_eq!(since["base"]["action"], json!("first"));
    let first = since["base"]["commit"].as_str().unwrap();
    assert_eq!(
        since["remarks"],
        json!([format!(
            "commit {} is gone from the repository: compared with {}, of an earlier attempt",
            &gone[..7],
            &first[..7]
        )])
    );
    // Where no earlier attempt helps, the work tree is left.
    let lost = "0123456789".repeat(4);
    let line = json!({"gate": "fail", "commit": lost, "seq": 7});
    place.write("lost.jsonl", format!("{line}\n").as_bytes());
    let since = place.since(&["--ledger", "lost.jsonl"]);
    assert_eq!(
        (
            &since["remarks"],
            &since["base"]["commit"],
            &since["untracked"]
        ),
        (
            &json!(["commit 0123456 is gone from the repository: the work tree alone"]),
            &json!(lost),
            &json!(["lost.jsonl"])
        )
    );
}

#[test]
fn a_linked_work_tree_has_its_own_head_and_run() {
    let place = Place::repository();
    place.git(&["worktree", "add", "-q", "-b", "side", "../side"]);
    let linked = |program: &str, args: &[&str]| place.program(program, "../side", args);
    let args = ["--kind", "attempt", "--gate", "fail", "--action", "x"];
    assert!(
        linked(env!("CARGO_BIN_EXE_lrecord"), &args)
            .status
            .success()
    );
    linked("git", &["commit", "-q", "--allow-empty", "-m", "aside"]);
    let since: Value =
        serde_json::from_slice(&linked(env!("CARGO_BIN_EXE_lsince"), &[]).stdout).unwrap();
    assert_eq!(
        (each(&since, "commits", "subject"), &since["branch"]),
        (vec!["aside"], &json!("side"))
    );
    assert!(
        place.since(&[]).get("base").is_none(),
        "the main one has its own run"
    );
}

#[test]
fn submodules_are_told_by_what_changed_in_them() {
    let place = Place::repository();
    let library = Place::repository();
    let url = library.work();
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        url.to_str().unwrap(),
        "lib",
    ];
    place.git(&add);
    place.commit("with a library");
    place.attempt("x");
    fs::write(place.work().join("lib/new"), b"x").unwrap();
    let since = place.since(&[]);
    assert_eq!(
        (
            each(&since, "work_tree", "path"),
            each(&since, "work_tree", "submodule")
        ),
        (vec!["lib"], vec!["U"])
    );
    for args in [vec!["add", "-A"], vec!["commit", "-q", "-m", "new"]] {
        assert!(place.program("git", "lib", &args).status.success());
    }
    assert_eq!(each(&place.since(&[]), "work_tree", "submodule"), ["C"]);
    place.commit("the library moves");
    assert_eq!(each(&place.since(&[]), "files", "path"), ["lib"]);
    assert!(place.text(&[]).contains("\n  lib  +1 -1\n"));
}

#[test]
fn names_with_anything_in_them_are_shown_harmlessly() {
    let place = Place::repository();
    place.attempt("x\u{1b}[31m\nred");
    let names: [&[u8]; 6] = [
        b"new\nline",
        b"\"quoted\" 'twice'",
        b"--output=x",
        b"not utf-8 \xff",
        b"\x1b[31mred",
        b" blank ",
    ];
    for name in names {
        fs::write(place.work().join(OsStr::from_bytes(name)), b"x\n").unwrap();
    }
    place.commit("a subject with \u{1b}[2Jcodes\u{202e} and 'quotes'");
    for name in names {
        fs::write(place.work().join(OsStr::from_bytes(name)), b"x\ny\n").unwrap();
    }
    fs::write(place.work().join("un\ntracked"), b"").unwrap();
    let since = place.since(&[]);
    for list in ["files", "work_tree"] {
        let mut paths = each(&since, list, "path");
        paths.sort_unstable();
        assert_eq!(
            paths,
            [
                "\u{1b}[31mred",
                " blank ",
                "\"quoted\" 'twice'",
                "--output=x",
                "new\nline",
                "not utf-8 \u{fffd}"
            ],
            "{list}"
        );
        assert!(
            since[list]
                .as_array()
                .unwrap()
                .iter()
                .all(|it| it["added"] == json!(1))
        );
    }
    assert_eq!(
        each(&since, "commits", "subject"),
        ["a subject with codes and 'quotes'"]
    );
    assert_eq!(since["untracked"], json!(["un\ntracked"]));
    let text = place.text(&[]);
    for shown in [
        "\n  .M \"\\u{1b}[31mred\"  +1 -0\n",
        "\n  .M \"new\\nline\"  +1 -0\n",
        "\n  .M \"--output=x\"  +1 -0\n",
        "\n  \"un\\ntracked\"\n",
        "  x red\n",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
}

#[test]
fn long_lists_are_cut_and_counted() {
    let place = Place::repository();
    place.attempt("x");
    for number in 0..23 {
        place.write(&format!("f{number}"), b"x\n");
        place.commit(&format!("commit {number}"));
    }
    let text = place.text(&[]);
    assert!(text.contains("23 commits up to"), "{text}");
    assert!(
        text.contains("\n  and 3 more\n") && !text.contains("commit 2\n"),
        "{text}"
    );
    assert!(
        text.contains("  commit 3\n") && text.ends_with("\n  and 3 more\n"),
        "{text}"
    );
    assert_eq!(place.since(&[])["commits"].as_array().unwrap().len(), 23);
}

#[test]
fn the_repository_cannot_make_it_run_anything() {
    let place = Place::repository();
    place.write(".gitattributes", b"* diff=evil\n");
    place.commit("attributes");
    place.attempt("x");
    place.git(&["commit", "-q", "--allow-empty", "-m", "on"]);
    place.write("a.txt", b"changed\n");
    let script = place.work().join("../evil.sh");
    fs::write(&script, b"#!/bin/sh\ntouch \"$0.ran\"\ncat\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    for name in [
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.pager",
        "gpg.program",
    ] {
        place.git(&["config", name, script]);
    }
    for (name, value) in [
        ("log.showSignature", "true"),
        ("diff.relative", "true"),
        ("status.showUntrackedFiles", "no"),
        ("color.ui", "always"),
        ("diff.orderFile", "missing"),
        ("core.quotePath", "true"),
    ] {
        place.git(&["config", name, value]);
    }
    let _ = fs::remove_file(format!("{script}.ran"));
    place.write("new", b"");
    let since = place.since(&[]);
    assert_eq!(each(&since, "commits", "subject"), ["on"]);
    assert_eq!(each(&since, "work_tree", "path"), ["a.txt"]);
    assert_eq!(since["work_tree"][0]["added"], json!(1));
    assert_eq!(since["untracked"], json!(["new"]));
    assert!(
        !Path::new(&format!("{script}.ran")).exists(),
        "something was run"
    );
}

#[test]
fn without_a_repository_it_says_what_it_knows() {
    let place = Place::new();
    let since = place.since(&[]);
    assert_eq!(since["remarks"], json!(["not in a git repository"]));
    let line = json!({"kind": "attempt", "gate": "fail", "commit": "1c0ffee", "action": "pin numpy", "iteration": 3});
    place.write(".loop/ledger.jsonl", format!("{line}\n").as_bytes());
    assert_eq!(
        place.text(&[]),
        "since attempt 3  1c0ffee  pin numpy\nnot in a git repository\n"
    );
    assert_eq!(
        place.since(&["--base", "HEAD"])["remarks"],
        json!(["not in a git repository"])
    );
    // A directory that only looks like one, and a machine without git.
    let place = Place::repository();
    let output = Command::new(env!("CARGO_BIN_EXE_lsince"))
        .current_dir(place.work())
        .env_clear()
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    let since: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &since["remarks"]),
        (
            Some(0),
            &json!(["git cannot be run, or refuses this repository"])
        )
    );
}
