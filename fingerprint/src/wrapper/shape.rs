//! One layer of a prefix: how it is recognised on a sample of lines, how it is taken off one line.

use super::stamp::{skip_digits, stamp};

/// A clock further right than this belongs to the text.
const LEAD_MAX: usize = 96;
/// An unknown prefix longer than this is text.
const UNKNOWN_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `job⇥step⇥` before a clock, as `gh run view --log` prints it.
    Columns,
    /// A clock, alone or in brackets, and what stands between it and the text.
    Clock { separator: &'static str },
    /// A clock after a lead of this shape (digits as `0`), with the brackets it closes.
    LedClock {
        lead: String,
        separator: &'static str,
    },
    /// `host program[pid]: ` after the clock of syslog.
    Host,
    /// `1 2026-… host app pid msgid - ` after a priority in angle brackets.
    Syslog5424,
    /// `00O ` of GitLab, `stdout F ` of a container runtime.
    Stream,
    /// `E0801 10:00:00.123456   12345 main.go:1] `.
    Klog,
    /// `web-1  | `.
    Service,
    /// `#7 12.345 `.
    BuildStep,
    /// `[pod/name/container] `.
    Pod,
    /// `[   12.345678] `.
    Elapsed,
    /// A prefix without a clock, the same on every line but for digits (`0`).
    Unknown(String),
}

impl Shape {
    /// The outermost layer of these lines, if there is one.
    pub(super) fn of(lines: &[&str]) -> Option<Self> {
        let filled: Vec<&str> = lines
            .iter()
            .copied()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let first = filled.first()?;
        let most = |shape: &Self| {
            let hits = filled
                .iter()
                .filter(|line| shape.strip(line).is_some())
                .count();
            hits * 10 >= filled.len() * 8
        };
        for known in [
            Self::Columns,
            Self::Syslog5424,
            Self::Klog,
            Self::Pod,
            Self::Elapsed,
            Self::Stream,
        ] {
            if most(&known) {
                return Some(known);
            }
        }
        // A single line is believed only with the two blanks that compose puts before its bar.
        let sure = filled.len() > 1 || first.contains("  |");
        if sure && is_service(&filled) && most(&Self::Service) {
            return Some(Self::Service);
        }
        if is_build(&filled) {
            return Some(Self::BuildStep);
        }
        if most(&Self::Clock { separator: "" }) {
            // `Host` is looked for together with its clock: alone it would be ordinary text.
            let host = filled
                .iter()
                .filter(|line| after_host(line).is_some())
                .count();
            if host * 10 >= filled.len() * 8 {
                return Some(Self::Host);
            }
            return Some(Self::Clock {
                separator: separator(filled.iter().filter_map(|line| after_clock(line))),
            });
        }
        if filled.len() >= 4 {
            let lead = lead_shape(
                filled
                    .iter()
                    .find(|line| lead_shape(line).is_some())
                    .unwrap_or(first),
            );
            if let Some(lead) = lead
                && most(&Self::LedClock {
                    lead: lead.clone(),
                    separator: "",
                })
            {
                let separator = separator(
                    filled
                        .iter()
                        .filter_map(|line| after_led_clock(line, &lead)),
                );
                return Some(Self::LedClock { lead, separator });
            }
        }
        unknown(lines, &filled)
    }

    /// The line without this layer, or nothing if the line does not have it.
    pub(super) fn strip<'a>(&self, line: &'a str) -> Option<&'a str> {
        match self {
            Self::Columns => after_columns(line),
            Self::Clock { separator } => after_clock(line).map(|rest| separated(rest, separator)),
            Self::LedClock { lead, separator } => {
                after_led_clock(line, lead).map(|rest| separated(rest, separator))
            }
            Self::Host => after_host(line),
            Self::Syslog5424 => after_5424(line),
            Self::Stream => after_stream(line),
            Self::Klog => after_klog(line),
            Self::Service => after_service(line).map(|(_, rest)| rest),
            Self::BuildStep => after_build_step(line),
            Self::Pod => {
                let rest = line.strip_prefix("[pod/")?;
                let (name, rest) = rest.split_once(']')?;
                (!name.contains(' ')).then(|| without_blanks(rest, 1))
            }
            Self::Elapsed => after_elapsed(line),
            Self::Unknown(shape) => after_unknown(line, shape),
        }
    }
}

