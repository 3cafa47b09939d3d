//! Instants as records carry them: RFC 3339, UTC, milliseconds.

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

impl Instant {
    /// Reads RFC 3339 (`2026-11-12T07:00:00Z`, any offset) or epoch seconds (`1794466800`, fractions allowed).
    ///
    /// ```
    /// # use ledger::time::Instant;
    /// assert_eq!(Instant::parse("1970-01-01T01:00:00.5+01:00"), Some(Instant(500)));
    /// assert_eq!(Instant::parse("1.5"), Some(Instant(1500)));
    /// assert_eq!(Instant::parse("yesterday"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Instant> {
        let text = text.trim();
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(seconds.trim_start_matches('-')) && digits(fraction) {
            let whole = seconds.parse::<i64>().ok()?.checked_mul(1000)?;
            let thousandths = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
            let signed = if seconds.starts_with('-') {
                -thousandths
            } else {
                thousandths
            };
            return Some(Instant(whole.checked_add(signed)?));
        }
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000_000))
            .ok()
            .map(Instant)
    }

    /// The date and time in UTC, and the milliseconds; none beyond the year 9999.
    fn utc(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000)).ok()
    }

    /// The day for people, with its year: (`2026`, `12 Nov`); none beyond the year 9999.
    #[must_use]
    pub fn day(self) -> Option<(i32, String)> {
        let at = self.utc()?;
        let month = at.month().to_string();
        Some((at.year(), format!("{} {}", at.day(), month.get(..3)?)))
    }

    /// The instant as part of a file name, to the millisecond: `20261112T070000.000Z`.
    #[must_use]
    pub fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.utc().unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            self.0.rem_euclid(1000)
        )
    }
}

/// A length of time for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
pub fn human_duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, milliseconds % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Reads a length of time as flags give it: `90`, `90s`, `250ms`, `5m`, `2h`, `1d`; milliseconds.
///
/// # Errors
///
/// If it is no number with one of these units.
pub fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err("not a length of time such as 90s, 5m or 2h".to_owned()),
    };
    let number = number
        .parse::<f64>()
        .map_err(|_| "not a length of time such as 90s, 5m or 2h".to_owned())?;
    std::time::Duration::try_from_secs_f64(number * scale).map_err(|_| "too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(
            Instant::parse(input).map(|at| at.to_string()).as_deref(),
            Some(expected)
        );
    }

    #[test]
    fn instants_round_trip() {
        check("2026-11-12T07:00:00Z", "2026-11-12T07:00:00.000Z");
        check(
            "2026-11-12T07:00:00.123456+02:00",
            "2026-11-12T05:00:00.123Z",
        );
        check("0", "1970-01-01T00:00:00.000Z");
        check("-0.5", "1969-12-31T23:59:59.500Z");
        check("1951-01-01T00:00:00Z", "1951-01-01T00:00:00.000Z");
        assert_eq!(Instant::parse("99999999999999999999"), None);
        assert_eq!(Instant::parse("2026-13-01T00:00:00Z"), None);
        assert_eq!(Instant(i64::MAX).to_string().len(), 24);
    }

    #[test]
    fn durations_are_read_and_said() {
        assert_eq!(parse_duration("250ms").unwrap().as_millis(), 250);
        assert_eq!(parse_duration("1.5h").unwrap().as_secs(), 5400);
        assert_eq!(parse_duration("0").unwrap().as_secs(), 0);
        for bad in ["", "s", "5x", "-1s", "1e3", "999999999999999999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(human_duration(420), "0.4 s");
        assert_eq!(human_duration(200_000), "3 min 20 s");
        assert_eq!(human_duration(7_500_000), "2 h 5 min");
    }
}
