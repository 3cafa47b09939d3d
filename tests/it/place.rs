//! Where the ledger lives, whoever asks from wherever.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use serde_json::Value;
use snapbox::str;
use tests::{Sandbox, ledger, programs};

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_is_made_is_for_this_user_alone_and_out_of_sight_of_git() {
    let sandbox = Sandbox::new().git();
    sandbox
        .sh("umask 000; lrecord --kind ack; lrecord --kind ack --run auth")
        .ok();
    for directory in [".loop", ".loop/runs"] {
        assert_eq!(mode(&sandbox.path(directory)), 0o700, "{directory}");
    }
    let files = sandbox.files();
    assert_eq!(files.len(), 7, "{files:?}");
    for file in files.iter().filter(|file| !file.ends_with('/')) {
        assert_eq!(mode(&sandbox.path(file)), 0o600, "{file}");
    }
    assert_eq!(sandbox.read(".loop/.gitignore"), b"*\n");
    assert_eq!(
        sandbox
            .tool("git status --porcelain --untracked-files=all")
            .ok()
            .text(),
        ""
    );
}

#[test]
fn all_of_a_repository_shares_the_one_at_its_top() {
    let sandbox = Sandbox::new().git();
    sandbox.write("a/b/file", "");
    for directory in ["a/b", ".", "a"] {
        sandbox.tool("lrecord --kind ack").within(directory).ok();
    }
    assert_eq!(
        ledger::numbers(&sandbox.read(".loop/ledger.jsonl")),
        [1, 2, 3]
    );
    assert!(!sandbox.path("a/.loop").exists() && !sandbox.path("a/b/.loop").exists());
    let verdict = sandbox.tool("lstall --k 1").within("a/b").ok();
    assert_eq!(verdict.record()["verdict"], "PROGRESS");
}

#[test]
fn a_package_with_one_of_its_own_uses_that() {
    let sandbox = Sandbox::new().git();
    sandbox.sh("mkdir -p package/.loop package/src other").ok();
    sandbox
        .tool("lrecord --kind ack")
        .within("package/src")
        .ok();
    sandbox.tool("lrecord --kind ack").within("other").ok();
    assert_eq!(
        ledger::numbers(&sandbox.read("package/.loop/ledger.jsonl")),
        [1]
    );
    assert_eq!(ledger::numbers(&sandbox.read(".loop/ledger.jsonl")), [1]);
}

#[test]
fn outside_git_only_the_working_directory_counts() {
    let sandbox = Sandbox::new();
    sandbox.sh("mkdir -p .loop a").ok();
    sandbox.tool("lrecord --kind ack").within("a").ok();
    assert!(sandbox.path("a/.loop/ledger.jsonl").exists());
    assert!(!sandbox.path(".loop/ledger.jsonl").exists());
}

#[test]
fn one_above_the_repository_is_not_used() {
    let sandbox = Sandbox::new();
    sandbox.sh("mkdir -p .loop repo/a && git init -q repo").ok();
    sandbox.tool("lrecord --kind ack").within("repo/a").ok();
    assert!(sandbox.path("repo/.loop/ledger.jsonl").exists());
    assert!(!sandbox.path(".loop/ledger.jsonl").exists());
}

