//! The iterations of a search: how many findings were new, and what followed from that.

use crate::draft::pivot;
use crate::record::Kind;

use super::fields::{Fields, Record};

/// `stale_count` is that of the iteration before, and becomes this one's.
pub(super) fn map(mut fields: Fields, stale_count: &mut u64) -> Result<Record, String> {
    let Some(new_findings) = fields.take_if("new_findings", |count: &i64| *count >= 0) else {
        return Err("new_findings is not a count".to_owned());
    };
    let mut record = Record::new(Kind::Iteration);
    record.time = fields.take_time("ts");
    record.set_if("phase", fields.take::<String>("phase"));
    record.set("new_findings", &new_findings);
    record.set_if("direction", fields.take::<String>("direction"));
    // What was said then stands, right or wrong; what was not said follows from the last good count.
    let counted = if new_findings > 0 {
        0
    } else {
        stale_count.saturating_add(1)
    };
    *stale_count = fields.take("stale_count").unwrap_or(counted);
    record.set("stale_count", stale_count);
    let is_pivot = |word: &String| ["none", "structural", "human"].contains(&word.as_str());
    let said = fields.take_if("pivot", is_pivot);
    record.set(
        "pivot",
        &said.unwrap_or_else(|| pivot(*stale_count).to_owned()),
    );
    record.keep(fields, &["phase", "direction"]);
    Ok(record)
}
