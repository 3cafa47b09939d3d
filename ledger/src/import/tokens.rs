//! The log of tokens: what each agent spent in a phase, or in one part of it.

use serde_json::value::RawValue;

use crate::record::Kind;

use super::fields::{Fields, Record};

pub(super) fn map(mut fields: Fields) -> Result<Record, String> {
    if !["phase_id", "agents", "total"]
        .iter()
        .any(|name| fields.has(name))
    {
        return Err(
            "it has no phase_id, no agents and no total, so it says nothing about tokens"
                .to_owned(),
        );
    }
    let mut record = Record::new(Kind::Tokens);
    if let Some(id) = fields.take_if("phase_id", |id: &String| !id.is_empty()) {
        let (phase, label) = id.split_once(':').unwrap_or((&id, ""));
        record.set("phase", phase);
        record.set_if("label", Some(label).filter(|label| !label.is_empty()));
    }
    record.set_if(
        "started",
        fields.take_time("started").map(|at| at.to_string()),
    );
    record.time = fields.take_time("ended");
    record.set_if("ended", record.time.map(|at| at.to_string()));
    let seconds = fields.take_if("duration_s", |seconds: &f64| (0.0..1e12).contains(seconds));
    #[expect(clippy::cast_sign_loss, reason = "it was just seen to be positive")]
    record.set_if(
        "duration_ms",
        seconds.map(|seconds| (seconds * 1000.0).round() as u64),
    );
    #[expect(
        clippy::borrowed_box,
        reason = "the type is that of the value that is taken"
    )]
    let is_object = |value: &Box<RawValue>| value.get().starts_with('{');
    for name in ["agents", "total"] {
        record.set_if(name, fields.take_if(name, is_object));
    }
    let ours = [
        "phase",
        "label",
        "started",
        "ended",
        "duration_ms",
        "agents",
        "total",
    ];
    record.keep(fields, &ours);
    Ok(record)
}
