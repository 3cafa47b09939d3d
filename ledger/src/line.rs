//! A record in flight: its line, and edits that leave everything else in it as it was.
//!
//! A tool that passes a record on must not lose or reorder fields it has never heard of, so records are not rebuilt
//! from typed values: the line is kept, members are replaced, removed or added in its text. Typed views of the fields
//! that a tool needs are in [`crate::record`].

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// One JSON object on one line, without its `\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadLine {
    /// It is not UTF-8.
    NotUtf8,
    /// It is not one JSON object; the reason as the parser gives it.
    NotAnObject(String),
    /// It is longer than a reader takes into memory; its length in bytes.
    TooLong(u64),
    /// Its checksum does not agree with its text.
    BadChecksum,
    /// A reserved field has a type or value that it cannot have.
    BadField(String),
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadLine::NotUtf8 => write!(f, "not UTF-8"),
            BadLine::NotAnObject(why) => write!(f, "not a JSON object: {why}"),
            BadLine::TooLong(bytes) => {
                write!(f, "a line of {bytes} bytes is too long for a record")
            }
            BadLine::BadChecksum => write!(f, "checksum does not match"),
            BadLine::BadField(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for BadLine {}

impl Line {
    /// Takes `bytes` as a record.
    ///
    /// # Errors
    ///
    /// If they are not UTF-8 or not exactly one JSON object on one line.
    pub fn parse(bytes: &[u8]) -> Result<Line, BadLine> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadLine::NotUtf8)?;
        let text = text.strip_suffix('\r').unwrap_or(text).trim();
        if text.contains('\n') {
            return Err(BadLine::NotAnObject("more than one line".into()));
        }
        members(text)?;
        Ok(Line(text.to_owned()))
    }

    /// Makes a record of a typed value of [`crate::record`].
    ///
    /// # Panics
    ///
    /// If `value` does not serialise to an object: a mistake in the type, not in any input.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Line {
        let text = serde_json::to_string(value).expect("record types have string keys only");
        assert!(
            text.starts_with('{'),
            "a record type serialises to an object"
        );
        Line(text)
    }

    /// The text of the record.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A typed view of the fields that a tool needs.
    ///
    /// # Errors
    ///
    /// If one of those fields has another type, or stands there twice.
    pub fn view<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadLine> {
        view(self.0.as_bytes())
    }

    /// Whether the record has this member.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        members(&self.0).is_ok_and(|all| all.iter().any(|member| member.name == name))
    }

    /// Applies `edit`; whatever it does not name stays as it is, in its place.
    ///
    /// # Panics
    ///
    /// Never: a `Line` holds an object.
    #[must_use]
    pub fn edit(&self, edit: &Edit) -> Line {
        let all = members(&self.0).expect("a Line holds an object");
        Line(edit.apply(&self.0, &all))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a typed view straight from the bytes of a line.
///
/// # Errors
///
/// As [`Line::view`]; of bytes that are no object at all, [`BadLine::NotAnObject`].
pub fn view<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, BadLine> {
    // The derived views would take an array for a struct; a record is an object.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(BadLine::NotAnObject("it does not begin with '{'".into()));
    }
    let text = std::str::from_utf8(line).map_err(|_| BadLine::NotUtf8)?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => BadLine::BadField(plain(&error)),
        _ => BadLine::NotAnObject(plain(&error)),
    })
}

/// The parser's reason without "at line 1", which would be read as a line of the ledger.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) if error.column() > 0 => format!("{reason} (byte {})", error.column()),
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

/// Changes to a record: members dropped, replaced, or added at its front or end.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    dropped: Vec<String>,
    replaced: Vec<(String, String)>,
    front: Vec<(String, String)>,
    end: Vec<(String, String)>,
}

impl Edit {
    /// An edit that changes nothing.
    #[must_use]
    pub fn new() -> Edit {
        Edit::default()
    }

    /// Drops every member of this name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Edit {
        self.dropped.push(name.to_owned());
        self
    }

    /// Replaces the value of a member that is there.
    #[must_use]
    pub fn replace(mut self, name: &str, value: &impl Serialize) -> Edit {
        self.replaced.push((name.to_owned(), json(value)));
        self
    }

    /// Adds a member in front of all others.
    #[must_use]
    pub fn front(mut self, name: &str, value: &impl Serialize) -> Edit {
        self.front.push((name.to_owned(), json(value)));
        self
    }

    /// Adds a member before the closing brace.
    #[must_use]
    pub fn end(mut self, name: &str, value: &impl Serialize) -> Edit {
        self.end.push((name.to_owned(), json(value)));
        self
    }

    /// Adds all members of a typed value before the closing brace, as far as it serialises them.
    ///
    /// # Panics
    ///
    /// As [`Line::of`].
    #[must_use]
    pub fn end_all(mut self, value: &impl Serialize) -> Edit {
        let line = Line::of(value);
        for member in members(&line.0).expect("a Line holds an object") {
            let value = line.0.get(member.value.clone()).unwrap_or_default();
            self.end.push((member.name.into_owned(), value.to_owned()));
        }
        self
    }

    fn apply(&self, text: &str, all: &[Member<'_>]) -> String {
        let cut = |range: Range<usize>| text.get(range).unwrap_or_default();
        let open = text.find('{').map_or(0, |at| at + 1);
        let mut joined = Joined {
            text: cut(0..open).to_owned(),
            empty: true,
        };
        for (name, value) in &self.front {
            joined.add(&format!("{}:", json(name)), value);
        }
        let mut before = open;
        for member in all {
            // What stands before a value is its key, with the comma and the space around it; the comma is set anew.
            let lead = cut(before..member.value.start);
            before = member.value.end;
            if self.dropped.iter().any(|name| *name == member.name) {
                continue;
            }
            let replacement = self.replaced.iter().find(|(name, _)| *name == member.name);
            let value = replacement.map_or(cut(member.value.clone()), |(_, value)| value);
            joined.add(lead.trim_start().strip_prefix(',').unwrap_or(lead), value);
        }
        for (name, value) in &self.end {
            joined.add(&format!("{}:", json(name)), value);
        }
        joined.text + cut(before..text.len())
    }
}

