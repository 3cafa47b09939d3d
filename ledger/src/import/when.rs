//! Times as the earlier tools wrote them.

use crate::time::Instant;

/// The instants that four digits of a year can say, in milliseconds.
const SAYABLE: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;
/// Beyond it, a number counts milliseconds: as seconds it would be a year of five digits.
const SECONDS_MAX: i64 = 253_402_300_799;

/// Reads RFC 3339, the same with a space, without a colon in its offset or without an offset (then UTC), epoch seconds and
/// epoch milliseconds; none if the text is no time.
pub(super) fn instant(text: &str) -> Option<Instant> {
    let text = text.trim();
    let at = Instant::parse(text).or_else(|| Instant::parse(&respelled(text)?))?;
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let at = if is_number && at.0 / 1000 > SECONDS_MAX {
        Instant(at.0 / 1000)
    } else {
        at
    };
    SAYABLE.contains(&at.0).then_some(at)
}

/// ISO 8601 in the spelling of RFC 3339.
fn respelled(text: &str) -> Option<String> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let Some(sign) = time.rfind(['+', '-']) else {
        let zone = if time.ends_with(['Z', 'z']) { "" } else { "Z" };
        return Some(format!("{date}T{}{zone}", time.trim_end()));
    };
    let (time, offset) = time.split_at(sign);
    let offset = match offset.len() {
        5 => format!("{}:{}", offset.get(..3)?, offset.get(3..)?),
        3 => format!("{offset}:00"),
        _ => offset.to_owned(),
    };
    Some(format!("{date}T{}{offset}", time.trim_end()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            instant(text).map(|at| at.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn times_in_the_spellings_of_common_libraries_are_read() {
        let seven = Some("2026-11-12T07:00:00.000Z");
        for text in [
            "2026-11-12T07:00:00Z",
            "2026-11-12 07:00:00",
            "2026-11-12T07:00:00",
            "2026-11-12T07:00:00+0000",
            "2026-11-12T09:00:00+02",
            "2026-11-12 05:00:00 -0200",
            "1794466800",
            "1794466800.0",
            "1794466800000",
        ] {
            check(text, seven);
        }
        check(
            "2026-11-12T07:00:00.123456",
            Some("2026-11-12T07:00:00.123Z"),
        );
        for text in [
            "",
            "yesterday",
            "2026-11-12",
            "1e9",
            "99999999999999999",
            "-99999999999999",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = instant(&text);
        }
    }
}
