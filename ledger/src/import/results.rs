//! The table of experiments: one row each, tabs between, never escaped.
//!
//! The table grew from 6 columns to 8 and 10. A heading names them; without one they stand in the order of [`COLUMNS`]. A
//! row that its text has broken (a tab or a line break in the description) is told, not guessed at.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::record::Kind;
use crate::text::{counted, shortened};

use super::fields::Record;

/// Rows with fewer columns were never taken for an experiment.
pub(super) const COLUMNS_MIN: usize = 6;

const COLUMNS: [&str; 10] = [
    "experiment",
    "commit",
    "metric_value",
    "secondary_values",
    "status",
    "description",
    "measurement_duration_ms",
    "diff_stats",
    "p_value",
    "p_min",
];

/// The statuses that a row can have, each with the decision that it was.
const STATUSES: [(&str, Option<&str>); 6] = [
    ("keep", Some("keep")),
    ("discard", Some("discard")),
    ("crash", Some("discard")),
    ("measurement_failure", Some("discard")),
    ("verification_baseline", None),
    ("verification_current", None),
];

/// The columns that the heading named, if there was one.
#[derive(Debug, Default)]
pub(super) struct Columns {
    named: Option<usize>,
}

impl Columns {
    pub(super) fn map(&mut self, bytes: &[u8], is_torn: bool) -> Result<Option<Record>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        let row: Vec<&str> = text.split('\t').map(str::trim).collect();
        let first = row.first().copied().unwrap_or_default();
        if first.starts_with("experiment") && row.get(1) == Some(&"commit") {
            self.named = Some(row.len());
            return Ok(None);
        }
        if !(COLUMNS_MIN..=COLUMNS.len()).contains(&row.len()) {
            let columns = counted(row.len() as u64, "column");
            return Err(format!(
                "a row of {columns}, not 6 to 10: a tab or a line break in its text?"
            ));
        }
        if is_torn && row.len() < self.named.unwrap_or(COLUMNS.len()) {
            return Err("the row ends before its line does: still being written?".to_owned());
        }
        record(&row).map(Some)
    }
}

fn record(row: &[&str]) -> Result<Record, String> {
    let column = |name: &str| {
        let at = COLUMNS.iter().position(|column| *column == name)?;
        row.get(at).copied().filter(|text| !text.is_empty())
    };
    let first = column("experiment").unwrap_or_default();
    let experiment: u64 = first.parse().map_err(|_| wrong("experiment", first))?;
    let word = column("status").unwrap_or_default();
    let Some((status, decision)) = STATUSES.iter().find(|(known, _)| *known == word) else {
        return Err(wrong("status", word));
    };
    let number = |name, max| number(name, column(name), max);
    let duration = number("measurement_duration_ms", 1e15)?;
    let (p_value, p_min) = (number("p_value", 1.0)?, number("p_min", 1.0)?);

    let mut record = Record::new(Kind::Experiment);
    record.set("experiment", &experiment);
    record.set("status", status);
    record.set_if("decision", *decision);
    set_metric(&mut record, column("metric_value"), status);
    set_secondary(&mut record, column("secondary_values"));
    record.set_if("description", column("description"));
    record.set_if("commit", column("commit").filter(|commit| *commit != "-"));
    #[expect(clippy::cast_sign_loss, reason = "it was just seen to be positive")]
    record.set_if("duration_ms", duration.map(|ms| ms.round() as u64));
    if let Some(text) = column("diff_stats") {
        match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(diff) => record.set("diff", &diff),
            Err(_) => record.set("diff_stats", text),
        }
    }
    record.set_if("p_value", p_value);
    record.set_if("p_min", p_min);
    Ok(record)
}

/// A number from 0 to `max`, or none where the column is empty.
fn number(name: &str, text: Option<&str>, max: f64) -> Result<Option<f64>, String> {
    let Some(text) = text else { return Ok(None) };
    match text.parse() {
        Ok(number) if (0.0..=max).contains(&number) => Ok(Some(number)),
        _ => Err(wrong(name, text)),
    }
}

fn wrong(column: &str, text: &str) -> String {
    format!("its {column} cannot be '{}'", shortened(text, 40))
}

/// A row that was never measured has a 0 in its place, which is no metric.
fn set_metric(record: &mut Record, text: Option<&str>, status: &str) {
    let Some(text) = text else { return };
    let metric = text.parse::<f64>().ok().filter(|metric| metric.is_finite());
    let is_stand_in = metric == Some(0.0) && matches!(status, "crash" | "measurement_failure");
    match (metric, serde_json::from_str::<Box<RawValue>>(text)) {
        _ if is_stand_in => {}
        (Some(_), Ok(raw)) => record.set("metric", &raw),
        (Some(metric), Err(_)) => record.set("metric", &metric),
        (None, _) => record.set("metric_value", text),
    }
}

/// Gates and secondary metrics apart, or, as first written, gates alone; what is neither stays as the text it is.
fn set_secondary(record: &mut Record, text: Option<&str>) {
    let Some(text) = text else { return };
    let numbers = |value: &Value| {
        let object = value.as_object()?;
        object
            .values()
            .all(Value::is_number)
            .then(|| object.clone())
    };
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        record.set("secondary_values", text);
        return;
    };
    let is_apart = value.as_object().is_some_and(|object| {
        !object.is_empty()
            && object
                .keys()
                .all(|name| name == "quality_gates" || name == "secondary_metrics")
    });
    let none = Value::Object(Map::new());
    let part = |name| numbers(value.get(name).unwrap_or(&none));
    let parts = if is_apart {
        part("quality_gates").zip(part("secondary_metrics"))
    } else {
        numbers(&value).map(|gates| (gates, Map::new()))
    };
    match parts {
        Some((gates, secondary)) => {
            record.set_if("gates", Some(gates).filter(|gates| !gates.is_empty()));
            record.set_if(
                "secondary",
                Some(secondary).filter(|secondary| !secondary.is_empty()),
            );
        }
        None => record.set("secondary_values", text),
    }
}
