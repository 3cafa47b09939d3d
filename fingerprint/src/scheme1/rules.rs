//! The substitutions, in their order, each one pass over the text that the one before left.
//!
//! They were regular expressions. None needs more than one look ahead, which the notes at each say; so every pass is
//! linear.

use super::python::{folded, is_digit, is_space, is_word};

/// Applies all substitutions to lowered text.
pub(super) fn normal(text: &str) -> String {
    let text = substituted(text, address);
    let text = substituted(&text, hex_word);
    let text = substituted(&text, time_stamp);
    let text = substituted(&text, line_number);
    let text = directories(&text);
    let text = substituted(&text, duration);
    let text = substituted(&text, whole_number);
    let mut words = text.split(is_space).filter(|word| !word.is_empty());
    let mut out = String::with_capacity(text.len());
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
    out
}

/// What a rule found at a place: how many bytes it takes, how many of them stay, and what follows those.
struct Found {
    length: usize,
    kept: usize,
    to: &'static str,
}

/// What a rule says about a place: a find, or how many bytes on the next one may begin.
type Rule = fn(before: Option<char>, rest: &str) -> Result<Found, usize>;

fn substituted(text: &str, rule: Rule) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text;
    while !rest.is_empty() {
        let (length, kept, to) = match rule(before, rest) {
            Ok(found) => (found.length, found.kept, found.to),
            Err(length) => (length, length, ""),
        };
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(taken.get(..kept).unwrap_or(taken));
        out.push_str(to);
        before = taken.chars().next_back().or(before);
        rest = after;
    }
    out
}

/// Bytes of the characters at the start that fit.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

fn after(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or("")
}

