use proptest::prelude::*;

use super::*;

const FORMATS: [Format; 6] = [
    Format::Journal,
    Format::Iterations,
    Format::Results,
    Format::Tokens,
    Format::Limits,
    Format::Phases,
];

fn import(format: Format, name: &str) -> Import {
    Import::new(Origin {
        format,
        name: name.to_owned(),
        run: None,
        written: Instant(1_794_466_800_000),
    })
}

/// What a line becomes, without what every record has; the reason if it becomes nothing.
fn mapped(import: &mut Import, text: &str) -> String {
    match import.take(text.as_bytes(), false) {
        Ok(Some(imported)) => {
            let edit = crate::line::Edit::new()
                .without("v")
                .without("kind")
                .without("id");
            imported.line.edit(&edit).as_str().to_owned()
        }
        Ok(None) => "nothing".to_owned(),
        Err(why) => why,
    }
}

fn check(format: Format, name: &str, lines: &[(&str, &str)]) {
    let mut import = import(format, name);
    for (text, expected) in lines {
        assert_eq!(mapped(&mut import, text), *expected, "{text}");
    }
}

#[test]
fn a_journal_becomes_attempts() {
    check(
        Format::Journal,
        "journal.jsonl",
        &[
            (
                "\u{feff}{\"iteration\":0,\"action\":\" a \",\"hypothesis\":null,\"gate\":\"fail\",\"fingerprint\":\"aaaa00000001\",\"note\":\"\",\"commit\":\"\",\"ts\":\"2026-07-01T10:00:00.5+00:00\"}\r",
                r#"{"ts":"2026-07-01T10:00:00.500Z","gate":"fail","fingerprint":"aaaa00000001","iteration":0,"action":" a ","note":""}"#,
            ),
            ("", "nothing"),
            ("[]", "not a JSON object: it does not begin with '{'"),
            (
                "{\"x\":1}",
                "it has no gate, no fingerprint and no action, so it is no attempt",
            ),
            (
                "{\"gate\":\"fail\",\"gate\":\"pass\"}",
                "duplicate field `gate` (byte 29)",
            ),
            // What the journal did not know how to say, in the order of the lines.
            (
                r#"{"action":"b","stage_id":"s","next_action":[1, 2]}"#,
                r#"{"ts":"2026-07-01T10:00:00.500Z","gate":"fail","action":"b","stage_id":"s","next_action":[1, 2]}"#,
            ),
            (
                r#"{"gate":"maybe","iteration":-1,"fingerprint":7,"sigs":5,"kind":"x","id":1,"ts":"then","source_id":2}"#,
                r#"{"ts":"2026-07-01T10:00:00.500Z","gate":"fail","source_gate":"maybe","source_iteration":-1,"source_fingerprint":7,"source_sigs":5,"source_kind":"x","source_source_id":1,"source_ts":"then","source_id":2}"#,
            ),
            (
                r#"{"gate":"pass","fingerprint":"left over"}"#,
                r#"{"ts":"2026-07-01T10:00:00.500Z","gate":"pass","source_fingerprint":"left over"}"#,
            ),
        ],
    );
}

