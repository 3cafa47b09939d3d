//! Names with a generated part: pods, classes made at run time, symbols, temporary files.
//!
//! Every function says where the generated part that starts at a position ends.

use super::ids::is_hex;
use super::text::Text;

/// `-7d4b9c6f8d-x2x9z`, `-x2x9z`, `-28391820-abcde`: what Kubernetes adds to the name of a pod.
pub(super) fn pod(text: Text<'_>, start: usize) -> Option<usize> {
    let lower = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let first = text.skip(start + 1, lower);
    let name = text.part(start + 1, first);
    let has_digit = |part: &str| part.contains(|c: char| c.is_ascii_digit());
    let has_letter = |part: &str| part.contains(|c: char| c.is_ascii_lowercase());
    if (6..=10).contains(&name.len()) && text.at(first) == b'-' && has_digit(name) {
        let second = text.skip(first + 1, lower);
        let suffix = text.part(first + 1, second);
        let drawn = (name.len() >= 8 && !has_letter(name)) || (has_letter(name) && mixes(name));
        let ends = text.ends(second) && !matches!(text.at(second), b'_' | b'-');
        if suffix.len() == 5
            && drawn
            && ends
            && (has_digit(suffix) || !has_vowel(suffix) || name.len() >= 8)
        {
            return Some(second);
        }
    }
    let safe = |byte: u8| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte);
    let ends = text.ends(first) && !matches!(text.at(first), b'_' | b'-' | b'.');
    (name.len() == 5 && name.bytes().all(safe) && mixes(name) && ends).then_some(first)
}

fn has_vowel(word: &str) -> bool {
    word.contains(['a', 'e', 'i', 'o', 'u'])
}

/// A digit stands before a letter, and a letter somewhere: not `utf8`, not `x64`.
fn mixes(word: &str) -> bool {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
        .contains(|c: char| c.is_ascii_digit())
}

/// `@1a2b3c4d` after the name of a class.
pub(super) fn identity_hash(text: Text<'_>, start: usize) -> Option<usize> {
    let end = text.skip(start + 1, is_hex);
    let found = text.part(start + 1, end);
    let named = text
        .before(start)
        .is_some_and(|c| c.is_alphanumeric() || matches!(c, ';' | ']' | '$' | '_' | '>'));
    let array = start > 1 && text.at(start - 2) == b'[';
    let drawn = (5..=16).contains(&found.len()) && found.contains(|c: char| c.is_ascii_digit());
    let ends =
        text.ends(end) && !(text.at(end) == b'.' && text.at(end + 1).is_ascii_alphanumeric());
    (named && ends && (drawn || (array && found.len() > 3))).then_some(end)
}

/// What a runtime numbers in class names, from a `$` on; the second value is what stays.
pub(super) fn class_suffix(text: Text<'_>, start: usize) -> Option<(usize, &str)> {
    let rest = text.rest(start);
    if rest.starts_with("$$Lambda") {
        let mut end = start + "$$Lambda".len();
        if text.at(end) == b'$' {
            end = text.digits(end + 1);
        }
        if text.at(end) == b'/' {
            end = text.skip(end + 1, |byte| is_hex(byte) || byte == b'x');
        }
        if text.at(end) == b'@' {
            end = text.skip(end + 1, is_hex);
        }
        return (end - start > "$$Lambda".len()).then_some((end, "$$Lambda"));
    }
    if rest.starts_with("$Proxy") {
        let end = text.digits(start + "$Proxy".len());
        return (end - start > "$Proxy".len() && text.ends(end)).then_some((end, "$Proxy"));
    }
    for name in [
        "$MockitoMock$",
        "$HibernateProxy$",
        "$ByteBuddy$",
        "_$$_jvst",
        "_$$_javassist_",
    ] {
        if rest.starts_with(name) {
            let end = text.word(start + name.len());
            let end = if text.at(end) == b'_' {
                text.digits(end + 1)
            } else {
                end
            };
            return (end - start > name.len()).then(|| (end, text.part(start, start + name.len())));
        }
    }
    if rest.starts_with("$$") {
        let name = text.word(start + 2);
        if name > start + 2 && text.part(name, name + 2) == "$$" {
            let end = text.skip(name + 2, is_hex);
            return (end > name + 2 && text.ends(end)).then(|| (end, text.part(start, name)));
        }
    }
    None
}

