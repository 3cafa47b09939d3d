//! A verdict as people read it.

use ledger::edge::Style;
use ledger::record::{Finding, Gate, Standing, Verdict};
use ledger::text::{shortened, visible};

/// Shows a verdict: the answer first, then what it rests on and what not to try again.
#[must_use]
pub fn verdict(verdict: &Verdict, style: Style) -> String {
    let standing = match (verdict.verdict, verdict.gate) {
        (Standing::Stalled, _) => style.bad("STALLED"),
        (Standing::Progress, Some(Gate::Pass)) => style.good("GREEN"),
        (Standing::Progress, None) => style.dim("NOTHING YET"),
        (Standing::Progress, Some(_)) => style.warm("PROGRESS"),
    };
    let history: Vec<&str> = [verdict.run.as_deref(), verdict.name.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let history = if history.is_empty() {
        String::new()
    } else {
        format!("  {}", visible(&history.join("/")))
    };
    let mut lines = vec![format!("{standing}{history}  {}", visible(&verdict.reason))];
    if verdict.verdict == Standing::Stalled {
        lines.push(format!(
            "  do now     {}",
            style.bold(advice(&verdict.recommend))
        ));
    }
    if !verdict.fingerprint.is_empty() {
        lines.push(format!("  failure    {}", visible(&verdict.fingerprint)));
    }
    for (index, action) in verdict.dead_ends.iter().enumerate() {
        let lead = if index == 0 { "dead ends" } else { "" };
        lines.push(format!("  {lead:<9}  {}", shortened(&visible(action), 100)));
    }
    for (index, finding) in verdict.detectors.iter().enumerate() {
        let lead = if index == 0 { "detectors" } else { "" };
        lines.push(format!("  {lead:<9}  {}", of_finding(finding, style)));
    }
    for (index, gate) in verdict.gates.iter().enumerate() {
        let lead = if index == 0 { "gates" } else { "" };
        let name = if gate.name.is_empty() {
            "(unnamed)"
        } else {
            &gate.name
        };
        lines.push(format!(
            "  {lead:<9}  {}  {}  {}",
            visible(name),
            gate.gate.as_str(),
            gate.recommend
        ));
    }
    lines.join("\n")
}

fn of_finding(finding: &Finding, style: Style) -> String {
    let counted = format!(
        "{} {} of {}",
        finding.detector, finding.count, finding.threshold
    );
    if finding.fired {
        style.bad(&counted)
    } else {
        style.dim(&counted)
    }
}

fn advice(recommend: &str) -> &'static str {
    match recommend {
        "switch-strategy" => "change direction: the next attempt must not be another of these",
        "escalate" => "call a person; 'lrecord --kind ack' goes on after that",
        "stop" => "stop the loop",
        "rerun" => "run the gate again: it, not the work, is at fault",
        _ => "go on",
    }
}
