//! Dates and times in the forms that languages, servers and mail print.
//!
//! Out of scope: dates without digits, and clocks without seconds unless am or pm follows.

use super::text::Text;

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ZONES: [&str; 16] = [
    "UTC", "GMT", "MST", "MDT", "PST", "PDT", "EST", "EDT", "CST", "CDT", "CET", "CEST", "BST",
    "JST", "IST", "MSK",
];

/// Where the date or time that starts at `start` ends.
pub(super) fn end(text: Text<'_>, start: usize) -> Option<usize> {
    let first = text.at(start);
    let end = if first.is_ascii_digit() {
        numeric(text, start)
            .or_else(|| day_first(text, start))
            .or_else(|| clock(text, start))?
    } else if text.rest(start).starts_with("datetime.") {
        constructor(text, start)?
    } else {
        named(text, start)?
    };
    text.ends(end).then_some(end)
}

/// Length of the longest of `names`, whole or cut to three letters, at `start`.
fn name(text: Text<'_>, start: usize, names: &[&str]) -> Option<usize> {
    let end = text.word(start);
    let word = text.part(start, end);
    let fits = |name: &&str| {
        word.eq_ignore_ascii_case(name)
            || name
                .get(..3)
                .is_some_and(|short| word.eq_ignore_ascii_case(short))
    };
    (word.starts_with(|c: char| c.is_ascii_uppercase()) && names.iter().any(fits)).then_some(end)
}

/// `2026-08-01`, `2026/08/01`, `01/08/2026`, `01.08.2026`, `20260801T100000Z`, each with or without a clock.
fn numeric(text: Text<'_>, start: usize) -> Option<usize> {
    let year_first = ["0000-00-00", "0000/00/00", "0000.00.00"];
    let year_last = ["00/00/0000", "00.00.0000", "00-00-0000"];
    let date_end = if year_first.iter().any(|form| text.fits(start, form)) {
        (plausible(text, start + 5, 12) && plausible(text, start + 8, 31)).then_some(start + 10)?
    } else if year_last.iter().any(|form| text.fits(start, form)) {
        (plausible(text, start, 31) && plausible(text, start + 3, 31)).then_some(start + 10)?
    } else if text.fits(start, "00000000T000000") {
        let end = text.digits(start + 15);
        return Some(zone(text, end));
    } else if text.fits(start, "0000-W00-0") {
        return Some(start + 10);
    } else if text.fits(start, "0/0/0000")
        || text.fits(start, "0/00/0000")
        || text.fits(start, "00/0/0000")
    {
        let first = text.digits(start);
        text.digits(first + 1) + 5
    } else {
        return None;
    };
    if text.at(date_end).is_ascii_digit() {
        return None;
    }
    Some(with_clock(text, date_end))
}

fn plausible(text: Text<'_>, start: usize, most: u32) -> bool {
    text.part(start, start + 2)
        .parse::<u32>()
        .is_ok_and(|number| (1..=most).contains(&number))
}

/// `2 Jan 2006 15:04:05`, `02-Jan-06 15:04:05 MST`, `02/Jan/2006:15:04:05 -0700`.
fn day_first(text: Text<'_>, start: usize) -> Option<usize> {
    let day = text.digits(start);
    let between = text.at(day);
    if day - start > 2 || !matches!(between, b' ' | b'-' | b'/') {
        return None;
    }
    let month = name(text, day + 1, &MONTHS)?;
    if !matches!(text.at(month), b' ' | b'-' | b'/') {
        return None;
    }
    let year = text.digits(month + 1);
    if !matches!(year - month, 3 | 5) {
        return None;
    }
    Some(with_clock(text, year))
}

/// `Mon Jan  2 15:04:05 MST 2006`, `Mon, 02 Jan 2006 15:04:05 MST`, `Jan  2 15:04:05`, `Jan 2, 2006, 3:04:05 PM`,
/// `Fri Jul 31 2026 01:02:03 GMT+0000 (Coordinated Universal Time)`.
fn named(text: Text<'_>, start: usize) -> Option<usize> {
    if let Some(day) = name(text, start, &DAYS) {
        let next = text.skip(day, |byte| matches!(byte, b',' | b' '));
        if next == day || next - day > 3 {
            return None;
        }
        return day_first(text, next)
            .or_else(|| month_first(text, next))
            .or_else(|| numeric(text, next))
            .or_else(|| clock(text, next));
    }
    month_first(text, start)
}