/// `lambda$start$0`, `GeneratedMethodAccessor12`, `__erb_12345_67890`: names with a running number; the second value is
/// where it starts.
pub(super) fn numbered_name(text: Text<'_>, start: usize) -> Option<(usize, usize)> {
    let rest = text.rest(start);
    if rest.starts_with("lambda$") {
        let name = text.skip(start + 7, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'_'
        });
        let end = text.digits(name + 1);
        return (text.at(name) == b'$' && end > name + 1 && text.ends(end)).then_some((name, end));
    }
    for name in [
        "GeneratedMethodAccessor",
        "GeneratedConstructorAccessor",
        "GeneratedSerializationConstructorAccessor",
    ] {
        if rest.starts_with(name) {
            let number = start + name.len();
            let end = text.digits(number);
            return (end > number && text.ends(end)).then_some((number, end));
        }
    }
    if rest.starts_with("proxy")
        && text.before(start) == Some('.')
        && text.before(start - 1) == Some('k')
    {
        let end = text.digits(start + 5);
        return (end > start + 5 && text.at(end) == b'.').then_some((start + 5, end));
    }
    None
}

/// `h0123456789abcdef` after `::`, as Rust's symbol names end.
pub(super) fn symbol_hash(text: Text<'_>, start: usize) -> Option<usize> {
    let end = text.skip(start + 1, is_hex);
    (text.at(start) == b'h'
        && end - start == 17
        && text.ends(end)
        && text.part(start - start.min(2), start) == "::")
        .then_some(end)
}

/// Names that temporary files get: `tmpab12cd34`, `tmp.AbCdEf`, `.tmpAbCdEf`, `pytest-of-me`, `pytest-12`, `popen-gw0`.
pub(super) fn temporary(text: Text<'_>, start: usize) -> Option<usize> {
    let rest = text.rest(start);
    if rest.starts_with("tmp") {
        let dotted = text.at(start + 3) == b'.';
        let from = if dotted { start + 4 } else { start + 3 };
        let end = text.skip(from, |byte| {
            byte.is_ascii_alphanumeric() || (byte == b'_' && !dotted)
        });
        let name = text.part(from, end);
        let digit = name.contains(|c: char| c.is_ascii_digit());
        let mixed = name.contains(|c: char| c.is_ascii_lowercase())
            && name.contains(|c: char| c.is_ascii_uppercase());
        let python = name.len() == 8
            && !name.contains(|c: char| c.is_ascii_uppercase())
            && digit
            && !is_plain_suffix(name);
        let shell = dotted && (6..=12).contains(&name.len()) && (digit || mixed);
        let drawn = (6..=10).contains(&name.len())
            && (mixes(name) || (mixed && digit))
            && !name.contains('_');
        let crated =
            (6..=12).contains(&name.len()) && text.before(start) == Some('.') && (digit || mixed);
        return (text.ends(end) && (python || shell || drawn || crated)).then_some(end);
    }
    if rest.starts_with("pytest-of-") {
        let end = text.skip(start, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
        });
        return Some(end);
    }
    for name in ["pytest-", "popen-gw"] {
        if rest.starts_with(name) {
            let from = start + name.len();
            let end = text.digits(from);
            let ends = text.ends(end) && text.at(end) != b'.' && text.at(end) != b'-';
            return (end > from && ends && matches!(text.at(end), b'/' | b'\\' | 0)).then_some(end);
        }
    }
    None
}

/// `_name123`: someone's name that happens to begin with `tmp`.
fn is_plain_suffix(name: &str) -> bool {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.starts_with('_')
}