/// Takes off markers that CI systems put before a text whether or not they print a clock.
pub(super) fn without_marker(line: &str) -> &str {
    if let Some(rest) = line.strip_prefix("##[")
        && let Some((name, rest)) = rest.split_once(']')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    {
        return rest;
    }
    if let Some(rest) = line.strip_prefix("_bk;t=") {
        return rest.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    for fold in [
        "section_start:",
        "section_end:",
        "travis_fold:",
        "travis_time:",
    ] {
        if let Some(rest) = line.strip_prefix(fold) {
            return rest
                .split_once(char::is_whitespace)
                .map_or("", |(_, rest)| rest);
        }
    }
    line
}

fn without_blanks(text: &str, most: usize) -> &str {
    let blanks = text
        .bytes()
        .take(most)
        .take_while(|&byte| byte == b' ')
        .count();
    text.get(blanks..).unwrap_or("")
}

/// What may stand between a clock and the text, longest first.
const SEPARATORS: [&str; 11] = [
    " | ", " > ", " - ", ": ", ":\t", "| ", "> ", "  ", "|", "\t", " ",
];

/// What stands between clock and text on every line that has text; one line alone shows no more than a blank.
fn separator<'a>(rests: impl Iterator<Item = &'a str>) -> &'static str {
    let rests: Vec<&str> = rests
        .filter(|rest| !rest.trim().is_empty() && !is_bare(rest))
        .collect();
    let fits = |separator: &&str| rests.iter().all(|rest| rest.starts_with(*separator));
    SEPARATORS
        .into_iter()
        .filter(|separator| match *separator {
            " " => true,
            // All of a short text may be indented.
            "  " => rests.len() > 5,
            _ => rests.len() > 3,
        })
        .find(fits)
        .unwrap_or("")
}

fn is_bare(rest: &str) -> bool {
    matches!(rest.trim(), "|" | ">" | "-" | ":")
}

fn separated<'a>(rest: &'a str, separator: &str) -> &'a str {
    let bare = !separator.trim().is_empty() && rest.trim() == separator.trim();
    if bare || rest.trim().is_empty() {
        return "";
    }
    rest.strip_prefix(separator)
        .unwrap_or_else(|| without_blanks(rest, 1))
}

fn after_led_clock<'a>(line: &'a str, lead: &str) -> Option<&'a str> {
    let (before, clock) = line.split_at_checked(led_clock(line)?)?;
    let rest = clock.get(stamp(clock)?..)?;
    (shape_of(before) == lead).then(|| rest.trim_start_matches([']', ')', '>', '}']))
}

fn after_columns(line: &str) -> Option<&str> {
    let (job, rest) = line.split_once('\t')?;
    let (step, rest) = rest.split_once('\t')?;
    let rest = rest.trim_start_matches('\u{feff}');
    (!job.is_empty() && !step.is_empty() && stamp(rest).is_some()).then_some(rest)
}

/// What follows a clock at the start of the line, brackets included.
fn after_clock(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}');
    let open = line.as_bytes().first().copied();
    let close = match open {
        Some(b'[') => ']',
        Some(b'(') => ')',
        Some(b'<') => '>',
        _ => {
            let rest = line.get(stamp(line)?..)?;
            return (rest.is_empty() || rest.starts_with([' ', '\t', ':', '|', ']', '>']))
                .then_some(rest);
        }
    };
    // Between brackets a word may lead: `[task 2026-…Z]`.
    let (inside, rest) = line.get(1..)?.split_once(close)?;
    let clock = inside
        .rsplit_once(|c: char| c.is_ascii_alphabetic() && c != 'T' && c != 'Z')
        .map_or(inside, |_| {
            inside.split_once(' ').map_or(inside, |(word, clock)| {
                if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    clock
                } else {
                    inside
                }
            })
        });
    (stamp(clock.trim())? == clock.trim().len()).then_some(rest)
}