/// Bytes of the first character: the place after it is the next to try.
fn one(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

fn is_hex(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

/// `0x[0-9a-f]+`
fn address(_: Option<char>, rest: &str) -> Result<Found, usize> {
    let digits = rest
        .strip_prefix("0x")
        .map_or(0, |digits| run(digits, is_hex));
    if digits > 0 {
        Ok(Found {
            length: 2 + digits,
            kept: 0,
            to: "0xADDR",
        })
    } else {
        Err(one(rest))
    }
}

/// `\b[0-9a-f]{7,40}\b`: the whole word or nothing, because a shorter part would end inside it.
fn hex_word(before: Option<char>, rest: &str) -> Result<Found, usize> {
    let length = run(rest, is_hex);
    if length == 0 {
        return Err(one(rest));
    }
    let alone =
        !before.is_some_and(is_word) && !after(rest, length).chars().next().is_some_and(is_word);
    if alone && (7..=40).contains(&length) {
        Ok(Found {
            length,
            kept: 0,
            to: "HEX",
        })
    } else {
        Err(length)
    }
}

/// `\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}:\d{2}\S*`
fn time_stamp(_: Option<char>, rest: &str) -> Result<Found, usize> {
    let mut chars = rest.chars();
    let fits = "0000-00-00t00:00:00".chars().all(|wanted| {
        chars.next().is_some_and(|found| match wanted {
            '0' => is_digit(found),
            't' => matches!(found, 't' | ' '),
            other => found == other,
        })
    });
    if !fits {
        return Err(one(rest));
    }
    let length = rest.len() - chars.as_str().len();
    Ok(Found {
        length: length + run(after(rest, length), |c| !is_space(c)),
        kept: 0,
        to: "TS",
    })
}

/// `(:|line )\s*\d+(:\d+)?`: the first group stays.
fn line_number(_: Option<char>, rest: &str) -> Result<Found, usize> {
    let kept = if rest.starts_with(':') {
        1
    } else {
        word_line(rest)
    };
    if kept == 0 {
        return Err(one(rest));
    }
    let blanks = run(after(rest, kept), is_space);
    let digits = run(after(rest, kept + blanks), is_digit);
    if digits == 0 {
        // Neither the word nor the blanks after it hold another beginning.
        return Err(kept + blanks);
    }
    let mut length = kept + blanks + digits;
    if let Some(column) = after(rest, length).strip_prefix(':') {
        let digits = run(column, is_digit);
        length += if digits > 0 { 1 + digits } else { 0 };
    }
    Ok(Found {
        length,
        kept,
        to: "N",
    })
}

/// Bytes of `line ` in any case, or none.
fn word_line(rest: &str) -> usize {
    let mut length = 0;
    let mut chars = rest.chars();
    for wanted in "line ".chars() {
        match chars.next() {
            Some(found) if folded(found) == wanted => length += found.len_utf8(),
            _ => return 0,
        }
    }
    length
}

/// `[/\\][\w./\\-]+/(\w+\.\w+)`: the file name stays.
///
/// Everything the expression takes lies in one run of its characters. It begins at the run's first separator and, being
/// greedy, ends with the last name that has a folder before it: so a run has one match at most.
fn directories(text: &str) -> String {
    let inside = |c: char| is_word(c) || matches!(c, '.' | '/' | '\\' | '-');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let outside = run(rest, |c| !inside(c));
        out.push_str(rest.get(..outside).unwrap_or(""));
        rest = after(rest, outside);
        let length = run(rest, inside);
        let path = rest.get(..length).unwrap_or("");
        rest = after(rest, length);
        match directory(path) {
            Some((start, name, end)) => {
                out.push_str(path.get(..start).unwrap_or(""));
                out.push_str("PATH/");
                out.push_str(path.get(name..end).unwrap_or(""));
                out.push_str(after(path, end));
            }
            None => out.push_str(path),
        }
    }
    out
}

/// Where the directory begins in a run, where the file name begins and where it ends.
fn directory(path: &str) -> Option<(usize, usize, usize)> {
    let start = path.find(['/', '\\'])?;
    let mut end = path.len();
    while let Some(slash) = path.get(..end)?.rfind('/') {
        // At least one character stands between the separator and the slash.
        if slash < start + 2 {
            return None;
        }
        let name = path.get(slash + 1..)?;
        let stem = run(name, is_word);
        let extension = after(name, stem)
            .strip_prefix('.')
            .map_or(0, |extension| run(extension, is_word));
        if stem > 0 && extension > 0 {
            return Some((start, slash + 1, slash + 1 + stem + 1 + extension));
        }
        end = slash;
    }
    None
}

/// `\d+(\.\d+)?\s*(ms|s)`: from the first digit of a run or from none of it.
fn duration(_: Option<char>, rest: &str) -> Result<Found, usize> {
    let digits = run(rest, is_digit);
    if digits == 0 {
        return Err(one(rest));
    }
    let mut length = digits;
    if let Some(fraction) = after(rest, length).strip_prefix('.') {
        let decimals = run(fraction, is_digit);
        length += if decimals > 0 { 1 + decimals } else { 0 };
    }
    length += run(after(rest, length), is_space);
    let mut unit = after(rest, length).chars();
    let first = unit.next();
    let second = unit.next();
    let is = |c: Option<char>, wanted: char| c.filter(|&c| folded(c) == wanted).map(char::len_utf8);
    let unit = match (is(first, 'm'), is(second, 's')) {
        (Some(m), Some(s)) => Some(m + s),
        _ => is(first, 's'),
    };
    unit.map(|unit| Found {
        length: length + unit,
        kept: 0,
        to: "DUR",
    })
    .ok_or(digits)
}

/// `\b\d+\b`
fn whole_number(before: Option<char>, rest: &str) -> Result<Found, usize> {
    let length = run(rest, is_digit);
    if length == 0 {
        return Err(one(rest));
    }
    let alone =
        !before.is_some_and(is_word) && !after(rest, length).chars().next().is_some_and(is_word);
    if alone {
        Ok(Found {
            length,
            kept: 0,
            to: "N",
        })
    } else {
        Err(length)
    }
}
