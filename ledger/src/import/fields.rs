//! The members of an object of an earlier tool, and of the record that is made of them.

use std::fmt;

use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::line::{BadLine, Edit, Line, view};
use crate::record::{Kind, SCHEMA};
use crate::time::Instant;

use super::when;

/// Names that mean the same in every record of ours.
const RESERVED: [&str; 9] = [
    "v", "kind", "ts", "run", "name", "id", "seq", "crc", "origin",
];

/// Names whose type every reader of records relies on, whatever the kind.
const READ: [&str; 11] = [
    "gate",
    "fingerprint",
    "iteration",
    "commit",
    "new_findings",
    "action",
    "scheme",
    "sigs",
    "sigs_total",
    "tree",
    "stage",
];

/// The members of an object, in their order, each as it stands there; a `null` is no member.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    pub(super) fn parse(bytes: &[u8]) -> Result<Fields, BadLine> {
        view(bytes)
    }

    /// Takes a member out, if it is there and of this type.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.take_if(name, |_| true)
    }

    /// Takes a member out, if it is there, of this type, and what it has to be.
    pub(super) fn take_if<T: DeserializeOwned>(
        &mut self,
        name: &str,
        is_good: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        let value = serde_json::from_str(self.0.get(at)?.1.get()).ok()?;
        if !is_good(&value) {
            return None;
        }
        self.0.remove(at);
        Some(value)
    }

    /// Takes a time out, if it is one.
    pub(super) fn take_time(&mut self, name: &str) -> Option<Instant> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        let raw = self.0.get(at)?.1.get();
        let time = match serde_json::from_str::<String>(raw) {
            Ok(text) => when::instant(&text),
            Err(_) => when::instant(raw),
        }?;
        self.0.remove(at);
        Some(time)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                let mut names = std::collections::HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                    if value.get() != "null" {
                        fields.0.push((name, on_one_line(value)));
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A value without the line breaks that white space may have; in texts they stand escaped.
fn on_one_line(value: Box<RawValue>) -> Box<RawValue> {
    if !value.get().contains(['\n', '\r']) {
        return value;
    }
    let text = value.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).unwrap_or(value)
}

/// A record of ours as it is put together.
#[derive(Debug)]
pub(super) struct Record {
    kind: Kind,
    /// When it was recorded, where that is told.
    pub(super) time: Option<Instant>,
    names: Vec<String>,
    edit: Edit,
}

impl Record {
    pub(super) fn new(kind: Kind) -> Record {
        Record {
            kind,
            time: None,
            names: Vec::new(),
            edit: Edit::new(),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.names.push(name.to_owned());
        self.edit = std::mem::take(&mut self.edit).end(name.to_owned(), &value);
    }

    pub(super) fn set_if<T: Serialize>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.set(name, &value);
        }
    }

    /// Keeps what nobody took, under its name; under another where the name is one of `ours` or is set already.
    pub(super) fn keep(&mut self, fields: Fields, ours: &[&str]) {
        let theirs: Vec<String> = fields.0.iter().map(|(name, _)| name.clone()).collect();
        for (mut name, value) in fields.0 {
            let clashes = |name: &str| {
                RESERVED.contains(&name)
                    || READ.contains(&name)
                    || ours.contains(&name)
                    || self.names.iter().any(|set| set == name)
            };
            if clashes(&name) {
                name = format!("source_{name}");
                while clashes(&name) || theirs.contains(&name) {
                    name.insert_str(0, "source_");
                }
            }
            self.set(&name, &value);
        }
    }

    pub(super) fn finish(self, time: Instant, run: Option<&str>) -> Line {
        let mut edit = self.edit.front("v", &SCHEMA).front("ts", &time.to_string());
        if let Some(run) = run {
            edit = edit.front("run", &run);
        }
        Line::empty().edit(&edit.front("kind", &self.kind))
    }
}
