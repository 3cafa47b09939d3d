//! JSON text as tests look at it.

use serde_json::Value;

/// One object of one line.
///
/// # Panics
///
/// If the line is anything else.
#[must_use]
#[track_caller]
pub fn object(line: &str) -> Value {
    match serde_json::from_str(line) {
        Ok(value @ Value::Object(_)) => value,
        other => panic!("not an object: {other:?}\n{line}"),
    }
}

/// The names of an object's members, in their order in the text.
#[must_use]
pub fn names(line: &str) -> Vec<String> {
    let (mut names, mut depth, mut begin, mut escaped) = (Vec::new(), 0_u32, None, false);
    let mut last = "";
    for (at, byte) in line.bytes().enumerate() {
        match (begin, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(from), b'"') => {
                last = line.get(from..at).unwrap_or_default();
                begin = None;
            }
            (None, b'"') => begin = Some(at + 1),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => depth = depth.saturating_sub(1),
            (None, b':') if depth == 1 => names.push(last.to_owned()),
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_object_itself() {
        let line = r#"{"b":1, "a" : {"c":"}\":{"},"d":["x:y",{"e":2}]}"#;
        assert_eq!(names(line), ["b", "a", "d"]);
    }
}
