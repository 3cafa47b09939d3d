//! `lverify` finds what is wrong, and repairs it without touching what is right.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ledger::seal;
use proptest::prelude::*;
use serde_json::Value;

use crate::place::{Place, number};

fn report(place: &Place, line: &str) -> (Option<i32>, Value) {
    let ended = place.run(line);
    (ended.code, serde_json::from_str(&ended.out).unwrap())
}

const ATTEMPT: &str = r#"{"v":1,"kind":"attempt","gate":"fail"}"#;

#[test]
fn a_changed_byte_anywhere_is_found_and_the_rest_still_serves() {
    let place = Place::new();
    place.record(&[ATTEMPT, r#"{"v":1,"kind":"ack","note":"é"}"#, ATTEMPT]);
    let whole = fs::read(place.ledger()).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        // A checksum in capitals is the same checksum; the last newline gone is a torn tail.
        if changed[at].eq_ignore_ascii_case(&whole[at]) || at + 1 == whole.len() {
            continue;
        }
        fs::write(place.ledger(), &changed).unwrap();
        let (file, found) = (fs::File::open(place.ledger()).unwrap(), check(&changed));
        assert!(!found.sound, "byte {at}");
        assert!(
            found.records >= 1 && found.good_prefix.records <= 2,
            "byte {at}: {found:?}"
        );
        drop(file);
    }
}

fn check(text: &[u8]) -> ledger::check::Report {
    let mut check = ledger::check::Check::new();
    let mut lines = ledger::read::Forwards::new(text);
    while let Some(found) = lines.next().unwrap() {
        check.line(found);
    }
    check.finish("l.jsonl", 0)
}

#[test]
fn a_torn_tail_is_reported_and_is_no_damage() {
    let place = Place::new();
    place.record(&[ATTEMPT]);
    let mut text = fs::read(place.ledger()).unwrap();
    let good = text.len();
    text.extend(b"{\"kind\":\"at");
    fs::write(place.ledger(), &text).unwrap();
    let (code, report) = report(&place, "lverify");
    assert_eq!(code, Some(0));
    assert_eq!(
        (&report["torn_tail_bytes"], &report["sound"]),
        (&11.into(), &true.into())
    );
    assert_eq!(
        report["good_prefix"],
        serde_json::json!({"records": 1, "bytes": good})
    );
    let ended = place.run("lverify --repair --format text");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs::read(place.ledger()).unwrap(), &text[..good]);
    assert_eq!(fs::read(copy(&place)).unwrap(), b"{\"kind\":\"at");
}

fn copy(place: &Place) -> std::path::PathBuf {
    place.path().join("l.jsonl.damaged-20261112T070000.000Z")
}

#[test]
fn a_missing_ledger_is_an_empty_one_and_a_damaged_segment_is_named() {
    let place = Place::new();
    let (code, empty) = report(&place, "lverify");
    assert_eq!((code, &empty["records"]), (Some(0), &0.into()));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    place.record(&[ATTEMPT, ATTEMPT]);
    place.rotate();
    let sealed = place.sealed().remove(0);
    let text = fs::read_to_string(&sealed)
        .unwrap()
        .replacen("fail", "pass", 1);
    fs::write(&sealed, text).unwrap();
    assert_eq!(report(&place, "lverify").0, Some(0));
    let (code, found) = report(&place, "lverify --follow-segments");
    assert_eq!((code, &found["crc_failures"]), (Some(1), &1.into()));
    assert_eq!(found["damaged_at"][0]["segment"], "l.jsonl.1-2");
    place.pack();
    assert_eq!(report(&place, "lverify --follow-segments").0, Some(1));
    let said = place.run("lverify --follow-segments --format text");
    assert!(said.out.starts_with("DAMAGED  l.jsonl\n"), "{}", said.out);
}

#[test]
fn a_packed_segment_that_cannot_be_unpacked_is_damage_and_no_crash() {
    let place = Place::new();
    for _ in 0..200 {
        place.record(&[ATTEMPT]);
    }
    place.rotate();
    place.pack();
    let path = place.sealed().remove(0);
    let packed = fs::read(&path).unwrap();
    for cut in [0, 1, 9, packed.len() / 2, packed.len() - 1] {
        fs::write(&path, &packed[..cut]).unwrap();
        let code = place.run("lverify --follow-segments").code;
        assert_eq!(code, Some(1), "cut at {cut}");
        let ended = place.run("llog --all");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.lines().count() >= 1);
        assert_eq!(
            place.run("lrecord --kind attempt --gate fail").code,
            Some(0)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_repair_keeps_every_sound_line_and_a_copy_of_the_rest(
        parts in prop::collection::vec(0..6_u8, 0..12),
        tail in prop_oneof![Just(Vec::new()), Just(b"{\"to".to_vec()), Just(b"\0\0\0".to_vec())],
    ) {
        let place = Place::new();
        let (mut text, mut sound, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
        let mut seq = 0;
        for part in parts {
            let sealed = |seq| seal::seal(ATTEMPT, seq).into_bytes();
            let (mut line, is_sound) = match part {
                0 | 1 => (sealed(seq + 1), true),
                2 => (br#"{"gate":"fail"}"#.to_vec(), true),
                3 => (b"gar\xffbage\r".to_vec(), false),
                4 => {
                    let mut line = sealed(seq + 1);
                    line[20] ^= 4;
                    (line, false)
                }
                // Two that lost the newline between them.
                _ => ([sealed(seq + 1), sealed(seq + 2)].concat(), false),
            };
            seq += if part == 5 { 2 } else { 1 };
            line.push(b'\n');
            text.extend(&line);
            if is_sound { sound.extend(line) } else { damaged.extend(line) }
        }
        text.extend(&tail);
        damaged.extend(&tail);
        fs::write(place.ledger(), &text).unwrap();
        fs::set_permissions(place.ledger(), fs::Permissions::from_mode(0o640)).unwrap();

        let ended = place.run("lverify --repair");
        let repaired = fs::read(place.ledger()).unwrap();
        let kept: Vec<u8> = repaired
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| !line.starts_with(br#"{"v":1,"ts":"2026-11-12T07:00:00.000Z","kind":"repair""#))
            .flatten()
            .copied()
            .collect();
        prop_assert_eq!(kept, sound);
        prop_assert_eq!(fs::metadata(place.ledger()).unwrap().permissions().mode() & 0o777, 0o640);
        if damaged.is_empty() {
            prop_assert_eq!(&repaired, &text);
            prop_assert!(!copy(&place).exists());
        } else {
            prop_assert_eq!(fs::read(copy(&place)).unwrap(), damaged);
            prop_assert_eq!(fs::metadata(copy(&place)).unwrap().permissions().mode() & 0o077, 0o040);
        }
        let found = check(&repaired);
        prop_assert!(found.sound, "{:?} {:?}", found, String::from_utf8_lossy(&repaired));
        prop_assert_eq!(ended.code, Some(0), "{:?}", ended);
        // A number that was given is not given again.
        let next = number(&place.record(&[ATTEMPT])[0]);
        prop_assert!(next > found.last_seq.unwrap_or(0));
    }
}
