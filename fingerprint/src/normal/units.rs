//! Numbers that measure: durations, sizes, rates, shares. What a run took is not what it did.

use super::text::Text;

/// A number: where its whole part ends, and where all of it ends.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) start: usize,
    pub(super) whole: usize,
    pub(super) end: usize,
}

/// Reads `12`, `4,150,908`, `0.25`, `1.5e-3`.
pub(super) fn number(text: Text<'_>, start: usize) -> Number {
    let mut whole = text.digits(start);
    while matches!(text.at(whole), b',' | b'_')
        && text.digits(whole + 1) == whole + 4
        && whole - start <= 3 + (whole - start) / 4 * 4
    {
        whole += 4;
    }
    let mut end = whole;
    if text.at(end) == b'.' && text.at(end + 1).is_ascii_digit() {
        end = text.digits(end + 1);
    }
    if matches!(text.at(end), b'e' | b'E') {
        let sign = usize::from(matches!(text.at(end + 1), b'+' | b'-'));
        let exponent = text.digits(end + 1 + sign);
        if exponent > end + 1 + sign && text.ends(exponent) {
            end = exponent;
        }
    }
    Number { start, whole, end }
}

/// What a number with this unit measures, and where the whole quantity ends.
pub(super) fn quantity(text: Text<'_>, number: Number) -> Option<(&'static str, usize)> {
    if text.at(number.end) == b'%' && text.ends(number.end + 1) {
        return Some(("pct", number.end + 1));
    }
    if text.rest(number.end).starts_with(" %") && text.ends(number.end + 2) {
        return Some(("pct", number.end + 2));
    }
    let (start, end, unit) = unit(text, number.end)?;
    let attached = start == number.end;
    if let Some(rate) = per_time(text, end) {
        return Some(("rate", rate));
    }
    if matches!(unit, "k" | "K" | "M" | "G") && attached && text.at(end) == b' ' {
        // `5.2k ops/s`
        let rate = self::unit(text, end).and_then(|(_, word, _)| per_time(text, word));
        if let Some(rate) = rate {
            return Some(("rate", rate));
        }
    }
    let fraction = number.end > number.whole;
    let kind = kind(unit, attached, fraction, number.whole - number.start)?;
    Some(if kind == "dur" {
        ("dur", compound(text, end))
    } else {
        (kind, end)
    })
}

/// The unit after a number: directly, or after one blank or dash.
fn unit(text: Text<'_>, end: usize) -> Option<(usize, usize, &str)> {
    let start = if matches!(text.at(end), b' ' | b'-') {
        end + 1
    } else {
        end
    };
    let word = text.skip(start, |byte| byte.is_ascii_alphabetic() || byte >= 0x80);
    let unit = text.part(start, word);
    (!unit.is_empty() && text.ends(word) && text.at(word) != b'_').then_some((start, word, unit))
}

fn kind(unit: &str, attached: bool, fraction: bool, digits: usize) -> Option<&'static str> {
    match unit {
        "ns" | "us" | "µs" | "μs" | "ms" | "s" | "nsec" | "usec" | "msec" | "sec" | "secs"
        | "second" | "seconds" | "min" | "mins" | "minute" | "minutes" | "hr" | "hrs" | "hour"
        | "hours" | "days" | "day" | "nanosecond" | "nanoseconds" | "microsecond"
        | "microseconds" | "millisecond" | "milliseconds" | "millis" | "Sekunden" | "wallclock" => {
            Some("dur")
        }
        "h" | "m" if attached => Some("dur"),
        "B" | "kB" | "KB" | "MB" | "GB" | "TB" | "PB" | "KiB" | "MiB" | "GiB" | "TiB" | "kiB"
        | "bytes" | "byte" | "Bytes" | "mb" | "gb" | "kb" | "Mb" | "Gb" | "Kb" => Some("size"),
        "K" | "M" | "G" | "T" | "k" if attached && (fraction || digits >= 3) => Some("size"),
        "Mbps" | "Gbps" | "kbps" | "bps" | "fps" | "rps" | "qps" | "ops" | "Hz" | "kHz" | "MHz"
        | "GHz" => Some("rate"),
        _ => None,
    }
}

/// `/s`, `/sec`, `per second` after a unit.
fn per_time(text: Text<'_>, end: usize) -> Option<usize> {
    for per in [
        "/s",
        "/sec",
        "/second",
        "/min",
        "/minute",
        "/h",
        "/ms",
        " per second",
        " per minute",
    ] {
        let after = end + per.len();
        if text.rest(end).starts_with(per)
            && text.ends(after)
            && text.at(after) != b'/'
            && text.at(after) != b'.'
        {
            return Some(after);
        }
    }
    None
}

