//! From the end of a ledger to the facts of a brief.
//!
//! Everything here lies among the last 1,000 records or 4 MiB, and further back only as far as the last attempt of a live
//! gate does, so it costs the same whatever the ledger holds. What needs all of it is in [`super::past`].

use std::io;

use crate::history::{Attempt, Histories, History};
use crate::notes::folded;
use crate::read::Found;
use crate::record::{Gate, Kind, SCHEMA};
use crate::segments::Whole;

use super::asides::Asides;
use super::recent::Recent;
use super::{Brief, Dropped, GateBrief, Note, Resolved, Said, Tried};

/// How far back the brief looks for what is not a history, whichever comes first.
const RECORDS: u64 = 1000;
const BYTES: u64 = 4 << 20;

const GATES_MAX: usize = 8;
const ACTIONS_MAX: usize = 12;
const NOTES_MAX: usize = 5;
const IDEAS_MAX: usize = 8;

/// What the brief is to be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The run, where there is no attempt that tells; none for that of the last record.
    pub run: Option<String>,
    /// Whether the ledger holds one run alone, whatever its records say.
    pub is_run_ledger: bool,
    /// The only gate that is asked about.
    pub name: Option<String>,
    /// The streak at which the direction must change.
    pub k: u64,
    /// How many attempts of a history were looked at.
    pub window: usize,
}

/// Reads the facts from the end of a ledger.
///
/// # Errors
///
/// If the ledger cannot be read.
pub fn read(ledger: &Whole<'_>, found: &Histories, asked: &Asked) -> io::Result<Brief> {
    let none = Vec::new();
    let histories = found.runs.first().unwrap_or(&none);
    let run = histories.first().map(|history| history.run.clone());
    let mut reading = Reading::new(histories, asked, run);
    let mut lines = ledger.backwards()?;
    let mut count = 0;
    let mut is_all = false;
    while !reading.is_done() || (count < RECORDS && lines.passed_bytes() < BYTES) {
        let Some(found) = lines.next()? else {
            is_all = true;
            break;
        };
        count += 1;
        if let Found::Line(line) = found
            && let Some(record) = Recent::parse(count, line)
        {
            reading.add(&record, line);
        }
    }
    let run = reading.run.clone().filter(|_| !asked.is_run_ledger);
    let mut brief = reading.finish();
    brief.damaged = found.damaged;
    if let Some(experiments) = &mut brief.experiments
        && !is_all
    {
        super::asides::best_of_all(ledger, run.as_deref(), experiments)?;
    }
    Ok(brief)
}

/// One gate as its attempts are read, newest first.
struct GateReading<'h> {
    history: &'h History,
    brief: GateBrief,
    is_described: bool,
    /// The oldest pass of those that no failure was read before yet.
    pass: Option<super::Moment>,
}

struct Reading<'h> {
    asked: &'h Asked,
    run: Option<String>,
    gates: Vec<GateReading<'h>>,
    brief: Brief,
    asides: Asides,
}

