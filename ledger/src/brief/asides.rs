//! What a brief tells beside attempts: a search for findings, experiments, open questions and orders, hand-overs.

use std::collections::VecDeque;
use std::io;

use serde_json::Number;

use crate::record::Kind;
use crate::segments::Whole;

use super::recent::Recent;
use super::{Brief, Direction, Experiments, Handed, Measured, Open, Search};

const DIRECTIONS_MAX: usize = 12;
const OPEN_MAX: usize = 5;
const HANDOFFS_MAX: usize = 3;
const EXPERIMENTS_MAX: usize = 5;
/// How many kept experiments are compared for the best.
const KEPT_MAX: usize = 1000;

/// What was read so far, newest first.
#[derive(Default)]
pub(super) struct Asides {
    search: Option<Search>,
    experiments: Option<ExperimentReading>,
    open: Vec<Open>,
    handoffs: Vec<Handed>,
    phase: Option<Handed>,
    /// The gates for which somebody acted, or that passed, behind what was read; none names every gate.
    acknowledged: Vec<Option<String>>,
    passed: Vec<String>,
    /// Verdicts and pivots by gate: the newest says what the older ones said, or takes it back.
    ordered: Vec<(Kind, String)>,
}

impl Asides {
    /// Notes that a gate passed.
    pub(super) fn passed(&mut self, name: &str) {
        if self.passed.iter().all(|known| known != name) {
            self.passed.push(name.to_owned());
        }
    }

    pub(super) fn add(&mut self, record: &Recent) {
        match record.kind {
            Kind::Iteration => self.iteration(record),
            Kind::Experiment | Kind::Rebaseline => {
                self.experiments.get_or_insert_default().add(record);
            }
            Kind::Ack => self
                .acknowledged
                .push(Some(record.name.clone()).filter(|name| !name.is_empty())),
            Kind::Question => self.question(record),
            Kind::Pivot | Kind::Verdict => self.order(record),
            Kind::Handoff if self.handoffs.len() < HANDOFFS_MAX => {
                self.handoffs.push(handed(record, "handoff"));
            }
            Kind::Phase if self.phase.is_none() => self.phase = Some(handed(record, "phase")),
            _ => {}
        }
    }

    fn is_acknowledged(&self, name: &str) -> bool {
        self.acknowledged
            .iter()
            .any(|of| of.as_deref().is_none_or(|of| of == name))
    }

    fn iteration(&mut self, record: &Recent) {
        let search = self.search.get_or_insert_with(|| Search {
            iteration: record.integer("iteration"),
            phase: record.text("phase"),
            new_findings: record.count("new_findings"),
            stale_count: record.count("stale_count"),
            pivot: record.text("pivot"),
            directions: Vec::new(),
        });
        let Some(direction) = record.text("direction") else {
            return;
        };
        match search
            .directions
            .iter_mut()
            .find(|known| known.direction == direction)
        {
            Some(known) => known.count += 1,
            None => search.directions.push(Direction {
                age: record.age,
                direction,
                new_findings: record.count("new_findings"),
                count: 1,
            }),
        }
    }

    fn question(&mut self, record: &Recent) {
        if self.open.len() >= OPEN_MAX || self.is_acknowledged(&record.name) {
            return;
        }
        let text = ["question", "note", "reason", "say"]
            .into_iter()
            .find_map(|name| record.text(name));
        self.open.push(open(record, "question", None, text));
    }

    fn order(&mut self, record: &Recent) {
        let of = (record.kind, record.name.clone());
        if self.ordered.contains(&of) {
            return;
        }
        self.ordered.push(of);
        if self.open.len() >= OPEN_MAX || self.is_acknowledged(&record.name) {
            return;
        }
        if record.kind == Kind::Pivot {
            if let Some(order) = record.text("pivot").filter(|order| order != "none") {
                let text = record.text("say").or_else(|| record.text("reason"));
                self.open.push(open(record, "pivot", Some(order), text));
            }
            return;
        }
        // A verdict is about attempts: a pass ends what it orders.
        let is_over = self.passed.contains(&record.name);
        if record.text("verdict").as_deref() == Some("STALLED") && !is_over {
            let order = record.text("recommend");
            self.open
                .push(open(record, "verdict", order, record.text("reason")));
        }
    }

    pub(super) fn finish(mut self, brief: &mut Brief) {
        if let Some(search) = &mut self.search {
            search.directions.truncate(DIRECTIONS_MAX);
        }
        brief.search = self.search;
        brief.experiments = self.experiments.map(ExperimentReading::finish);
        brief.open = self.open;
        brief.handoffs = self.phase.into_iter().chain(self.handoffs).collect();
        brief.handoffs.sort_by_key(|handed| handed.age);
    }
}

fn open(record: &Recent, kind: &'static str, order: Option<String>, text: Option<String>) -> Open {
    Open {
        age: record.age,
        kind,
        seq: record.seq,
        ts: record.ts.clone(),
        order,
        text,
    }
}