fn after_host(line: &str) -> Option<&str> {
    let rest = after_clock(line)?.strip_prefix(' ')?;
    let named = !line.starts_with(|c: char| c.is_ascii_digit() || c == '[');
    let (host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(':')?;
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./()@".contains(&byte))
    };
    let (name, pid) = program
        .strip_suffix(']')
        .and_then(|p| p.split_once('['))
        .map_or((program, None), |(n, p)| (n, Some(p)));
    let pid_fits = match pid {
        Some(pid) => !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()),
        None => named,
    };
    let ends = rest.is_empty() || rest.starts_with(' ');
    (is_name(host) && is_name(name) && pid_fits && ends).then(|| without_blanks(rest, 1))
}

fn after_5424(line: &str) -> Option<&str> {
    let (priority, rest) = line.strip_prefix('<')?.split_once('>')?;
    if priority.is_empty() || !priority.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let Some(rest) = rest.strip_prefix("1 ") else {
        return Some(rest).filter(|rest| stamp(rest).is_some());
    };
    let mut rest = rest.get(stamp(rest)?..)?.strip_prefix(' ')?;
    for _ in 0..4 {
        rest = rest.split_once(' ')?.1;
    }
    if let Some(data) = rest.strip_prefix('[') {
        return data
            .split_once(']')
            .map(|(_, rest)| without_blanks(rest, 1));
    }
    rest.strip_prefix('-').map(|rest| without_blanks(rest, 1))
}

fn after_stream(line: &str) -> Option<&str> {
    for name in ["stdout ", "stderr "] {
        if let Some(rest) = line.strip_prefix(name) {
            let rest = rest.strip_prefix(['F', 'P'])?;
            return (rest.is_empty() || rest.starts_with(' ')).then(|| without_blanks(rest, 1));
        }
    }
    match line.as_bytes() {
        [a, b, b'O' | b'E', rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
            match rest {
                [] => Some(""),
                [b' ' | b'+', ..] => line.get(4..),
                _ => None,
            }
        }
        _ => None,
    }
}

fn after_klog(line: &str) -> Option<&str> {
    let bytes = line.as_bytes();
    let level = bytes.first()?;
    let clock = line.get(6..)?;
    if !b"IWEFD".contains(level) || skip_digits(bytes, 1) != 5 || bytes.get(5) != Some(&b' ') {
        return None;
    }
    let rest = clock.get(stamp(clock)?..)?;
    let (place, rest) = rest.split_once(']')?;
    let (_, line_number) = place.rsplit_once(':')?;
    line_number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| without_blanks(rest, 1))
}

/// Name and text of `name-1  | text`.
fn after_service(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once('|')?;
    let padded = name;
    let name = name.trim_end_matches(' ');
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte))
        && padded.len() > name.len()
        && (rest.is_empty() || rest.starts_with(' '));
    fits.then(|| (name, without_blanks(rest, 1)))
}

/// Services have few names, or numbered ones; the first column of a table has many.
fn is_service(lines: &[&str]) -> bool {
    let mut names: Vec<&str> = lines
        .iter()
        .filter_map(|line| after_service(line))
        .map(|(name, _)| name)
        .collect();
    let hits = names.len();
    let numbered = names.iter().all(|name| {
        name.trim_end_matches(|c: char| c.is_ascii_digit()).len() < name.len()
            && name.contains(['-', '_', '.'])
    });
    names.sort_unstable();
    names.dedup();
    hits > 0 && (numbered || names.len() * 4 <= hits)
}

fn step(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#')?;
    let digits = skip_digits(rest.as_bytes(), 0);
    rest.get(digits..)?.strip_prefix(' ').filter(|_| digits > 0)
}

fn after_build_step(line: &str) -> Option<&str> {
    let rest = step(line)?;
    let whole = skip_digits(rest.as_bytes(), 0);
    if whole == 0 || rest.as_bytes().get(whole) != Some(&b'.') {
        return None;
    }
    let end = skip_digits(rest.as_bytes(), whole + 1);
    let text = rest.get(end..)?;
    (end > whole + 1 && (text.is_empty() || text.starts_with(' '))).then(|| without_blanks(text, 1))
}

