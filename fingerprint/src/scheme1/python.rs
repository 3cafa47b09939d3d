//! Python's idea of characters: version 3.11, Unicode 14.

use std::sync::LazyLock;

use regex::Regex;

/// One character of a class beyond ASCII. Built only when such a character turns up in a line that counts.
static WORD: LazyLock<Regex> = LazyLock::new(|| class(r"^[\p{L}\p{N}&&\p{Age:14.0}]"));
static DIGIT: LazyLock<Regex> = LazyLock::new(|| class(r"^[\p{Nd}&&\p{Age:14.0}]"));
static LATER: LazyLock<Regex> = LazyLock::new(|| class(r"[^\p{Age:14.0}]"));

fn class(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is fixed")
}

fn is_in(class: &Regex, c: char) -> bool {
    class.is_match(c.encode_utf8(&mut [0; 4]))
}

/// `\w`: letters, everything numeric, the underscore; no marks.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        is_in(&WORD, c)
    }
}

/// `\d`: decimal digits of all scripts.
pub(super) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_digit()
    } else {
        is_in(&DIGIT, c)
    }
}

/// `\s` and `str.isspace`: Unicode's white space and the four separators of ASCII.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Where `str.splitlines` ends a line.
pub(super) fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r'
            | '\u{b}'
            | '\u{c}'
            | '\u{1c}'
            | '\u{1d}'
            | '\u{1e}'
            | '\u{85}'
            | '\u{2028}'
            | '\u{2029}'
    )
}

/// `str.lower`, for which characters that came after Unicode 14 have no case.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() || !LATER.is_match(text) {
        return text.to_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = LATER.find(rest) {
        let (before, after) = rest.split_at(found.end());
        out.push_str(&before.get(..found.start()).unwrap_or("").to_lowercase());
        out.push_str(found.as_str());
        rest = after;
    }
    out + &rest.to_lowercase()
}

/// Case folded as far as `re.IGNORECASE` compares a character with the letters of a pattern.
pub(super) fn folded(c: char) -> char {
    match c {
        'İ' | 'ı' => 'i',
        'ſ' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    }
}
