//! Ledgers of earlier tools, judged where they lie: nothing is converted, nothing is written.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The verdict on a file, what was said beside it, and the status.
fn judge(name: &str, content: &[u8], arguments: &[&str]) -> (Value, String, Option<i32>) {
    let directory =
        std::env::temp_dir().join(format!("stall-earlier-{}-{name}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("journal.jsonl"), content).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lstall"))
        .args(["--ledger", "journal.jsonl", "--only", "same-failure"])
        .args(arguments)
        .current_dir(&directory)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["journal.jsonl"], "a reader makes nothing");
    assert_eq!(fs::read(directory.join("journal.jsonl")).unwrap(), content);
    fs::remove_dir_all(directory).unwrap();
    let verdict = serde_json::from_slice(&output.stdout).unwrap();
    (
        verdict,
        String::from_utf8(output.stderr).unwrap(),
        output.status.code(),
    )
}

fn row(gate: &str, fingerprint: &str, action: &str) -> String {
    format!(
        r#"{{"iteration": 0, "action": "{action}", "hypothesis": "", "gate": "{gate}", "fingerprint": "{fingerprint}", "note": "", "commit": "1c0ffee", "ts": "2026-07-01T10:00:00Z"}}"#
    )
}

#[test]
fn a_journal_is_judged_as_it_is() {
    let rows = [
        row("pass", "", "begin"),
        row("fail", "aaaa00000001", " pin "),
        row("blocked", "aaaa00000001", "pin"),
        row("fail", "aaaa00000001", "other"),
    ];
    let (verdict, said, code) = judge(
        "plain",
        (rows.join("\n") + "\n").as_bytes(),
        &["--exit-code"],
    );
    assert_eq!((said.as_str(), code), ("", Some(10)));
    assert_eq!(verdict["verdict"], "STALLED");
    assert_eq!(verdict["stall_count"], 3);
    assert_eq!(verdict["recommend"], "switch-strategy");
    assert_eq!(verdict["dead_ends"], serde_json::json!(["pin"]));
}

#[test]
fn line_ends_of_other_systems_are_no_damage() {
    let rows = vec![row("fail", "aaaa00000001", "a"); 4];
    let (verdict, said, _) = judge("crlf", (rows.join("\r\n") + "\r\n").as_bytes(), &[]);
    assert_eq!(
        (verdict["stall_count"].as_u64(), said.as_str()),
        (Some(4), "")
    );
    assert_eq!(verdict["recommend"], "escalate");
}

#[test]
fn damage_takes_no_other_line_with_it() {
    let fail = row("fail", "aaaa00000001", "a");
    let mut content =
        format!("\u{feff}{fail}\n{fail}\n[]\n3\n{{\"gate\":\"fa{fail}\n").into_bytes();
    content.extend(b"\xff\xfe\n\n");
    content.extend(format!("{fail}\n{fail}\n{{\"iteration\": 9, \"gate\": \"pa").as_bytes());
    let (verdict, said, _) = judge("damage", &content, &[]);
    assert_eq!(verdict["stall_count"], 3, "what is torn is in flight");
    assert_eq!(verdict["damaged"], 5, "{said}");
    assert!(said.contains("damaged"), "{said}");
}

#[test]
fn what_the_journal_left_out_counts_as_it_did_there() {
    // Without a word about the outcome, and with a word that nobody knows, it failed; without a name no streak begins.
    let (verdict, _, code) = judge(
        "gaps",
        b"{\"fingerprint\":\"aaaa00000001\"}\n{\"gate\":\"maybe\",\"fingerprint\":\"aaaa00000001\",\"action\":null}\n{\"action\":\"x\",\"fingerprint\":\"aaaa00000001\",\"hash\":\"h\"}\n",
        &["--exit-code"],
    );
    assert_eq!((verdict["stall_count"].as_u64(), code), (Some(3), Some(10)));
    let (verdict, _, code) = judge(
        "unnamed",
        b"{\"gate\":\"fail\"}\n{\"gate\":\"fail\"}\n{\"gate\":\"fail\"}\n",
        &["--exit-code"],
    );
    assert_eq!(
        (verdict["verdict"].as_str(), code),
        (Some("PROGRESS"), Some(0))
    );
}

#[test]
fn other_records_of_the_same_ledger_are_no_attempts() {
    let fail = row("fail", "aaaa00000001", "a");
    let others = "{\"phase\":\"p\",\"new_findings\":0,\"stale_count\":1,\"pivot\":\"none\"}\n{\"status\":\"keep\",\"metric_value\":1}\n{\"x\":1}\n";
    let content = format!("{fail}\n{others}{fail}\n{others}{fail}\n{others}");
    let (verdict, said, _) = judge("others", content.as_bytes(), &[]);
    assert_eq!(
        (verdict["stall_count"].as_u64(), said.as_str()),
        (Some(3), "")
    );
    assert!(verdict.get("damaged").is_none(), "{verdict}");
}