/// The rest of `1m 12.3s`, `1h2m3s`, `2 minutes and 3 seconds`.
fn compound(text: Text<'_>, end: usize) -> usize {
    let mut end = end;
    loop {
        let next = text.rest(end);
        let gap = [" and ", ", ", " "]
            .into_iter()
            .find(|gap| next.starts_with(gap))
            .map_or(0, str::len);
        let start = end + gap;
        if !text.at(start).is_ascii_digit() {
            return end;
        }
        let number = number(text, start);
        let Some((_, after, unit)) = unit(text, number.end) else {
            return end;
        };
        if kind(unit, unit.len() == after - number.end, true, 0) != Some("dur") {
            return end;
        }
        end = after;
    }
}

/// `1m12.3s` written in one word: the first number with a unit that a digit follows.
pub(super) fn joined(text: Text<'_>, start: usize) -> Option<usize> {
    let mut index = start;
    let mut count = 0;
    loop {
        let number = number(text, index);
        let unit_end = text.skip(number.end, |byte| {
            byte.is_ascii_alphabetic() || byte >= 0x80
        });
        let unit = text.part(number.end, unit_end);
        if number.end == index
            || !["d", "h", "m", "s", "ms", "us", "µs", "ns", "min", "sec"].contains(&unit)
        {
            return None;
        }
        count += 1;
        index = unit_end;
        if !text.at(index).is_ascii_digit() {
            return (count > 1 && text.ends(index)).then_some(compound(text, index));
        }
    }
}

/// A number cut to three significant digits, if it has four decimals or more.
pub(super) fn shortened(text: Text<'_>, number: Number) -> Option<String> {
    let whole = text.part(number.start, number.whole);
    let rest = text.part(number.whole, number.end);
    let (fraction, exponent) = rest
        .find(['e', 'E'])
        .map_or((rest, ""), |at| rest.split_at(at));
    let decimals = fraction.strip_prefix('.')?;
    if decimals.len() < 4 {
        return None;
    }
    let leading = whole.trim_start_matches('0');
    let zeros = if leading.is_empty() {
        decimals.len() - decimals.trim_start_matches('0').len()
    } else {
        0
    };
    let wanted = 3usize.saturating_sub(leading.len()) + zeros;
    let kept = decimals.get(..wanted.min(decimals.len())).unwrap_or("");
    let shown = if kept.is_empty() {
        format!("{whole}{exponent}")
    } else {
        format!("{whole}.{kept}{exponent}")
    };
    (shown.len() < number.end - number.start).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Option<(&str, &str)>) {
        let text = Text::new(input);
        let found = joined(text, 0)
            .map(|end| ("dur", end))
            .or_else(|| quantity(text, number(text, 0)));
        assert_eq!(
            found.map(|(kind, end)| (kind, text.part(0, end))),
            expected,
            "{input}"
        );
    }

    #[test]
    fn quantities_are_measured_whole() {
        for (kind, whole) in [
            ("dur", "3 seconds"),
            ("dur", "1m2.5s"),
            ("dur", "1m 12.3s"),
            ("dur", "12.031s"),
            ("dur", "105 ms"),
            ("dur", "5µs"),
            ("dur", "2 minutes and 3 seconds"),
            ("size", "2.81MB"),
            ("size", "17 MB"),
            ("size", "512M"),
            ("size", "1,024 bytes"),
            ("rate", "12.3 MB/s"),
            ("rate", "1234 req/s"),
            ("rate", "60 fps"),
            ("pct", "45%"),
            ("pct", "45.3 %"),
        ] {
            check(whole, Some((kind, whole)));
            check(&format!("{whole} x"), Some((kind, whole)));
        }
    }

    #[test]
    fn other_numbers_measure_nothing() {
        for text in ["3 strings", "3", "4 tests", "2x", "3M", "5%d", "7 more"] {
            check(text, None);
        }
    }

    #[test]
    fn long_fractions_keep_three_digits() {
        let cut = |input: &str| {
            let text = Text::new(input);
            shortened(text, number(text, 0))
        };
        assert_eq!(cut("0.69314718056").as_deref(), Some("0.693"));
        assert_eq!(cut("12.345678").as_deref(), Some("12.3"));
        assert_eq!(cut("1234.5678").as_deref(), Some("1234"));
        assert_eq!(cut("0.00012345").as_deref(), Some("0.000123"));
        assert_eq!(cut("0.0001").as_deref(), None);
        assert_eq!(cut("1.25").as_deref(), None);
    }
}