/// A build prints its steps by number; so do stack traces, but never with `[stage 1/2]`, `DONE` or a clock after it.
fn is_build(lines: &[&str]) -> bool {
    let numbered = lines.iter().filter(|line| step(line).is_some()).count();
    let sure = lines.iter().any(|line| {
        after_build_step(line).is_some()
            || step(line).is_some_and(|rest| {
                rest.starts_with("DONE ") || rest == "CACHED" || rest.starts_with("[internal]")
            })
    });
    sure && numbered * 2 >= lines.len()
}

fn after_elapsed(line: &str) -> Option<&str> {
    let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (seconds, fraction) = inside.trim_start().split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(seconds)
        && digits(fraction)
        && fraction.len() >= 3
        && (rest.is_empty() || rest.starts_with(' '));
    fits.then(|| without_blanks(rest, 1))
}

/// Where the first clock of a line starts, if its lead is short enough to be a prefix.
fn led_clock(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    (1..bytes.len().min(LEAD_MAX)).find(|&start| {
        let before = bytes.get(start - 1).copied().unwrap_or(0);
        let here = bytes.get(start).copied().unwrap_or(0);
        here.is_ascii_digit()
            && !before.is_ascii_alphanumeric()
            && !matches!(before, b'.' | b':' | b'-' | b'+')
            && line.get(start..).and_then(stamp).is_some()
    })
}

fn lead_shape(line: &str) -> Option<String> {
    line.get(..led_clock(line)?).map(shape_of)
}

/// The text with every run of digits as one `0`.
fn shape_of(text: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_digit() {
            shape.push(c);
        } else if !shape.ends_with('0') {
            shape.push('0');
        }
    }
    shape
}

/// A prefix without a clock, believed only on a sample without empty lines, where it ends like a prefix, and where it
/// either has a number or also stands alone.
fn unknown(lines: &[&str], filled: &[&str]) -> Option<Shape> {
    if filled.len() < 6 || filled.len() < lines.len() {
        return None;
    }
    let shapes: Vec<String> = filled
        .iter()
        .map(|line| shape_of(line.get(..UNKNOWN_MAX).unwrap_or(line).trim_end()))
        .collect();
    let shortest = shapes.iter().min_by_key(|shape| shape.len())?;
    let common = shapes.iter().fold(shortest.as_str(), |common, shape| {
        let same = common
            .char_indices()
            .zip(shape.chars())
            .take_while(|((_, a), b)| a == b);
        let end = same
            .last()
            .map_or(0, |((index, a), _)| index + a.len_utf8());
        common.get(..end).unwrap_or("")
    });
    let end = common.rfind([']', '|', '>', ':'])? + 1;
    let prefix = common.get(..end)?;
    let alone = shapes.iter().any(|shape| shape == prefix);
    let closed = !prefix.ends_with(':');
    let level = [
        "err", "warn", "info", "fail", "debug", "note", "pass", "help", "hint", "caus", "excep",
        "fatal", "trace",
    ];
    let lower = prefix.to_ascii_lowercase();
    let is_text = prefix.contains('%')
        || prefix.contains("0/0")
        || prefix.contains(":0")
        || prefix.contains("[gw")
        || prefix.starts_with(' ')
        || level.iter().any(|word| lower.contains(word));
    let believed = alone || (closed && prefix.contains('0'));
    (believed && !is_text && prefix.contains(|c: char| c.is_ascii_alphabetic()))
        .then(|| Shape::Unknown(prefix.to_owned()))
}

fn after_unknown<'a>(line: &'a str, shape: &str) -> Option<&'a str> {
    let mut rest = line;
    for c in shape.chars() {
        if c == '0' {
            let digits = skip_digits(rest.as_bytes(), 0);
            rest = rest.get(digits..).filter(|_| digits > 0)?;
        } else {
            rest = rest.strip_prefix(c)?;
        }
    }
    Some(without_blanks(rest, 1))
}
