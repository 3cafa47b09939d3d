//! What earlier tools computed, exactly, on labelled data beside the workspace; skipped where it is not there.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

#[test]
fn iterations_get_the_counts_and_pivots_of_the_earlier_tool() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/seed_pivots.jsonl");
    let Ok(cases) = std::fs::read_to_string(&path) else {
        println!("skipped: no labelled data beside the workspace");
        return;
    };
    let folder = std::env::temp_dir().join(format!("ledger-data-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut checked = 0;
    for (number, case) in cases.lines().enumerate() {
        let case: Value = serde_json::from_str(case).unwrap();
        assert_eq!(
            stored(
                &folder.join(format!("{number}.jsonl")),
                &case["new_findings"]
            ),
            case["expect"],
            "{case}"
        );
        checked += 1;
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(checked >= 100, "{checked} cases");
}

/// Records one iteration for each count, in one stream, and gives what was stored of it.
fn stored(ledger: &Path, counts: &Value) -> Value {
    let mut lrecord = Command::new(env!("CARGO_BIN_EXE_lrecord"))
        .arg("--ledger")
        .arg(ledger)
        .args(["--sync", "none"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = lrecord.stdin.take().unwrap();
    for count in counts.as_array().unwrap() {
        writeln!(
            stdin,
            "{}",
            json!({"kind": "iteration", "new_findings": count})
        )
        .unwrap();
    }
    drop(stdin);
    let output = lrecord.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let shown = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let expected = ["new_findings", "stale_count", "pivot"];
        record
            .as_object_mut()
            .unwrap()
            .retain(|name, _| expected.contains(&name.as_str()));
        record
    };
    lines.lines().map(shown).collect()
}
