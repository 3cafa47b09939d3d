//! The loop journal: one attempt a line.

use crate::record::{Gate, Kind};

use super::fields::{Fields, Record};

/// Other names that an attempt of ours has.
const OURS: [&str; 16] = [
    "hypothesis",
    "note",
    "why",
    "avoid",
    "next",
    "level",
    "ran",
    "failures",
    "cmd",
    "exit",
    "signal",
    "timed_out",
    "duration_ms",
    "output",
    "output_path",
    "output_bytes",
];

pub(super) fn map(mut fields: Fields) -> Result<Record, String> {
    if !["gate", "fingerprint", "action"]
        .iter()
        .any(|name| fields.has(name))
    {
        return Err("it has no gate, no fingerprint and no action, so it is no attempt".to_owned());
    }
    let mut record = Record::new(Kind::Attempt);
    record.time = fields.take_time("ts");
    // The journal took any word; what was neither pass nor blocked counted as a failure there.
    let gate = fields.take_if("gate", |gate: &String| Gate::named(gate).is_some());
    let gate = gate.unwrap_or_else(|| Gate::Fail.as_str().to_owned());
    record.set("gate", &gate);
    let passed = gate == Gate::Pass.as_str();
    record.set_if(
        "fingerprint",
        fields.take_if("fingerprint", |text: &String| !passed || text.is_empty()),
    );
    record.set_if(
        "iteration",
        fields.take_if("iteration", |count: &i64| *count >= 0),
    );
    for name in ["action", "hypothesis", "note"] {
        record.set_if(name, fields.take::<String>(name));
    }
    let commit = fields.take::<String>("commit");
    record.set_if("commit", commit.filter(|commit| !commit.is_empty()));
    record.keep(fields, &OURS);
    Ok(record)
}
