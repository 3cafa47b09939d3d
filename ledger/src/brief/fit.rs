//! Making a brief fit its budget: the oldest facts go first, what must not be tried again and what waits for an answer
//! last, and the brief says what went.

use crate::line::Line;
use crate::text::shortened;

use super::{Brief, Dropped, markdown};

pub(super) const DEAD_ENDS: &str = "dead end";
pub(super) const GATES: &str = "gate";

/// The smallest budget in which a brief says anything, in characters.
pub const BUDGET_MIN: usize = 64;

/// How a brief is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitted {
    /// Text for a prompt.
    Markdown,
    /// One JSON object.
    Jsonl,
}

impl Brief {
    /// Writes the brief in at most `budget` characters, its last newline among them.
    #[must_use]
    pub fn fitted(mut self, form: Fitted, budget: usize) -> String {
        let budget = budget.max(BUDGET_MIN);
        loop {
            let text = match form {
                Fitted::Markdown => markdown::text(&self),
                Fitted::Jsonl => format!("{}\n", Line::of(&self)),
            };
            if text.chars().count() <= budget {
                return text;
            }
            let Some(what) = self.drop_oldest() else {
                return match form {
                    Fitted::Markdown => cut(&text, budget),
                    Fitted::Jsonl => smallest(&self),
                };
            };
            match self.dropped.iter_mut().find(|known| known.what == what) {
                Some(known) => known.count += 1,
                None => self.dropped.push(Dropped { what, count: 1 }),
            }
        }
    }

    /// Drops one fact and says of which kind it was; none when nothing is left that can go.
    fn drop_oldest(&mut self) -> Option<&'static str> {
        let what = self
            .drop_past()
            .or_else(|| self.drop_of_gates())
            .or_else(|| self.open.pop().map(|_| "open order"));
        if what.is_none() && self.gates.len() > 1 {
            self.gates.pop();
            return Some(GATES);
        }
        what
    }

    /// The oldest of what was done, noted and handed over.
    fn drop_past(&mut self) -> Option<&'static str> {
        let directions = self.search.as_mut().map(|search| &mut search.directions);
        let experiments = self.experiments.as_mut().map(|facts| &mut facts.last);
        let ages = [
            self.actions.last().map(|it| it.age),
            self.notes.last().map(|it| it.age),
            self.next.last().map(|it| it.age),
            self.avoid.last().map(|it| it.age),
            self.handoffs.last().map(|it| it.age),
            directions
                .as_ref()
                .and_then(|list| list.last())
                .map(|it| it.age),
            experiments
                .as_ref()
                .and_then(|list| list.last())
                .map(|it| it.age),
        ];
        let (_, std::cmp::Reverse(oldest)) = ages
            .into_iter()
            .enumerate()
            .filter_map(|(index, age)| Some((age?, std::cmp::Reverse(index))))
            .max()?;
        match oldest {
            0 => self.actions.pop().map(|_| "action"),
            1 => self.notes.pop().map(|_| "note"),
            2 => self.next.pop().map(|_| "idea"),
            3 => self.avoid.pop().map(|_| "warning"),
            4 => self.handoffs.pop().map(|_| "hand-over"),
            5 => directions?.pop().map(|_| "direction"),
            _ => experiments?.pop().map(|_| "experiment"),
        }
    }

    /// What is told of the gates, the last gate's first: words for the failures, what was resolved, dead ends.
    fn drop_of_gates(&mut self) -> Option<&'static str> {
        for gate in self.gates.iter_mut().rev() {
            if gate.resolved.take().is_some() {
                return Some("repair");
            }
        }
        for gate in self.gates.iter_mut().rev() {
            if gate.failures.len() > 1 {
                gate.failures.pop();
                gate.failures_more += 1;
                return Some("described failure");
            }
        }
        for gate in self.gates.iter_mut().rev() {
            if gate.dead_ends.pop().is_some() {
                return Some(DEAD_ENDS);
            }
        }
        for gate in self.gates.iter_mut().rev() {
            if gate.failures.pop().is_some() {
                gate.failures_more = 0;
                return Some("described failure");
            }
        }
        None
    }
}

/// As many whole lines as there is room for; a first line without room is cut.
fn cut(text: &str, budget: usize) -> String {
    const MARK: &str = "…\n";
    let mut kept = String::new();
    let mut left = budget - MARK.chars().count();
    for line in text.split_inclusive('\n') {
        let len = line.chars().count();
        if len > left {
            break;
        }
        left -= len;
        kept.push_str(line);
    }
    if kept.is_empty() {
        let first = text.lines().next().unwrap_or_default();
        return format!("{}\n", shortened(first, budget - 1));
    }
    kept + MARK
}

/// What is left of a JSON object when even its least facts have no room.
fn smallest(brief: &Brief) -> String {
    #[derive(serde::Serialize)]
    struct Smallest {
        v: u32,
        kind: &'static str,
        dropped: &'static str,
    }
    let smallest = Smallest {
        v: brief.v,
        kind: brief.kind,
        dropped: "all",
    };
    format!("{}\n", Line::of(&smallest))
}
