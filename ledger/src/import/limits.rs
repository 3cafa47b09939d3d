//! An armed limit window: until when a session waits, and how often it was asked to go on.

use crate::record::Kind;

use super::fields::{Fields, Record};

pub(super) fn map(mut fields: Fields, file_name: &str) -> Result<Record, String> {
    let mut record = Record::new(Kind::Limit);
    let Some(until) = fields.take_time("until") else {
        return Err("until is not a time".to_owned());
    };
    record.set("limited", &true);
    record.set("until", &until.to_string());
    record.set_if("nudges", fields.take::<u64>("nudges"));
    let session = file_name
        .strip_prefix(".limited-")
        .filter(|session| !session.is_empty());
    record.set_if("session", session);
    let ours = [
        "limited",
        "due",
        "class",
        "resets_at",
        "nudges",
        "session",
        "zone",
        "scope",
        "source",
    ];
    record.keep(fields, &ours);
    Ok(record)
}