fn handed(record: &Recent, kind: &'static str) -> Handed {
    let first = |names: &[&str]| names.iter().find_map(|name| record.text(name));
    Handed {
        age: record.age,
        kind,
        ts: record.ts.clone(),
        event: first(&["event", kind, "state"]),
        about: first(&["label", "id", "phase_id", "path", "subject"])
            .or_else(|| record.count("index").map(|index| index.to_string())),
        commit: record.text("commit"),
        note: record.text("note"),
    }
}

/// Experiments as they are read, newest first.
#[derive(Default)]
struct ExperimentReading {
    facts: Experiments,
    kept: Vec<Kept>,
    /// Whether the last kept one was read, so that the row of those that were not is over.
    is_kept: bool,
}

/// An experiment that became the baseline.
struct Kept {
    measured: Measured,
    value: f64,
    /// What it was compared with, where the record says it.
    baseline: Option<f64>,
}

impl ExperimentReading {
    fn add(&mut self, record: &Recent) {
        let facts = &mut self.facts;
        let value = value(record);
        let metric = record.text("metric").or_else(|| record.text("metric_name"));
        facts.metric = facts.metric.take().or(metric);
        if record.kind == Kind::Rebaseline {
            facts.baseline = facts
                .baseline
                .take()
                .or_else(|| record.number("baseline"))
                .or(value);
            return;
        }
        let measured = measured(record);
        let is_kept = measured.decision == "keep";
        let is_simpler = is_simplification(record);
        if facts.baseline.is_none() {
            facts.baseline = value
                .clone()
                .filter(|_| is_kept && !is_simpler)
                .or_else(|| record.number("baseline"));
        }
        if is_kept {
            self.is_kept |= !is_simpler;
            self.kept.extend(Kept::of(record));
        } else if !self.is_kept && !measured.decision.starts_with("verification") {
            facts.not_kept += 1;
        }
        if facts.last.len() < EXPERIMENTS_MAX {
            facts.last.push(measured);
        }
    }

    fn finish(mut self) -> Experiments {
        self.facts.best = best(&self.kept);
        self.facts
    }
}

impl Kept {
    /// The experiment, if it was kept for its value.
    fn of(record: &Recent) -> Option<Kept> {
        let measured = measured(record);
        if measured.decision != "keep" || is_simplification(record) {
            return None;
        }
        Some(Kept {
            value: measured.value.as_ref()?.as_f64()?,
            baseline: record.number("baseline").and_then(|number| number.as_f64()),
            measured,
        })
    }
}

fn measured(record: &Recent) -> Measured {
    Measured {
        age: record.age,
        decision: record
            .text("decision")
            .or_else(|| record.text("status"))
            .unwrap_or_default(),
        value: value(record),
        commit: record.text("commit"),
        description: record.text("description"),
        reason: record.text("reason"),
    }
}

fn value(record: &Recent) -> Option<Number> {
    ["metric", "metric_value", "median", "value"]
        .into_iter()
        .find_map(|name| record.number(name))
}

/// Whether an experiment was kept for its brevity: it cannot be the best, and it ends no row of others.
fn is_simplification(record: &Recent) -> bool {
    record.text("comparison").as_deref() == Some("noise")
        || record
            .text("description")
            .is_some_and(|text| text.starts_with("simplification"))
        || record.text("reason").as_deref() == Some("simplification")
}

/// The best of what was kept, newest first. Whether more or less is better shows in what was kept over what.
fn best(kept: &[Kept]) -> Option<Measured> {
    let older = kept.iter().skip(1).map(|kept| Some(kept.value));
    let votes: f64 = kept
        .iter()
        .zip(older.chain([None]))
        .filter_map(|(kept, before)| Some(kept.value - kept.baseline.or(before)?))
        .filter(|gain| *gain != 0.0)
        .map(f64::signum)
        .sum();
    let better = |one: &Kept, other: &Kept| (one.value - other.value) * votes > 0.0;
    let mut best = kept.first()?;
    for kept in kept {
        if better(kept, best) {
            best = kept;
        }
    }
    Some(best.measured.clone())
}

/// Finds the best of the kept experiments of a whole ledger, of one run or of all.
pub(super) fn best_of_all(
    ledger: &Whole<'_>,
    run: Option<&str>,
    experiments: &mut Experiments,
) -> io::Result<()> {
    let mut kept = VecDeque::new();
    ledger.search(b"\"keep\"", |line| {
        let record = Recent::parse(0, line)
            .filter(|record| record.kind == Kind::Experiment)
            .filter(|record| run.is_none_or(|run| run == record.run));
        if let Some(newest) = record.as_ref().and_then(Kept::of) {
            kept.push_front(newest);
            kept.truncate(KEPT_MAX);
        }
    })?;
    experiments.best = best(kept.make_contiguous()).or(experiments.best.take());
    Ok(())
}