impl<'h> Reading<'h> {
    fn new(histories: &'h [History], asked: &'h Asked, run: Option<String>) -> Reading<'h> {
        let mut gates: Vec<GateReading<'h>> = histories
            .iter()
            .filter_map(|history| GateReading::new(history, asked))
            .collect();
        // The worst first: what fails, what has failed for longest; among equals the one that ran last.
        gates.sort_by_key(|gate| {
            std::cmp::Reverse((gate.brief.gate != Gate::Pass, gate.brief.streak))
        });
        let mut brief = Brief::default();
        if let Some(more) = gates.len().checked_sub(GATES_MAX).filter(|more| *more > 0) {
            gates.truncate(GATES_MAX);
            brief.dropped.push(Dropped {
                what: super::fit::GATES,
                count: more as u64,
            });
        }
        Reading {
            run: run.or_else(|| asked.run.clone()),
            asked,
            gates,
            brief,
            asides: Asides::default(),
        }
    }

    /// Whether the last attempt of every gate was read.
    fn is_done(&self) -> bool {
        self.gates.iter().all(|gate| gate.is_described)
    }

    fn add(&mut self, record: &Recent, line: &[u8]) {
        let run = self.run.get_or_insert_with(|| record.run.clone());
        let is_ours = *run == record.run;
        if record.kind == Kind::Attempt {
            if is_ours {
                self.attempt(record, line);
            }
        } else if is_ours || self.asked.is_run_ledger {
            self.asides.add(record);
        }
    }

    fn attempt(&mut self, record: &Recent, line: &[u8]) {
        if self
            .asked
            .name
            .as_deref()
            .is_some_and(|name| name != record.name)
        {
            return;
        }
        let Some(attempt) = Recent::attempt(line) else {
            return;
        };
        if attempt.passed() {
            self.asides.passed(&record.name);
        }
        let main = self.gates.first().map(|gate| gate.history.name.clone());
        if let Some(gate) = self
            .gates
            .iter_mut()
            .find(|gate| gate.history.name == record.name)
        {
            gate.add(record, &attempt);
        }
        if main.as_deref() == Some(&record.name)
            && let Some(action) = attempt.action.as_deref().and_then(folded)
        {
            match self
                .brief
                .actions
                .iter_mut()
                .find(|tried| tried.action == action)
            {
                Some(tried) => tried.count += 1,
                None => self.brief.actions.push(Tried {
                    age: record.age,
                    action,
                    gate: attempt.gate,
                    fingerprint: folded(&attempt.fingerprint).unwrap_or_default(),
                    count: 1,
                }),
            }
        }
        self.noted(record);
    }

    fn noted(&mut self, record: &Recent) {
        let action = record.text("action");
        let note = Note {
            age: record.age,
            iteration: record.integer("iteration"),
            // Notes without an action have given it what they suppose.
            hypothesis: record
                .text("hypothesis")
                .filter(|it| Some(it) != action.as_ref()),
            why: record.text("why"),
            note: record.text("note"),
        };
        let says = |note: &Note| (note.hypothesis.clone(), note.why.clone(), note.note.clone());
        // Every gate of a turn has the notes of the turn.
        if says(&note) != (None, None, None)
            && self.brief.notes.len() < NOTES_MAX
            && self
                .brief
                .notes
                .iter()
                .all(|known| says(known) != says(&note))
        {
            self.brief.notes.push(note);
        }
        for (list, name) in [
            (&mut self.brief.next, "next"),
            (&mut self.brief.avoid, "avoid"),
        ] {
            for text in record.texts(name) {
                if list.len() < IDEAS_MAX && list.iter().all(|known| known.text != text) {
                    list.push(Said {
                        age: record.age,
                        text,
                    });
                }
            }
        }
    }

    fn finish(self) -> Brief {
        let mut brief = self.brief;
        brief.v = SCHEMA;
        brief.kind = "brief";
        brief.run = self.run.as_deref().and_then(folded).unwrap_or_default();
        brief.actions.truncate(ACTIONS_MAX);
        brief.gates = self.gates.into_iter().map(|gate| gate.brief).collect();
        self.asides.finish(&mut brief);
        brief
    }
}

impl<'h> GateReading<'h> {
    fn new(history: &'h History, asked: &Asked) -> Option<GateReading<'h>> {
        let last = history.last()?;
        let streak = history.streak();
        let is_whole = history.attempts.len() < asked.window;
        Some(GateReading {
            brief: GateBrief {
                name: folded(&history.name).unwrap_or_default(),
                gate: last.gate,
                attempts: is_whole.then_some(history.attempts.len() as u64),
                ts: None,
                commit: None,
                stage: None,
                fingerprint: folded(&last.fingerprint).unwrap_or_default(),
                streak,
                k: asked.k,
                change_direction: streak >= asked.k,
                failures: Vec::new(),
                failures_more: 0,
                is_looked_up: false,
                seen: None,
                dead_ends: Vec::new(),
                resolved: None,
                resolved_count: resolved_count(history),
            },
            history,
            is_described: false,
            pass: None,
        })
    }

    fn add(&mut self, record: &Recent, attempt: &Attempt) {
        if !std::mem::replace(&mut self.is_described, true) {
            let brief = &mut self.brief;
            brief.ts.clone_from(&record.ts);
            brief.commit = record.text("commit");
            brief.stage = record.text("stage");
            if !attempt.passed() {
                (brief.failures, brief.failures_more) = record.described();
            }
            // The number that the ledger gave the last attempt tells of those that were not read.
            let read = self.history.attempts.len() as u64;
            brief.attempts = brief
                .attempts
                .or_else(|| record.count("iteration").filter(|number| *number >= read));
        }
        if self.brief.resolved.is_some() {
            return;
        }
        if attempt.passed() {
            self.pass = Some(record.moment(true));
        } else if let Some(by) = self.pass.take() {
            self.brief.resolved = Some(Resolved {
                fingerprint: folded(&attempt.fingerprint).unwrap_or_default(),
                failures: record.described().0,
                by,
            });
        }
    }
}

/// How many different failures of a history a pass came after.
fn resolved_count(history: &History) -> u64 {
    let last_pass = history
        .attempts
        .iter()
        .rposition(Attempt::passed)
        .unwrap_or(0);
    let failed = history.attempts.get(..last_pass).unwrap_or_default();
    let names: std::collections::BTreeSet<(u32, &str)> = failed
        .iter()
        .filter(|attempt| !attempt.fingerprint.is_empty())
        .map(|attempt| (attempt.scheme, attempt.fingerprint.as_str()))
        .collect();
    names.len() as u64
}