fn month_first(text: Text<'_>, start: usize) -> Option<usize> {
    let month = name(text, start, &MONTHS)?;
    let day_start = text.skip(month, |byte| byte == b' ');
    let day = text.digits(day_start);
    if day_start == month || day_start - month > 2 || !(1..=2).contains(&(day - day_start)) {
        return None;
    }
    let comma = if text.at(day) == b',' { day + 1 } else { day };
    if text.fits(comma, " 0000") && text.ends(comma + 5) && text.at(comma + 5) != b'.' {
        return Some(with_clock(text, comma + 5));
    }
    if text.at(day) != b' ' {
        return None;
    }
    let end = clock(text, day + 1)?;
    // The year stands last in ctime's form.
    Some(if text.fits(end, " 0000") && text.ends(end + 5) {
        end + 5
    } else {
        end
    })
}

fn with_clock(text: Text<'_>, date_end: usize) -> usize {
    let mut start = date_end;
    if text.at(start) == b',' {
        start += 1;
    }
    if matches!(text.at(start), b'T' | b't' | b' ' | b'_' | b':' | b'-') {
        start += 1;
    }
    if text.rest(start).starts_with("at ") {
        start += 3;
    }
    if start == date_end {
        return zone_only(text, date_end);
    }
    clock(text, start)
        .or_else(|| file_clock(text, start))
        .or_else(|| short_clock(text, start))
        .unwrap_or_else(|| zone_only(text, date_end))
}

fn zone_only(text: Text<'_>, end: usize) -> usize {
    if text.at(end) == b'Z' && text.ends(end + 1) {
        end + 1
    } else {
        end
    }
}

/// `15:04:05.999 +0000 UTC m=+0.01`, `3:04:05 PM`, `3:04PM`.
fn clock(text: Text<'_>, start: usize) -> Option<usize> {
    let hour = text.digits(start);
    if !(1..=2).contains(&(hour - start)) || !text.fits(hour, ":00") {
        return None;
    }
    if !text.fits(hour, ":00:00") {
        let end = meridiem(text, hour + 3);
        return (end > hour + 3).then_some(end);
    }
    let mut end = hour + 6;
    if text.at(end).is_ascii_digit() || text.fits(end, ":0") {
        return None;
    }
    if matches!(text.at(end), b'.' | b',') && text.at(end + 1).is_ascii_digit() {
        end = text.digits(end + 1);
    }
    end = meridiem(text, end);
    Some(zone(text, end))
}

/// `10_11_12_345Z`, `10-11-12`, as clocks look in the names of files.
fn file_clock(text: Text<'_>, start: usize) -> Option<usize> {
    if !text.fits(start, "00_00_00") && !text.fits(start, "00-00-00") {
        return None;
    }
    let between = text.at(start + 2);
    if !matches!(between, b'_' | b'-') || text.at(start + 5) != between {
        return None;
    }
    let mut end = start + 8;
    if matches!(text.at(end), b'_' | b'-' | b'.') && text.fits(end + 1, "000") {
        end = text.digits(end + 1);
    }
    Some(if text.at(end) == b'Z' { end + 1 } else { end })
}

/// `10:11` after a date.
fn short_clock(text: Text<'_>, start: usize) -> Option<usize> {
    let fits = text.fits(start, "00:00") && !text.at(start + 5).is_ascii_digit();
    fits.then(|| zone(text, start + 5))
        .filter(|&end| text.ends(end))
}

