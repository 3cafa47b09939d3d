//! What changed, as people read it.

use crate::edge::Style;
use crate::text::{counted, shortened, visible};

use super::repository::short;
use super::{Base, Changed, Since};

/// How many entries of each list are shown.
const SHOWN: usize = 20;

/// Shows what changed: with what it was compared, commits, files, work tree, untracked files, remarks.
#[must_use]
pub fn since(since: &Since, style: Style) -> String {
    let head = match (&since.head, &since.branch) {
        (None, _) => "no commit yet".to_owned(),
        (Some(head), Some(branch)) => format!("{} on {}", short(head), visible(branch)),
        (Some(head), None) => format!("{} on a detached head", short(head)),
    };
    let base = since.base.as_ref().map(of_base);
    let mut lines = vec![style.bold(base.as_ref().unwrap_or(&head))];
    lines.extend(since.remarks.iter().map(|remark| style.warm(remark)));
    if since.head.is_some() && base.is_some() {
        lines.push(format!(
            "{} up to {head}",
            counted(since.commits_total, "commit")
        ));
    }
    // The newest are the last.
    let hidden = since.commits.len().saturating_sub(SHOWN);
    lines.extend(more(since.commits_total, SHOWN.min(since.commits.len())));
    for commit in since.commits.iter().skip(hidden) {
        let subject = shortened(&visible(&commit.subject), 100).into_owned();
        lines.push(format!("  {}  {subject}", style.dim(short(&commit.commit))));
    }
    section(
        &mut lines,
        "changed file",
        since.files_total,
        since.files.iter().map(changed).collect(),
    );
    section(
        &mut lines,
        "change in the work tree",
        since.work_tree_total,
        since.work_tree.iter().map(changed).collect(),
    );
    section(
        &mut lines,
        "untracked file",
        since.untracked_total,
        since.untracked.iter().map(|name| path(name)).collect(),
    );
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, thing: &str, total: u64, entries: Vec<String>) {
    if total == 0 {
        return;
    }
    let thing = match thing.strip_prefix("change ") {
        Some(rest) => format!("{} {rest}", counted(total, "change")),
        None => counted(total, thing),
    };
    lines.push(thing);
    let shown = entries.len().min(SHOWN);
    lines.extend(
        entries
            .into_iter()
            .take(SHOWN)
            .map(|entry| format!("  {entry}")),
    );
    lines.extend(more(total, shown));
}

fn more(total: u64, shown: usize) -> Option<String> {
    let more = total.saturating_sub(shown as u64);
    (more > 0).then(|| format!("  and {more} more"))
}

fn of_base(base: &Base) -> String {
    if let Some(revision) = &base.revision {
        return format!("since {} ({})", visible(revision), short(&base.commit));
    }
    let number = base.seq.map_or_else(String::new, |seq| format!("#{seq} "));
    let at = base
        .ts
        .as_deref()
        .and_then(|ts| ts.get(..19))
        .map_or_else(String::new, |ts| format!(" {ts}"));
    let attempt = base.iteration.map_or_else(
        || "the attempt".to_owned(),
        |number| format!("attempt {number}"),
    );
    let action = base.action.as_deref().map_or_else(String::new, |action| {
        format!("  {}", shortened(&visible(action), 70))
    });
    format!(
        "since {number}{attempt}{at}  {}{action}",
        short(&base.commit)
    )
}

fn changed(changed: &Changed) -> String {
    let status = changed.status.as_deref().map(visible).unwrap_or_default();
    let from = changed.from.as_deref().map(path).unwrap_or_default();
    let arrow = if from.is_empty() { "" } else { "->" };
    let path = path(&changed.path);
    let named = [&status, from.as_str(), arrow, &path].map(ToString::to_string);
    let named = named.into_iter().filter(|word| !word.is_empty());
    let mut said = vec![named.collect::<Vec<_>>().join(" ")];
    match (changed.added, changed.deleted) {
        (Some(added), Some(deleted)) => said.push(format!("+{added} -{deleted}")),
        _ if changed.status.is_none() => said.push("binary".to_owned()),
        _ => {}
    }
    if let Some(submodule) = &changed.submodule {
        let parts = [
            ('C', "another commit"),
            ('M', "changed files"),
            ('U', "untracked files"),
        ];
        let parts: Vec<&str> = parts
            .into_iter()
            .filter(|(letter, _)| submodule.contains(*letter))
            .map(|(_, part)| part)
            .collect();
        said.push(format!("submodule: {}", parts.join(", ")));
    }
    said.join("  ")
}

/// A path as it stands if it is plain, else between quotes with what is hidden in it made visible.
fn path(path: &str) -> String {
    let is_plain = visible(path) == path
        && path.trim() == path
        && !path.starts_with('-')
        && !path.contains(['"', '\'', '\\']);
    if is_plain {
        path.to_owned()
    } else {
        format!("{path:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_quoted_and_plain_ones_are_not() {
        assert_eq!(path("src/größe 1.rs"), "src/größe 1.rs");
        assert_eq!(path("-rf"), "\"-rf\"");
        assert_eq!(
            path("a\n\u{1b}[31m\u{202e}b"),
            r#""a\n\u{1b}[31m\u{202e}b""#
        );
        assert_eq!(path("it's"), "\"it's\"");
    }
}
