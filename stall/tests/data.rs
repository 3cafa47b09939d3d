//! The verdicts of the earlier journal, exactly, on labelled data beside the workspace; skipped where it is not there.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::fs::File;
use std::io::Write;
use std::path::Path;

use ledger::history::{Selection, dead_ends, histories};
use ledger::segments::Whole;
use serde_json::Value;
use stall::detectors::ALL;
use stall::{Asked, Config, judge};

#[test]
fn the_earlier_journal_would_have_said_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/seed_verdicts.jsonl");
    let Ok(cases) = std::fs::read_to_string(&path) else {
        println!("skipped: no labelled data beside the workspace");
        return;
    };
    let mut judged = 0;
    for case in cases.lines() {
        let case: Value = serde_json::from_str(case).unwrap();
        assert_eq!(verdict(&case), case["expect"], "{case}");
        judged += 1;
    }
    assert!(judged >= 400, "{judged} cases");
}

fn verdict(case: &Value) -> Value {
    let path = std::env::temp_dir().join(format!("stall-data-{}", std::process::id()));
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    for row in case["rows"].as_array().unwrap() {
        writeln!(file, "{row}").unwrap();
    }
    std::fs::remove_file(path).unwrap();
    let len = file.metadata().unwrap().len();
    let wanted = Selection {
        run: None,
        name: None,
        all_runs: false,
        window: 200,
    };
    let found = histories(ledger::read::Backwards::new(&file, len).unwrap(), &wanted).unwrap();
    let history = found.runs.into_iter().flatten().next().unwrap_or_default();
    let only: Vec<_> = ALL
        .into_iter()
        .filter(|detector| detector.name == "same-failure")
        .collect();
    let config = Config {
        k: case["k"].as_u64().unwrap(),
        escalates_at_once: true,
    };
    let ends = dead_ends(&Whole::new(&file, len), &history).unwrap();
    let verdict = judge(
        &history,
        &Asked {
            detectors: only,
            config,
        },
        ends,
        ledger::time::Instant(0),
    );
    let mut said = serde_json::to_value(&verdict).unwrap();
    let expected = [
        "verdict",
        "stall_count",
        "fingerprint",
        "recommend",
        "dead_ends",
    ];
    said.as_object_mut()
        .unwrap()
        .retain(|name, _| expected.contains(&name.as_str()));
    said
}