/// The text of an object as it is put together.
struct Joined {
    text: String,
    empty: bool,
}

impl Joined {
    fn add(&mut self, lead: &str, value: &str) {
        if !std::mem::take(&mut self.empty) {
            self.text.push(',');
        }
        self.text.push_str(lead);
        self.text.push_str(value);
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a value to add has string keys only")
}

struct Member<'a> {
    name: Cow<'a, str>,
    value: Range<usize>,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::with_capacity(16);
                while let Some(Key(name)) = map.next_key()? {
                    all.push((name, map.next_value()?));
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Finds the members of an object in its text, in order, repeated names included.
fn members(text: &str) -> Result<Vec<Member<'_>>, BadLine> {
    let Members(all) =
        serde_json::from_str(text).map_err(|error| BadLine::NotAnObject(plain(&error)))?;
    let base = text.as_ptr().addr();
    Ok(all
        .into_iter()
        .map(|(name, value)| {
            let start = value.get().as_ptr().addr() - base;
            Member {
                name,
                value: start..start + value.get().len(),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, edit: &Edit, expected: &str) {
        assert_eq!(
            Line::parse(input.as_bytes()).unwrap().edit(edit).as_str(),
            expected
        );
    }

    #[test]
    fn an_edit_touches_only_what_it_names() {
        let edit = Edit::new()
            .without("output")
            .replace("kind", &"attempt")
            .front("v", &1)
            .end("n", &2);
        check(
            r#"{ "kind" : "gate", "x":1e400 ,"output":"a,b}", "é":[{"kind":"gate"}] }"#,
            &edit,
            r#"{"v":1, "kind" : "attempt", "x":1e400, "é":[{"kind":"gate"}],"n":2 }"#,
        );
    }

    #[test]
    fn commas_follow_what_is_left() {
        check(r#"{"output":1}"#, &Edit::new().without("output"), "{}");
        check(
            r#"{"output":1,"a":2}"#,
            &Edit::new().without("output"),
            r#"{"a":2}"#,
        );
        check(
            r#"{"a":2,"output":1}"#,
            &Edit::new().without("output"),
            r#"{"a":2}"#,
        );
        check(
            r#"{"output":1,"output":2}"#,
            &Edit::new().without("output").end("b", &3),
            r#"{"b":3}"#,
        );
        check(
            "{}",
            &Edit::new().front("v", &1).end("b", &3),
            r#"{"v":1,"b":3}"#,
        );
    }

    #[test]
    fn escaped_names_are_the_same_names() {
        check(
            "{\"o\\u0075tput\":1,\"b\":2}",
            &Edit::new().without("output"),
            r#"{"b":2}"#,
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in [
            "",
            "[]",
            "3",
            "null",
            "\"x\"",
            "{",
            "{}{}",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":\u{0}}",
            "{\"a\":1}\n{}",
        ] {
            assert!(Line::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert_eq!(Line::parse(b"{\"a\":\"\xff\"}"), Err(BadLine::NotUtf8));
        assert!(
            Line::parse(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes())
                .is_err()
        );
    }

    #[test]
    fn nesting_is_no_danger() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        check(&deep, &Edit::new(), &deep);
    }

    #[test]
    fn a_repeated_reserved_field_is_no_view() {
        #[derive(Debug, Deserialize)]
        struct View {
            #[expect(dead_code, reason = "only its parsing is of interest")]
            gate: String,
        }
        let line = Line::parse(br#"{"gate":"pass","gate":"fail"}"#).unwrap();
        assert!(matches!(line.view::<View>(), Err(BadLine::BadField(_))));
    }

    proptest! {
        #[test]
        fn any_object_survives_an_edit_that_adds(
            fields in prop::collection::vec(("[a-z\"\\\\é]{0,4}", "[ -~é\\t]{0,8}"), 0..6)
        ) {
            let body: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{}", json(name), json(value))).collect();
            let text = format!("{{{}}}", body.join(" , "));
            let edited = Line::parse(text.as_bytes()).unwrap().edit(&Edit::new().end("zz", &1));
            let again = Line::parse(edited.as_str().as_bytes()).unwrap();
            prop_assert!(again.has("zz"));
            prop_assert_eq!(members(again.as_str()).unwrap().len(), fields.len() + 1);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Line::parse(&bytes);
        }
    }
}