#[test]
fn a_linked_work_tree_uses_that_of_the_main_one_under_its_own_name() {
    let sandbox = Sandbox::new();
    sandbox.sh("mkdir main && cd main && git init -q -b main . && git commit -q --allow-empty -m 'begin'").ok();
    sandbox.sh("cd main && git worktree add -q ../fix-io && git worktree add -q -b ab '../a b' && mkdir ../fix-io/deep").ok();
    sandbox
        .tool("lrecord --kind attempt --gate fail --set fingerprint=aaaa00000001")
        .within("fix-io/deep")
        .ok()
        .out(str![[r#"
{"v":1,"ts":"2026-11-12T07:00:00.000Z","run":"fix-io","kind":"attempt","gate":"fail","fingerprint":"aaaa00000001","commit":"868fed38eb9bdfd4b8487c2d925da7bc401cd617","action":"begin","iteration":1,"seq":1,"crc":"471d845c"}

"#]]);
    sandbox
        .tool("lrecord --kind attempt --gate fail")
        .within("a b")
        .ok();
    sandbox
        .tool("lrecord --kind attempt --gate fail --run told")
        .within("fix-io")
        .ok();
    assert_eq!(
        sandbox
            .files()
            .iter()
            .filter(|file| file.ends_with(".jsonl"))
            .collect::<Vec<_>>(),
        [
            "main/.loop/runs/a-b.jsonl",
            "main/.loop/runs/fix-io.jsonl",
            "main/.loop/runs/told.jsonl"
        ],
    );
    let verdict = sandbox.tool("lstall").within("fix-io").ok().record();
    assert_eq!(
        (verdict["run"].as_str(), verdict["fingerprint"].as_str()),
        (Some("fix-io"), Some("aaaa00000001"))
    );
    // The commit is the work tree's own.
    sandbox
        .sh("cd fix-io && git commit -q --allow-empty -m 'there'")
        .ok();
    let record = sandbox
        .tool("lrecord --kind attempt --gate fail")
        .within("fix-io")
        .ok()
        .record();
    assert_eq!(record["action"], "there");
    assert!(!sandbox.path("fix-io/.loop").exists());
}

#[test]
fn a_work_tree_of_a_bare_repository_keeps_its_own() {
    let sandbox = Sandbox::new();
    sandbox.sh("git init -q --bare bare.git && git -C bare.git worktree add -q --orphan -b x ../tree 2>/dev/null || git init -q tree").ok();
    sandbox
        .tool("lrecord --kind ack")
        .within("tree")
        .ok()
        .silent();
    assert!(sandbox.path("tree/.loop").is_dir(), "{:?}", sandbox.files());
    assert!(!sandbox.path("bare.git/.loop").exists());
}

#[test]
fn one_of_another_owner_is_named_and_never_passed_over() {
    if !programs::is_root() && !programs::skip("only root can give a directory away") {
        return;
    }
    let sandbox = Sandbox::new().git();
    sandbox.sh("mkdir -p package/.loop package/src").ok();
    chown(sandbox.path("package/.loop"), Some(65534), Some(65534)).unwrap();
    for tool in ["lrecord --kind ack", "lstall"] {
        let refused = sandbox
            .tool(tool)
            .within("package/src")
            .run()
            .code(1)
            .out("");
        assert!(
            refused
                .said()
                .contains("package/.loop' belongs to another user"),
            "{refused}"
        );
        assert_eq!(refused.said().lines().count(), 1);
    }
    assert_eq!(
        sandbox.files(),
        ["package/", "package/.loop/", "package/src/"]
    );
    assert_eq!(
        sandbox.path("package/.loop").metadata().unwrap().uid(),
        65534
    );
    // A ledger that is named may be anyone's.
    sandbox
        .tool("lrecord --kind ack --ledger .loop/x.jsonl")
        .within("package")
        .ok();
}

#[test]
fn one_that_is_a_link_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.sh("mkdir elsewhere").ok();
    symlink(sandbox.path("elsewhere"), sandbox.path(".loop")).unwrap();
    sandbox
        .tool("lrecord --kind ack")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: '[ROOT]/work/.loop' is not a directory of its own

"#]]);
    sandbox.tool("lstall").run().code(1).out("").err(str![[r#"
lstall: '[ROOT]/work/.loop' is not a directory of its own

"#]]);
    assert_eq!(sandbox.files(), [".loop", "elsewhere/"]);
}

#[test]
fn one_that_is_a_file_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write(".loop", "");
    sandbox
        .tool("lrecord --kind ack")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: '[ROOT]/work/.loop' is not a directory of its own

"#]]);
    assert_eq!(sandbox.files(), [".loop"]);
}

#[test]
fn a_link_inside_it_is_refused() {
    let sandbox = Sandbox::new();
    let old = ledger::told("a");
    sandbox.write("precious.jsonl", &old);
    sandbox.sh("mkdir -m 700 .loop elsewhere").ok();
    symlink(
        sandbox.path("precious.jsonl"),
        sandbox.path(".loop/ledger.jsonl"),
    )
    .unwrap();
    symlink(sandbox.path("elsewhere"), sandbox.path(".loop/runs")).unwrap();
    sandbox
        .tool("lrecord --kind ack")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: cannot append to '.loop/ledger.jsonl': Too many levels of symbolic links

"#]]);
    sandbox.tool("lstall").run().code(1).out("").err(str![[r#"
lstall: '.loop/ledger.jsonl' is a link

"#]]);
    sandbox
        .tool("lrecord --kind ack --run auth")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: '.loop/runs' is not a directory of its own

"#]]);
    assert_eq!(sandbox.read("precious.jsonl"), old.as_bytes());
    assert!(!sandbox.path("elsewhere/auth.jsonl").exists());
    // The lock is not followed either.
    let sandbox = Sandbox::new();
    sandbox
        .sh("mkdir -m 700 .loop; ln -s ../made .loop/ledger.jsonl.lock")
        .ok();
    sandbox
        .tool("lrecord --kind ack")
        .run()
        .code(1)
        .out("")
        .err(str![[r#"
lrecord: cannot append to '.loop/ledger.jsonl.lock': Too many levels of symbolic links

"#]]);
    assert!(!sandbox.path("made").exists());
    // A ledger that is named may be one.
    sandbox.tool("lrecord --kind ack --ledger link.jsonl").ok();
}

#[test]
fn a_reader_makes_nothing() {
    let sandbox = Sandbox::new().git();
    for call in [
        "lstall",
        "lstall --run auth",
        "lstall --ledger none.jsonl",
        "lstall --exit-code",
    ] {
        assert_eq!(
            sandbox.tool(call).ok().record()["verdict"],
            Value::from("PROGRESS")
        );
    }
    assert_eq!(sandbox.files(), [""; 0]);
}

#[test]
fn a_directory_without_room_for_it_is_named() {
    let sandbox = Sandbox::new();
    let refused = sandbox
        .sh("mkdir gone && cd gone && rmdir ../gone && exec lrecord --kind ack")
        .run()
        .code(1)
        .out("");
    assert_eq!(refused.said().lines().count(), 1, "{refused}");
    let refused = sandbox
        .sh("cd /proc/self && exec lrecord --kind ack")
        .run()
        .code(1)
        .out("");
    assert!(
        refused.said().starts_with("lrecord: cannot use '.loop': "),
        "{refused}"
    );
}
