//! Clocks at the beginning of a line, in the forms that log systems print.

/// Length of the date and time at the start of `text`, if one stands there. A bare `12:30` is none.
pub(super) fn stamp(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    date_time(bytes)
        .or_else(|| named_date(bytes))
        .or_else(|| clock(bytes, 0))
        .or_else(|| epoch(bytes))
}

fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

/// Checks a pattern from `start` on: `0` is a digit, `_` a blank or digit, everything else itself.
fn fits(bytes: &[u8], start: usize, pattern: &str) -> bool {
    pattern.bytes().enumerate().all(|(index, wanted)| {
        let found = at(bytes, start + index);
        match wanted {
            b'0' => found.is_ascii_digit(),
            b'_' => found.is_ascii_digit() || found == b' ',
            _ => found == wanted,
        }
    })
}

/// `2026-08-01T10:00:00.123Z`, `2026/08/01 10:00:00`, `01/Aug/2026:10:00:00 +0000`.
fn date_time(bytes: &[u8]) -> Option<usize> {
    let date = [
        "0000-00-00",
        "0000/00/00",
        "0000.00.00",
        "00/00/0000",
        "00.00.0000",
    ];
    let mut end = if date.iter().any(|date| fits(bytes, 0, date)) {
        10
    } else if fits(bytes, 0, "00/") && fits(bytes, 6, "/0000") {
        11
    } else if fits(bytes, 0, "00000000T000000") {
        let end = skip_digits(bytes, 15);
        return Some(end + usize::from(at(bytes, end) == b'Z'));
    } else {
        return None;
    };
    if matches!(at(bytes, end), b'T' | b' ' | b'_' | b':' | b'-') {
        end += 1;
    }
    clock(bytes, end)
}

/// `Aug  1 10:00:00`, `Sat Aug  1 10:00:00 2026`, `Sat, 01 Aug 2026 10:00:00 GMT`.
fn named_date(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    if is_name(bytes, 0, &DAYS) {
        start = 3;
        if at(bytes, start) == b',' {
            start += 1;
        }
        start += 1;
    }
    if is_name(bytes, start, &MONTHS) && fits(bytes, start + 3, " _0 ") {
        let end = clock(bytes, start + 7)?;
        return Some(if fits(bytes, end, " 0000") {
            end + 5
        } else {
            end
        });
    }
    if fits(bytes, start, "_0 ")
        && is_name(bytes, start + 3, &MONTHS)
        && fits(bytes, start + 6, " 0000 ")
    {
        return clock(bytes, start + 12);
    }
    None
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn is_name(bytes: &[u8], start: usize, names: &[&str]) -> bool {
    bytes
        .get(start..start + 3)
        .is_some_and(|found| names.iter().any(|name| name.as_bytes() == found))
}

/// `10:00:00` from `start` on, with its fraction and zone.
fn clock(bytes: &[u8], start: usize) -> Option<usize> {
    if !fits(bytes, start, "00:00:00") {
        return None;
    }
    let mut end = start + 8;
    if matches!(at(bytes, end), b'.' | b',') && at(bytes, end + 1).is_ascii_digit() {
        end = skip_digits(bytes, end + 1);
    }
    if at(bytes, end) == b'Z' {
        return Some(end + 1);
    }
    let zone = if at(bytes, end) == b' ' { end + 1 } else { end };
    for form in ["00:00", "0000", "00"] {
        let attached = zone == end || form != "00";
        if attached && matches!(at(bytes, zone), b'+' | b'-') && fits(bytes, zone + 1, form) {
            return Some(zone + 1 + form.len());
        }
    }
    for name in ["UTC", "GMT", "AM", "PM"] {
        if zone > end && bytes.get(zone..zone + name.len()) == Some(name.as_bytes()) {
            return Some(zone + name.len());
        }
    }
    let goes_on = at(bytes, end).is_ascii_alphanumeric()
        || (at(bytes, end) == b':' && at(bytes, end + 1).is_ascii_digit());
    (!goes_on).then_some(end)
}

/// Seconds or milliseconds since 1970, of this century's first half.
fn epoch(bytes: &[u8]) -> Option<usize> {
    let digits = skip_digits(bytes, 0);
    if !matches!(digits, 10 | 13 | 16 | 19) || !matches!(at(bytes, 0), b'1' | b'2') {
        return None;
    }
    let end = if at(bytes, digits) == b'.' {
        skip_digits(bytes, digits + 1)
    } else {
        digits
    };
    (!at(bytes, end).is_ascii_alphanumeric()).then_some(end)
}

pub(super) fn skip_digits(bytes: &[u8], mut index: usize) -> usize {
    while at(bytes, index).is_ascii_digit() {
        index += 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            stamp(text).and_then(|end| text.get(..end)),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn known_forms_are_measured() {
        for whole in [
            "2026-08-01T10:00:00.1234567Z",
            "2026-08-01 10:00:00,123",
            "2026-08-01T10:00:00+02:00",
            "2026/08/01 10:00:00.123456",
            "20260801T100000Z",
            "01/Aug/2026:10:00:00 +0000",
            "Aug  1 10:00:00",
            "Sat Aug  1 10:00:00 2026",
            "Sat, 01 Aug 2026 10:00:00 GMT",
            "10:00:00.123",
            "1700000000.123",
        ] {
            check(&format!("{whole} text"), Some(whole));
            check(whole, Some(whole));
        }
    }

    #[test]
    fn other_numbers_are_no_clock() {
        for text in [
            "12:30 x",
            "10:00:00:12 x",
            "1.2.3 x",
            "2026-08-01",
            "12345 x",
            "",
            "Aug",
            "10:00:0é",
        ] {
            check(text, None);
        }
    }
}
