//! The notes that an agent ends its turn with: what it supposed, why, what to avoid, what to try next.
//!
//! A block is a tag whose name is `notes` or ends in `_notes`, around one JSON object. The last whole block in a text
//! counts. Fields are cut and folded to one line each, because they come back in later prompts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::draft::Draft;
use crate::text::{shortened, visible};

const FIELD_MAX: usize = 500;
const ITEMS_MAX: usize = 5;

/// What a notes block says; fields that are missing or of another type are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// What was done, if the agent says so in a word of its own.
    pub action: Option<String>,
    /// What the agent supposed.
    pub hypothesis: Option<String>,
    /// Why it supposed so.
    pub why: Option<String>,
    /// What should not be tried again; at most five.
    pub avoid: Vec<String>,
    /// What could be tried next; at most five.
    pub next: Vec<String>,
}

impl Notes {
    /// Adds what the notes say to an attempt: its action is the one they name, else the hypothesis.
    pub fn add_to(&self, draft: &mut Draft) {
        if let Some(action) = self.action.as_ref().or(self.hypothesis.as_ref()) {
            draft.set_action(action);
        }
        for (name, text) in [("hypothesis", &self.hypothesis), ("why", &self.why)] {
            if let Some(text) = text {
                draft.add(name, text);
            }
        }
        for (name, list) in [("avoid", &self.avoid), ("next", &self.next)] {
            if !list.is_empty() {
                draft.add(name, list);
            }
        }
    }

    /// Reads the last notes block of a text; none if there is none that holds an object.
    ///
    /// ```
    /// # use ledger::notes::Notes;
    /// let notes = Notes::parse(r#"Done. <notes>{"hypothesis": "numpy 2 broke it", "next": "pin it"}</notes>"#).unwrap();
    /// assert_eq!(notes.hypothesis.as_deref(), Some("numpy 2 broke it"));
    /// assert_eq!(notes.next, ["pin it"]);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Notes> {
        let mut rest = text;
        while let Some(end) = rest.rfind("notes>") {
            let before = rest.get(..end)?;
            if let Some(notes) = block_ending(before) {
                return Some(notes);
            }
            rest = before;
        }
        None
    }
}

/// The block whose closing tag ends `text`, but for its `notes>`.
fn block_ending(text: &str) -> Option<Notes> {
    let (inside, prefix) = text.rsplit_once("</")?;
    let is_name = prefix.is_empty()
        || (prefix.ends_with('_')
            && prefix
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_'));
    let (_, body) = is_name.then(|| inside.rsplit_once(&format!("<{prefix}notes>")))??;
    let object: serde_json::Map<String, Value> = serde_json::from_str(body.trim()).ok()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).and_then(folded);
    let list = |name: &str| match object.get(name) {
        Some(Value::String(one)) => folded(one).into_iter().collect(),
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(Value::as_str)
            .filter_map(folded)
            .take(ITEMS_MAX)
            .collect(),
        _ => Vec::new(),
    };
    Some(Notes {
        action: text("action"),
        hypothesis: text("hypothesis"),
        why: text("why"),
        avoid: list("avoid"),
        next: list("next"),
    })
}

/// One line of at most 500 characters; none of blank text.
#[must_use]
pub fn folded(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let line = shortened(&visible(&line), FIELD_MAX).trim().to_owned();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            Notes::parse(text)
                .and_then(|notes| notes.hypothesis)
                .as_deref(),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn the_last_whole_block_counts() {
        check(
            r#"<notes>{"hypothesis":"a"}</notes> <loop_notes>{"hypothesis":" b\n c "}</loop_notes>"#,
            Some("b c"),
        );
        check(
            r#"<notes>{"hypothesis":"a"}</notes> <notes>{"hypothesis":"#,
            Some("a"),
        );
        check(
            r#"<notes>{"hypothesis":"a"}</notes> <notes>not json</notes>"#,
            Some("a"),
        );
        check(r#"<footnotes>{"hypothesis":"a"}</footnotes>"#, None);
        check("<notes></notes>", None);
        check("notes>", None);
        check(r#"<notes>{"hypothesis":7}</notes>"#, None);
    }

    #[test]
    fn lists_and_fields_are_bounded() {
        let text = format!(
            r#"<notes>{{"why":"{}","avoid":["1","2","3","4","5","6"],"next":"x\u001b[31m"}}</notes>"#,
            "y".repeat(600)
        );
        let notes = Notes::parse(&text).unwrap();
        assert_eq!(notes.why.unwrap().chars().count(), 500);
        assert_eq!(notes.avoid.len(), 5);
        assert_eq!(notes.next, ["x"]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(<notes>|</notes>|_notes>|\\{|\\}|\"|é|[a-z ]){0,30}") {
            let _ = Notes::parse(&text);
        }
    }
}
