//! An answer as people read it.

use ledger::edge::Style;
use ledger::record::Gate;
use ledger::text::{shortened, visible};

use crate::report::{Item, Report};

/// Shows what failed: the outcome and the fingerprint, then a line a failure.
#[must_use]
pub fn report(report: &Report, style: Style) -> String {
    let outcome = match report.gate {
        Some(Gate::Pass) => style.good("pass"),
        Some(Gate::Fail) => style.bad("fail"),
        Some(Gate::Blocked) => style.warm("blocked"),
        None => style.dim("no failure found"),
    };
    let mut words = vec![outcome];
    if !report.fingerprint.is_empty() {
        words.push(style.bold(&report.fingerprint));
    }
    if let Some(stage) = report.stage {
        words.push(stage.name().to_owned());
    }
    words.push(match (report.sigs_total, report.ran) {
        (0, None) => String::new(),
        (0, Some(ran)) => format!("{ran} ran"),
        (1, None) => "1 failure".to_owned(),
        (total, None) => format!("{total} failures"),
        (total, Some(ran)) => format!("{total} failed of {ran} that ran"),
    });
    let mut lines = vec![words.join("  ").trim_end().to_owned()];
    lines.extend(
        report
            .failures
            .iter()
            .take(crate::attempt::DESCRIBED_MAX)
            .map(|item| of_item(item, style)),
    );
    let left = report
        .sigs_total
        .saturating_sub(crate::attempt::DESCRIBED_MAX as u64);
    if left > 0 {
        lines.push(style.dim(&format!("  and {left} more")));
    }
    lines.join("\n")
}

fn of_item(item: &Item, style: Style) -> String {
    let failure = &item.named.failure;
    let place = if failure.id.is_empty() || failure.id.contains('\0') {
        &failure.file
    } else {
        &failure.id
    };
    let place = shortened(&visible(place), 70).into_owned();
    let times = if item.count > 1 {
        style.dim(&format!("  ×{}", item.count))
    } else {
        String::new()
    };
    let lead = format!(
        "  {}  {}",
        style.dim(&item.named.sig.to_string()),
        failure.tool
    );
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("  {}", style.bold(&place))
    };
    format!(
        "{lead}{place}  {}{times}",
        shortened(&visible(&failure.title), 100)
    )
}

/// Tells of every failure where it was found, what was kept of it, and what was replaced by which rule.
#[must_use]
pub fn explained(report: &Report, style: Style) -> String {
    let mut lines = vec![self::report(
        &Report {
            failures: Vec::new(),
            ..report.clone()
        },
        style,
    )];
    for item in &report.failures {
        lines.extend(explain(item, style));
    }
    lines.join("\n")
}

fn explain(item: &Item, style: Style) -> Vec<String> {
    let (named, failure) = (&item.named, &item.named.failure);
    let found = format!(
        "{} {}, {:?}, seen {}×",
        failure.tool,
        failure.kind.name(),
        failure.tier,
        item.count
    );
    let mut lines = vec![
        String::new(),
        format!("{}  ({found})", style.bold(&visible(&failure.title))),
        format!(
            "  names     signature {}  site {}  class {}  exact {}",
            named.sig, named.site, named.class, named.exact
        ),
    ];
    lines.extend(
        failure
            .text
            .lines()
            .map(|line| format!("  {}      {}", style.dim("text"), visible(line))),
    );
    let parts = [
        ("id", &failure.id),
        ("file", &failure.file),
        ("code", &failure.code),
        ("message", &named.kept),
    ];
    let frames = failure.frames.iter().map(|frame| ("frame", frame));
    for (name, part) in parts
        .into_iter()
        .chain(frames)
        .filter(|(_, part)| !part.is_empty())
    {
        lines.push(format!(
            "  {}      {name} {}",
            style.good("kept"),
            visible(part)
        ));
    }
    for replaced in &named.replaced {
        let change = format!("{} → {}", visible(&replaced.from), visible(&replaced.to));
        lines.push(format!(
            "  {}  {change}  ({})",
            style.warm("replaced"),
            replaced.rule
        ));
    }
    lines
}