fn meridiem(text: Text<'_>, end: usize) -> usize {
    let start = if text.at(end) == b' ' { end + 1 } else { end };
    let word = text.part(start, start + 2);
    if (word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm")) && text.ends(start + 2)
    {
        start + 2
    } else {
        end
    }
}

fn zone(text: Text<'_>, end: usize) -> usize {
    let mut end = end;
    if matches!(text.at(end), b'Z' | b'z') && text.ends(end + 1) {
        return end + 1;
    }
    for _ in 0..2 {
        let start = if text.at(end) == b' ' { end + 1 } else { end };
        let word = text.word(start);
        if ZONES.contains(&text.part(start, word)) {
            end = word;
        }
        let start = if text.at(end) == b' ' { end + 1 } else { end };
        if matches!(text.at(start), b'+' | b'-') {
            for form in ["00:00", "0000"] {
                if text.fits(start + 1, form) && text.ends(start + 1 + form.len()) {
                    end = start + 1 + form.len();
                }
            }
            if start == end && text.fits(start + 1, "00") && text.ends(start + 3) {
                end = start + 3;
            }
        }
    }
    if text.rest(end).starts_with(" m=+") || text.rest(end).starts_with(" m=-") {
        end = text.skip(end + 4, |byte| byte.is_ascii_digit() || byte == b'.');
    }
    if text.rest(end).starts_with(" (") {
        let name = text.skip(end + 2, |byte| byte.is_ascii_alphabetic() || byte == b' ');
        if text.at(name) == b')' && text.part(end, name).ends_with("Time") {
            end = name + 1;
        }
    }
    if text.at(end) == b'[' {
        let name = text.skip(end + 1, |byte| {
            byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'_')
        });
        if text.at(name) == b']' && text.part(end, name).contains('/') {
            end = name + 1;
        }
    }
    end
}

/// `datetime.datetime(2026, 8, 1, 10, 0)`, `datetime.date(2026, 8, 1)`.
fn constructor(text: Text<'_>, start: usize) -> Option<usize> {
    let rest = text.rest(start).strip_prefix("datetime.")?;
    let kind = ["datetime(", "date(", "time("]
        .into_iter()
        .find(|kind| rest.starts_with(kind))?;
    let inside = start + "datetime.".len() + kind.len();
    let end = text.skip(inside, |byte| {
        byte.is_ascii_digit() || matches!(byte, b',' | b' ')
    });
    if end == inside {
        return None;
    }
    if text.at(end) == b')' {
        return Some(end + 1);
    }
    let zone = text.skip(end, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'=' | b'_')
    });
    (text.at(zone) == b')').then_some(zone + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = end(Text::new(text), 0);
        assert_eq!(found.and_then(|end| text.get(..end)), expected, "{text:?}");
    }

    #[test]
    fn common_forms_are_measured_whole() {
        for whole in [
            "2026-08-01",
            "2026-08-01T10:00:00Z",
            "2026-08-01T10:00:00.123456789+02:00",
            "2026-08-01 10:00:00,123",
            "2026-08-01 10:00:00.999999 +0000 UTC m=+0.000012",
            "2026-08-01 10:00",
            "2026-08-01T10_11_12_345Z",
            "2026/08/01 10:00:00",
            "20260801T100000Z",
            "01/Aug/2026:10:00:00 +0000",
            "01/08/2026 10:00:00 AM",
            "1/8/2026, 3:04:05 PM",
            "01.08.2026 10:00:00",
            "Mon, 02 Jan 2006 15:04:05 MST",
            "Mon, 2 Jan 2006 15:04:05 -0700",
            "Monday, 02-Jan-06 15:04:05 MST",
            "Mon Jan  2 15:04:05 2006",
            "Mon Jan  2 15:04:05 MST 2006",
            "Mon Jan 02 15:04:05 -0700 2006",
            "Fri Jul 31 2026 01:02:03 GMT+0000 (Coordinated Universal Time)",
            "Jan  2 15:04:05",
            "Jan 2, 2006, 3:04:05 PM",
            "Jan 2, 2006",
            "2 January 2006",
            "15:04:05.123",
            "0:00:03.123456",
            "3:04PM",
            "3:04:05 pm",
            "2026-08-01T10:00:00+01:00[Europe/Berlin]",
            "datetime.datetime(2026, 8, 1, 10, 0, tzinfo=datetime.timezone.utc)",
            "datetime.date(2026, 8, 1)",
        ] {
            check(whole, Some(whole));
            check(&format!("{whole} x"), Some(whole));
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "12:30",
            "1.2.3",
            "2026-13-01",
            "1:2:3",
            "99",
            "Jan",
            "May 12",
            "Sun shines",
            "10:00:00:00",
            "1/2",
            "march 3 4",
        ] {
            check(text, None);
        }
    }
}
