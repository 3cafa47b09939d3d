//! Names of log files: safe in any directory, and each gate knows its own.

use ledger::time::Instant;
use sha1::{Digest, Sha1};

use super::tree::hex;

/// The longest name that stands in a file name as it is, in bytes once it is encoded.
const NAME_MAX: usize = 100;

/// `test-20261112T070000.000Z.log`, and `test-20261112T070000.000Z.1.log` for another of the same millisecond.
pub(super) fn file_name(gate: &str, at: Instant, again: u32) -> String {
    let again = if again == 0 {
        String::new()
    } else {
        format!(".{again}")
    };
    format!("{}-{}{again}.log", encoded(gate), at.compact())
}

/// A gate's name as part of a file name; different names stay different.
fn encoded(gate: &str) -> String {
    if gate.is_empty() {
        return "gate".to_owned();
    }
    let mut name = String::new();
    for byte in gate.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            name.push(char::from(byte));
        } else {
            name.push('%');
            name.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    if name.len() > NAME_MAX {
        let digest = Sha1::digest(gate.as_bytes());
        name.truncate(NAME_MAX);
        // No encoded byte looks like this.
        name.push_str("%-");
        name.push_str(&hex(digest.get(..8).unwrap_or_default()));
    }
    name
}

/// When the log of this file name was begun, and its number in that millisecond, if it is one of this gate and no other.
pub(super) fn age<'n>(name: &'n str, gate: &str) -> Option<(&'n str, u32)> {
    let rest = name
        .strip_prefix(&encoded(gate))?
        .strip_prefix('-')?
        .strip_suffix(".log")?;
    let shape = b"00000000T000000.000Z";
    let (at, again) = rest.split_at_checked(shape.len())?;
    let is_time = at.bytes().zip(shape).all(|(byte, known)| {
        if *known == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == *known
        }
    });
    let again = if again.is_empty() {
        0
    } else {
        again.strip_prefix('.')?.parse().ok()?
    };
    is_time.then_some((at, again))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(gate: &str, expected: &str) {
        let name = file_name(gate, Instant(0), 0);
        assert_eq!(name, format!("{expected}-19700101T000000.000Z.log"));
        assert!(age(&name, gate).is_some());
        assert!(name.len() < 200);
    }

    #[test]
    fn a_name_cannot_leave_the_directory() {
        check("", "gate");
        check("unit_1.2-x", "unit_1.2-x");
        check("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd");
        check("a b%", "a%20b%25");
        check("ü", "%C3%BC");
        check(
            &"x".repeat(128),
            &format!("{}%-150fa3fbdc899bd0", "x".repeat(100)),
        );
    }

    #[test]
    fn a_gate_knows_its_own_logs_only() {
        let age_of = |name: &str| age(name, "a").map(|(at, again)| (at.to_owned(), again));
        assert_eq!(
            age_of("a-19700101T000000.000Z.log"),
            Some(("19700101T000000.000Z".to_owned(), 0))
        );
        assert_eq!(
            age_of("a-19700101T000000.000Z.12.log"),
            Some(("19700101T000000.000Z".to_owned(), 12))
        );
        for other in [
            "a-b-19700101T000000.000Z.log",
            "a%2Fb-19700101T000000.000Z.log",
            "a-19700101T000000.000Z-19700101T000000.000Z.log",
            "a-19700101T000000.000Z.log.old",
            "a-notes.log",
            "a-19700101T000000.000é.log",
            "b-19700101T000000.000Z.log",
        ] {
            assert_eq!(age_of(other), None, "{other}");
        }
    }
}