#[test]
fn iterations_keep_their_counts_and_get_those_they_lack() {
    check(
        Format::Iterations,
        "a.iterations.jsonl",
        &[
            (
                r#"{"ts":"2026-07-01T10:00:00Z","phase":"p","new_findings":0,"stale_count":3,"pivot":"structural","direction":"é"}"#,
                r#"{"ts":"2026-07-01T10:00:00.000Z","phase":"p","new_findings":0,"direction":"é","stale_count":3,"pivot":"structural"}"#,
            ),
            (
                r#"{"new_findings":0,"stale_count":"?"}"#,
                r#"{"ts":"2026-07-01T10:00:00.000Z","new_findings":0,"stale_count":4,"pivot":"human","source_stale_count":"?"}"#,
            ),
            (
                r#"{"new_findings":2}"#,
                r#"{"ts":"2026-07-01T10:00:00.000Z","new_findings":2,"stale_count":0,"pivot":"none"}"#,
            ),
            (r#"{"new_findings":-1}"#, "new_findings is not a count"),
            (r#"{"new_findings":true}"#, "new_findings is not a count"),
        ],
    );
}

#[test]
fn rows_become_experiments() {
    let at = r#"{"ts":"2026-11-12T07:00:00.000Z""#;
    let expected = |rest: &str| format!("{at},{rest}}}");
    check(
        Format::Results,
        "results.tsv",
        &[
            (
                "experiment#\tcommit\tmetric_value\tsecondary_values\tstatus\tdescription\tmeasurement_duration_ms\tdiff_stats",
                "nothing",
            ),
            (
                "0\tabc\t1.50\t{\"quality_gates\":{\"ok\":1},\"secondary_metrics\":{\"mem\":5}}\tkeep\tbegin\t5000\t",
                &expected(
                    r#""experiment":0,"status":"keep","decision":"keep","metric":1.50,"gates":{"ok":1},"secondary":{"mem":5},"description":"begin","commit":"abc","duration_ms":5000"#,
                ),
            ),
            (
                "1\tdef\t0\t\tmeasurement_failure\tboom",
                &expected(
                    r#""experiment":1,"status":"measurement_failure","decision":"discard","description":"boom","commit":"def""#,
                ),
            ),
            (
                "2\tdef\tNaN\t{\"ok\":2}\tdiscard\tnoise\t12.6\t{\"lines_added\":1,\"lines_removed\":2}\t0.04\t0.1\r",
                &expected(
                    r#""experiment":2,"status":"discard","decision":"discard","metric_value":"NaN","gates":{"ok":2},"description":"noise","commit":"def","duration_ms":13,"diff":{"lines_added":1,"lines_removed":2},"p_value":0.04,"p_min":0.1"#,
                ),
            ),
            (
                "3\t-\t7\t{torn\tverification_current\t\t",
                &expected(
                    r#""experiment":3,"status":"verification_current","metric":7,"secondary_values":"{torn""#,
                ),
            ),
            (
                "4\tx\t1",
                "a row of 3 columns, not 6 to 10: a tab or a line break in its text?",
            ),
            (
                "5\tx\t1\t\tkeep\ta\ttab",
                "its measurement_duration_ms cannot be 'tab'",
            ),
            ("six\tx\t1\t\tkeep\ta", "its experiment cannot be 'six'"),
            ("7\tx\t1\t\tkept\ta", "its status cannot be 'kept'"),
        ],
    );
}

#[test]
fn a_row_that_is_still_being_written_waits() {
    let mut import = import(Format::Results, "results.tsv");
    let row = b"3\tx\t1\t\tkeep\tde";
    assert!(import.take(row, true).is_err());
    assert!(import.take(row, false).is_ok_and(|taken| taken.is_some()));
}

#[test]
fn the_state_of_a_watchdog_becomes_records() {
    check(
        Format::Tokens,
        "token-log.jsonl",
        &[
            (
                r#"{"phase_id":"p1:a:b","started":"2026-07-01 10:00:00","ended":"2026-07-01T11:00:00","duration_s":3600.5,"agents":{"x":{"input":5}},"total":{"input":5}}"#,
                r#"{"ts":"2026-07-01T11:00:00.000Z","phase":"p1","label":"a:b","started":"2026-07-01T10:00:00.000Z","ended":"2026-07-01T11:00:00.000Z","duration_ms":3600500,"agents":{"x":{"input":5}},"total":{"input":5}}"#,
            ),
            (
                r#"{"phase_id":"p1","total":9,"duration_s":-1}"#,
                r#"{"ts":"2026-07-01T11:00:00.000Z","phase":"p1","source_total":9,"duration_s":-1}"#,
            ),
            (
                "{}",
                "it has no phase_id, no agents and no total, so it says nothing about tokens",
            ),
        ],
    );
    check(
        Format::Limits,
        ".limited-builder",
        &[
            (
                "{\n  \"until\": 1794466800.5,\n  \"nudges\": 2,\n  \"x\": [\n1]\n}\n",
                r#"{"ts":"2026-11-12T07:00:00.000Z","limited":true,"until":"2026-11-12T07:00:00.500Z","nudges":2,"session":"builder","x":[ 1]}"#,
            ),
            ("{\"until\":null}", "until is not a time"),
        ],
    );
    check(
        Format::Phases,
        ".phase-idx",
        &[
            (
                "3\n",
                r#"{"ts":"2026-11-12T07:00:00.000Z","event":"advanced","index":3}"#,
            ),
            ("three", "not the index of a phase"),
            ("", "not the index of a phase"),
        ],
    );
    check(
        Format::Phases,
        "SEQUENCE-COMPLETE",
        &[
            (
                "[2026-07-01T11:00:00Z] a, b\nbuild finished\n",
                r#"{"ts":"2026-07-01T11:00:00.000Z","event":"complete","note":"[2026-07-01T11:00:00Z] a, b\nbuild finished"}"#,
            ),
            (
                "",
                r#"{"ts":"2026-07-01T11:00:00.000Z","event":"complete"}"#,
            ),
        ],
    );
}

#[test]
fn equal_lines_are_two_and_a_line_is_known_wherever_it_stands() {
    let keys = |lines: &[&str]| -> Vec<Key> {
        let mut import = import(Format::Journal, "journal.jsonl");
        let taken = lines
            .iter()
            .filter_map(|line| import.take(line.as_bytes(), false).ok()?);
        taken.map(|imported| imported.key).collect()
    };
    let (a, b) = (r#"{"gate":"fail"}"#, r#"{"gate":"pass"}"#);
    let all = keys(&[a, a, b]);
    assert_eq!((all[0].hash, all[0].nth, all[1].nth), (all[1].hash, 1, 2));
    assert_eq!(
        keys(&[b, "torn", a, &format!("{a}\r")]),
        [all[2], all[0], all[1]]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_nothing_or_a_reason(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4),
        name in "[.a-zA-Z-]{0,20}",
    ) {
        for format in FORMATS {
            let mut import = import(format, &name);
            for line in &lines {
                let _ = import.take(line, false);
            }
            let _ = detect(&name, &lines.concat());
        }
    }

    #[test]
    fn what_is_mapped_is_one_line_that_a_reader_takes(
        values in prop::collection::vec(("[a-z_]{1,12}", "[0-9.eE-]{1,6}|true|null|\"[ -~]{0,6}\"|\\[\\]|\\{\"a\": 1\\}"), 0..6),
        known in prop::sample::subsequence(
            vec!["gate", "iteration", "fingerprint", "action", "ts", "v", "run", "seq", "crc", "id", "sigs", "new_findings", "total", "until", "agents"], 0..6),
        value in "[0-9]{1,4}|\"fail\"|\"2026-07-01T10:00:00Z\"|null|\\[1\\]",
    ) {
        let body: Vec<String> = values.iter().map(|(name, value)| format!("\"{name}\":{value}"))
            .chain(known.iter().map(|name| format!("\"{name}\":{value}")))
            .collect();
        let text = format!("{{{}}}", body.join(", "));
        for format in FORMATS {
            if let Ok(Some(imported)) = import(format, "x").take(text.as_bytes(), false) {
                let line = imported.line.as_str();
                prop_assert!(!line.contains(['\n', '\r']), "{line}");
                prop_assert!(Line::parse(line.as_bytes()).is_ok(), "{line}");
                let head: crate::record::Head<'_> = imported.line.view().unwrap();
                prop_assert_eq!(head.known_kind(), Some(kind(format)));
                prop_assert_eq!(head.id.as_deref().and_then(Key::parse), Some(imported.key));
            }
        }
    }
}
