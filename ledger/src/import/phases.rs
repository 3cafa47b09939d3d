//! Where a sequence of phases stands: the index of the present one, or that all are done.

use crate::record::Kind;
use crate::text::shortened;

use super::fields::Record;
use super::when;

const NOTE_MAX: usize = 2000;

pub(super) fn map(bytes: &[u8], file_name: &str) -> Result<Record, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| "not UTF-8".to_owned())?
        .trim();
    let mut record = Record::new(Kind::Phase);
    if file_name == "SEQUENCE-COMPLETE" {
        record.set("event", "complete");
        record.time = text
            .split_whitespace()
            .filter(|word| word.contains('T'))
            .find_map(|word| {
                when::instant(word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
            });
        if !text.is_empty() {
            record.set("note", &shortened(text, NOTE_MAX));
        }
        return Ok(record);
    }
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let index: Option<u32> = is_number.then(|| text.parse().ok()).flatten();
    let Some(index) = index else {
        return Err("not the index of a phase".to_owned());
    };
    record.set("event", "advanced");
    record.set("index", &index);
    Ok(record)
}
