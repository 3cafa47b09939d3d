//! Order inside mappings and sets: no language promises it.
//!
//! Sorted are the contents of `{…}` whose parts are `key: value` or `key=value` pairs or a set of plain values, and of
//! Go's `map[…]`. Lists, calls and code keep their order.

/// Deeper nesting stays as it is.
const DEPTH_MAX: usize = 24;
/// A quote that closes later than this many characters is taken for an apostrophe.
const QUOTED_MAX: usize = 512;

/// Returns the text with every mapping and set in it sorted, or nothing if none had to be.
pub(super) fn sorted(text: &str) -> Option<String> {
    if !text.contains('{') && !text.contains("map[") && !text.contains("set([") {
        return None;
    }
    let mut reader = Reader { rest: text };
    let mut out = String::with_capacity(text.len());
    while !reader.rest.is_empty() {
        reader.element(&mut out, 0);
    }
    (out != text).then_some(out)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    /// Copies one character, one quoted text or one group, the group sorted.
    fn element(&mut self, out: &mut String, depth: usize) {
        let Some(c) = self.next() else {
            return;
        };
        match c {
            '"' | '\'' if !out.ends_with(|c: char| c.is_alphanumeric()) => {
                out.push(c);
                self.quoted(out, c);
            }
            '{' if depth < DEPTH_MAX => self.group(out, '{', '}', depth),
            '[' if depth < DEPTH_MAX && (out.ends_with("map") || out.ends_with("set(")) => {
                self.group(out, '[', ']', depth);
            }
            '[' if depth < DEPTH_MAX => self.nested(out, '[', ']', depth),
            '(' if depth < DEPTH_MAX => self.nested(out, '(', ')', depth),
            _ => out.push(c),
        }
    }

    /// Copies up to the closing quote, or nothing special if there is none.
    fn quoted(&mut self, out: &mut String, quote: char) {
        let mut escaped = false;
        let end = self.rest.char_indices().take(QUOTED_MAX).find(|&(_, c)| {
            let closes = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        if let Some((end, _)) = end
            && let Some((inside, rest)) = self.rest.split_at_checked(end + 1)
        {
            out.push_str(inside);
            self.rest = rest;
        }
    }

    fn nested(&mut self, out: &mut String, open: char, close: char, depth: usize) {
        out.push(open);
        while let Some(next) = self.rest.chars().next() {
            if next == close {
                self.next();
                out.push(close);
                return;
            }
            if matches!(next, '}' | ']' | ')') {
                return;
            }
            self.element(out, depth + 1);
        }
    }

    fn group(&mut self, out: &mut String, open: char, close: char, depth: usize) {
        let mut parts = vec![String::new()];
        let is_map = open == '[' && out.ends_with("map");
        let separator = if is_map { ' ' } else { ',' };
        let mut closed = false;
        while let Some(next) = self.rest.chars().next() {
            if next == close {
                self.next();
                closed = true;
                break;
            }
            if matches!(next, ']' | ')' | '}') {
                break;
            }
            if next == separator {
                self.next();
                parts.push(String::new());
                continue;
            }
            if let Some(part) = parts.last_mut() {
                self.element(part, depth + 1);
            }
        }
        out.push(open);
        if is_map {
            parts = joined_pairs(parts);
        }
        if closed && is_unordered(&parts, !is_map) {
            sort(&mut parts);
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.push(separator);
            }
            out.push_str(part);
        }
        if closed {
            out.push(close);
        }
    }
}

/// Values of Go's maps may hold blanks: a part without a colon belongs to the one before.
fn joined_pairs(parts: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(last) if !part.contains(':') => {
                last.push(' ');
                last.push_str(&part);
            }
            _ => joined.push(part),
        }
    }
    joined
}

fn is_unordered(parts: &[String], may_be_set: bool) -> bool {
    let filled: Vec<&str> = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    if filled.len() < 2 || filled.iter().any(|part| part.contains(';')) {
        return false;
    }
    let pairs = filled.iter().all(|part| part.contains([':', '=']));
    let plain = may_be_set
        && filled
            .iter()
            .all(|part| !part.contains([':', '=', '{']) && !part.starts_with('.'));
    pairs || plain
}

/// Sorts what the parts say and leaves the white space between them in place.
fn sort(parts: &mut [String]) {
    let mut texts: Vec<String> = parts
        .iter()
        .map(|part| part.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    texts.sort_unstable();
    let mut texts = texts.into_iter();
    for part in parts {
        let trimmed = part.trim();
        if trimmed.is_empty() {
            continue;
        }
        let before = part.len() - part.trim_start().len();
        let after = part.trim_end().len();
        if let (Some(lead), Some(tail), Some(text)) =
            (part.get(..before), part.get(after..), texts.next())
        {
            *part = format!("{lead}{text}{tail}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(sorted(input).as_deref().unwrap_or(input), expected);
    }

    #[test]
    fn mappings_and_sets_are_sorted() {
        check("map[b:2 a:1]", "map[a:1 b:2]");
        check(
            "x map[User-Agent:go x Accept:json] y",
            "x map[Accept:json User-Agent:go x] y",
        );
        check(
            "{'b': 2, 'a': {'d': 1, 'c': 2}}",
            "{'a': {'c': 2, 'd': 1}, 'b': 2}",
        );
        check(
            "f({'a': 1, 'c': {'bar': 2, 'foo': 1}, 'b': ['x', 'y']}, 2)",
            "f({'a': 1, 'b': ['x', 'y'], 'c': {'bar': 2, 'foo': 1}}, 2)",
        );
        check("{3, 1, 2}", "{1, 2, 3}");
        check("frozenset({'b', 'a'})", "frozenset({'a', 'b'})");
        check("Foo { b: 1, a: 2 }", "Foo { a: 2, b: 1 }");
        check("{b=2, a=1}", "{a=1, b=2}");
        check("{\"b,}\": 1, \"a\": 2}", "{\"a\": 2, \"b,}\": 1}");
    }

    #[test]
    fn lists_and_code_keep_their_order() {
        for text in [
            "[3, 1]",
            "(b, a)",
            "{ f(); g(); }",
            "if (x) {",
            "}} {{",
            "{b: 1",
            "{}",
            "a[{]}",
            "it's {b",
            "m[b:2 a:1]",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn deep_nesting_is_no_trouble() {
        let deep = "{a:1,".repeat(50_000);
        assert!(sorted(&deep).is_none_or(|out| out.len() == deep.len()));
    }
}
